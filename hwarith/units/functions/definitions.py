"""Golden definition of elementary functions: leading bits (`exactly`), rounded once.

Special values are those of IEEE 754-2019, 9.2.1, for the functions that it has, and limits for the
others; `control` and `Rules` as in `hwarith.units.exact.definitions`.
"""

from __future__ import annotations

from typing import NamedTuple

from ...formats import Format
from ...formats import rounding as r
from ...formats.rounding import INF, NAN, pack_infinity
from ...golden import golden
from ..exact.definitions import (
    DZ,
    infinite_result,
    invalid_result,
    is_signaling,
    nan_result,
    result,
    unpack_operand,
    with_flags,
)
from .exactly import Leading, Operand, leading

ZERO, SIGNED_ZERO, HALF, ONE, SIGNED_ONE, INFINITY, POLE, INVALID, BY_BITS = range(9)
"""What a function is of a special operand: +0; zero or one of the operand's sign; ...; an infinity
of finite operands, which is negative; a NaN; what its leading bits say."""


class Limits(NamedTuple):
    """What a function is of -infinity, zeros and +infinity, and of what is negative (`INVALID`, or
    `BY_BITS`)."""

    below: int
    zero: int
    above: int
    negative: int = BY_BITS


LIMITS = {
    "exp2": Limits(ZERO, ONE, INFINITY),
    "exp": Limits(ZERO, ONE, INFINITY),
    "log2": Limits(INVALID, POLE, INFINITY, INVALID),
    "ln": Limits(INVALID, POLE, INFINITY, INVALID),
    "sigmoid": Limits(ZERO, HALF, ONE),
    "tanh": Limits(SIGNED_ONE, SIGNED_ZERO, SIGNED_ONE),
    "silu": Limits(SIGNED_ZERO, SIGNED_ZERO, INFINITY),
    "softplus": Limits(ZERO, BY_BITS, INFINITY),
    "gelu": Limits(SIGNED_ZERO, SIGNED_ZERO, INFINITY),
    "gelu_tanh": Limits(SIGNED_ZERO, SIGNED_ZERO, INFINITY),
    "erf": Limits(SIGNED_ONE, SIGNED_ZERO, SIGNED_ONE),
}

_BIAS = 1 << 14
"""Of exponents in words."""

EXPONENT_AT = 2
"""Where they are in words, above the leading bits: behind the sign and what is exact."""


def leading_of(function: str, code: int, a: Format, out: Format, bits: int) -> Leading | None:
    """The leading bits of a function of a code; None of special values, and where a result is the
    same for all operands of a kind."""
    kind, s, e, g = r.unpack(code, a.numbers)
    limits = LIMITS[function]
    if kind != r.FINITE or (g == 0 and limits.zero != BY_BITS):
        return None
    if s and limits.negative != BY_BITS:
        return None
    least, most = out.numbers.lsb - 4, out.max.numerator.bit_length() + 2
    return leading(function, Operand(s, e, g, bits, least, most))


def leading_of_fraction(function: str, code: int, a: Format, out: Format, bits: int) -> Leading:
    """The leading bits of 2 to the power of a fraction, a code of a number in fixed point from 0 to
    below 1, of which that of 0 is 1."""
    x = leading_of(function, code, a, out, bits)
    return x or Leading(0, 1 - bits, 1 << (bits - 1), 1)


def word_of(x: Leading | None, bits: int) -> int:
    """Leading bits as one integer, which `function` takes apart."""
    if x is None:
        return 0
    return (((x.exponent + _BIAS) << EXPONENT_AT | x.sign << 1 | x.exact) << bits) | x.significand


@golden
def function(a, word, control, fa, fo, rules, limits, bits):
    """An elementary function of a, of which `word` has the leading bits."""
    exponent = (word >> (bits + EXPONENT_AT)) - _BIAS
    sign, exact = (word >> (bits + 1)) & 1, (word >> bits) & 1
    significand = word & ((1 << bits) - 1)
    return rounded(a, sign, exponent, significand, exact, control, fa, fo, rules, limits)


@golden
def rounded(a, sign, exponent, significand, exact, control, fa, fo, rules, limits):
    """An elementary function of a, of which these are the leading bits, or what it is of a special
    operand."""
    c, s, _, g = unpack_operand(a, fa, rules)
    if c == NAN:
        return nan_result(a, fa, fo, rules, is_signaling(a, c, fa))
    kind = kind_of(c, s, g, limits)
    if kind == INVALID:
        return invalid_result(fo, rules)
    if kind == INFINITY:
        return infinite_result(0, fo, rules)
    if kind == POLE:
        return with_flags(pack_infinity(1, fo, rules.policy), DZ, fo, rules)
    if kind != BY_BITS:
        exact = 1
        sign = s if kind in (SIGNED_ZERO, SIGNED_ONE) else 0
        exponent = -1 if kind == HALF else 0
        significand = 0 if kind in (ZERO, SIGNED_ZERO) else 1
    return result(sign, exponent - 1, 2 * significand + 1 - exact, fo, control, rules)


@golden
def kind_of(c, s, g, limits):
    """What the result is of an operand of this class, sign and significand."""
    if c == INF:
        return limits.below if s else limits.above
    if g == 0:
        return limits.zero
    return limits.negative if s else BY_BITS
