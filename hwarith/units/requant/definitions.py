"""Golden definitions of requantization: an accumulator times m 2^(e - 31), plus a zero point.

They take codes of the accumulator, of m (int32), of e (int6) and of the zero point. The result is
a code of the output; above it a bit says that something was clamped, if `Widths.flag` is set.
"""

from __future__ import annotations

from typing import NamedTuple

from ...golden import golden
from ..mac.definitions import signed


class Widths(NamedTuple):
    """Bits of the accumulator; bits of the zero point, and whether it is signed; the output's bits
    and range; whether there is a flag."""

    a: int
    z: int
    z_signed: int
    out: int
    low: int
    high: int
    flag: int


@golden
def double(a, m, e, z, widths):
    """Rounded twice, as gemmlowp and TensorFlow Lite do: RDBP(SRDHM(a << left, m), right)."""
    exponent = exponent_of(e)
    wide = signed(a, widths.a) << max(exponent, 0)
    shifted = clamped(wide, widths.a)
    rounded = rounding_doubling_high(shifted, signed(m, 32))
    high = clamped(rounded, widths.a)
    lost = shifted != wide or high != rounded
    return with_zero(rounding_divide_by_power(high, max(-exponent, 0)), z, lost, widths)


@golden
def single(a, m, e, z, widths):
    """Rounded once, half up."""
    product, places = signed(a, widths.a) * signed(m, 32), 31 - exponent_of(e)
    half = (1 << places) >> 1
    return with_zero((product + half) >> places, z, False, widths)


@golden
def dyadic(a, m, e, z, widths):
    """Rounded once, half to even, as I-ViT applies a dyadic number m / 2^(31 - e)."""
    product, places = signed(a, widths.a) * signed(m, 32), 31 - exponent_of(e)
    down = product >> places
    twice = (product - (down << places)) << 1
    up = twice > 1 << places or (twice == 1 << places and down & 1 == 1)
    return with_zero(down + up, z, False, widths)


@golden
def exponent_of(e):
    """The integer of a code e; -32 counts as -31."""
    return max(signed(e, 6), -31)


@golden
def rounding_doubling_high(a, m):
    """SRDHM before it saturates: a m / 2^31 rounded half up (ARM's VQRDMULH)."""
    return (a * m + (1 << 30)) >> 31


@golden
def rounding_divide_by_power(x, places):
    """RDBP: x / 2^places rounded half away from zero."""
    mask = (1 << places) - 1
    return (x >> places) + ((x & mask) > (mask >> 1) + (x < 0))


@golden
def clamped(x, bits):
    """An integer in the range of two's complement of so many bits."""
    limit = 1 << (bits - 1)
    return min(max(x, -limit), limit - 1)


@golden
def with_zero(x, z, lost, widths):
    """The zero point added and the sum clamped, as a code, with the flag above it."""
    total = x + (signed(z, widths.z) if widths.z_signed else z)
    y = min(max(total, widths.low), widths.high)
    flag = (lost or y != total) and widths.flag == 1
    return y & ((1 << widths.out) - 1) | flag << widths.out
