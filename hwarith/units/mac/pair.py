"""The multiply-accumulator of dynamic fixed point: pairs of integers into 32 bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...formats import Format, format
from ...lazily import np
from ...rtl import Values, wire
from ..accumulator import Accumulator
from ..contract import Contract
from ..conventions import of_integers
from ..dot import Dot
from ..operations import DOT_PRODUCT_OF_PAIRS, Operation
from ..parameters import integer_parameter
from . import definitions

_ACC_BITS = 32


def chain_limit(p: int) -> int:
    """How many products of p-bit integers cannot overflow 32 bits, whatever they are.

    Codes are those of dynamic fixed point, from -(2^(p-1) - 1) to 2^(p-1) - 1: N products are safe
    if N * (2^(p-1) - 1)^2 <= 2^31 - 1.
    """
    return ((1 << (_ACC_BITS - 1)) - 1) // ((1 << (p - 1)) - 1) ** 2


@dataclass(frozen=True, kw_only=True, repr=False)
class PairMac(Accumulator):
    """Sum of a0*b0 + a1*b1 over a group of pairs of p-bit integers, in 32 bits.

    The sum wraps modulo 2^32. `ovf` is 1 if at some step of the group the sum of what was in the
    accumulator and both products was no 32-bit integer; it stays 1 to the end of the group. (In
    whatever order the three are added, one step is judged as a whole.) `chain_limit` says how many
    products never overflow; after as many a chain is to be spilled and begun again. Two's
    complement's lowest code -2^(p-1), which dynamic fixed point does not use, is taken as it is.

    Source: Das et al., arXiv 1802.00930 (INT16 pairs into INT32); the flag is this project's.
    """

    family: ClassVar[str] = "dfpmac"
    summary: ClassVar[str] = "dynamic fixed point: pairs of integer products summed in 32 bits"
    operation: ClassVar[Operation] = DOT_PRODUCT_OF_PAIRS
    meanings: ClassVar[dict[str, str]] = {
        "a0": "first factor of the first product",
        "b0": "second factor of the first product",
        "a1": "first factor of the second product",
        "b1": "second factor of the second product",
        "y": "sum of the products of the group, modulo 2^32",
        "ovf": "1: a sum of the group was beyond 32 bits",
    }

    p: int = integer_parameter("bits of an operand", 2, 16, 16)

    @property
    def chain_step(self) -> Dot:
        """Both products and the accumulator, modulo 2^32; without the flag."""
        p, acc = format(f"int{self.p}"), format(f"int{_ACC_BITS}")
        return Dot(a=p, b=p, n=2, c=acc, out=acc)

    @property
    def operands(self) -> dict[str, Format]:
        return {name: format(f"int{self.p}") for name in ("a0", "b0", "a1", "b1")}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"int{_ACC_BITS}"), "ovf": format("uint1")}

    @property
    def memory(self) -> dict[str, Format]:
        return {"acc": format(f"int{_ACC_BITS}"), "overflow": format("uint1")}

    @property
    def work(self) -> Fraction:
        return Fraction(2)

    @property
    def contract(self) -> Contract:
        limit = chain_limit(self.p)
        bound = f"exact modulo 2^32; without ovf, and so for up to {limit} products, exact"
        return Contract("exact integer", bound, "arXiv 1802.00930")

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers(f"wraps modulo 2^{_ACC_BITS}, and sets ovf to the end of the group")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.pair_mac, (self.p,)

    @property
    def word_bits(self) -> int:
        return _ACC_BITS + 2

    def outputs(self, memory: np.ndarray) -> list[np.ndarray]:
        acc = memory & memory.dtype.type((1 << _ACC_BITS) - 1)
        overflow = memory >> memory.dtype.type(_ACC_BITS)
        return [acc.astype(np.uint32), overflow.astype(np.uint8)]

    def outputs_of_one(self, memory: int) -> list[int]:
        return [memory & ((1 << _ACC_BITS) - 1), memory >> _ACC_BITS]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._accumulate]

    def _accumulate(self, m: Module, x: Values) -> Values:
        """All in one carry-save sum, with two bits more than the accumulator has."""
        a0, b0, a1, b1, acc = (x[name].as_signed() for name in ("a0", "b0", "a1", "b1", "acc"))
        total = rtl.sum_of_products(m, "sum", [(a0, b0), (a1, b1)], [acc], _ACC_BITS + 2)
        above = total[_ACC_BITS - 1 :]
        lost = wire(m, "lost", above.any() & ~above.all())
        return {"acc": total[:_ACC_BITS], "overflow": x["overflow"] | lost}

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(acc="y", overflow="ovf")]
