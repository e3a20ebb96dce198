"""What units of integer networks are tried with."""

from __future__ import annotations

import numpy as np

from ...units.ivit import ShiftExp
from ...units.ivit.rows import IntegerRow
from ...units.requant import Requant
from .default import Stimuli
from .rows import RowStimuli


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


class ShiftExpStimuli(Stimuli):
    """Three quarters of the arguments are no more than 0."""

    unit: ShiftExp

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        a, x0 = codes
        sign = a.dtype.type(1 << (self.unit.a.bits - 1))
        return [np.where(rng.integers(4, size=len(a)) > 0, a | sign, a), x0]


class IntegerRowStimuli(RowStimuli):
    """Rows of values of any spread, in most of them with one x0, or one bias."""

    unit: IntegerRow

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        a, other = codes
        f = self.call_formats[0]
        n, size = len(a), self.longest_group
        of_row = np.arange(n) // size
        spread = rng.integers(0, f.bits, of_row[-1] + 1)[of_row]
        one = rng.integers(4, size=of_row[-1] + 1)[of_row] > 0
        values = f.decode(a.astype(f.dtype)).astype(np.int64) >> spread
        return [f.encode(values), np.where(one, other[of_row * size], other)]
