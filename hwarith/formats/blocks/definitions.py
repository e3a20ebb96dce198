"""Golden definitions of what brings a block of numbers into a format of blocks.

A block's scale is 2^X with a code of e8m0fnu, X + 127, or a code of ue4m3. `f` are the numbers'
format as integers, `to` that of an element.
"""

from __future__ import annotations

from enum import IntEnum

from ...golden import bit_length, golden
from ..rounding import (
    FINITE,
    RNE,
    SATURATE,
    round_pack,
    round_pack_stochastic,
    unpack,
)

BIAS, NAN_SCALE = 127, 255
"""Of e8m0fnu."""


class ScaleRule(IntEnum):
    """How the scale 2^X of a block follows from its largest magnitude a, and Q, the largest value
    of an element, of which 2^q is the highest power of two that is not greater."""

    EXACT_CEIL = 0  #: the least X with a <= Q 2^X: nothing is clipped
    FLOOR = 1  #: floor(log2 a) - q: what lies above Q 2^X is clipped (OCP MX v1.0, 6.3)
    CEIL = 2  #: floor(log2 a) - q, and 1 more where a is no power of two
    EVEN = 3  #: FLOOR, of a with half an lsb of the element's precision added to it
    RCEIL = 4  #: ceil(log2 fl32(a fl32(1/Q))): EXACT_CEIL with two roundings to fp32


EXACT_CEIL, FLOOR, CEIL, EVEN, RCEIL = (int(rule) for rule in ScaleRule)


@golden
def mx_scale(largest, f, to, precision, rule, inverse, fp32):
    """The scale, an e8m0fnu code, of a block whose largest magnitude has this code: FF if that is
    infinite or NaN, 00 for zeros. `inverse` is fl32(1/Q) as an fp32 code; `precision` that of an
    element."""
    kind, _, e, g = unpack(largest, f)
    if kind != FINITE:
        return NAN_SCALE
    if g == 0:
        return 0
    if rule == RCEIL:
        _, _, e_inverse, g_inverse = unpack(inverse, fp32)
        product = round_pack(0, e + e_inverse, g * g_inverse, fp32, RNE, SATURATE)
        _, _, e, g = unpack(product, fp32)
        if g == 0:
            return 0
        return clamped(e + bit_length(g - 1))
    _, _, e_most, most = unpack(to.max_mag, to)
    bits, most_bits = bit_length(g), bit_length(most)
    x = (e + bits) - (e_most + most_bits)
    up = 0
    if rule == EXACT_CEIL:  # the significand of a, and that of Q
        up = 1 if g << most_bits > most << bits else 0
    if rule == CEIL:
        up = 1 if g > 1 << (bits - 1) else 0
    if rule == EVEN:  # 2 - 2^-precision, and above
        up = 1 if g << (precision + 1) >= ((2 << precision) - 1) << bits else 0
    return clamped(x + up)


@golden
def clamped(x):
    """The scale 2^X, or the one nearest to it that there is."""
    return min(max(x, -BIAS), BIAS) + BIAS


@golden
def mx_element(code, scale, f, to, quarters, mode):
    """A number divided by its block's scale, times `quarters` / 4, as an element; 0 in a block
    without a scale."""
    kind, s, e, g = unpack(code, f)
    if scale == NAN_SCALE or kind != FINITE:
        return 0
    return round_pack(s, e - 2 - (scale - BIAS), g * quarters, to, mode, SATURATE)


@golden
def mx_element_stochastic(code, scale, random, f, to, quarters, variant, n):
    """The same, rounded by the `n` bits of `random`."""
    kind, s, e, g = unpack(code, f)
    if scale == NAN_SCALE or kind != FINITE:
        return 0
    return round_pack_stochastic(
        s, e - 2 - (scale - BIAS), g * quarters, to, variant, n, random, SATURATE
    )


# -- NVFP4 and NVINT4 without division -----------------------------------------------------------

BELOW = 20
"""Bits of a quotient below the lsb of its dividend: more than any result here has."""


@golden
def nv_tensor(largest, f, to, ue4m3):
    """The scale of a tensor, an e8m0fnu code: the least power of two that brings its largest
    magnitude to at most Q times the largest block scale."""
    kind, _, e, g = unpack(largest, f)
    if kind != FINITE:
        return NAN_SCALE
    if g == 0:
        return BIAS
    _, _, e_most, most = unpack(to.max_mag, to)
    _, _, e_scale, g_scale = unpack(ue4m3.max_mag, ue4m3)
    most, e_most = most * g_scale, e_most + e_scale
    bits, most_bits = bit_length(g), bit_length(most)
    x = (e + bits) - (e_most + most_bits)
    return clamped(x + (1 if g << most_bits > most << bits else 0))


@golden
def nv_scale(largest, tensor, f, to, ue4m3):
    """The scale of a block, a ue4m3 code: its largest magnitude divided by Q and by the tensor's
    scale, to nearest even; NaN if that magnitude is none."""
    kind, _, e, g = unpack(largest, f)
    if kind != FINITE or tensor == NAN_SCALE:
        return ue4m3.nan_code
    _, _, e_most, most = unpack(to.max_mag, to)
    quotient = divided(g, most)
    exponent = e - e_most - (tensor - BIAS) - BELOW - 1
    return round_pack(0, exponent, quotient, ue4m3, RNE, SATURATE)


@golden
def nv_element(code, scale, tensor, f, to, ue4m3):
    """A number divided by the scales of its block and its tensor, to nearest even, as an element;
    0 in a block whose scale is 0 or NaN."""
    kind, s, e, g = unpack(code, f)
    kind_scale, _, e_scale, g_scale = unpack(scale, ue4m3)
    if kind != FINITE or kind_scale != FINITE or g_scale == 0 or tensor == NAN_SCALE:
        return 0
    exponent = e - e_scale - (tensor - BIAS) - BELOW - 1
    return round_pack(s, exponent, divided(g, g_scale), to, RNE, SATURATE)


@golden
def divided(g, by):
    """g / by in units of 2^-(BELOW + 1), of which the lsb is a sticky bit."""
    q = (g << BELOW) // by
    return 2 * q + (1 if q * by != g << BELOW else 0)
