"""What units of integer networks are tried with."""

from __future__ import annotations

import numpy as np

from ...units.requant import Requant
from .default import Stimuli


class RequantStimuli(Stimuli):
    """In three quarters of the vectors normal multipliers and exponents with which results are
    about the ends of the range or within it, in a third of these with ties."""

    unit: Requant

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        given = dict(zip(self.unit.operands, codes, strict=True))
        n = len(codes[0])
        kind = rng.integers(4, size=n)
        a = self.unit.a.decode(given["a"]).astype(np.float64)
        bits = np.frexp(a)[1].astype(np.int64)
        e = self.unit.out.bits - bits + rng.integers(-self.unit.out.bits, 2, n)
        e = np.clip(e, -31, 31) & 63
        m = 1 << 30 | given.get("m", codes[0]).astype(np.uint64) & np.uint64((1 << 30) - 1)
        m = np.where(kind == 1, 1 << 30, m)
        usual = {"m": m, "e": e}
        return [
            np.where(kind > 0, usual[name], x) if name in usual else x for name, x in given.items()
        ]
