"""Golden definitions of quotients and roots: IEEE 754-2019, 5.4.1 and 9.2.1, for any format.

The quotient or root of the significands is formed as an integer of two bits more than the result
needs, and of the random bits, with a sticky bit behind them, and rounded once (`result`). Special
values are those of IEEE 754-2019, 6.1, 7.2 and 7.3; `Rules` and `control` as in
`hwarith.units.exact.definitions`. `by_zero` is 1 where what is divided by zero is a NaN, 2 where it
is RISC-V's integer of all ones.
"""

from __future__ import annotations

from ...formats.rounding import INF, NAN, WRAP, pack_infinity, pack_zero
from ...golden import bit_length, divide, golden, square_root
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

SQUARE_ROOT = 1
"""The bit of the port `op` with which a unit that does both takes the root."""


@golden
def div(a, b, control, fa, fb, fo, rules, by_zero):
    """Quotient a / b."""
    ca, sa, ea, ga = unpack_operand(a, fa, rules)
    cb, sb, eb, gb = unpack_operand(b, fb, rules)
    s = sa ^ sb
    if ca == NAN or cb == NAN:
        x, fx = (a, fa) if ca == NAN else (b, fb)
        invalid = is_signaling(a, ca, fa) or is_signaling(b, cb, fb)
        return nan_result(x, fx, fo, rules, invalid)
    b_zero = cb != INF and gb == 0
    if b_zero and by_zero == 2:
        return (1 << fo.bits) - 1
    if (ca == INF and cb == INF) or (b_zero and ca != INF and ga == 0):
        return invalid_result(fo, rules)
    if b_zero and (ca != INF or by_zero == 1):
        return divided_by_zero(s, fo, rules, by_zero)
    if ca == INF:
        return infinite_result(s, fo, rules)
    if cb == INF or ga == 0:
        return with_flags(pack_zero(s, fo, rules.policy), 0, fo, rules)
    n = max(0, needed(fo, rules) + bit_length(gb) - bit_length(ga))
    if rules.policy == WRAP:  # down to the guard bit, whatever is above
        n = max(n, ea - eb - fo.lsb + 2 + rules.n)
    q = divide(ga << n, gb)
    return result(s, ea - eb - n - 1, sticky(q, q * gb != ga << n), fo, control, rules)


@golden
def divsqrt(a, b, control, fa, fb, fo, rules, by_zero):
    """Quotient a / b, or square root of a."""
    if control & SQUARE_ROOT:
        return sqrt(a, control, fa, fo, rules)
    return div(a, b, control, fa, fb, fo, rules, by_zero)


@golden
def recip(a, control, fa, fo, rules, by_zero):
    """Reciprocal 1 / a."""
    c, s, e, g = unpack_operand(a, fa, rules)
    if c == NAN:
        return nan_result(a, fa, fo, rules, is_signaling(a, c, fa))
    if c == INF:
        return with_flags(pack_zero(s, fo, rules.policy), 0, fo, rules)
    if g == 0:
        return divided_by_zero(s, fo, rules, by_zero)
    n = needed(fo, rules) + bit_length(g)
    q = divide((g >> bit_length(g)) + 1 << n, g)  # a one of the width of g
    exact = q * g == (g >> bit_length(g)) + 1 << n
    return result(s, -e - n - 1, sticky(q, not exact), fo, control, rules)


@golden
def sqrt(a, control, fa, fo, rules):
    """Square root of a; that of -0 is -0."""
    c, s, e, g = unpack_operand(a, fa, rules)
    if c == NAN:
        return nan_result(a, fa, fo, rules, is_signaling(a, c, fa))
    if c != INF and g == 0:
        return with_flags(pack_zero(s, fo, rules.policy), 0, fo, rules)
    if s == 1:
        return invalid_result(fo, rules)
    if c == INF:
        return infinite_result(0, fo, rules)
    n = max(0, 2 * needed(fo, rules) - bit_length(g) + 1)
    n += (e - n) & 1
    q = square_root(g << n)
    return result(0, ((e - n) >> 1) - 1, sticky(q, q * q != g << n), fo, control, rules)


