"""Matrix products of dynamic fixed point, in 32 bits that are spilled before they can overflow.

Source: Das et al., arXiv 1802.00930: chains of products of limited length, whose sums are added up
in fp32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import InvalidInput, quoted
from ..formats.dynamic import DynamicFixedPoint
from ..units import unit
from ..units.mac.pair import chain_limit
from .product import matmul

MOST_BITS = 16


def dynamic_matmul(
    x: DynamicFixedPoint, w: DynamicFixedPoint, spill: Any = None
) -> tuple[np.ndarray, int]:
    """The product of matrices (m, K) and (K, n) of integers that share an exponent, by ``dfpmac``.

    Parameters
    ----------
    x, w : matrices of as many bits, at most 16 (`hwarith.dynamic_fixed_point`).
    spill : after how many products, an even number, the 32-bit sum is rounded to fp32, added to
        those before it, and begun again; default: as many as cannot overflow whatever they are, 2
        of 16 bits, 512 of 12 bits.

    Returns sums, float32 (m, n), and the exponent of the power of two that they count in: of both
    operands together. A sum that leaves 32 bits, where `spill` lets it, wraps as the unit's does.
    Raises `InvalidInput` for what is not as said here.
    """
    if x.bits != w.bits or x.bits > MOST_BITS:
        raise InvalidInput(
            f"dynamic_matmul: x and w must have as many bits, at most {MOST_BITS}, not {x.bits} "
            f"and {w.bits}"
        )
    shapes = x.integers.shape, w.integers.shape
    if len(shapes[0]) != 2 or len(shapes[1]) != 2 or shapes[0][1] != shapes[1][0]:
        raise InvalidInput(
            f"dynamic_matmul: x and w must be matrices (m, K) and (K, n), not {shapes[0]} and "
            f"{shapes[1]}"
        )
    step = chain_limit(x.bits) // 2 * 2 if spill is None else spill
    if not isinstance(step, int) or isinstance(step, bool) or step < 2 or step % 2:
        raise InvalidInput(f"dynamic_matmul: spill must be an even number, not {quoted(spill)}")
    u = unit(f"dfpmac:p={x.bits}")
    length = shapes[0][1]
    more = length % 2
    a, b = np.pad(x.codes, ((0, 0), (0, more))), np.pad(w.codes, ((0, more), (0, 0)))
    total = np.zeros((len(a), b.shape[1]), np.float32)
    for k in range(0, length, step):
        sums = matmul(u, a[:, k : k + step], b[k : k + step]).view(np.int32)
        total += sums.astype(np.float32)
    return total, x.exponent + w.exponent
