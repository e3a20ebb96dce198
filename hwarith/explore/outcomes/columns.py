"""Columns of AxCore: states whose sums are not normalized."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...units.axcore import AxDot, AxNorm, AxSeed
from ...units.axcore.base import OfColumn
from ...units.axcore.definitions import unpack_state
from ..drawn import normal_codes
from ..exact_result import power_of_two
from .base import Outcome, Reference, number, numbers, of_format

_TERMS = 8
"""Normal values of which a state is drawn as the sum."""


class AxDotReference(Reference[AxDot]):
    """The products plus the value of the state, of which the new state is to have the value."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        u = self.unit
        a, w, c = numbers(u.a, codes[0]), numbers(u.w, codes[1]), _value(u, codes[2])
        if a is None or w is None or c is None:
            return None
        exact = sum((x * y for x, y in zip(a, w, strict=True)), c)
        return [of_format(exact, _value(u, results[0]), u.a)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Normally distributed factors, and states that are sums of such products."""
        u, sets = self.unit, max(1, pieces // self.unit.n)
        a, w = (normal_codes(f, (sets, u.n), rng) for f in (u.a, u.w))
        return [a, w, _states(u, sets, rng)]


class AxNormReference(Reference[AxNorm]):
    """The value of the state."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        exact = _value(self.unit, codes[0])
        if exact is None:
            return None
        return [of_format(exact, number(self.unit.a, results[0]), self.unit.a)]

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        return [_states(self.unit, pieces, rng)]


class AxSeedReference(Reference[AxSeed]):
    """The number that the column begins with, of which the state is to have the value."""

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        exact = number(self.unit.a, codes[0])
        if exact is None:
            return None
        return [of_format(exact, _value(self.unit, results[0]), self.unit.a)]


def _states(u: OfColumn, count: int, rng: np.random.Generator) -> np.ndarray:
    """States after a few normally distributed terms."""
    adder = AxDot(a=u.a, n=_TERMS, depth=u.depth, head=u.head, profile=u.profile)
    a, w = (normal_codes(f, (count, _TERMS), rng) for f in (adder.a, adder.w))
    return np.asarray(adder(a, w, np.zeros(count, u.state.dtype)))


def _value(u: OfColumn, code: int) -> Fraction | None:
    """What a state stands for; None if a flag is set."""
    at = u.fields
    if code >> (at.sign + 1):
        return None
    sign, x, man = unpack_state(code, u.frame)
    total = man - (sign << (at.head + at.frac))
    return total * power_of_two(x - u.a.bias - at.frac)
