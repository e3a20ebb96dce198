"""The cast of a narrow float to a wider one, times a power of two with which nothing is rounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module, Mux

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.fp4 import exact_shifts
from ...rtl import Operand, Rounder, Values, wire
from ...rtl.floats import Specials, signed_exponent
from ..contract import Contract, Unit
from ..conventions import EXACT, SUBNORMALS, conventions
from ..operations import DECODING, Operation
from ..parameters import format_parameter
from . import definitions

SOURCE = "arXiv 2307.09782"


@dataclass(frozen=True, kw_only=True, repr=False)
class Cast(Unit):
    """A code of a narrow float as one of a wider float, times a power of two: exactly.

    A weight of few bits becomes one of the format of the activations, its scale being 2^``k``. With
    `least` <= k <= `most` every value of `a` has a code of `out` (e2m1 to e4m3fn: from -8 to 6, to
    e5m2: from -15 to 13). Another k counts as the nearest of these, and ``range`` is 1.

    Infinities and NaN stay what they are (NaN the canonical one), -0 where `out` has one.

    Source: ZeroQuant-FP, arXiv 2307.09782 (scales that are powers of two, for the cast of FP4 to
    FP8); clamping and ``range`` are decisions of this project.
    """

    family: ClassVar[str] = "cast"
    summary: ClassVar[str] = "a narrow float as a wider one, times 2^k, exactly"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {
        "a": "code to cast",
        "k": "exponent of the power of two",
        "y": "code of the value times 2^k",
        "range": "1: k was clamped",
    }

    a: Format = format_parameter("operand", "e2m1fn")
    k: Format = format_parameter("exponent of the power of two, a signed integer", "int5")
    out: Format = format_parameter("result", "e4m3fn")

    def validate(self) -> None:
        if self.k.kind != "int" or self.k.exponent or not self.k.signed:
            raise InvalidInput(
                f"cast: parameter k: must be a signed integer format, not {self.k.name}; allowed: "
                "such as int4, int5, int8"
            )
        for name, f in (("a", self.a), ("out", self.out)):
            if f.kind != "float" or f.hidden_always or not f.signed:
                raise InvalidInput(
                    f"cast: parameter {name}: must be a signed float with subnormals, not "
                    f"{f.name}; allowed: such as e2m1fn, e4m3fn, e5m2, bf16"
                )
        if self.out.precision < self.a.precision or self.least > self.most:
            raise InvalidInput(
                f"cast: parameter out: {self.out.name} does not have all values of {self.a.name}, "
                "whatever they are scaled by; allowed: a format of as many fraction bits and "
                "binades, or more"
            )
        a, out = Specials(self.a), Specials(self.out)
        if (a.nan is not None and out.nan is None) or (a.infinity and not out.infinity):
            raise InvalidInput(
                f"cast: parameter out: {self.out.name} has no code for a NaN or infinity of "
                f"{self.a.name}; allowed: a format with both, or an operand without"
            )

    @property
    def least(self) -> int:
        """The least exponent with which every value of the operand is one of the result."""
        return exact_shifts(self.a, self.out)[0]

    @property
    def most(self) -> int:
        """The greatest one."""
        return exact_shifts(self.a, self.out)[1]

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "k": self.k}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out, "range": format("uint1")}

    @property
    def contract(self) -> Contract:
        return Contract("exact", f"exact for k from {self.least} to {self.most}", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(EXACT, "none: k is clamped", SUBNORMALS["keep"], "stays NaN")

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        formats = (self.a.numbers, self.k.numbers, self.out.numbers)
        return definitions.cast, (self.least, self.most, *formats)

    @property
    def word_bits(self) -> int:
        return max(self.out.word_bits, self.a.word_bits, self.k.bits) + 2

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        # Nothing is rounded, so that the mode that never adds to a magnitude takes the fewest gates
        rounder = Rounder(self.out, "rtz", "nosat")
        steps = rtl.handing_on(("range",), rounder.steps(self._exponents))
        return [self._clamp, self._unpack, *steps]

    @property
    def _exponents(self) -> tuple[int, int]:
        """Range of the exponents of the scaled operand, biased as the result's."""
        low, high = Operand(self.a).weights
        bias = Operand(self.out).bias
        return low + self._taken[0] + bias, high + self._taken[1] + bias

    @property
    def _taken(self) -> tuple[int, int]:
        """Least and greatest k behind the clamp."""
        low, high = int(self.k.min), int(self.k.max)
        return min(max(low, self.least), self.most), max(min(high, self.most), self.least)

    def _clamp(self, m: Module, x: Values) -> Values:
        """The exponent that is nearest in range, and whether it is another one."""
        k = x["k"].as_signed()
        below, above = wire(m, "below", k < self.least), wire(m, "above", k > self.most)
        taken = Mux(below, self.least, Mux(above, self.most, k))
        return {
            "a": x["a"],
            "taken": wire(m, "taken", taken, signed_exponent(*self._taken)),
            "range": wire(m, "out_of_range", below | above),
        }

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and class of the operand; its exponent and that of the power of two added."""
        operand = Operand(self.a)
        a = operand.unpack(m, "a", x["a"])
        offset = Operand(self.out).bias - operand.bias
        shape = signed_exponent(*self._exponents)
        exponent = wire(m, "exponent", a.exponent + x["taken"] + offset, shape)
        return {
            "sign": a.sign,
            "nan": a.nan,
            "inf": a.special,
            "significand": a.significand,
            "exponent": exponent,
            "range": x["range"],
        }
