"""What units of integer networks stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from ...units.ivit import ILayerNorm, ShiftExp, ShiftGelu, ShiftMax
from ...units.ivit.rows import IntegerRow
from ...units.requant import Requant
from ..exact_result import power_of_two
from ..functions import square_root
from .base import Outcome, Reference, number, of_format

_R = TypeVar("_R", bound=IntegerRow)


class RequantReference(Reference[Requant]):
    """a m 2^(e - 31) + z; what is clamped errs not."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        all_codes = zip(u.all_operands.values(), u.arguments(list(codes)), strict=True)
        a, m, e, z = (number(f, int(x)) or Fraction(0) for f, x in all_codes)
        exact = a * m * power_of_two(max(int(e), -31) - 31) + z
        return [of_format(exact, number(u.out, results[0]), u.out)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Normally distributed accumulators with multipliers that bring them into the range."""
        u = self.unit
        top = min(u.a.bits - 4, u.out.bits - 3 - (u.exponent or -31))
        a = rng.normal(size=pieces) * 2.0**top
        usual = {
            "a": u.a.encode(a),
            "m": rng.integers(1 << 30, 1 << 31, pieces).astype(np.uint32),
            "e": np.full(pieces, max(u.out.bits - 3 - top, -31) & 63, np.uint8),
            "z": u.z.encode(rng.integers(-4, 5, pieces) if u.z.signed else rng.integers(9)),
        }
        return [np.broadcast_to(usual[name], pieces) for name in u.operands]


class ShiftExpReference(Reference[ShiftExp]):
    """exp(a / x0) in units of 1 / (x0 2^n), which is that of a scale of 1 / x0, in float64."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        a, x0 = u.a.decode_one(codes[0]), u.x0.decode_one(codes[1])
        whole = float(x0) * 2.0**u.n
        exact = Fraction(whole * math.exp(min(a, 0) / x0)) if x0 else Fraction(0)
        y = u.results["y"]
        return [of_format(exact, number(y, results[0]), y)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Arguments within a few of 1 / S below 0."""
        u = self.unit
        x0 = max(1, int(min(u.x0.max, -u.a.min)) // 8)
        a = -np.abs(rng.normal(size=pieces)) * 2 * x0
        return [u.a.encode(a), np.full(pieces, x0, u.x0.dtype)]


class IntegerRowReference(Reference[_R]):
    """Base of what rows of integers stand for, with a scale of 1 / x0: `exact` says it in float64
    (where that is far from the results' last places) or in fractions."""

    def exact(self, values: list[int], others: list[int]) -> list[Any]:
        """The numbers that the results of a row stand for, in their units."""
        raise NotImplementedError

    def axes(self, name: str) -> int:
        return 1

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        formats = self.unit.operands.values()
        rows = [[int(f.decode_one(x)) for x in row] for f, row in zip(formats, codes, strict=True)]
        (out,) = self.unit.results.values()
        exact = [Fraction(x) for x in self.exact(*rows)]
        pairs = zip(exact, results[0], strict=True)
        return [of_format(x, number(out, code), out) for x, code in pairs]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Rows of 64 normally distributed values, or of as many as the unit says, and 1 / S."""
        length = self.unit.row_length or 64
        a, other = self.unit.operands.values()
        deviation = int(a.max) // 3
        x = a.encode(rng.normal(size=(max(1, pieces // length), length)) * deviation)
        return [x, np.full(x.shape, max(1, deviation // 2), other.dtype)]


class ShiftMaxReference(IntegerRowReference[ShiftMax]):
    """The softmax of a / x0, in units of 2^-(out - 1)."""

    def exact(self, values: list[int], others: list[int]) -> list[Any]:
        top = max(values)
        e = [math.exp((v - top) / k) if k else 0.0 for v, k in zip(values, others, strict=True)]
        return [math.ldexp(x / (sum(e) or 1.0), self.unit.out - 1) for x in e]


class ShiftGeluReference(IntegerRowReference[ShiftGelu]):
    """a sigmoid(a / x0), in units of 2^-(out - 1)."""

    def exact(self, values: list[int], others: list[int]) -> list[Any]:
        pairs = zip(values, others, strict=True)
        sigmoids = [1 / (1 + math.exp(-v / k)) if k else 0.0 for v, k in pairs]
        return [math.ldexp(v * s, self.unit.out - 1) for v, s in zip(values, sigmoids, strict=True)]


class ILayerNormReference(IntegerRowReference[ILayerNorm]):
    """(a - mean) 2^30 over the root of the sum of the squares of these, plus the bias."""

    def exact(self, values: list[int], others: list[int]) -> list[Any]:
        mean = Fraction(sum(values), len(values))
        distances = [v - mean for v in values]
        root = square_root(sum((d * d for d in distances), Fraction(0)))
        scale = (1 << 30) / root if root else Fraction(0)
        return [d * scale + b for d, b in zip(distances, others, strict=True)]
