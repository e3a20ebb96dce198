"""The exact multiplier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Shape

from ... import rtl
from ...formats import Format
from ...rtl import Operand, Values, wire
from ...rtl.floats import IntegerRounder, exponent_bits, signed_exponent
from ...rtl.integers import as_integer
from ..operations import PRODUCT, Operation
from ..parameters import format_parameter
from . import definitions
from .base import Exact
from .options import adder_parameter, booth_parameter


@dataclass(frozen=True, kw_only=True, repr=False)
class Mul(Exact):
    """Product of two codes, rounded once.

    Source: IEEE 754-2019, 5.4.1 (multiplication); subnormals are kept.
    """

    family: ClassVar[str] = "mul"
    summary: ClassVar[str] = "product a*b, correctly rounded (integers: exact)"
    operation: ClassVar[Operation] = PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factor",
        "b": "second factor",
        "y": "product",
    }

    a: Format = format_parameter("first operand", "fp32")
    b: Format = format_parameter("second operand", same_as="a")
    out: Format = format_parameter("result", same_as="a")
    booth: str = booth_parameter()
    adder: str = adder_parameter()

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.mul, self.constants()

    @property
    def word_bits(self) -> int:
        return max(self.a.precision + self.b.precision + (self.n or 0), self._result_bits)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        if self.is_integer:
            return [self._integer_product]
        if isinstance(self.rounder, IntegerRounder):
            offset = self._offset + self.rounder.lowest
            steps = self.rounder.steps(self._weights, (self._greatest_subnormal, 1), offset)
            return self.with_ports([self._unpack, self._whole_product, *steps])
        steps = [self._unpack, self._product, self._normalize]
        return self.with_ports([*steps, *self.rounder.after_normalization()])

    @property
    def _offset(self) -> int:
        """From the sum of the biased exponents to the exponent of the product's msb, which is
        one binade above the operands' msbs."""
        return 1 - sum(t.bias for t in self._terms.values()) - Operand(self.rounder.out).emin

    @property
    def _exponents(self) -> tuple[int, int]:
        """Range of the exponent of the product's msb, from the result's lowest binade on."""
        (a_low, a_high), (b_low, b_high) = (t.exponents for t in self._terms.values())
        return a_low + b_low + self._offset, a_high + b_high + self._offset

    @property
    def _front(self) -> int:
        """Zeros in front of the product."""
        return self.rounder.front(self._exponents[0] + self.rounder.lowest)

    def _integer_product(self, m: Module, x: Values) -> Values:
        """The exact product, and from it the result."""
        product = rtl.product(
            m, "product", as_integer(x["a"], self.a), as_integer(x["b"], self.b), self.structure
        )
        return self.fitted(m, x, product)

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of both operands, and the sign of the product."""
        raws = self.unpacked(m, x)
        a, b = raws.values()
        return self.nan_values(m, x, raws, (a.special & b.zero) | (a.zero & b.special)) | {
            "sign": wire(m, "sign", a.sign ^ b.sign),
            "inf": wire(m, "inf", a.special | b.special),
            "a_exponent": a.exponent,
            "b_exponent": b.exponent,
            "a_significand": a.significand,
            "b_significand": b.significand,
        }

    @property
    def _weights(self) -> tuple[int, int]:
        """The same, biased as the rounder's."""
        lowest, highest = self._exponents
        return lowest + self.rounder.lowest, highest + self.rounder.lowest

    @property
    def _greatest_subnormal(self) -> int:
        """The greatest of these exponents with a factor that has leading zeros of its own; the
        least of all if there is none."""
        a, b = self._terms.values()
        tops = [x.exponents[0] + y.exponents[1] for x, y in ((a, b), (b, a)) if not x.is_normal]
        if not tops:
            return self._weights[0]
        return max(tops) + self._offset + self.rounder.lowest

    def _whole_product(self, m: Module, x: Values) -> Values:
        """The product, for an integer at a place of its own."""
        product = rtl.product(m, "product", x["a_significand"], x["b_significand"], self.structure)
        exponent = x["a_exponent"] + x["b_exponent"]
        return {name: x[name] for name in ("sign", "nan", "inf")} | {
            "significand": product,
            "exponent": wire(m, "exponent", exponent),
        }

    def _product(self, m: Module, x: Values) -> Values:
        """The product, and beside it how far to shift it: by the operands' leading zeros (the
        product may have one more), but not below the lowest binade."""
        a, b = x["a_significand"], x["b_significand"]
        lowest, highest = self._exponents
        front = self._front
        counts = [
            rtl.leading_zeros(m, f"{name}_zeros", x[f"{name}_significand"])
            for name, term in self._terms.items()
            if not term.is_normal
        ]
        zeros = sum(counts[1:], counts[0]) if counts else Const(0, 1)
        zeros = wire(m, "zeros", zeros + front, exponent_bits(front + len(a) + len(b)))
        total = x["a_exponent"] + x["b_exponent"] + (self._offset + front)
        exponent = wire(m, "exponent", total, signed_exponent(lowest + front, highest + front))
        left = wire(m, "exponent_after_shift", exponent - zeros)
        values = {name: x[name] for name in ("sign", "nan", "inf")}
        values["product"] = rtl.product(m, "product", a, b, self.structure)
        if self.rounder.ftz:
            return values | {"shift": zeros, "exponent": left}
        limited = wire(m, "subnormal", left < 0)
        floor = exponent[: len(zeros)]
        if lowest + front < 0:
            floor = Mux(exponent < 0, 0, floor)
        return values | {
            "shift": wire(m, "shift", Mux(limited, floor, zeros), len(zeros)),
            "exponent": wire(m, "shifted_exponent", Mux(limited, 0, left)[:-1]),
        }

    def _normalize(self, m: Module, x: Values) -> Values:
        """Shift; by one place more if the product has a leading zero of its own."""
        front = self._front
        product = Cat(x["product"], Const(0, front))
        keep = self.out.precision + self.rounder.below + 1
        kept, rest = rtl.shift_left(m, "normalized", product, x["shift"], keep)
        exponent, rounder = x["exponent"], self.rounder
        more = wire(m, "one_more", ~kept[-1] & (Const(1, 1) if rounder.ftz else exponent.any()))
        field = exponent + (not rounder.out.hidden_always)
        biased = Mux(more, field - 1, field)[: len(field)]
        return {name: x[name] for name in ("sign", "nan", "inf")} | {
            "kept": wire(m, "kept", Mux(more, kept[:-1], kept[1:])),
            "sticky": wire(m, "sticky", rest | (~more & kept[0])),
            "carry": Const(0, 1),
            "difference": Const(0, 1),
            "exponent": wire(m, "normalized_exponent", biased, Shape(len(field), rounder.ftz)),
        }
