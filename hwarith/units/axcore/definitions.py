"""Golden definitions of AxCore: the product by one addition, the sum of products that share an
adder without a normalizer, and the normalizer at a column's end.

A state of a column is (-1)^s |man| * 2^(e - bias - frac), with `{s, man}` in two's complement. Its
code has, from the lsb on: man, `head` + `frac` bits; the exponent field e; the sign s; and in the
profile ``hw`` the flags NaN, +infinity, -infinity. Code 0 is zero.
"""

from __future__ import annotations

from typing import NamedTuple

from ...formats.rounding import FINITE, INF, NAN, pack_nan, unpack
from ...golden import bit_length, golden

NAN_FLAG, PLUS, MINUS = 1, 2, 4
"""Flags of special values that were met so far: a NaN, +infinity, -infinity."""


class Rules(NamedTuple):
    """How a product is made."""

    c1: int  # added to the sum of the fields
    snc: int  # 1: weights are mapped to normal numbers; 0: their fields are taken as they are
    artifact: int  # 1: integers modulo 2^bits as in the authors' code, and nothing else


class Frame(NamedTuple):
    """A column's state, and its steps."""

    head: int  # integer bits of the sum of significands
    frac: int  # fraction bits
    exponent_bits: int
    n: int = 1  # products that are added at once


@golden
def multiply(a, w, fa, fw, rules):
    """The product of a and a weight, as a code of a's format."""
    if rules.artifact:
        return _wrapping(a, w, fa, fw, rules)
    s = (a >> (fa.bits - 1)) ^ (w >> (fw.bits - 1))
    ca, _, _, _ = unpack(a, fa)
    cw, _, _, gw = unpack(w, fw)
    if ca == NAN or cw == NAN or (ca == INF and gw == 0):
        return pack_nan(fa)
    if ca == INF:
        return s << (fa.bits - 1) | fa.inf_mag
    least = 1 << fa.fraction_bits
    field = a & fa.mag_mask
    t = field + rules.c1 - (fw.bias << fa.fraction_bits)
    addend, counts = weight_field(w & fw.mag_mask, (t >> (fa.fraction_bits - 1)) & 1, fw, rules.snc)
    r = t + (addend << (fa.fraction_bits - max(fw.fraction_bits, 2)))
    r = 0 if field < least or counts == 0 or r < least else min(r, fa.max_mag)
    return s << (fa.bits - 1) | r


@golden
def _wrapping(a, w, fa, fw, rules):
    """The same on whole words: the sign of w is added into the top bit, and so may be what leaves
    the fields."""
    mask = (1 << fa.bits) - 1
    t = (a + rules.c1 - (fw.bias << fa.fraction_bits)) & mask
    addend, counts = weight_field(w & fw.mag_mask, (t >> (fa.fraction_bits - 1)) & 1, fw, rules.snc)
    if a == 0 or counts == 0:
        return 0
    sign = (w >> (fw.bits - 1)) << (fa.bits - 1)
    return (t + (addend << (fa.fraction_bits - max(fw.fraction_bits, 2))) + sign) & mask


@golden
def weight_field(c, coin, fw, snc):
    """Exponent and fraction (of two bits, or as many as the format has) of the normal number that a
    weight is taken for, from its code without the sign; and whether it is other than zero.

    What lies half way between zero and the least normal number is zero if `coin` is.
    """
    if snc == 0:
        return c << max(2 - fw.fraction_bits, 0), min(c, 1)
    if fw.fraction_bits == 0:
        return c << 2, min(c, 1)
    if fw.fraction_bits == 1:
        return (0 if c <= 1 else c << 1), min(c, 1)
    if fw.fraction_bits == 2:
        counts = coin if c == 1 else min(c, 1)
        return (0 if c <= 2 else 2 if c == 3 else c), counts
    counts = coin if c == 2 else 1 if c > 2 else 0
    return (0 if c <= 4 else (c - 4) << 1 if c < 8 else c), counts


