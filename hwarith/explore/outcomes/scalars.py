"""What single codes stand for: powers, integers, and states of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...units.anfma import ColumnEnd, Seed
from ...units.anfma.definitions import unpack_state
from ...units.anfma.state import Chained, State
from ...units.codes import RoundInt
from ...units.decode.power import FRACTION, PowDecode, PowEncode, power, powers
from ..exact_result import power_of_two
from .base import Outcome, Reference, last_place_of, number, of_format


class PowDecodeReference(Reference[PowDecode]):
    """The weight sign(q) * (|q| / qmax)^(1/a), of which the result counts units of 2^-15."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        q, y = number(u.operands["q"], codes[0]), number(u.results["y"], results[0])
        assert q is not None
        assert y is not None
        table = powers(u.largest, u.a)
        size = Fraction(table[min(int(abs(q)), len(table) - 1)])
        unit = Fraction(1, 1 << FRACTION)
        return [of_format(-size if q < 0 else size, y * unit, u.results["y"], unit)]


class PowEncodeReference(Reference[PowEncode]):
    """The power sign(x) * |x|^a * qmax, of which the result is the nearest code."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        x, q = number(u.operands["x"], codes[0]), number(u.results["q"], results[0])
        assert x is not None
        share = min(abs(x) / (1 << FRACTION), Fraction(1))
        size = Fraction(power(share, u.a)) * u.largest
        one = Fraction(1)
        return [Outcome(-size if x < 0 else size, q, one)]


class RoundIntReference(Reference[RoundInt]):
    """The operand, of which a result is the integer that its rounding gives: its last place weighs
    no less than 1."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        a = self.unit.a
        exact = number(a, codes[0])
        if exact is None:
            return None
        found = of_format(exact, number(a, results[0]), a)
        return [found._replace(ulp=max(found.ulp, Fraction(1)))]


class ColumnEndReference(Reference[ColumnEnd]):
    """The value of the state."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        exact = _value(self.unit, codes[0])
        if exact is None:
            return None
        return [of_format(exact, number(self.unit.out, results[0]), self.unit.out)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """States of normally distributed values."""
        fraction, exponent = np.frexp(rng.normal(size=pieces))
        bits = min(self.unit.w, 53)
        significand = np.floor(np.ldexp(np.abs(fraction), bits)).astype(np.uint64)
        significand <<= np.uint64(self.unit.w - bits)
        sign = (fraction < 0).astype(np.int64)
        state = State(sign, exponent.astype(np.int64) - 1, significand, np.zeros_like(sign))
        return [self.unit.pack_state(state)]


class SeedReference(Reference[Seed]):
    """The number that the column begins with, of which the state is to have the value."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        exact = number(self.unit.seed, codes[0])
        if exact is None:
            return None
        least = self.unit.seed.smallest_normal / 2 ** (self.unit.w - 1)
        place = last_place_of(exact, self.unit.w, least)
        return [Outcome(exact, _value(self.unit, results[0]), *place)]


def _value(unit: Chained, code: int) -> Fraction | None:
    """What a state stands for; None if a flag is set."""
    if code >> (unit.w + unit.exponent_bits + 1):
        return None
    sign, x, f = unpack_state(code, unit.frame)
    half = 1 << (unit.exponent_bits - 1)
    value = f * power_of_two(x - half - (unit.w - 1))
    return -value if sign else value
