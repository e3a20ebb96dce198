"""Golden definition of the dot product with a mode: one exact sum, rounded once."""

from __future__ import annotations

from ...formats.rounding import (
    INF,
    NAN,
    RDN,
    add_exact,
    pack_infinity,
    pack_nan,
    pack_zero,
    round_pack,
    unpack,
)
from ...golden import golden

WIDTH = 71
"""Bits in which sum and addend are added (`add_exact`): the widest sum has 67."""


@golden
def dot(a, b, c, mode, f0, f1, f2, f3, f4, f5, fc, lsb, rounding, policy):
    """c + the products of the elements of a and b, whose format is the one of the mode."""
    f = of_mode(mode, f0, f1, f2, f3, f4, f5)
    bits = 4 if mode == 2 or mode == 3 else 8
    mask = (f.mag_mask << f.signed) | f.signed
    nan, plus, minus, total = 0, 0, 0, 0
    positive_zeros, negative_zeros, terms = 0, 0, 0
    for i in range(32 // bits):
        ca, sa, ea, ga = unpack(a >> (bits * i) & mask, f)
        cb, sb, eb, gb = unpack(b >> (bits * i) & mask, f)
        s = sa ^ sb
        if ca == NAN or cb == NAN:
            nan = 1
        elif ca == INF or cb == INF:
            if (ca != INF and ga == 0) or (cb != INF and gb == 0):
                nan = 1  # infinity times zero
            plus, minus = plus | (1 - s), minus | s
        else:
            p = (ga * gb) << (ea + eb - lsb)
            total += -p if s == 1 else p
            is_zero = 1 if p == 0 else 0
            s = 0 if f.integer == 1 else s  # integers have one zero
            positive_zeros += is_zero & (1 - s)
            negative_zeros += is_zero & s
        terms += 1
    cc, sc, ec, gc = unpack(c, fc)
    if cc == INF:
        plus, minus = plus | (1 - sc), minus | sc
    if cc == NAN or nan == 1 or (plus == 1 and minus == 1):
        return pack_nan(fc)
    if plus == 1 or minus == 1:
        return pack_infinity(minus, fc, policy)
    s = 1 if total < 0 else 0
    s, e, g = add_exact(s, lsb, abs(total), sc, ec, gc, rounding, WIDTH)
    if g == 0:
        if gc == 0 and sc == 1 and negative_zeros == terms:
            return pack_zero(1, fc, policy)
        if gc == 0 and sc == 0 and positive_zeros == terms:
            return pack_zero(0, fc, policy)
        return pack_zero(1 if rounding == RDN else 0, fc, policy)
    return round_pack(s, e, g, fc, rounding, policy)


@golden
def of_mode(mode, f0, f1, f2, f3, f4, f5):
    """The format of a mode; 3 is as 2, 7 as 6."""
    if mode == 0:
        return f0
    if mode == 1:
        return f1
    if mode < 4:
        return f2
    if mode == 4:
        return f3
    return f4 if mode == 5 else f5
