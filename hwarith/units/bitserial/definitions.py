"""Golden definitions of bit-serial arithmetic: terms of a weight, processing element, dequantizer.

A weight is a short sum of signed powers of two, its terms: (-1)^sign * man * 2^exp * 2^bsig. Values
of the types fp3 and fp4 are counted in halves, so that all are integers. The code of a term has man
at its lsb, then two bits of exp, then the sign.

The code of an accumulator has, from the lsb on: the magnitude m, `frame.magnitude_bits` wide; the
exponent e, of `frame.exponent_bits`; the sign s; and the sticky flags invalid and overflow. It
stands for (-1)^s * m * 2^(e - 25 - fx).
"""

from __future__ import annotations

from typing import NamedTuple

from ...formats.rounding import NOSAT, RNE, round_pack
from ...golden import bit_length, golden

EXPONENT_BITS = 6
SCALE_BITS = 8
"""Of an accumulator's exponent and of a group's scale, if nothing else is said."""

INVALID, OVERFLOW = 1, 2
"""Sticky flags: an activation that was infinite or NaN; an exponent that grew too large."""


class Frame(NamedTuple):
    """A processing element as integers."""

    lanes: int
    fx: int  # bits below an activation's significand that alignment keeps
    magnitude_bits: int  # of the accumulator
    joint: int  # 1: the accumulator's exponent takes part in the common one of the lanes
    truncate: int  # 1: what alignment shifts out is dropped, not rounded
    left_norm: int  # 1: sums are shifted left until they have no leading zeros
    exponent_bits: int  # of the accumulator


# -- terms ---------------------------------------------------------------------------------------


@golden
def booth_term(code, k):
    """Term k of an integer in two's complement: radix-4 Booth digit k, of weight 4^k.

    The code is sign-extended to the bits that are read."""
    string = (code << 1) >> (2 * k) & 7
    if string == 0 or string == 7:
        return 0
    sign = string >> 2
    exp = 1 if string == 3 or string == 4 else 0
    return term(sign, exp, 1)


@golden
def integer_term(code, k, bits):
    """Term k of an integer's code, with its bsig above."""
    value = code - (code >> (bits - 1) << bits)
    return 2 * k << 4 | booth_term(value, k)


@golden
def coded_float_term(code, special, k, bits, signed_t0):
    """Term k of a code of fp3 or fp4, with its bsig above: fp3 is fp4 without the lsb."""
    return k << 4 | float_term(code << (4 - bits), special, k, signed_t0)


@golden
def mixed_term(code, special, floating, k, signed_t0):
    """Term k of an integer that is sign-extended to 8 bits, or of a code of fp4, with its bsig
    above."""
    if floating:
        return coded_float_term(code & 15, special, k & 1, 4, signed_t0)
    return integer_term(code, k, 8)


@golden
def banked_float_term(code, selector, bank, k, bits, signed_t0):
    """The same, of a special value of the bank."""
    return coded_float_term(code, of_bank(selector, bank), k, bits, signed_t0)


@golden
def banked_mixed_term(code, selector, bank, floating, k, signed_t0):
    """The same, of a special value of the bank."""
    return mixed_term(code, of_bank(selector, bank), floating, k, signed_t0)


@golden
def of_bank(selector, bank):
    """A special value of a bank of four, that of selector 0 at the lsb."""
    return bank >> (6 * selector) & 63


@golden
def term(sign, exp, man):
    """The code of a term."""
    return sign << 3 | exp << 1 | man


@golden
def float_term(code, special, k, signed_t0):
    """Term k of a code of fp4: T1 of bsig 1, or T0 of bsig 0. `special` is sign and magnitude, in
    halves (6 bits), of the value that -0 stands for."""
    s = code >> 3 & 1
    mag = half_units(code & 7)
    if s == 1 and mag == 0:
        s = special >> 5
        mag = special & 31
    if signed_t0 and (mag == 7 or mag == 14 or mag == 15):  # 3.5, 7, 7.5: 2^i - 2^j
        if k == 1:
            return term(s, bit_length(mag) - 1, 1)
        return term(1 - s, 1 if mag == 14 else 0, 1)
    high = mag >> 1
    if k == 1:
        return term(s, bit_length(high) - 1, 1) if high else 0
    rest = mag - (1 << bit_length(high) if high else 0)
    low = rest & 15
    return term(s, bit_length(low) - 1, 1) if low else 0


@golden
def half_units(magnitude):
    """The magnitude code e1 e0 m of fp4 (E2M1) in halves: 0 1 2 3 4 6 8 12."""
    e = magnitude >> 1
    m = magnitude & 1
    return m if e == 0 else (2 + m) << (e - 1)


# -- processing element --------------------------------------------------------------------------


