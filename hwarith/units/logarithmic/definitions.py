"""Golden definitions of logarithmic arithmetic: L-Mul and the piecewise-affine operations.

The field of a code, its exponent and fraction side by side, is read as a fixed-point number: less
the bias it is log2 of the magnitude, with straight lines between the powers of two. So products
become sums of fields. L-Mul (arXiv 2410.00907, figure 2) and PAM (arXiv 2305.17190, equations 5 to
20) give the sums; the other cases are this project's decisions (`Logarithmic`).
"""

from __future__ import annotations

from typing import NamedTuple

from ...formats.rounding import (
    FINITE,
    INF,
    NAN,
    NOSAT,
    RNE,
    SATURATE,
    pack_infinity,
    pack_max,
    pack_nan,
    round_pack,
    round_up,
    shift_out,
    unpack,
)
from ...golden import bit_length, golden

REF_ONE = 0x3F800000
REF_FLUSHED_BELOW, REF_NAN_FROM = 0x02081CEB, 0x7CF0BDC3
"""Magnitudes of fp32 next to 1e-37 and 1e37: results of the published kernel are not flushed from
the one, and not finite from the other on."""


class Rules(NamedTuple):
    """What is done with special cases, as integers."""

    ofs: int  # added to sums of fields
    saturate: int  # 1: overflow gives the largest finite value
    zero_pos: int  # 1: a zero result is always +0
    specials: int  # 0: infinities and NaN are taken for numbers


# -- products and quotients ----------------------------------------------------------------------


@golden
def product(a, b, f, drop, nearest, rules):
    """L-Mul and PAM: the sum of the fields, which lose their low `drop` bits before, rounded to
    nearest even or truncated."""
    s = sign(a, f) ^ sign(b, f)
    ca, cb = kind(a, f, rules), kind(b, f, rules)
    if ca == NAN or cb == NAN:
        return pack_nan(f)
    if ca == INF or cb == INF:
        return pack_nan(f) if is_zero(a, f) or is_zero(b, f) else infinite(s, f, rules)
    if is_zero(a, f) or is_zero(b, f):
        return zero(s, f, rules)
    fa = reduce_fraction(a & f.mag_mask, drop, nearest)
    fb = reduce_fraction(b & f.mag_mask, drop, nearest)
    return in_range(s, fa + fb + rules.ofs - one(f), f, rules)


@golden
def quotient(a, b, f, rules):
    """PAD: the difference of the fields."""
    s = sign(a, f) ^ sign(b, f)
    ca, cb = kind(a, f, rules), kind(b, f, rules)
    if ca == NAN or cb == NAN:
        return pack_nan(f)
    if (ca == INF and cb == INF) or (is_zero(a, f) and is_zero(b, f)):
        return pack_nan(f)
    if ca == INF or is_zero(b, f):
        return infinite(s, f, rules)
    if cb == INF or is_zero(a, f):
        return zero(s, f, rules)
    t = (a & f.mag_mask) - (b & f.mag_mask) - rules.ofs + one(f)
    return in_range(s, t, f, rules)


@golden
def reduce_fraction(field, drop, nearest):
    """Clear the low `drop` bits of a field, truncating or rounding to nearest even."""
    if drop == 0:
        return field
    if nearest:
        field = field + (1 << (drop - 1)) - 1 + ((field >> drop) & 1)
    return (field >> drop) << drop


# -- as the published kernel does them, in fp32 --------------------------------------------------


@golden
def reference_product(a, b, f, rules):
    """PAM where the true product is neither too small nor too large; subnormals are kept."""
    ca, _, ea, ga = unpack(a, f)
    cb, _, eb, gb = unpack(b, f)
    if ca != FINITE or cb != FINITE:
        return pack_nan(f)
    true = round_pack(0, ea + eb, ga * gb, f, RNE, NOSAT)
    return reference((a + b - (REF_ONE - rules.ofs)) & 0xFFFFFFFF, true, f)


