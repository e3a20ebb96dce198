"""What all definitions have in common: the terms of a sum, and results that are not finite.

A NaN anywhere, infinity times zero, and infinities of both signs give NaN; otherwise an infinity is
the result (IEEE 754-2019, 6.2 and 7.2, of the sum as one operation).
"""

from __future__ import annotations

from typing import NamedTuple

from ....formats.rounding import (
    FINITE,
    INF,
    NAN,
    FormatNumbers,
    pack_infinity,
    pack_nan,
    unpack,
)
from ....golden import bit_length, golden
from ...exact.definitions import is_signaling, unpack_operand


class Formats(NamedTuple):
    """The formats of factors, scales, addend and result, as integers."""

    a: FormatNumbers
    b: FormatNumbers
    scale: FormatNumbers
    c: FormatNumbers
    out: FormatNumbers


class Shape(NamedTuple):
    """How many products there are and how they are accumulated, as integers."""

    n: int  # products
    block: int  # products that share a scale
    scaled: int  # 1: there are scales
    added: int  # 1: there is an addend
    group: int  # products that are summed up before they are aligned
    bits: int  # fraction bits that are kept below the greatest exponent
    floor: int  # the greatest exponent is taken to be at least this
    width: int  # bits with which `add_exact` of sum and addend is exact enough
    limit: int  # products of this exponent and more are infinite; `NO_LIMIT`: none is
    flush: int  # 1: subnormal operands are +0, subnormal results zeros
    split: int  # 1: sums of products at even and odd places are truncated apart
    nan: int  # the code of NaN; -1: the format's canonical one
    pad: int  # zero bits behind the rounded result
    marked: int  # 1: a bit above the result says that it is not finite; the result is then 0


NO_LIMIT = 1 << 20
NOTHING = -(1 << 20)
"""The exponent of a term that is zero."""


@golden
def factor(x, f, shape, rules):
    """Class, sign, exponent and significand of an operand."""
    kind, s, e, g = unpack_operand(x, f, rules)
    if shape.flush == 1 and f.integer == 0 and g > 0 and g >> f.fraction_bits == 0:
        return FINITE, 0, e, 0
    return kind, s, e, g


@golden
def places(f):
    """Places of a significand below its msb: below the hidden bit, or the msb that an integer's
    magnitude may have."""
    return f.bits - 1 if f.integer == 1 else f.fraction_bits


@golden
def scales(sa, sb, i, shape, f):
    """Class, exponent and significand of the product of the scales of product `i`."""
    if shape.scaled == 0:
        return FINITE, 0, 1
    k = i // shape.block
    ca, _, ea, ga = unpack(sa[k], f.scale)
    cb, _, eb, gb = unpack(sb[k], f.scale)
    return max(ca, cb), ea + eb, ga * gb


@golden
def product(a, b, i, shape, f, rules):
    """Sign, exponent and significand of the finite product `i`, without scales."""
    _, s, ea, ga = factor(a[i], f.a, shape, rules)
    _, t, eb, gb = factor(b[i], f.b, shape, rules)
    return s ^ t, ea + eb, ga * gb


@golden
def special(a, b, sa, sb, first, last, c, shape, f, rules):
    """The class of the sum of products from `first` to before `last` and the addend as far as the
    terms alone decide it, and the sign of an infinity."""
    nan, positive, negative = 0, 0, 0
    for i in range(first, last):
        ca, s, ea, ga = factor(a[i], f.a, shape, rules)
        cb, t, eb, gb = factor(b[i], f.b, shape, rules)
        cs, _, gs = scales(sa, sb, i, shape, f)
        infinite = ca == INF or cb == INF
        zero = (ca == FINITE and ga == 0) or (cb == FINITE and gb == 0) or gs == 0
        if ca == NAN or cb == NAN or cs == NAN or (infinite and zero):
            nan = 1
        elif infinite or (not zero and ea + eb + bit_length(ga * gb) > shape.limit):
            positive |= 1 - (s ^ t)
            negative |= s ^ t
    if shape.added == 1:
        kind, s, _, _ = factor(c, f.c, shape, rules)
        if kind == NAN:
            nan = 1
        elif kind == INF:
            positive |= 1 - s
            negative |= s
    if nan == 1 or positive + negative == 2:
        return NAN, 0
    return (INF if positive + negative == 1 else FINITE), negative


@golden
def invalid(a, b, sa, sb, c, shape, f, rules):
    """Whether a sum that is NaN is an invalid operation: for a signaling NaN, a product of infinity
    and zero, or no NaN among the operands (IEEE 754-2019, 7.2)."""
    nan, signaling = 0, 0
    for i in range(shape.n):
        ca, _, _, ga = factor(a[i], f.a, shape, rules)
        cb, _, _, gb = factor(b[i], f.b, shape, rules)
        cs, _, gs = scales(sa, sb, i, shape, f)
        if is_signaling(a[i], ca, f.a) or is_signaling(b[i], cb, f.b):
            signaling = 1
        if ca == NAN or cb == NAN or cs == NAN:
            nan = 1
        zero = (
            (ca == FINITE and ga == 0) or (cb == FINITE and gb == 0) or (cs == FINITE and gs == 0)
        )
        if zero and (ca == INF or cb == INF):
            signaling = 1
    if shape.added == 1:
        kind, _, _, _ = factor(c, f.c, shape, rules)
        if is_signaling(c, kind, f.c):
            signaling = 1
        if kind == NAN:
            nan = 1
    return signaling == 1 or nan == 0


@golden
def special_result(kind, s, shape, f, rules):
    """The code of a result that is NaN or infinite."""
    if shape.marked == 1:
        return 1 << f.out.bits
    if kind == INF:
        return pack_infinity(s, f.out, rules.policy) << shape.pad
    return shape.nan if shape.nan >= 0 else pack_nan(f.out) << shape.pad


@golden
def own_nan(y, f, shape):
    """A code of the result's format, with the unit's own NaN in the place of any other."""
    if shape.nan < 0:
        return y
    kind, _, _, _ = unpack(y, f.out)
    return shape.nan if kind == NAN else y


@golden
def shifted(x, d):
    """x * 2^d, rounded down to an integer."""
    if d >= 0:
        return x << d
    return x >> min(-d, bit_length(abs(x)) + 1)
