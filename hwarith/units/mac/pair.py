"""The multiply-accumulator of dynamic fixed point: pairs of integers into 32 bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...lazily import np
from ...rtl import Values, wire
from ..accumulator import Accumulator, check_lengths
from ..contract import Contract
from ..conventions import of_integers
from ..dot import Dot
from ..operations import DOT_PRODUCT_OF_PAIRS, Operation
from ..parameters import integer_parameter
from . import definitions
from .spill import SUM, Spill

ACC_BITS = 32
"""Of the accumulator, if nothing else is said."""

MOST_SPILL = 1 << 20
"""Products of a chain."""

SPILLING_STAGES = 2
"""The registers of a chain and of the sum of chains; more stand between them."""


def chain_limit(p: int, acc: int = ACC_BITS) -> int:
    """How many products of p-bit integers cannot overflow so many bits, whatever they are.

    Codes are those of dynamic fixed point, from -(2^(p-1) - 1) to 2^(p-1) - 1: N products are safe
    if N * (2^(p-1) - 1)^2 <= 2^(acc-1) - 1.
    """
    return ((1 << (acc - 1)) - 1) // ((1 << (p - 1)) - 1) ** 2


@dataclass(frozen=True, kw_only=True, repr=False)
class PairMac(Accumulator):
    """Sum of a0*b0 + a1*b1 over a group of pairs of p-bit integers, in 32 bits (or `acc`).

    The sum wraps modulo 2^32. `ovf` is 1 if at some step of the group the sum of what was in the
    accumulator and both products was no 32-bit integer; it stays 1 to the end of the group. (In
    whatever order the three are added, one step is judged as a whole.) `chain_limit` says how many
    products never overflow; after as many a chain is to be spilled and begun again. Two's
    complement's lowest code -2^(p-1), which dynamic fixed point does not use, is taken as it is.

    With ``spill`` the unit does so: after so many products, and at the end of the group, the sum is
    rounded to fp32 and added to those before it, both to nearest even, in a second register; the
    result is a code of fp32, and `ovf` is that of any of the group's chains.

    Source: Das et al., arXiv 1802.00930 (INT16 pairs into INT32, chains of limited length into
    FP32); the flag and the 48 bits are this project's.
    """

    family: ClassVar[str] = "dfpmac"
    summary: ClassVar[str] = "dynamic fixed point: pairs of integer products summed in 32 bits"
    operation: ClassVar[Operation] = DOT_PRODUCT_OF_PAIRS
    meanings: ClassVar[dict[str, str]] = {
        "a0": "first factor of the first product",
        "b0": "second factor of the first product",
        "a1": "first factor of the second product",
        "b1": "second factor of the second product",
        "y": f"sum of the products of the group, modulo 2^{ACC_BITS}",
        "ovf": f"1: a sum of the group was beyond {ACC_BITS} bits",
    }

    p: int = integer_parameter("bits of an operand", 2, 16, 16)
    acc: int = integer_parameter("bits of the accumulator", ACC_BITS, 48, ACC_BITS, quiet=True)
    spill: int = integer_parameter(
        "after so many products the sum is added to others in fp32; 0: never",
        0,
        MOST_SPILL,
        0,
        quiet=True,
    )

    def validate(self) -> None:
        if self.spill or self.acc != ACC_BITS:
            object.__setattr__(self, "meanings", self._own_meanings)
        if self.spill % 2:
            raise InvalidInput(f"dfpmac: parameter spill: must be an even number, not {self.spill}")
        if not self.spill:
            super().validate()
        elif self.stages < SPILLING_STAGES:
            object.__setattr__(self, "stages", SPILLING_STAGES)

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        if self.spill and self.stages == SPILLING_STAGES:
            del shown["stages"]
        return shown

    @property
    def _own_meanings(self) -> dict[str, str]:
        """Of the results, where they are not the usual ones."""
        found = f"sum of the products of the group, modulo 2^{self.acc}"
        if self.spill:
            found = f"sum in {SUM} of the group's chains of {self.spill} products"
        return {"y": found, "ovf": f"1: a sum of integers was beyond {self.acc} bits"}

    @property
    def chain_step(self) -> Dot:
        """Both products and the accumulator, modulo 2^acc; without the flag. Raises `InvalidInput`
        for a unit that spills, and for sums that `dot` does not have."""
        if self.spill or self.acc != ACC_BITS:
            raise InvalidInput(
                f"{self.spec} has no step without a memory; hw.dynamic_matmul takes its parameters"
            )
        p, acc = format(f"int{self.p}"), format(f"int{self.acc}")
        return Dot(a=p, b=p, n=2, c=acc, out=acc)

    @property
    def operands(self) -> dict[str, Format]:
        return {name: format(f"int{self.p}") for name in ("a0", "b0", "a1", "b1")}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": SUM if self.spill else format(f"int{self.acc}"), "ovf": format("uint1")}

    @property
    def memory(self) -> dict[str, Format]:
        return {"acc": format(f"int{self.acc}"), "overflow": format("uint1")}

    @property
    def work(self) -> Fraction:
        return Fraction(2)

    @property
    def contract(self) -> Contract:
        limit = chain_limit(self.p, self.acc)
        if self.spill:
            bound = f"without ovf sums of {self.spill} products are exact, and added up in {SUM}"
            return Contract("approximate", bound, "arXiv 1802.00930")
        bound = f"exact modulo 2^{self.acc}; without ovf, and so for up to {limit} products, exact"
        return Contract("exact integer", bound, "arXiv 1802.00930")

    @property
    def conventions(self) -> dict[str, str]:
        found = of_integers(f"wraps modulo 2^{self.acc}, and sets ovf to the end of the group")
        if self.spill:
            found["rounding"] = f"sums of chains to {SUM}, and what they add up to, to nearest even"
        return found

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.pair_mac, (self.p, self.acc)

    @property
    def word_bits(self) -> int:
        return self.acc + 2

    @cached_property
    def _chain(self) -> PairMac:
        """The first register, of a unit that spills."""
        return PairMac(p=self.p, acc=self.acc)

    @cached_property
    def _total(self) -> Spill:
        """The second one."""
        return Spill(bits=self.acc, stages=self.stages - 1)

    def golden(self, *codes: Any) -> Any:
        if not self.spill:
            return super().golden(*codes)
        check_lengths(self.family, codes)
        steps = range(0, len(codes[0]), self.spill // 2)
        chains = [self._chain.golden(*(x[i : i + self.spill // 2] for x in codes)) for i in steps]
        return self._total.golden(*zip(*chains, strict=True))

    def call(self, *codes: Any) -> Any:
        if not self.spill:
            return super().call(*codes)
        arrays = self.check_operands(codes)
        steps = range(0, arrays[0].shape[-1], self.spill // 2)
        chains = [self._chain(*(x[..., i : i + self.spill // 2] for x in arrays)) for i in steps]
        return self._total(*(np.stack(x, axis=-1) for x in zip(*chains, strict=True)))

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._accumulate]

    def _accumulate(self, m: Module, x: Values) -> Values:
        """All in one carry-save sum, with two bits more than the accumulator has."""
        a0, b0, a1, b1, acc = (x[name].as_signed() for name in ("a0", "b0", "a1", "b1", "acc"))
        total = rtl.sum_of_products(m, "sum", [(a0, b0), (a1, b1)], [acc], self.acc + 2)
        above = total[self.acc - 1 :]
        lost = wire(m, "lost", above.any() & ~above.all())
        return {"acc": total[: self.acc], "overflow": x["overflow"] | lost}

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(acc="y", overflow="ovf")]

    def core(self, instances: bool) -> rtl.Core:
        if not self.spill:
            return super().core(instances)
        return rtl.chained_core(self._chain, self._total, self.spill // 2)