@golden
def reference_quotient(a, b, f, rules):
    """PAD where the true quotient is neither too small nor too large; subnormals are kept."""
    ca, _, ea, ga = unpack(a, f)
    cb, _, eb, gb = unpack(b, f)
    if cb == INF and ca == FINITE:
        return 0
    if ca != FINITE or cb != FINITE or gb == 0:
        return pack_nan(f)
    # As many bits as decide on rounding, and whether there are more
    left = max(28 + bit_length(gb) - bit_length(ga), 0)
    q = (ga << left) // gb
    sticky = 1 if q * gb != ga << left else 0
    true = round_pack(0, ea - eb - left - 1, q << 1 | sticky, f, RNE, NOSAT)
    return reference((a - b + (REF_ONE - rules.ofs)) & 0xFFFFFFFF, true, f)


@golden
def reference(result, true, f):
    """The result, by the magnitude of the true one."""
    if true < REF_FLUSHED_BELOW:
        return 0
    return result if true < REF_NAN_FROM else pack_nan(f)


# -- of one operand ------------------------------------------------------------------------------


@golden
def square_root(a, f, rules):
    """The field's distance from that of one, halved."""
    if kind(a, f, rules) == NAN:
        return pack_nan(f)
    if is_zero(a, f):
        return zero(sign(a, f), f, rules)
    if sign(a, f):
        return pack_nan(f)
    if kind(a, f, rules) == INF:
        return infinite(0, f, rules)
    return ((a & f.mag_mask) + one(f)) >> 1


@golden
def log2(a, f, rules):
    """The field's distance from that of one, as a float."""
    if kind(a, f, rules) == NAN:
        return pack_nan(f)
    if is_zero(a, f):
        return infinite(1, f, rules)
    if sign(a, f):
        return pack_nan(f)
    if kind(a, f, rules) == INF:
        return infinite(0, f, rules)
    t = (a & f.mag_mask) - one(f)
    return round_pack(1 if t < 0 else 0, -f.fraction_bits, abs(t), f, RNE, SATURATE)


@golden
def log2_fixed(a, f, fixed, rules):
    """The same as a fixed-point number; the ends of its range stand for infinities, and the lower
    one for what has no logarithm."""
    low, high = -1 << (fixed.bits - 1), (1 << (fixed.bits - 1)) - 1
    t = (a & f.mag_mask) - one(f)
    if kind(a, f, rules) == NAN or is_zero(a, f) or sign(a, f):
        t = low
    elif kind(a, f, rules) == INF:
        t = high
    return t & ((1 << fixed.bits) - 1)


@golden
def exp2(a, f, fixed, rules):
    """The operand rounded to a field's fixed-point number, from the field of one on."""
    if kind(a, f, rules) == NAN:
        return pack_nan(f)
    if kind(a, f, rules) == INF:
        return zero(0, f, rules) if sign(a, f) else infinite(0, f, rules)
    return in_range(0, to_fixed(a, f, fixed) + one(f), f, rules)


@golden
def exp2_fixed(a, f, fixed, rules):
    """The same of a fixed-point number."""
    return in_range(0, a - ((a >> (fixed.bits - 1)) << fixed.bits) + one(f), f, rules)


@golden
def to_fixed(a, f, fixed):
    """A finite code as a field's fixed-point number, rounded to nearest even and clamped;
    subnormals are zero."""
    if is_zero(a, f):
        return 0
    _, s, e, g = unpack(a, f)
    d = -(e + f.fraction_bits)
    if d > 0:
        i, nu = shift_out(g, min(d, f.fraction_bits + 3))
        i += round_up(s, i & 1, nu, RNE)
    else:
        i = g << min(-d, fixed.bits)
    limit = 1 << (fixed.bits - 1)
    return max(-i, -limit) if s else min(i, limit - 1)


# -- slopes --------------------------------------------------------------------------------------


@golden
def slope_of_product(a, b, f, rules):
    """d PAM(a, b) / da: the power of two by which a product grows with a, and the sign of b."""
    if kind(a, f, rules) != FINITE or kind(b, f, rules) != FINITE:
        return pack_nan(f)
    if is_zero(b, f):
        return 0
    return power_of_two(sign(b, f), (b & f.mag_mask) + fraction(a, f) + rules.ofs, f, rules)


