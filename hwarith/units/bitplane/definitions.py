"""Golden definitions of the bit-plane dot product.

Each bit of a bipolar code stands for -1 (0) or +1 (1): an n-bit code u has the value
sum of (2 u_i - 1) 2^i = 2u - (2^n - 1).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...golden import golden


@golden
def dot(a, b, k):
    """Dot product of k elements: bit e of the integer ``a[i]`` is bit i of element e.

    Equal bits of two planes have the product +1, others -1, so that planes a[i] and b[j] have the
    dot product 2P - k, where P counts equal bits. With the weights 2^(i+j) of the planes it is

        sum of 2^(i+j) (2 P_ij - k) = 2 sum of 2^(i+j) P_ij - k (2^n - 1) (2^m - 1).
    """
    lanes = (1 << k) - 1
    total = 0
    for i in range(len(a)):
        for j in range(len(b)):
            equal = ~(a[i] ^ b[j]) & lanes
            total += equal.bit_count() << (i + j)
    return 2 * total - k * ((1 << len(a)) - 1) * ((1 << len(b)) - 1)


@golden
def multiply_add(acc, a, b, n, m, bits):
    """One element of the same in integers: acc + a * b modulo 2^bits, of codes of n and m bits."""
    product = (2 * a - (1 << n) + 1) * (2 * b - (1 << m) + 1)
    return (acc + product) & ((1 << bits) - 1)


def split_planes(codes: Sequence[int], bits: int) -> list[int]:
    """The bit planes of a vector of codes, as `dot` takes them."""
    return [sum((u >> i & 1) << e for e, u in enumerate(codes)) for i in range(bits)]
