"""Golden definitions of the decoders: the Tilus types (arXiv 2504.12984) and the power-exponent
code (arXiv 2308.05600)."""

from __future__ import annotations

from ...formats.rounding import (
    FINITE,
    NAN,
    NOSAT,
    RNE,
    SATURATE,
    pack_infinity,
    pack_nan,
    round_pack,
    unpack,
)
from ...golden import bit_length, golden


@golden
def decode(code, f, out, reserved):
    """The value of a code as one of the float format `out`, and behind it whether it has none.

    With `reserved` all codes that are not finite become infinity.
    """
    kind, s, e, g = unpack(code, f)
    if kind == FINITE:
        return round_pack(s, e, g, out, RNE, SATURATE)
    y = pack_nan(out) if kind == NAN and reserved == 0 else pack_infinity(s, out, NOSAT)
    return y | (1 << out.bits)


@golden
def split(code, f, significand_bits, exponent_bits):
    """Sign, significand and exponent (two's complement) of a code, and whether it has no value.

    Codes that are not finite are read as if the top exponent were one like all others.
    """
    kind, s, e, g = unpack(code, f)
    invalid = 0 if kind == FINITE else 1
    if invalid:
        e = ((code & f.mag_mask) >> f.fraction_bits) - f.bias - f.fraction_bits
        g = (code & ((1 << f.fraction_bits) - 1)) + (1 << f.fraction_bits)
    if g == 0:
        s = 0
    exponent = e & ((1 << exponent_bits) - 1)
    above = significand_bits + 1
    return s | (g << 1) | (exponent << above) | (invalid << (above + exponent_bits))


@golden
def power(code, bits, twos, table):
    """The entry of a `table` of 16-bit numbers (side by side, entry 0 at the lsb) for the
    magnitude of a code, with the code's sign, as 17-bit two's complement.

    Codes are sign and magnitude, or (`twos`) two's complement, whose lowest one, which has no
    positive counterpart, counts as the one above it.
    """
    half = 1 << (bits - 1)
    negative = code >= half
    k = code % half
    if twos and negative:
        k = min(2 * half - code, half - 1)
    magnitude = (table >> (16 * k)) & 0xFFFF
    return (-magnitude if negative else magnitude) & 0x1FFFF


@golden
def power_code(x, bits, form, largest, thresholds):
    """The code of a fixed-point number: how many of the `thresholds` (16-bit numbers side by side,
    that of code 1 at the lsb) its magnitude reaches, with its sign.

    The form is 0 for sign and magnitude, 1 for two's complement, of numbers of 17 bits; 2 for
    numbers of 16 bits without a sign.
    """
    negative = form != 2 and x >= 1 << 16
    magnitude = (1 << 17) - x if negative else x
    k = 0
    for i in range(largest):
        if magnitude >= (thresholds >> (16 * i)) & 0xFFFF:
            k += 1
    if form == 0:
        return k | (1 << (bits - 1) if negative and k else 0)
    return (-k if negative else k) & ((1 << bits) - 1)


@golden
def unpacked(word, fmt, n, out, formats, reserved):
    """The values of `n` codes of a type that lie side by side in a word, the first at the lsb, as
    codes of the format `out`; and for each whether it has none. What is beyond the last of the
    `formats` is the last."""
    place = min(fmt, len(formats) - 1)
    f = formats[place]
    mask = (1 << f.bits) - 1
    found = [decode(word >> (i * f.bits) & mask, f, out, reserved[place]) for i in range(n)]
    return [y & ((1 << out.bits) - 1) for y in found], [y >> out.bits for y in found]


def flint(code, n):
    """The number, 2n bits of two's complement, of a sign above n bits p of magnitude.

    Ones at the top of p say how its other bits are read: none, p is the number; z of them, a zero
    and then f bits r, f = n - 1 - z, it is (2^f + r) * 2^(2z - 1); ones alone, 2^(2n - 2).
    """
    p = code & ((1 << n) - 1)
    z = n - bit_length(p ^ ((1 << n) - 1))
    if z == n:
        x = 1 << (2 * n - 2)
    elif z > 0:
        top = 1 << (n - 1 - z)
        x = (top + (p & (top - 1))) << (2 * z - 1)
    else:
        x = p
    return (-x if code >> n else x) & ((1 << 2 * n) - 1)


VICTIM = 8
"""The code that says that its partner is an outlier."""


@golden
def olive(byte):
    """The numbers of a pair of codes in a byte, as two's complement of 8 bits side by side."""
    low, high = byte & 15, byte >> 4
    first = 0 if low == VICTIM else (outlier(low) if high == VICTIM else signed_code(low))
    second = 0 if high == VICTIM else (outlier(high) if low == VICTIM else signed_code(high))
    return (first & 255) | (second & 255) << 8


@golden
def outlier(code):
    """An abfloat with a bias of 2: sign, two bits of exponent, one of fraction; 0 if all are 0."""
    m = code & 7
    x = (2 + (m & 1)) << ((m >> 1) + 2) if m else 0
    return -x if code >> 3 else x


@golden
def signed_code(code):
    """The integer that four bits of two's complement are."""
    return code - 16 if code >> 3 else code
