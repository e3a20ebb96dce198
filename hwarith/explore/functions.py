"""Exact results of units whose operation is no sum of products: quotients, remainders, roots,
logarithms, powers, products with them, and other elementary functions.

What is no fraction is given by one within a relative 2^-120 of it, and as it is wherever it is one
that a format could hold; so that errors against it are right to float64's precision.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from math import floor, isqrt, trunc

from ..units.operations import (
    ERROR_FUNCTION,
    GELU,
    HYPERBOLIC_TANGENT,
    LOGARITHM,
    LOGISTIC,
    NATURAL_LOGARITHM,
    POWER_OF_E,
    POWER_OF_TWO,
    QUOTIENT,
    QUOTIENT_OR_ROOT,
    RECIPROCAL,
    RECIPROCAL_ROOT,
    REMAINDER,
    SCALING,
    SILU,
    SOFTPLUS,
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


def square_root(a: Fraction) -> Fraction | None:
    """To many more bits than a result has; None of what is negative."""
    if a < 0:
        return None
    square = a.numerator * a.denominator
    places = max(0, _BITS - square.bit_length() // 2)
    return Fraction(isqrt(square << 2 * places), a.denominator << places)


def _quotient_or_root(a: Fraction, b: Fraction, root: Fraction) -> Fraction | None:
    return square_root(a) if root else _quotient(a, b)


def _reciprocal_root(a: Fraction) -> Fraction | None:
    return square_root(1 / a) if a > 0 else None


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


_WIDE = Context(prec=160)
"""For differences of numbers near each other: as many digits more as formats have binades."""
_FAR = 700
"""Beyond it e^-x is less than anything in a format that errors are measured of."""


def _decimal(a: Fraction) -> Decimal:
    return _WIDE.divide(Decimal(a.numerator), Decimal(a.denominator))


def power_of_e(a: Fraction) -> Fraction:
    """To many more digits than a result has."""
    return Fraction(_WIDE.exp(_decimal(max(min(a, Fraction(_FAR)), Fraction(-_FAR)))))


def _natural_logarithm(a: Fraction) -> Fraction | None:
    return Fraction(_WIDE.ln(_decimal(a))) if a > 0 else None


def _logistic(a: Fraction) -> Fraction:
    t = Fraction(_WIDE.exp(_decimal(-min(abs(a), Fraction(_FAR)))))
    return (t if a < 0 else 1) / (1 + t)


def _hyperbolic_tangent(a: Fraction) -> Fraction | None:
    t = Fraction(_WIDE.exp(_decimal(-2 * min(abs(a), Fraction(_FAR)))))
    return (1 - t) / (1 + t) * (-1 if a < 0 else 1)


def _softplus(a: Fraction) -> Fraction | None:
    t = Fraction(_WIDE.exp(_decimal(-min(abs(a), Fraction(_FAR)))))
    return max(a, Fraction(0)) + Fraction(_WIDE.ln(_decimal(1 + t)))


def _error_function(a: Fraction, twice: int = 2) -> Fraction:
    """2/sqrt(pi) e^(-a^2) (a + 2a^3/3 + 4a^5/15 + ...); with `twice` 1 of a/sqrt(2)."""
    x = _decimal(min(abs(a), Fraction(40)))
    square = _WIDE.multiply(x, x)
    term = total = x
    k = 1
    while term > total * Decimal(10) ** -_WIDE.prec:
        k += 2
        term = _WIDE.divide(_WIDE.multiply(term, twice * square), Decimal(k))
        total = _WIDE.add(total, term)
    density = _WIDE.exp(_WIDE.multiply(square, Decimal(-twice) / 2))
    share = _WIDE.multiply(_WIDE.multiply(total, density), _ROOT[twice])
    return Fraction(share) * (-1 if a < 0 else 1)


_PI = Decimal(
    "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534"
    "211706798214808651328230664709384460955058223172535940812848111745"
)
_ROOT = {
    2: _WIDE.divide(Decimal(2), _WIDE.sqrt(_PI)),
    1: _WIDE.sqrt(_WIDE.divide(Decimal(2), _PI)),
}


def _gelu(a: Fraction) -> Fraction | None:
    return a * (1 + _error_function(a, 1)) / 2


FUNCTIONS: dict[Operation, tuple[int, Callable[..., Fraction | None]]] = {
    QUOTIENT: (2, _quotient),
    QUOTIENT_OR_ROOT: (3, _quotient_or_root),
    REMAINDER: (2, _remainder),
    TRUNCATED_REMAINDER: (2, _truncated_remainder),
    RECIPROCAL: (1, _reciprocal),
    SQUARE_ROOT: (1, square_root),
    RECIPROCAL_ROOT: (1, _reciprocal_root),
    LOGARITHM: (1, _logarithm),
    POWER_OF_TWO: (1, _power_of_two),
    SCALING: (2, _scaled),
    POWER_OF_E: (1, power_of_e),
    NATURAL_LOGARITHM: (1, _natural_logarithm),
    LOGISTIC: (1, _logistic),
    HYPERBOLIC_TANGENT: (1, _hyperbolic_tangent),
    SILU: (1, lambda a: a * _logistic(a)),
    SOFTPLUS: (1, _softplus),
    GELU: (1, _gelu),
    ERROR_FUNCTION: (1, _error_function),
}
"""For each operation how many operands it takes, and its result; None where there is none."""
