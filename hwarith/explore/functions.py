"""Exact results of units whose operation is no sum of products: quotients, remainders, roots,
logarithms, powers of two and products with them.

What is no fraction is given by one within a relative 2^-120 of it, and as it is wherever it is one
that a format could hold; so that errors against it are right to float64's precision.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from math import floor, isqrt, trunc

from ..units.operations import (
    LOGARITHM,
    POWER_OF_TWO,
    QUOTIENT,
    QUOTIENT_OR_ROOT,
    RECIPROCAL,
    RECIPROCAL_ROOT,
    REMAINDER,
    SCALING,
    SQUARE_ROOT,
    TRUNCATED_REMAINDER,
    Operation,
)

_BITS = 128
_DECIMAL = Context(prec=64)
_LN2 = _DECIMAL.ln(Decimal(2))
_BEYOND = 2000
"""An exponent beyond those of all formats that errors are measured of."""


def _quotient(a: Fraction, b: Fraction) -> Fraction | None:
    return a / b if b else None


def _remainder(a: Fraction, b: Fraction) -> Fraction | None:
    return a - b * round(a / b) if b else None


def _truncated_remainder(a: Fraction, b: Fraction) -> Fraction | None:
    return a - b * trunc(a / b) if b else None


def _reciprocal(a: Fraction) -> Fraction | None:
    return 1 / a if a else None


def _square_root(a: Fraction) -> Fraction | None:
    if a < 0:
        return None
    square = a.numerator * a.denominator
    places = max(0, _BITS - square.bit_length() // 2)
    return Fraction(isqrt(square << 2 * places), a.denominator << places)


def _quotient_or_root(a: Fraction, b: Fraction, root: Fraction) -> Fraction | None:
    return _square_root(a) if root else _quotient(a, b)


def _reciprocal_root(a: Fraction) -> Fraction | None:
    return _square_root(1 / a) if a > 0 else None


def _logarithm(a: Fraction) -> Fraction | None:
    if a <= 0:
        return None
    n, d = a.numerator, a.denominator
    if n & (n - 1) == d & (d - 1) == 0:
        return Fraction(n.bit_length() - d.bit_length())
    x = _DECIMAL.divide(Decimal(n), Decimal(d))
    return Fraction(_DECIMAL.divide(_DECIMAL.ln(x), _LN2))


def _power_of_two(a: Fraction) -> Fraction:
    whole = floor(a)
    if abs(whole) > _BEYOND:
        return Fraction(2) ** (_BEYOND if whole > 0 else -_BEYOND)
    rest = a - whole
    part = _DECIMAL.divide(Decimal(rest.numerator), Decimal(rest.denominator))
    return Fraction(2) ** whole * Fraction(_DECIMAL.exp(_DECIMAL.multiply(part, _LN2)))


def _scaled(a: Fraction, by: Fraction) -> Fraction | None:
    return a * _power_of_two(by)


FUNCTIONS: dict[Operation, tuple[int, Callable[..., Fraction | None]]] = {
    QUOTIENT: (2, _quotient),
    QUOTIENT_OR_ROOT: (3, _quotient_or_root),
    REMAINDER: (2, _remainder),
    TRUNCATED_REMAINDER: (2, _truncated_remainder),
    RECIPROCAL: (1, _reciprocal),
    SQUARE_ROOT: (1, _square_root),
    RECIPROCAL_ROOT: (1, _reciprocal_root),
    LOGARITHM: (1, _logarithm),
    POWER_OF_TWO: (1, _power_of_two),
    SCALING: (2, _scaled),
}
"""For each operation how many operands it takes, and its result; None where there is none."""
