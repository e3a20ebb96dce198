"""A sum that is multiplied with a factor before the next addend comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from ... import rtl
from ...formats import Format
from ...golden import golden
from ..applied import applied
from ..contract import Contract, Unit
from ..exact.definitions import add, mul
from ..operations import SUM, Operation
from ..parameters import format_parameter
from ..registry import unit


@golden
def rescaled_sum(p, factor, total, control, fp, ff, facc, rules, width):
    """The sum times the factor, rounded, plus p, rounded."""
    scaled = mul(total, factor, control, facc, ff, facc, rules)
    return add(p, scaled, control, fp, facc, facc, rules, width)


@dataclass(frozen=True, kw_only=True, repr=False)
class RescaledSum(Unit):
    """fl(fl(total * factor) + p), to nearest even: a step of the sum of an online softmax."""

    family: ClassVar[str] = "softmax"
    summary: ClassVar[str] = "a sum, multiplied with a factor before an addend comes"
    operation: ClassVar[Operation] = SUM

    p: Format = format_parameter("addend", "bf16")
    factor: Format = format_parameter("factor", same_as="p")
    acc: Format = format_parameter("the sum", "fp32")

    @property
    def operands(self) -> dict[str, Format]:
        return {"p": self.p, "factor": self.factor, "total": self.acc}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.acc}

    @property
    def contract(self) -> Contract:
        return Contract("approximate", "product and sum rounded once each", "this project")

    @cached_property
    def _times(self) -> Unit:
        return unit(f"mul:a={self.acc},b={self.factor},out={self.acc}")

    @cached_property
    def _plus(self) -> Unit:
        return unit(f"add:a={self.p},b={self.acc},out={self.acc}")

    def definition(self) -> tuple[Callable[..., int], tuple[Any, ...]]:
        control, _, factor, *_ = self._times.definition()[1]
        _, p, acc, _, rules, width = self._plus.definition()[1]
        return rescaled_sum, (control, p, factor, acc, rules, width)

    @property
    def word_bits(self) -> int:
        return max(self._times.word_bits, self._plus.word_bits)

    def datapath(self) -> list[rtl.Step]:
        return [
            *applied(self._times, "rescaled", "total", "factor"),
            *applied(self._plus, "y", "p", "rescaled"),
        ]
