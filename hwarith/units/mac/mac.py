"""The multiply-accumulator of any format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...lazily import np
from ...rtl import Values, wire
from ..accumulator import Accumulator
from ..contract import Contract
from ..conventions import rounding_words
from ..convert import Convert
from ..exact.base import Exact
from ..exact.fma import Fma
from ..exact.options import optimize_parameter, round_parameter
from ..flags import EXCEPTIONS, flag_results, rounding_flags_parameter
from ..operations import DOT_PRODUCT, Operation
from ..overflow import overflow_parameter
from ..parameters import format_parameter
from ..results import several, split
from . import definitions

RAISED = "raised"
"""The memory's flags, beside the ``flags`` of a part."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Mac(Accumulator):
    """Sum of the products a*b of a group, in ascending order: acc = a*b + acc, from +0 on.

    Each step is the fused multiply-add ``fma:a,b,c=acc,out=acc`` and rounded as such. After the
    last one the accumulator is converted to `out`, with the same rounding and overflow policy.
    One multiply-add a clock; the fused multiply-add is the longest path between registers.
    With `flags` the exceptions of all steps and of the conversion come with the result.

    Source: IEEE 754-2019, 5.4.1 (fusedMultiplyAdd), at each step.
    """

    family: ClassVar[str] = "mac"
    summary: ClassVar[str] = "multiply-accumulate: sum of the products of a group, step by step"
    operation: ClassVar[Operation] = DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factor",
        "b": "second factor",
        "y": "sum of the products of the group",
        "flags": EXCEPTIONS,
    }

    takes_posits: ClassVar[bool] = True

    a: Format = format_parameter("first factor", "bf16")
    b: Format = format_parameter("second factor", same_as="a")
    acc: Format = format_parameter("accumulator (default: fp32, int32 for integers, a of posits)")
    out: Format = format_parameter("result", same_as="acc")
    round: str = round_parameter()
    overflow: str = overflow_parameter()
    flags: str = rounding_flags_parameter()
    optimize: str = optimize_parameter()

    def validate(self) -> None:
        super().validate()
        if self.acc is None:
            wide = self.a if self.a.is_posit else format("fp32" if self.a.is_float else "int32")
            object.__setattr__(self, "acc", wide)
        if self.out is None:
            object.__setattr__(self, "out", self.acc)
        if self.acc.hidden_always:
            raise InvalidInput(f"mac: parameter acc: {self.acc.name} has no zero to begin with")
        try:
            step = self.step
            _ = self.conversion
        except InvalidInput as error:
            raise InvalidInput(f"mac: acc={self.acc.name}, out={self.out.name}: {error}") from None
        object.__setattr__(self, "overflow", step.overflow)

    @cached_property
    def step(self) -> Fma:
        """The multiply-add that each step is."""
        return Fma(
            a=self.a,
            b=self.b,
            c=self.acc,
            out=self.acc,
            round=self.round,
            overflow=self.overflow,
            flags=self.flags,
            optimize=self.optimize,
        )

    @property
    def chain_step(self) -> Fma:
        """What a sum of products that another one goes on from is made by."""
        if self.conversion:
            raise InvalidInput(f"{self.spec}: for sums to go on, out must be acc")
        return self.step

    @cached_property
    def conversion(self) -> Convert | None:
        """The conversion of the accumulator to the result, if they differ."""
        if self.out == self.acc:
            return None
        return Convert(
            a=self.acc,
            out=self.out,
            round=self.round,
            overflow=self.step.overflow,
            flags=self.flags,
        )

    def shown_parameters(self) -> dict[str, Any]:
        hidden = {"round", "overflow"} - self.step.shown_parameters().keys()
        shown = super().shown_parameters()
        return {name: value for name, value in shown.items() if name not in hidden}

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out} | flag_results(self.flags)

    @property
    def memory(self) -> dict[str, Format]:
        return {"acc": self.acc} | ({RAISED: format("uint5")} if self.flags != "none" else {})

    @property
    def contract(self) -> Contract:
        kind, bound, source = self.step.contract
        return Contract(kind, f"at each step: {bound}", source)

    @property
    def conventions(self) -> dict[str, str]:
        found = self.step.conventions
        if not self.step.is_integer:
            found["rounding"] = f"at each step, {rounding_words(self.round)}"
        if self.conversion:
            of_result = self.conversion.conventions
            found |= {
                topic: f"of the accumulator {words}; of the result {of_result[topic]}"
                for topic, words in found.items()
                if words != of_result.get(topic, words)
            }
        return found

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.mac, self.step.definition()[1]

    @property
    def word_bits(self) -> int:
        return self.step.word_bits

    def outputs(self, memory: np.ndarray) -> list[np.ndarray]:
        acc, *raised = split(memory, self.memory.values())
        acc = acc.astype(self.acc.dtype, copy=False)
        y, *flags = several(self.conversion(acc)) if self.conversion else (acc, *raised)
        together = (x.astype(np.uint8) | z for x, z in zip(raised, flags, strict=True))
        return [np.asarray(y), *together]

    def outputs_of_one(self, memory: int) -> list[int]:
        acc, *raised = split(memory, self.memory.values())
        y, *flags = several(self.conversion.golden(acc)) if self.conversion else (acc, *raised)
        return [y, *(x | z for x, z in zip(raised, flags, strict=True))]

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [rtl.renamed(acc="c"), *self._raising(self.step), rtl.renamed(y="acc")]

    def output_datapath(self) -> list[rtl.Step]:
        if self.conversion:
            steps = self._raising(self.conversion)
            return [rtl.renamed(acc="a"), *steps, rtl.renamed(**{RAISED: "flags"})]
        return [rtl.renamed(acc="y", **{RAISED: "flags"})]

    def _raising(self, part: Exact) -> list[rtl.Step]:
        """The steps of a part, with its flags among those that are raised."""
        if self.flags == "none":
            return part.datapath()
        return [*rtl.handing_on((RAISED,), part.datapath()), self._raise]

    def _raise(self, m: Module, x: Values) -> Values:
        """Flags that are raised stay so."""
        return {"y": x["y"], RAISED: wire(m, "raised_now", x[RAISED] | x["flags"])}
