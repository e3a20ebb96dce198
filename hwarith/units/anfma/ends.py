"""The ends of a column: what it begins with, and normalization and rounding of what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux

from ... import rtl
from ...formats import Format
from ...rtl import Values, wire
from ...rtl.floats import signed_exponent
from ..contract import Contract
from ..conventions import MODES, conventions, nan_words, overflow_words
from ..operations import BEGINNING_OF_A_COLUMN, END_OF_A_COLUMN, Operation
from ..parameters import format_parameter
from . import definitions
from .state import SOURCE, Chained, check_float


@dataclass(frozen=True, kw_only=True, repr=False)
class ColumnEnd(Chained):
    """The result of a column: its last state normalized and rounded to nearest even.

    Results below the smallest normal number (as rounded with unbounded exponent) become zero, of
    their sign; zero states give +0. A flag of NaN, or both flags of infinity, give NaN; one flag
    of infinity, and overflow, infinity (NaN or the largest value in formats without).

    Source: see `AnFma`.
    """

    family: ClassVar[str] = "anend"
    summary: ClassVar[str] = "end of a column of anfma: normalize, round, pack"
    operation: ClassVar[Operation] = END_OF_A_COLUMN
    meanings: ClassVar[dict[str, str]] = {
        "y": "result of the column",
    }

    out: Format = format_parameter("result", "fp32")

    def validate(self) -> None:
        super().validate()
        check_float(self.family, "out", self.out)

    @property
    def operands(self) -> dict[str, Format]:
        return {"c": self.state}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    @property
    def contract(self) -> Contract:
        return Contract("correctly rounded", "subnormal results are zero", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            f"once, {MODES['rne']}",
            overflow_words("nosat", self.out),
            "results below the smallest normal value become zeros of their sign",
            nan_words(self.out),
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.column_end, (self.out.numbers, self.frame)

    @property
    def word_bits(self) -> int:
        return max(self.state.bits, self.w + self.out.precision + 2)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        half = 1 << (self.exponent_bits - 1)
        rounder = rtl.Rounder(self.out, "rne", "nosat", ftz=True)
        return [self._unpack, *rounder.steps((self.out.bias - half, self.out.bias + half - 1))]

    def _unpack(self, m: Module, x: Values) -> Values:
        """The fields of a state, with the exponent biased like the result's."""
        w, bits = self.w, self.exponent_bits
        c = x["c"]
        nan, plus, minus = c[w + bits + 1 :]
        half = 1 << (bits - 1)
        inf = wire(m, "inf", plus | minus)
        exponent = c[w : w + bits] + (self.out.bias - half)
        shape = signed_exponent(self.out.bias - half, self.out.bias + half - 1)
        return {
            "nan": wire(m, "nan", nan | (plus & minus)),
            "inf": inf,
            "sign": wire(m, "sign", Mux(inf, minus, c[w + bits])),
            "exponent": wire(m, "exponent", exponent, shape),
            "significand": wire(m, "significand", c[:w]),
            "difference": ~inf,
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Seed(Chained):
    """The state that a column begins with, from a code: exact, but for significands wider than
    the state's, which are truncated. Subnormals are zero; infinities and NaN set their flags.

    Source: see `AnFma`.
    """

    family: ClassVar[str] = "anseed"
    summary: ClassVar[str] = "what a column of anfma begins with, as a state"
    operation: ClassVar[Operation] = BEGINNING_OF_A_COLUMN
    meanings: ClassVar[dict[str, str]] = {
        "a": "what the column begins with",
    }

    seed: Format = format_parameter("what is to be taken into the column", "fp32")

    def validate(self) -> None:
        super().validate()
        check_float(self.family, "seed", self.seed)

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.seed}

    @property
    def results(self) -> dict[str, Format]:
        return {"c": self.state}

    @property
    def contract(self) -> Contract:
        return Contract("faithful", "truncated to w bits; subnormals are zero", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            f"none, significands are cut to {self.w} bits",
            "none, a state's exponent has room",
            "count as zeros",
            "sets the flag of the state; so does infinity",
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.seed, (self.seed.numbers, self.frame)

    @property
    def word_bits(self) -> int:
        return max(self.state.bits, self.w + self.seed.precision)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._widen]

    def _widen(self, m: Module, x: Values) -> Values:
        """The operand as a state: its significand filled up with zeros, its exponent in the state's
        excess, and flags for NaN and the infinities."""
        f, bits = self.seed, self.exponent_bits
        raw = rtl.Operand(f, daz=True).unpack(m, "a", x["a"])
        counts = wire(m, "counts", ~(raw.zero | raw.nan | raw.inf))
        room = self.w - f.precision
        significand = Cat(Const(0, room), raw.significand) if room > 0 else raw.significand[-room:]
        exponent = wire(m, "exponent", raw.exponent + ((1 << (bits - 1)) - f.bias), bits)
        state = Cat(significand, exponent, raw.sign) & counts.replicate(self.w + bits + 1)
        flags = Cat(raw.nan, raw.inf & ~raw.sign, raw.inf & raw.sign)
        return {"c": wire(m, "state", Cat(state, flags))}
