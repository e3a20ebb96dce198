"""What a set of operands gives, exactly and by the unit; how arrays are taken apart into sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from ...formats import Format
from ...units import Unit
from ...units.results import several
from ..drawn import port_codes
from ..exact_result import exponent, power_of_two, ulp

_U = TypeVar("_U", bound=Unit)


class Outcome(NamedTuple):
    """A number that a unit gives, beside the one that it stands for.

    Attributes
    ----------
    exact : the infinitely precise one; None where there is none, and beyond the results' range.
    result : that of the unit; None if it is not finite.
    ulp : the weight of the last place of a result of the exact one's size.
    underflowed : whether the exact one is smaller than the smallest normal number.
    """

    exact: Fraction | None
    result: Fraction | None
    ulp: Fraction
    underflowed: bool = False


class Reference(Generic[_U]):
    """The exact results of a unit, and operands to find errors on.

    A family gives `outcomes`; `axes`, where one set of operands is more than a code for each; and
    `operands`, where codes of normally distributed values of its ports would mean nothing.
    """

    def __init__(self, unit: _U):
        self.unit = unit

    def outcomes(self, codes: Sequence[Any], results: Sequence[Any]) -> list[Outcome] | None:
        """What a set of operands gives, number by number.

        Parameters
        ----------
        codes : for each operand its code, or lists of codes with as many `axes`.
        results : the same of the results.

        None if an operand is infinite or NaN.
        """
        raise NotImplementedError

    def axes(self, name: str) -> int:
        """How many axes of the array of an operand or result belong to one set of operands."""
        return 1 if name in self.unit.lane_formats else 0

    def operands(self, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Codes of normally distributed values for a call, as many as make so many pieces of the
        unit's operation (`Unit.work`)."""
        sets = max(1, int(pieces / self.unit.work))
        return [
            port_codes(name, f, (sets, n) if n else sets, rng)
            for name, port in self.unit.operands.items()
            for f, n in [self.unit.lane_formats.get(name, (port, 0))]
        ]

    def sets(self, operands: Sequence[np.ndarray]) -> Iterator[tuple[int, list[Outcome] | None]]:
        """Of each set of the operands of a call how many numbers it gives, and these."""
        codes = self.unit.check_operands(tuple(operands))
        found = self.unit(*codes)
        results = several(found)
        arrays = zip((*self.unit.operands, *self.unit.results), (*codes, *results), strict=True)
        columns = [_in_sets(np.asarray(x), self.axes(name)) for name, x in arrays]
        first = len(codes)
        for row in zip(*columns, strict=True):
            yield np.size(row[first]), self.outcomes(row[:first], row[first:])


def _in_sets(x: np.ndarray, axes: int) -> list[Any]:
    """Plain integers, or lists of them, of each set."""
    own = x.shape[x.ndim - axes :]
    return x.reshape(-1, *own).tolist()


@lru_cache(maxsize=1 << 17)
def number(f: Format, code: int) -> Fraction | None:
    """The value of a code; None if it is not finite."""
    x = f.decode_one(code)
    return None if isinstance(x, float) and x != 0 else Fraction(x)


def numbers(f: Format, codes: Iterable[int]) -> list[Fraction] | None:
    """The values of codes; None if one is not finite."""
    found = [number(f, x) for x in codes]
    return None if None in found else [x for x in found if x is not None]


def of_format(
    exact: Fraction, result: Fraction | None, f: Format, unit: Fraction = Fraction(1)
) -> Outcome:
    """The outcome of a result in a format whose numbers count so many units."""
    low, high, _ = _range(f)
    inside = low <= exact / unit <= high
    return Outcome(exact if inside else None, result, *last_place(exact, f, unit))


def last_place(exact: Fraction, f: Format, unit: Fraction) -> tuple[Fraction, bool]:
    """`Outcome.ulp` and `Outcome.underflowed` of a result in a format, in units."""
    count = exact / unit
    return ulp(count, f) * unit, 0 < abs(count) < _range(f)[2]


@lru_cache(maxsize=64)
def _range(f: Format) -> tuple[Fraction, Fraction, Fraction]:
    """The lowest and the largest finite value, and the smallest normal one."""
    return f.min, f.max, f.smallest_normal


def last_place_of(exact: Fraction, bits: int, least: Fraction) -> tuple[Fraction, bool]:
    """The same of a magnitude of so many bits, whose lsb weighs no less than `least`."""
    place = power_of_two(exponent(exact) - bits + 1) if exact else least
    return max(place, least), 0 < abs(exact) < least * 2 ** (bits - 1)
