"""Golden definitions of the chained multiply-add: processing element, column end, seed.

A state is (-1)^s * f * 2^(e - (width - 1)), with flags of special values beside it. Its code has,
from the lsb on: the significand f, `width` bits with an explicit leading bit that need not be a
one; the exponent e, in excess of 2^(exponent_bits - 1); the sign s; and the flags NaN, +infinity,
-infinity. Code 0 is zero.
"""

from __future__ import annotations

from typing import NamedTuple

from ...formats.rounding import (
    FINITE,
    INF,
    NAN,
    NOSAT,
    RNE,
    pack_infinity,
    pack_nan,
    round_up,
    shift_out,
    unpack,
)
from ...golden import bit_length, golden

NAN_FLAG, PLUS, MINUS = 1, 2, 4
"""Flags of special values that were met so far: a NaN, +infinity, -infinity."""


class Frame(NamedTuple):
    """A processing element as integers."""

    width: int  # of the significand of a state
    exponent_bits: int
    guard: int  # bits below the significand while a sum is aligned, added and normalized
    normalize_product: int  # 1: products have a leading one
    k: int  # first group of bits that the normalizer looks at; 0: exact normalization
    lam: int  # second group


@golden
def multiply_add(a, b, c, fa, fb, frame):
    """State after adding a * b to state c."""
    ca, sa, ea, ga = unpack(a, fa)
    cb, sb, eb, gb = unpack(b, fb)
    ga = ga if ga >> fa.fraction_bits else 0  # subnormal operands are zeros
    gb = gb if gb >> fb.fraction_bits else 0
    flags = c >> (frame.width + frame.exponent_bits + 1)
    sc, xc, fc = unpack_state(c, frame)
    sp = sa ^ sb
    flags |= special_product(ca, ga, cb, gb, sp)
    product_bits = fa.fraction_bits + fb.fraction_bits + 2
    xp, fp = 0, 0
    if ca == FINITE and cb == FINITE and ga != 0 and gb != 0:
        xp = ea + eb + product_bits - 1 + (1 << (frame.exponent_bits - 1))
        fp = ga * gb << (frame.width - product_bits)
        if frame.normalize_product and fp >> (frame.width - 1) == 0:
            xp, fp = xp - 1, fp << 1
    # Align to the greater exponent: the other significand loses what falls out below.
    fp, fc = fp << frame.guard, fc << frame.guard
    bits = frame.width + frame.guard
    x = max(xp, xc)
    fp >>= min(x - xp, bits)
    fc >>= min(x - xc, bits)
    t = (-fp if sp else fp) + (-fc if sc else fc)
    shift = normalizing_shift(abs(t), bits, frame)
    f = (abs(t) << max(shift, 0) >> max(-shift, 0)) >> frame.guard
    return pack_state(flags, 1 if t < 0 else 0, x - shift, f, frame)


@golden
def step(c, a, b, fa, fb, frame):
    """`multiply_add` with the state first, as a step of a column."""
    return multiply_add(a, b, c, fa, fb, frame)


@golden
def normalizing_shift(m, bits, frame):
    """How far left to shift a magnitude of `bits` bits; -1 if it has one bit more."""
    if m >> bits:
        return -1
    if frame.k == 0:
        return bits - bit_length(m)
    if m >> (bits - frame.k):
        return 0
    if m >> (bits - frame.k - frame.lam):
        return frame.k
    return frame.k + frame.lam


@golden
def special_product(ca, ga, cb, gb, s):
    """Flags of a product of two operands, by their classes."""
    if ca == NAN or cb == NAN:
        return NAN_FLAG
    if ca != INF and cb != INF:
        return 0
    if (ca != INF and ga == 0) or (cb != INF and gb == 0):
        return NAN_FLAG
    return MINUS if s else PLUS


@golden
def unpack_state(c, frame):
    """Sign, exponent (in excess) and significand of a state; zero has the lowest exponent."""
    f = c & ((1 << frame.width) - 1)
    x = (c >> frame.width) & ((1 << frame.exponent_bits) - 1)
    s = (c >> (frame.width + frame.exponent_bits)) & 1
    return s, (x if f else 0), f


@golden
def pack_state(flags, s, x, f, frame):
    """The code of a state."""
    code = flags << (frame.width + frame.exponent_bits + 1)
    if f == 0:
        return code
    x &= (1 << frame.exponent_bits) - 1
    return code | s << (frame.width + frame.exponent_bits) | x << frame.width | f


@golden
def column_end(c, fo, frame):
    """A state normalized and rounded to nearest even; subnormal results become zero."""
    flags = c >> (frame.width + frame.exponent_bits + 1)
    if flags & NAN_FLAG or (flags & PLUS and flags & MINUS):
        return pack_nan(fo)
    if flags:
        return pack_infinity(1 if flags & MINUS else 0, fo, NOSAT)
    s, x, f = unpack_state(c, frame)
    if f == 0:
        return 0
    precision = fo.fraction_bits + 1
    zeros = frame.width - bit_length(f)
    e = x - zeros - (1 << (frame.exponent_bits - 1))
    g = f << zeros << precision  # with so many zeros below that there is something to round off
    i, nu = shift_out(g, frame.width)
    i += round_up(s, i & 1, nu, RNE)
    mag = ((e + fo.bias) << fo.fraction_bits) + i - (1 << fo.fraction_bits)
    if mag < 1 << fo.fraction_bits:
        return s << (fo.bits - 1) if fo.negative_zero else 0
    return pack_infinity(s, fo, NOSAT) if mag > fo.max_mag else s << (fo.bits - 1) | mag


@golden
def seed(a, fa, frame):
    """The state of a code: subnormals are zero, and what the significand has no room for is
    dropped."""
    kind, s, e, g = unpack(a, fa)
    if kind == NAN:
        return pack_state(NAN_FLAG, 0, 0, 0, frame)
    if kind == INF:
        return pack_state(MINUS if s else PLUS, 0, 0, 0, frame)
    if g >> fa.fraction_bits == 0:
        return 0
    x = e + fa.fraction_bits + (1 << (frame.exponent_bits - 1))
    room = frame.width - fa.fraction_bits - 1
    f = g << max(room, 0) >> max(-room, 0)
    return pack_state(0, s, x, f, frame)