@golden
def step(acc, acts, terms, bsig, frame):
    """The accumulator after a clock: of each lane an activation and a term, side by side."""
    m, e, s, flags = unpack_accumulator(acc, frame)
    highest = e if frame.joint else 0
    for i in range(frame.lanes):
        _, p, pe = lane(acts, terms, i)
        highest = max(highest, pe)
        flags |= INVALID if acts >> (16 * i + 10) & 31 == 31 else 0
    dot = 0
    for i in range(frame.lanes):
        ps, p, pe = lane(acts, terms, i)
        aligned = shift_right(p << frame.fx, highest - pe, frame)
        dot += -aligned if ps else aligned
    if not frame.joint and dot == 0:
        return pack_accumulator(m, e, s, flags, frame)
    scaled = abs(dot) << bsig
    if not frame.joint:
        local = highest
        highest = max(local, e)
        scaled = shift_right(scaled, highest - local, frame)
    kept = shift_right(m, highest - e, frame)
    total = (-kept if s else kept) + (-scaled if dot < 0 else scaled)
    return normalized(total, highest, flags, frame)


@golden
def lane(acts, terms, i):
    """Sign, significand and exponent of a lane's product; both of the latter are 0 if it is
    zero, or no number."""
    a = acts >> (16 * i) & 0xFFFF
    t = terms >> (4 * i) & 15
    biased = a >> 10 & 31
    significand = (a & 1023) | (1024 if biased else 0)
    if biased == 31 or t & 1 == 0 or significand == 0:
        return 0, 0, 0
    return a >> 15 ^ t >> 3, significand, max(biased, 1) + (t >> 1 & 3)


@golden
def shift_right(m, d, frame):
    """m / 2^d of a magnitude, rounded to nearest even, or truncated."""
    if d <= 0:
        return m
    if d > 60:
        return 0
    return m >> d if frame.truncate else rounded(m, d)


@golden
def rounded(m, d):
    """m / 2^d rounded to nearest even, for d of at least 1."""
    odd = m >> d & 1
    return (m + (1 << (d - 1)) - 1 + odd) >> d


@golden
def normalized(total, e, flags, frame):
    """The accumulator of a sum that counts units of the exponent e."""
    if total == 0:
        return pack_accumulator(0, 0, 0, flags, frame)
    m = abs(total)
    n = bit_length(m) - frame.magnitude_bits
    if n > 0:
        m = rounded(m, n)
        e += n
        if m >> frame.magnitude_bits:
            m >>= 1
            e += 1
    elif frame.left_norm:
        k = min(-n, e - 1)
        m <<= k
        e -= k
    most = (1 << frame.exponent_bits) - 1
    if e > most:
        m, e, flags = (1 << frame.magnitude_bits) - 1, most, flags | OVERFLOW
    return pack_accumulator(m, e, 1 if total < 0 else 0, flags, frame)


@golden
def unpack_accumulator(acc, frame):
    """Magnitude, exponent, sign and flags."""
    bits, above = frame.magnitude_bits, frame.magnitude_bits + frame.exponent_bits
    m = acc & ((1 << bits) - 1)
    e = acc >> bits & ((1 << frame.exponent_bits) - 1)
    return m, e, acc >> above & 1, acc >> (above + 1)


@golden
def pack_accumulator(m, e, s, flags, frame):
    """The code of an accumulator."""
    bits, above = frame.magnitude_bits, frame.magnitude_bits + frame.exponent_bits
    return flags << (above + 1) | s << above | e << bits | m


# -- dequantizer ---------------------------------------------------------------------------------


@golden
def rounded_to(m, e, bits):
    """A magnitude rounded to nearest even to at most so many bits, and its exponent."""
    n = bit_length(m) - bits
    if n <= 0:
        return m, e
    m = rounded(m, n)
    e += n
    if m >> bits:
        return m >> 1, e + 1
    return m, e


@golden
def dequantize(acc, scale, half, frame, bits, scale_bits):
    """The accumulator times a group's scale, a bit of the scale in each clock, its msb first.

    Results side by side, from the lsb on: magnitude, exponent of its lsb (two's complement, two
    bits more than the accumulator's), sign, invalid."""
    m, e, s, flags = unpack_accumulator(acc, frame)
    m, e = rounded_to(m, e, bits)
    g = 0
    for i in range(scale_bits):
        bit = scale >> (scale_bits - 1 - i) & 1
        g = (g << 1) + (m if bit else 0)
    exponent_bits = frame.exponent_bits + 2
    weight = (e - 25 - frame.fx - half) & ((1 << exponent_bits) - 1)
    return (((flags & 1) << 1 | s) << exponent_bits | weight) << (bits + scale_bits) | g


@golden
def as_float(result, bits, exponent_bits, fo):
    """A result of `dequantize`, whose magnitude and exponent have so many bits, as a code of a
    format."""
    g = result & ((1 << bits) - 1)
    weight = result >> bits & ((1 << exponent_bits) - 1)
    s = result >> (bits + exponent_bits) & 1
    if result >> (bits + exponent_bits + 1):
        return fo.nan_code
    e = weight - (1 << exponent_bits) if weight >> (exponent_bits - 1) else weight
    return round_pack(s, e, g, fo, RNE, NOSAT)