@golden
def column_step(a, w, sa, sw, c, frame, fa, fw, rules):
    """The state after adding the products of a row of pairs to state c, all at once: the terms are
    aligned to the greatest exponent, and what falls out below is lost (rounded down)."""
    s, x, man = unpack_state(c, frame)
    flags = c >> (frame.head + frame.frac + frame.exponent_bits + 1)
    greatest = x
    for i in range(frame.n):
        r = multiply(a[i], w[i], fa, fw, rules)
        counts, special = product_class(r, fa, rules.artifact)
        flags |= special
        if counts:
            greatest = max(greatest, (r & fa.mag_mask) >> fa.fraction_bits)
    width = frame.head + frame.frac
    total = (man - (s << width)) >> min(greatest - x, width)
    for i in range(frame.n):
        r = multiply(a[i], w[i], fa, fw, rules)
        counts, _ = product_class(r, fa, rules.artifact)
        if counts:
            total += aligned(r, greatest, fa)
    return pack_state(flags, greatest, total, frame)


@golden
def product_class(r, fa, artifact):
    """Whether a product is a term of the sum, and the flags that it sets. All that the artifact
    makes are terms, also zero: the hidden one is always there."""
    mag = r & fa.mag_mask
    if artifact:
        return 1, 0
    if mag > fa.inf_mag:
        return 0, NAN_FLAG
    if mag == fa.inf_mag:
        return 0, (MINUS if r >> (fa.bits - 1) else PLUS)
    return min(mag, 1), 0


@golden
def aligned(r, greatest, fa):
    """A product as a term with two more fraction bits, in units of the greatest exponent."""
    e = (r & fa.mag_mask) >> fa.fraction_bits
    term = ((1 << fa.fraction_bits) + (r & ((1 << fa.fraction_bits) - 1))) << 2
    return (-term if r >> (fa.bits - 1) else term) >> min(greatest - e, fa.bits)


@golden
def unpack_state(c, frame):
    """Sign, exponent field and the bits below the sign of a state."""
    width = frame.head + frame.frac
    man = c & ((1 << width) - 1)
    x = (c >> width) & ((1 << frame.exponent_bits) - 1)
    return (c >> (width + frame.exponent_bits)) & 1, x, man


@golden
def pack_state(flags, x, total, frame):
    """The code of a state, whose sum is taken modulo what it holds."""
    width = frame.head + frame.frac
    total &= (1 << (width + 1)) - 1
    code = (flags << 1 | total >> width) << frame.exponent_bits | x
    return code << width | total & ((1 << width) - 1)


@golden
def normalize(c, fo, frame, artifact):
    """A state as a code of the format of the products, rounded to nearest even.

    What lies below the two bits behind the last one is lost before. Results below the least normal
    number become zero, beyond the largest the largest value. With `artifact` exponents wrap around,
    and the magnitude is that of the bits below the sign, so that zeros have signs and exponents.
    """
    width = frame.head + frame.frac
    flags = c >> (width + frame.exponent_bits + 1)
    if flags & NAN_FLAG or (flags & PLUS and flags & MINUS):
        return pack_nan(fo)
    if flags:
        return (1 if flags & MINUS else 0) << (fo.bits - 1) | fo.inf_mag
    s, x, man = unpack_state(c, frame)
    t = (1 << width) - man if s else man
    if artifact:
        t &= (1 << width) - 1
        if t == 0:
            x = (x - (width - 1)) & ((1 << frame.exponent_bits) - 1)
            return s << (fo.bits - 1) | x << fo.fraction_bits
    if t == 0:
        return 0
    k = bit_length(t) - 1 - frame.frac
    v = t >> max(k, 0) << max(-k, 0)
    q, g = v >> 2, v & 3
    q += 1 if g == 3 or (g == 2 and q & 1) else 0
    mag = ((x + k - 1) << fo.fraction_bits) + q  # the hidden one, and a carry, add to the exponent
    if artifact:
        return s << (fo.bits - 1) | mag & fo.mag_mask
    mag = 0 if mag < 1 << fo.fraction_bits else min(mag, fo.max_mag)
    return s << (fo.bits - 1) | mag


@golden
def seed(a, fa, frame, artifact):
    """The state of a code: exact; subnormals are zero."""
    kind, s, _, _ = unpack(a, fa)
    if artifact == 0 and kind != FINITE:
        return pack_state(NAN_FLAG if kind == NAN else MINUS if s else PLUS, 0, 0, frame)
    mag = a & fa.mag_mask
    x = mag >> fa.fraction_bits
    return 0 if x == 0 else pack_state(0, x, aligned(a, x, fa), frame)


@golden
def scale(y, s, fa, c2):
    """The artifact's product of a word and a positive scale: one addition modulo 2^bits."""
    return (y + (s & fa.mag_mask) - (fa.bias << fa.fraction_bits) + c2) & ((1 << fa.bits) - 1)
