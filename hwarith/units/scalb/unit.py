"""The unit that multiplies by a power of two: parameters, contract and hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Shape

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ...rtl import Operand, Values, leading_zeros, shift_right, wire
from ...rtl.floats import exponent_bits, signed_exponent
from ..contract import Contract
from ..exact.rounded import Rounded
from ..operations import SCALING, Operation
from ..parameters import format_parameter
from . import definitions


@dataclass(frozen=True, kw_only=True, repr=False)
class Scalb(Rounded):
    """A code times a power of two, rounded once: a * 2^by, where `by` is an integer operand.

    Of a zero, an infinity or a NaN the same is left, in the result's format. An exponent of any
    size is taken as it is: what gets too large or too small overflows or underflows, with the
    flags of a multiplication. Operand and result are any formats, `by` integers; the default of 16
    bits is that of `logb`, whose result it takes.

    Source: IEEE 754-2019, 5.3.3 (scaleB); C's ``scalbn`` and ``ldexp``.
    """

    family: ClassVar[str] = "scalb"
    summary: ClassVar[str] = "a times 2^by, correctly rounded"
    operation: ClassVar[Operation] = SCALING
    meanings: ClassVar[dict[str, str]] = {
        "a": "code to scale",
        "by": "exponent of the power of two, an integer",
        "y": "code of the value times 2^by, rounded",
    }

    a: Format = format_parameter("operand", "fp32")
    by: Format = format_parameter("exponent of the power of two, an integer", "int16")
    out: Format = format_parameter("result", same_as="a")

    def validate(self) -> None:
        if self.by.kind != "int" or self.by.exponent:
            raise InvalidInput(
                f"scalb: parameter by: must be an integer format, not {self.by.name}; allowed: "
                "such as int8, int16, uint6"
            )
        super().validate()

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a, "by": self.by}

    @cached_property
    def _terms(self) -> dict[str, Operand]:
        """What has a significand: not the exponent."""
        return {"a": Operand(self.a, self.daz)}

    @property
    def contract(self) -> Contract:
        found = super().contract
        return found._replace(source=found.source.replace("5.4.1", "5.3.3"))

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.scalb, (*self.constants(), self.most)

    @property
    def most(self) -> int:
        """The exponent that takes every number beyond the largest result; or its negative every
        number below what any mode, or random bits, can tell from a lesser one."""
        operand, out = self._terms["a"], Operand(self.out)
        low, high = operand.weights
        low = low if operand.is_normal else operand.lsb
        return max(out.weights[1] + 1 - low, high - out.lsb + 2 + (self.n or 0), 1)

    @property
    def word_bits(self) -> int:
        significand = max(self.a.precision, self.out.precision) + (self.n or 0) + 4
        return max(significand, self._result_bits, self.a.word_bits + 1, self.by.bits + 1)

    @cached_property
    def _result_bits(self) -> int:
        low, high = self._terms["a"].lsb - self.most, self._terms["a"].weights[1] + self.most
        unbounded = self.out.magnitude_bits(Fraction(2) ** low, Fraction(2) ** (high + 1))
        return max(self.out.word_bits + 5, unbounded)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        rounder, (lowest, _) = self.rounder, self._exponents
        floats = self.a.kind == self.out.kind == "float"
        if floats and not rounder.ftz and lowest < rounder.lowest:
            return self.with_ports([self._unpack, self._align, *rounder.after_normalization()])
        return self.with_ports([self._unpack, *rounder.steps(self._exponents)])

    @property
    def _by(self) -> Shape:
        """Shape of the exponent that is left where a greater one would make no difference."""
        bits = min(self.by.bits, self.most.bit_length() + self.by.signed)
        return Shape(bits, signed=self.by.signed)

    @property
    def _offset(self) -> int:
        """From the operand's biased exponent to the rounder's."""
        return Operand(self.rounder.out).bias - self._terms["a"].bias

    @property
    def _exponents(self) -> tuple[int, int]:
        """Range of the exponents of the scaled operand, biased as the rounder's."""
        low, high = self._terms["a"].exponents
        below = 1 << (self._by.width - 1) if self.by.signed else 0
        above = (1 << (self._by.width - self.by.signed)) - 1
        return low + self._offset - below, high + self._offset + above

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and class of the operand, and the exponent of the power of two added to its own;
        one that is out of all range is clamped."""
        raws = self.unpacked(m, x)
        a = raws["a"]
        width = self._by.width - self.by.signed
        kept, above = x["by"][:width], x["by"][width:]
        sign = above[-1] if self.by.signed else Const(0, 1)
        far = (above ^ sign.replicate(len(above))).any()
        kept = Mux(far, ~sign.replicate(width), kept)
        by = Cat(kept, sign).as_signed() if self.by.signed else kept
        exponent = a.exponent + wire(m, "clamped", by, self._by) + self._offset
        return self.nan_values(m, x, raws, Const(0, 1)) | {
            "sign": a.sign,
            "inf": a.special,
            "significand": a.significand,
            "exponent": wire(m, "exponent", exponent, signed_exponent(*self._exponents)),
        }

    def _align(self, m: Module, x: Values) -> Values:
        """Right to the lowest binade what is below it; else the leading one of a subnormal to the
        top, or as far as the exponent allows. One shifter does both: what goes left passes it the
        other way round, as there are only zeros in front of it."""
        rounder, significand = self.rounder, x["significand"]
        exponent = x["exponent"]
        shape = signed_exponent(*(e - rounder.lowest for e in self._exponents))
        scale = wire(m, "scale", exponent - rounder.lowest, shape)
        size, keep = len(significand) + 1, rounder.out.precision + rounder.below
        window = max(size, keep)
        below, levels = scale[-1], window.bit_length()
        # To the right by one place, and then by ~scale, which is -scale - 1.
        distance = scale[:-1] ^ below.replicate(len(scale) - 1)
        far = distance[levels:].any()
        distance = distance[:levels] | far.replicate(min(levels, len(distance)))
        lowered = Cat(significand, Const(0, 1))
        if self._terms["a"].is_normal:
            distance = distance & below.replicate(len(distance))
            entering = Mux(below, lowered, Cat(Const(0, 1), significand))
        else:
            zeros = leading_zeros(m, "zeros", significand)
            exponent = wire(m, "normalized_exponent", exponent - zeros)
            distance = Mux(exponent < rounder.lowest, distance, zeros)
            entering = Mux(below, lowered, Cat(reversed(significand), Const(0, 1)))
        distance = wire(m, "distance", distance)
        moved, lost = shift_right(m, "moved", wire(m, "entering", entering), distance, window)
        if not self._terms["a"].is_normal:
            top = moved[window - size :]
            moved = Cat(moved[: window - size], Mux(below, top, Cat(reversed(top))))
        bits = exponent_bits(max(self._exponents[1], 1))
        return {name: x[name] for name in ("sign", "nan", "inf")} | {
            "kept": wire(m, "kept", moved[window - keep :]),
            "sticky": wire(m, "sticky", moved[: window - keep].any() | lost),
            "exponent": wire(m, "aligned_exponent", exponent[:bits], bits),
            "carry": Const(0, 1),
            "difference": Const(0, 1),
        }