@golden
def rsqrt(a, control, fa, fo, rules, by_zero):
    """Reciprocal of the square root of a; that of -0 is -infinity."""
    c, s, e, g = unpack_operand(a, fa, rules)
    if c == NAN:
        return nan_result(a, fa, fo, rules, is_signaling(a, c, fa))
    if c != INF and g == 0:
        return divided_by_zero(s, fo, rules, by_zero)
    if s == 1:
        return invalid_result(fo, rules)
    if c == INF:
        return with_flags(pack_zero(0, fo, rules.policy), 0, fo, rules)
    if e & 1:
        g, e = g << 1, e - 1
    n = needed(fo, rules) + ((bit_length(g) + 1) >> 1)
    one = (g >> bit_length(g)) + 1 << 2 * n  # of the width of g
    # The floor of a root of a floor is the floor of the root.
    q = square_root(divide(one, g))
    return result(0, -(e >> 1) - n - 1, sticky(q, q * q * g != one), fo, control, rules)


@golden
def fmod(a, b, control, fa, fb, fo, rules, by_zero, digits, digit, low):
    """a - b * n, n the quotient a / b without its fraction."""
    return remainder(a, b, control, fa, fb, fo, rules, by_zero, digits, digit, low, 0)


@golden
def rem(a, b, control, fa, fb, fo, rules, by_zero, digits, digit, low):
    """a - b * n, n the integer nearest to the quotient a / b, of two the even one."""
    return remainder(a, b, control, fa, fb, fo, rules, by_zero, digits, digit, low, 1)


@golden
def remainder(a, b, control, fa, fb, fo, rules, by_zero, digits, digit, low, nearest):
    """Remainder of a / b, with the `low` low bits of the integer quotient n above it."""
    ca, sa, ea, ga = unpack_operand(a, fa, rules)
    cb, sb, eb, gb = unpack_operand(b, fb, rules)
    if ca == NAN or cb == NAN:
        x, fx = (a, fa) if ca == NAN else (b, fb)
        invalid = is_signaling(a, ca, fa) or is_signaling(b, cb, fb)
        return nan_result(x, fx, fo, rules, invalid)
    b_zero = cb != INF and gb == 0
    if ca == INF or (b_zero and by_zero != 2):
        return invalid_result(fo, rules)
    a_small = ea + bit_length(ga) + 1 < eb + bit_length(gb)  # 2|a| < |b|
    if cb == INF or b_zero or a_small:
        return result(sa, ea, ga, fo, control, rules)
    e = min(ea, eb)
    divisor = gb << (eb - e)
    n, r = long_division(ga, ea - e, divisor, digits, digit, low)
    s = sa
    if nearest == 1 and (2 * r > divisor or (2 * r == divisor and n & 1)):
        s, n, r = 1 - sa, n + 1, divisor - r
    n = (n if sa == sb else -n) & ((1 << low) - 1)
    y = result(s, e, r, fo, control, rules)
    return y | n << (fo.bits + (5 if rules.tininess > 0 else 0))


@golden
def long_division(a, zeros, b, digits, digit, low):
    """Of a * 2^zeros / b the integer quotient, as far as its `low` low bits and its lsb, and the
    remainder; in at most so many `digits` of `digit` bits each."""
    n = divide(a, b)
    r = a - n * b
    for _ in range(digits):
        if zeros > 0:
            bits = min(zeros, digit)
            q = divide(r << bits, b)
            r = (r << bits) - q * b
            n = ((n & ((1 << low) - 1)) << bits) | q
            zeros -= bits
    return n, r


@golden
def needed(fo, rules):
    """Bits of a quotient or root: two more than the result's, and the random bits."""
    return (fo.bits if fo.integer == 1 else fo.fraction_bits + 1) + 2 + rules.n


@golden
def sticky(q, inexact):
    """An integer with a bit behind it that says whether anything was lost."""
    return 2 * q | (1 if inexact else 0)


@golden
def divided_by_zero(s, fo, rules, by_zero):
    """An exact infinity of finite operands (IEEE 754-2019, 7.3), or P3109's NaN; of an integer it
    is invalid, and no division by zero."""
    if by_zero == 1:
        return invalid_result(fo, rules)
    if fo.integer == 1:
        return infinite_result(s, fo, rules)
    return with_flags(pack_infinity(s, fo, rules.policy), DZ, fo, rules)
