"""Golden definitions of Anda: what its processing element does with a plane of mantissas, and what
its compressor makes of numbers."""

from __future__ import annotations

from ...golden import golden
from ..exact.definitions import convert
from ..fpint.definitions import signed


@golden
def plane(memory, m, s, w, lanes, w_bits, sum_bits):
    """Twice the sum plus the weights of the activations whose mantissas have a one in this plane,
    with the activations' signs; modulo 2^sum_bits. Bit i of m and s is of activation i, `w` holds
    the two's complement codes of the weights, the first one at the lsb."""
    total = 2 * memory
    for i in range(lanes):
        if m >> i & 1:
            x = signed(w >> (i * w_bits), w_bits)
            total += -x if s >> i & 1 else x
    return total & ((1 << sum_bits) - 1)


# -- the compressor ------------------------------------------------------------------------------


@golden
def mantissa(code, exponent, bits, nearest):
    """A number of fp16 in units of 2^(exponent - 14 - bits): its magnitude without what is below
    them, or rounded to nearest even; nothing with exponent 31, which says that the group has an
    infinity or NaN."""
    field = code >> 10 & 31
    significand = code & 1023 | (1024 if field > 0 else 0)
    below = exponent - max(field, 1) + 11 - bits
    if exponent == 31:
        return 0
    if below <= 0:
        return significand << -below
    kept = significand >> below
    rest = 2 * (significand - (kept << below))
    if nearest == 1 and (rest > 1 << below or (rest == 1 << below and kept & 1 == 1)):
        kept += 1
    return min(kept, (1 << bits) - 1)


@golden
def compressed(x, bits, nearest):
    """The planes of a group's mantissas, the most significant one first; signs, the shared
    exponent, and whether there is an infinity or NaN."""
    exponent = max([1, *[code >> 10 & 31 for code in x]])
    found = [mantissa(code, exponent, bits, nearest) for code in x]
    planes = [side_by_side([y >> place & 1 for y in found]) for place in range(bits - 1, -1, -1)]
    signs = [code >> 15 if exponent < 31 else 0 for code in x]
    return planes, side_by_side(signs), exponent, 1 if exponent == 31 else 0


@golden
def rounded_and_compressed(x, of_conversion, bits, nearest):
    """The same of numbers that are rounded to fp16 first."""
    return compressed([convert(code, *of_conversion) for code in x], bits, nearest)


@golden
def side_by_side(bits):
    """Bits as one number, the first one at the lsb."""
    total = 0
    for i in range(len(bits)):
        total |= bits[i] << i
    return total
