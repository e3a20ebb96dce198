"""Sums of integers times powers of two, in floating point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ..accumulator import Accumulator
from ..applied import applied
from ..contract import Contract
from ..conventions import MODES, conventions
from ..exact.add import Add
from ..operations import SUM_OF_SCALED, Operation
from ..parameters import format_parameter
from ..scalb import Scalb
from . import definitions


@dataclass(frozen=True, kw_only=True, repr=False)
class ScaledSum(Accumulator):
    """Sum of a * 2^by over integers a, in ascending order: acc = acc + fl(a * 2^by), from +0 on.

    Each term is rounded to the accumulator's format, and each sum, both to nearest even. So sums of
    products of integers, exact within a group that shares an exponent, are added up across groups;
    `by` is the exponent of their units, such as that of the activations and that of the weights
    together. Terms of no more bits than a significand are not rounded, except below the smallest
    normal number. With a second of the `stages` the terms stand in a register before the addition.

    Source: Fang et al., Anda, HPCA 2025 (arXiv 2411.15982; integers inside a group, FP32 across),
    from a description of the paper; that both steps are rounded to nearest even is this project's.
    """

    family: ClassVar[str] = "scaledsum"
    summary: ClassVar[str] = "integers times powers of two, added up in floating point"
    operation: ClassVar[Operation] = SUM_OF_SCALED
    meanings: ClassVar[dict[str, str]] = {
        "a": "integer, such as the sum of a group",
        "by": "exponent of the power of two that it counts",
        "y": "sum of the integers times their powers of two",
    }

    a: Format = format_parameter("of the integers", "int18")
    by: Format = format_parameter("exponent of the power of two, an integer", "int8")
    acc: Format = format_parameter("accumulator and result", "fp32")

    def validate(self) -> None:
        super().validate()
        if self.a.kind != "int" or self.a.exponent:
            raise InvalidInput(
                f"scaledsum: parameter a: must be an integer format, not {self.a.name}; allowed: "
                "such as int18, uint8"
            )
        if self.acc.kind != "float" or not self.acc.signed or self.acc.hidden_always:
            raise InvalidInput(
                f"scaledsum: parameter acc: must be a signed float with a zero, not "
                f"{self.acc.name}; allowed: such as fp32, fp16"
            )
        try:
            _ = self._scale
        except InvalidInput as error:
            raise InvalidInput(f"scaledsum: {error}") from None

    @cached_property
    def _scale(self) -> Scalb:
        """What makes a term."""
        return Scalb(a=self.a, by=self.by, out=self.acc)

    @cached_property
    def _add(self) -> Add:
        """What adds it."""
        return Add(a=self.acc)

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "by": self.by}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.acc}

    @property
    def memory(self) -> dict[str, Format]:
        return {"total": self.acc}

    @property
    def contract(self) -> Contract:
        bound = "each term and each sum: error at most 1/2 ulp, one rounding"
        return Contract("correctly rounded", bound, "arXiv 2411.15982; IEEE 754-2019, 5.4.1")

    @property
    def conventions(self) -> dict[str, str]:
        found = self._add.conventions
        rounding = f"each term and each sum, {MODES['rne']}"
        return conventions(rounding, found["overflow"], found["subnormals"], found["NaN"])

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.scaled_sum, (self._scale.definition()[1], self._add.definition()[1])

    @property
    def word_bits(self) -> int:
        return max(self._scale.word_bits, self._add.word_bits)

    # -- hardware ------------------------------------------------------------------------------

    def front_datapath(self) -> list[rtl.Step]:
        return applied(self._scale, "term", "a", "by")

    def datapath(self) -> list[rtl.Step]:
        return applied(self._add, "total", "total", "term")

    def output_datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(total="y")]
