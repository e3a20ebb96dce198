"""The scale of a group: one more addition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module

from ... import rtl
from ...formats import Format
from ...rtl import Values, wire
from ..contract import Contract
from ..conventions import conventions
from ..logarithmic import LMul
from ..operations import PRODUCT, Operation
from . import definitions
from .base import SOURCE, OfFormat, correction, correction_parameter


@dataclass(frozen=True, kw_only=True, repr=False)
class AxScale(OfFormat):
    """A column's result times the scale of its group, approximately, by one addition.

    It is `lmul` with the constant `c2` for an offset, by default the one with which the mean error
    of all pairs of fractions is zero; results beyond the largest value become the largest.

    With ``profile=ae`` it is the addition of the authors' code, words modulo 2^bits; the sign of
    the scale is ignored.

    Source: see `AxMul`.
    """

    family: ClassVar[str] = "axscale"
    summary: ClassVar[str] = "AxCore: a result times the scale of its group by one addition"
    operation: ClassVar[Operation] = PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "result of a column",
        "s": "scale",
        "y": "approximate product",
    }

    most_fraction_bits: ClassVar[int] = 10

    c2: int = correction_parameter("constant added to the fields' sum (default: the mean)")

    def validate(self) -> None:
        super().validate()
        self._set_correction("c2")

    @property
    def _defaults(self) -> dict[str, Callable[[], int]]:
        return super()._defaults | {"c2": lambda: correction(self.a, self.a)}

    @property
    def same(self) -> LMul:
        """The unit that does the same in the profile ``hw``."""
        return LMul(format=self.a, ofs=self.c2, sat=1)

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "s": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.a}

    @property
    def contract(self) -> Contract:
        return Contract("approximate", f"that of {self.same.spec}", SOURCE)

    @property
    def policy(self) -> dict[str, str]:
        return self.same.policy

    @property
    def conventions(self) -> dict[str, str]:
        if self.artifact:
            return conventions("none", "runs into the sign", "are numbers", "is a number")
        return self.same.conventions

    def definition(self) -> tuple[Callable[..., int], tuple]:
        if self.artifact:
            return definitions.scale, (self.a.numbers, self.c2)
        return self.same.definition()

    @property
    def word_bits(self) -> int:
        return max(self.same.word_bits, self.a.bits + 2)

    def datapath(self) -> list[rtl.Step]:
        return [self._add] if self.artifact else [rtl.renamed(s="b"), *self.same.datapath()]

    def _add(self, m: Module, x: Values) -> Values:
        """The word, the scale's magnitude and a constant."""
        f = self.a
        constant = self.c2 - (f.bias << f.fraction_bits)
        return {"y": wire(m, "word", x["a"] + x["s"][: f.bits - 1] + constant, f.bits)}
