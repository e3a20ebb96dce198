"""Golden definitions of integer arithmetic on pre-aligned fp16.

A finite fp16 activation is (-1)^s * significand * 2^(e - 25), with 11 bits of significand and e the
biased exponent, at least 1. Aligned to a shared exponent E >= e it is m * 2^(E - 14 - p): the
integer m has p bits of magnitude, of which p - 11 lie below the significand's lsb.
"""

from __future__ import annotations

from ...golden import golden

SIGNIFICAND = 11


@golden
def aligned(a, exponent, p, truncate):
    """The aligned mantissa, p + 1 bits of two's complement, and above it 1 for infinity or NaN.

    `exponent` less that of the activation is taken modulo 32.
    """
    biased = a >> 10 & 31
    if biased == 31:
        return 1 << (p + 1)
    significand = (a & 1023) | (1024 if biased else 0)
    wide = significand << (p - SIGNIFICAND)
    d = (exponent - max(biased, 1)) & 31
    m = wide >> d
    if not truncate:
        rest = 2 * (wide - (m << d))
        if rest > 1 << d or (rest == 1 << d and m & 1):
            m += 1
    return (-m if a >> 15 else m) & ((2 << p) - 1)


@golden
def multiply_add(acc, a, w, lanes, a_bits, w_bits, acc_bits):
    """acc + the products of all lanes, modulo 2^acc_bits; `a` and `w` hold the two's complement
    codes of the lanes, the first one at the lsb."""
    for i in range(lanes):
        acc += signed(a >> (i * a_bits), a_bits) * signed(w >> (i * w_bits), w_bits)
    return acc & ((1 << acc_bits) - 1)


@golden
def signed(code, bits):
    """The number that the lowest bits are in two's complement."""
    sign = code >> (bits - 1) & 1
    return (code & ((1 << bits) - 1)) - (sign << bits)
