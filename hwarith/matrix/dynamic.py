"""Matrix products of dynamic fixed point, in integers that are spilled before they can overflow.

Source: Das et al., arXiv 1802.00930: chains of products of limited length, whose sums are added up
in fp32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import InvalidInput, quoted
from ..formats.dynamic import DynamicFixedPoint
from ..tables import Table, Tabled
from ..units import unit
from ..units.mac.pair import ACC_BITS, PairMac, chain_limit
from .overflows import overflowed
from .product import matmul

MOST_BITS = 16


@dataclass(frozen=True, eq=False)
class DynamicProduct(Tabled):
    """A product of matrices of dynamic fixed point, sums * 2^exponent; made by `dynamic_matmul`.

    Attributes
    ----------
    sums : float32 (m, n).
    exponent : of both operands together.
    ovf : bool (m, n): where a sum of integers left its bits, and wrapped.
    """

    sums: np.ndarray
    exponent: int
    ovf: np.ndarray

    def values(self) -> np.ndarray:
        """The numbers, float64."""
        return np.ldexp(self.sums.astype(np.float64), self.exponent)

    def tables(self) -> list[Table]:
        """Its shape, its exponent, and how many sums overflowed."""
        shape = " x ".join(map(str, self.sums.shape))
        row = {"shape": shape, "exponent": self.exponent, "overflowed": int(self.ovf.sum())}
        return [Table([row])]


def dynamic_matmul(
    x: DynamicFixedPoint, w: DynamicFixedPoint, spill: Any = None, acc: Any = ACC_BITS
) -> DynamicProduct:
    """The product of matrices (m, K) and (K, n) of integers that share an exponent: for each
    element what ``dfpmac`` with these options gives.

    Parameters
    ----------
    x, w : matrices of as many bits, at most 16 (`hwarith.dynamic_fixed_point`).
    spill : after how many products, an even number, the sum is rounded to fp32, added to those
        before it, and begun again; default: as many as cannot overflow whatever they are: in 32
        bits 2 of 16 bits, 512 of 12 bits.
    acc : bits of the sums of integers, 32 to 48.

    A sum that leaves its bits, where `spill` lets it, wraps and raises ``ovf``, as the unit's does.
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
    u = unit(f"dfpmac:p={x.bits},acc={acc}")
    assert isinstance(u, PairMac)
    step = chain_limit(x.bits, u.acc) // 2 * 2 if spill is None else spill
    if not isinstance(step, int) or isinstance(step, bool) or step < 2 or step % 2:
        raise InvalidInput(f"dynamic_matmul: spill must be an even number, not {quoted(spill)}")
    # Sums modulo 2^acc do not depend on how many products a step takes
    chain = unit(f"mac:a=int{x.bits},acc=int{u.acc},overflow=wrap")
    a, b = x.codes, w.codes
    total = np.zeros((len(a), b.shape[1]), np.float32)
    ovf = np.zeros(total.shape, bool)
    for k in range(0, shapes[0][1], step):
        left, right = a[:, k : k + step], b[k : k + step]
        # Integers of up to 48 bits are exact in float64, and are rounded once
        total += chain.results["y"].decode(matmul(chain, left, right)).astype(np.float32)
        if step > chain_limit(x.bits, u.acc):
            ovf |= overflowed(
                chain.results["y"], x.integers[:, k : k + step], w.integers[k : k + step], 2
            )
    return DynamicProduct(total, x.exponent + w.exponent, ovf)
