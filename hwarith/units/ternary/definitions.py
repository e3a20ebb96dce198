"""Golden definition of sums by ternary weights: each activation is added, subtracted or left."""

from __future__ import annotations

from ...golden import golden
from ..fpint.definitions import signed

ILLEGAL = 2
"""What a code that stands for no weight is read as: it counts 0."""

BYTES = 243
"""Bytes that stand for five weights, 3^5."""


@golden
def accumulate(memory, a, w, lanes, a_bits, sum_bits, packed):
    """The sum plus all activations times their weights, modulo 2^sum_bits; above it 1 if a code
    was no weight. `a` and `w` hold the codes of the lanes, the first one at the lsb."""
    mask = (1 << sum_bits) - 1
    total, invalid = memory & mask, memory >> sum_bits
    for i in range(lanes):
        t = packed_weight(w >> (8 * (i // 5)) & 255, i % 5) if packed else weight(w >> (2 * i) & 3)
        if t == ILLEGAL:
            invalid = 1
        else:
            total += t * signed(a >> (i * a_bits), a_bits)
    return (total & mask) | invalid << sum_bits


@golden
def weight(code):
    """Two's complement of two bits, of which -2 is no weight."""
    if code == 2:
        return ILLEGAL
    return -1 if code == 3 else code


@golden
def packed_weight(byte, place):
    """The weight at a place of five: digits of base 3, the most significant one first, less 1."""
    if byte >= BYTES:
        return ILLEGAL
    power, digit = 81, 0
    for _ in range(place + 1):
        digit = (1 if byte >= power else 0) + (1 if byte >= 2 * power else 0)
        byte -= digit * power
        power = (power * 171) >> 9  # a third of a power of 3
    return digit - 1
