"""Golden definition of Anda's processing element: a plane of mantissas in each step."""

from __future__ import annotations

from ...golden import golden
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