@golden
def slope_of_dividend(a, b, f, rules):
    """d PAD(a, b) / da."""
    if kind(a, f, rules) != FINITE or kind(b, f, rules) != FINITE:
        return pack_nan(f)
    if is_zero(b, f):
        return infinite(sign(b, f), f, rules)
    t = 2 * one(f) + fraction(a, f) - (b & f.mag_mask) - rules.ofs
    return power_of_two(sign(b, f), t, f, rules)


@golden
def slope_of_divisor(a, b, f, rules):
    """d PAD(a, b) / db, from the quotient."""
    if kind(a, f, rules) != FINITE or kind(b, f, rules) != FINITE:
        return pack_nan(f)
    q = quotient(a, b, f, rules)
    if is_zero(q, f) or (is_zero(a, f) and is_zero(b, f)):
        return 0
    e = exponent(q, f) - exponent(b, f) + f.bias
    return power_of_two(1 - sign(a, f), e << f.fraction_bits, f, rules)


@golden
def slope_of_exp2(a, f, fixed, rules):
    """d paexp2(a) / da: the power of two below the result."""
    if kind(a, f, rules) != FINITE:
        return pack_nan(f)
    return power_of_two(0, to_fixed(a, f, fixed) + one(f), f, rules)


@golden
def slope_of_log2(a, f, rules):
    """d palog2(a) / da: the reciprocal of the power of two below the operand."""
    if kind(a, f, rules) != FINITE or (sign(a, f) and not is_zero(a, f)):
        return pack_nan(f)
    if is_zero(a, f):
        return infinite(0, f, rules)
    return power_of_two(0, (2 * f.bias - exponent(a, f)) << f.fraction_bits, f, rules)


@golden
def slope_of_square_root(a, f, rules):
    """d pasqrt(a) / da: half of the slopes of both, of 2^x at half the logarithm and of it."""
    if kind(a, f, rules) != FINITE or (sign(a, f) and not is_zero(a, f)):
        return pack_nan(f)
    if is_zero(a, f):
        return infinite(0, f, rules)
    half = ((a & f.mag_mask) - one(f)) >> (f.fraction_bits + 1)
    e = half - 1 + 2 * f.bias - exponent(a, f)
    return power_of_two(0, e << f.fraction_bits, f, rules)


@golden
def power_of_two(s, t, f, rules):
    """The result whose field is `t` without its fraction."""
    return in_range(s, (t >> f.fraction_bits) << f.fraction_bits, f, rules)


# -- fields and classes --------------------------------------------------------------------------


@golden
def one(f):
    """The field of 1."""
    return f.bias << f.fraction_bits


@golden
def sign(code, f):
    """The sign bit of a code."""
    return code >> (f.bits - 1)


@golden
def exponent(code, f):
    """The exponent's field of a code, biased."""
    return (code & f.mag_mask) >> f.fraction_bits


@golden
def fraction(code, f):
    """The fraction of a code, none of zero and subnormals."""
    return 0 if is_zero(code, f) else code & ((1 << f.fraction_bits) - 1)


@golden
def is_zero(code, f):
    """Whether the exponent is 0: subnormals count as zero."""
    return exponent(code, f) == 0


@golden
def kind(code, f, rules):
    """FINITE, INF or NAN."""
    return unpack(code, f)[0] if rules.specials else FINITE


@golden
def zero(s, f, rules):
    """A result that is zero, of sign `s` where there is a -0."""
    return 0 if rules.zero_pos == 1 or f.negative_zero == 0 else s << (f.bits - 1)


@golden
def infinite(s, f, rules):
    """An infinite result: what an overflow is in formats without infinity."""
    if f.inf_mag >= 0:
        return s << (f.bits - 1) | f.inf_mag
    return overflow(s, f, rules)


@golden
def overflow(s, f, rules):
    """A result beyond the largest value."""
    return pack_max(s, f) if rules.saturate else pack_infinity(s, f, NOSAT)


@golden
def in_range(s, t, f, rules):
    """The result of a field, zero below the smallest normal one."""
    if t < 1 << f.fraction_bits:
        return zero(s, f, rules)
    if t > f.max_mag:
        return overflow(s, f, rules)
    return s << (f.bits - 1) | t
