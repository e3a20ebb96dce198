"""The ends of a column: the state that it begins with, and a code of its last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ... import rtl
from ...formats import Format
from ..contract import Contract
from ..conventions import MODES, conventions, nan_words
from ..operations import BEGINNING_OF_A_COLUMN, END_OF_A_COLUMN, Operation
from . import definitions, hardware
from .base import SOURCE, OfColumn


@dataclass(frozen=True, kw_only=True, repr=False)
class AxNorm(OfColumn):
    """The result of a column: its last state normalized and rounded to nearest even by two bits.

    What a normalization to the right shifts out below these is lost before. Results below the
    least normal number become zeros of their sign, beyond the largest the largest; a sum of zero is
    +0. A flag of NaN, or both flags of infinity, give NaN; one of them gives infinity.

    With ``profile=ae`` exponents wrap around, and the magnitude of the lowest sum is zero, as in
    the authors' Verilog: a sum of zero has its sign, and an exponent that is less by exponent_bits
    + fraction_bits.

    Source: see `AxDot`.
    """

    family: ClassVar[str] = "axnorm"
    summary: ClassVar[str] = "end of a column of axdot: normalize, round, pack"
    operation: ClassVar[Operation] = END_OF_A_COLUMN
    meanings: ClassVar[dict[str, str]] = {
        "c": "state of the column: sum at the lsb, exponent, sign, flags (docs/axcore.md)",
        "y": "result of the column",
    }

    @property
    def operands(self) -> dict[str, Format]:
        return {"c": self.state}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.a}

    @property
    def contract(self) -> Contract:
        return Contract("faithful", "less than 3/4 ulp for normal results", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        if self.artifact:
            return conventions("to nearest by two bits", "exponents wrap around", "", "")
        return conventions(
            f"once, by two bits behind the result's: {MODES['rne']}",
            "becomes the largest value",
            "results below the smallest normal value become zeros of their sign",
            nan_words(self.a),
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.normalize, (self.a.numbers, self.frame, int(self.artifact))

    @property
    def word_bits(self) -> int:
        return max(self.state.bits, self.a.bits + self.fields.frac + 8)

    def datapath(self) -> list[rtl.Step]:
        return hardware.column_end(self.a, self.fields, self.artifact)


@dataclass(frozen=True, kw_only=True, repr=False)
class AxSeed(OfColumn):
    """The state that a column begins with, from a code: exact. Subnormals are zero; infinities and
    NaN set their flags (with ``profile=ae`` they are numbers).

    Source: this project; AxCore's columns begin with zero.
    """

    family: ClassVar[str] = "axseed"
    summary: ClassVar[str] = "what a column of axdot begins with, as a state"
    operation: ClassVar[Operation] = BEGINNING_OF_A_COLUMN
    meanings: ClassVar[dict[str, str]] = {
        "a": "what the column begins with",
        "c": "state of the column: sum at the lsb, exponent, sign, flags (docs/axcore.md)",
    }

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"c": self.state}

    @property
    def contract(self) -> Contract:
        return Contract("faithful", "exact, but subnormals are zero", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        nan = "is a number" if self.artifact else "sets the flag of the state; so does infinity"
        return conventions("none, states are exact", "none", "count as zeros", nan)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.seed, (self.a.numbers, self.frame, int(self.artifact))

    @property
    def word_bits(self) -> int:
        return self.state.bits

    def datapath(self) -> list[rtl.Step]:
        return hardware.column_start(self.a, self.fields, self.artifact)
