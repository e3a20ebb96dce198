"""The second memory of dynamic fixed point: sums of chains, added up as floats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...formats import Format, format
from ...rtl import Values
from ..accumulator import Accumulator
from ..applied import applied
from ..contract import Contract, Unit
from ..operations import CONVERSION, Operation
from ..parameters import integer_parameter
from ..registry import unit
from . import definitions

SUM = format("fp32")


@dataclass(frozen=True, kw_only=True, repr=False)
class Spill(Accumulator):
    """The sum of a group of integers, each rounded to fp32 and added to those before it, both to
    nearest even; and whether any of them came with a flag.

    Source: Das et al., arXiv 1802.00930 (INT32 chains into FP32); that both steps are rounded to
    nearest even is this project's.
    """

    family: ClassVar[str] = "dfpmac"
    meanings: ClassVar[dict[str, str]] = {
        "chain": "the sum of a chain of products",
        "lost": "1: it was beyond its bits",
    }
    summary: ClassVar[str] = "sums of chains of dynamic fixed point, added up in fp32"
    operation: ClassVar[Operation] = CONVERSION

    bits: int = integer_parameter("bits of the sum of a chain", 32, 48, 32)

    @property
    def operands(self) -> dict[str, Format]:
        return {"chain": format(f"int{self.bits}"), "lost": format("uint1")}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": SUM, "ovf": format("uint1")}

    @property
    def memory(self) -> dict[str, Format]:
        return {"total": SUM, "any_overflow": format("uint1")}

    @property
    def contract(self) -> Contract:
        return Contract("approximate", "each sum rounded to fp32, and added", "arXiv 1802.00930")

    # -- golden --------------------------------------------------------------------------------

    @cached_property
    def _convert(self) -> Unit:
        return unit(f"convert:a=int{self.bits},out={SUM}")

    @cached_property
    def _add(self) -> Unit:
        return unit(f"add:a={SUM}")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        control, fi, *_ = self._convert.definition()[1]
        return definitions.spill, (control, fi, *self._add.definition()[1][3:])

    @property
    def word_bits(self) -> int:
        return max(self._convert.word_bits, self._add.word_bits, SUM.bits + 1)

    # -- hardware ------------------------------------------------------------------------------

    def front_datapath(self) -> list[rtl.Step]:
        return applied(self._convert, "part", "chain")

    def datapath(self) -> list[rtl.Step]:
        return [*applied(self._add, "total", "total", "part"), self._keep_flag]

    def _keep_flag(self, m: Module, x: Values) -> Values:
        """The flag of any chain."""
        return {"total": x["total"], "any_overflow": x["any_overflow"] | x["lost"]}

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(total="y", any_overflow="ovf")]
