"""What units around others are tried with: several side by side, or codes in wider words."""

from __future__ import annotations

import numpy as np

from ...formats.boxes import BoxedFormat
from ...units.boxes import Boxes
from ...units.lanes import Lanes
from .blocks import LaneStimuli
from .default import Stimuli
from .dispatch import stimulus


class BoxesStimuli(Stimuli):
    """What the unit within is tried with, in boxes; of an eighth of the words one bit above the
    code, or any, are no ones."""

    unit: Boxes

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        u, rng = self.unit, np.random.default_rng(seed)
        found = stimulus(u.of, n, seed)
        rows = rng.permutation(np.resize(np.arange(found[0].size), n))
        words = u.grouped([x[rows] for x in found])
        for i, f in enumerate(u.operands.values()):
            if isinstance(f, BoxedFormat):
                high = f.bits - f.inner.bits
                one = np.uint64(1) << rng.integers(high, size=n).astype(np.uint64)
                some = rng.integers(0, 1 << high, n, np.uint64)
                zeros = np.where(rng.integers(2, size=n) > 0, one, some)
                zeros = np.where(rng.integers(8, size=n) > 0, 0, zeros) << np.uint64(f.inner.bits)
                words[i] = words[i] ^ zeros.astype(f.dtype)
        return tuple(words)


class LanesStimuli(LaneStimuli):
    """In each lane what the unit is tried with, another vector in each; shared operands, which take
    part in these, are the same in all lanes of a transfer."""

    unit: Lanes

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        u, rng = self.unit, np.random.default_rng(seed)
        found = stimulus(u.of, n * u.lanes, seed)
        order = rng.permutation(found[0].size)
        columns = [x[order] for x in found]
        shared = [
            x for name, x in zip(u.operands, columns, strict=True) if name not in u.lane_formats
        ]
        kinds = np.unique(np.stack(shared), axis=1, return_inverse=True)[1] if shared else 0 * order
        rows = [np.flatnonzero(kinds == kind) for kind in range(int(kinds.max()) + 1)]
        filled = [np.resize(row, -(-row.size // u.lanes) * u.lanes) for row in rows]
        transfers = np.concatenate(filled).reshape(-1, u.lanes)
        chosen = np.resize(rng.permutation(transfers), (n, u.lanes)).ravel()
        return tuple(u.grouped([x[chosen] for x in columns]))
