"""What quantizers of blocks and other units of lanes are tried with."""

from __future__ import annotations

import numpy as np

from ...formats import Format
from ...units.blocks import LaneUnit
from .corner_weighted import corner_codes
from .default import Stimuli


class LaneStimuli(Stimuli):
    """Blocks whose exponents are near each other, most of them, with zeros at the end of fractions;
    zeros and corners among them."""

    unit: LaneUnit

    @property
    def call_formats(self) -> list[Format]:
        formats = self.unit.code_formats
        return [formats[name] for name in self.unit.operands]

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng(seed)
        found = {}
        for name, port in self.unit.operands.items():
            f, lanes = self.unit.lane_formats.get(name, (port, 0))
            if lanes and f.is_float:
                found[name] = self._blocks(f, (n, lanes), rng)
            else:
                shape = (n, lanes) if lanes else n
                found[name] = rng.integers(0, (1 << f.bits) - 1, shape, f.dtype, endpoint=True)
        return tuple(self.refined(list(found.values()), rng))

    def _blocks(self, f: Format, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        n, _ = shape
        top = rng.integers(0, 1 << f.exponent_bits, (n, 1))
        reach = rng.choice([1, 3, 8, 40], (n, 1))
        exponent = np.clip(top - rng.integers(0, reach, shape), 0, None)
        cut = rng.integers(0, f.fraction_bits + 1, shape)
        fraction = rng.integers(0, 1 << f.fraction_bits, shape) >> cut << cut
        sign = rng.integers(0, 2, shape) << (f.bits - 1)
        codes = (sign | exponent << f.fraction_bits | fraction).astype(f.dtype)
        few = rng.integers(0, 16, shape) == 0
        corners = rng.choice(corner_codes(f), shape)
        return np.where(few & (rng.integers(0, 4, (n, 1)) == 0), corners, codes)


class Nvfp4QuantStimuli(LaneStimuli):
    """Scales of tensors with which most blocks have scales within their range."""

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        x, t = codes
        f = self.call_formats[0]
        exponents = (x >> f.fraction_bits & (1 << f.exponent_bits) - 1).max(axis=1).astype(int)
        near = np.clip(exponents - rng.integers(-3, 22, len(x)), 0, 254).astype(t.dtype)
        return [x, np.where(rng.integers(0, 16, len(x)) == 0, t, near)]
