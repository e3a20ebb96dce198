"""The exact multiplier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module

from ...formats import Format
from .. import rtl
from ..rtl import Values, wire
from ..rtl.floats import exponent_range, signed_exponent
from ..rtl.integers import as_integer
from ..unit import format_parameter
from . import golden
from .base import Exact


@dataclass(frozen=True, kw_only=True, repr=False)
class Mul(Exact):
    """Product of two codes, rounded once.

    Source: IEEE 754-2019, 5.4.1 (multiplication); subnormals are kept.
    """

    family: ClassVar[str] = "mul"
    summary: ClassVar[str] = "product a*b, correctly rounded (integers: exact)"
    operation: ClassVar[str] = "product"

    a: Format = format_parameter("first operand", "fp32")
    b: Format = format_parameter("second operand", same_as="a")
    out: Format = format_parameter("result", same_as="a")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    def definition(self) -> tuple[Callable[..., int], tuple]:
        formats = (self.a.numbers, self.b.numbers, self.out.numbers)
        return golden.mul, (*formats, *self._modes())

    @property
    def word_bits(self) -> int:
        return max(self.a.precision + self.b.precision, self.out.word_bits)

    def datapath(self) -> list[rtl.Step]:
        if self.is_integer:
            return [self._integer_product]
        return [
            self._unpack,
            self._product,
            *rtl.round_and_pack(self.out, self.round, self.overflow, self._exponents),
        ]

    @property
    def _offset(self) -> int:
        """From the sum of the biased exponents to the exponent of the product's msb, which is
        one binade above the operands' msbs."""
        return 1 - self.a.bias - self.b.bias - self.out.numbers.emin

    @property
    def _exponents(self) -> tuple[int, int]:
        (a_low, a_high), (b_low, b_high) = exponent_range(self.a), exponent_range(self.b)
        return a_low + b_low + self._offset, a_high + b_high + self._offset

    def _integer_product(self, m: Module, x: Values) -> Values:
        product = wire(m, "product", as_integer(x["a"], self.a) * as_integer(x["b"], self.b))
        return {"y": rtl.fit_integer(m, product, self.out, self.overflow)}

    def _unpack(self, m: Module, x: Values) -> Values:
        a, b = rtl.unpack(m, "a", x["a"], self.a), rtl.unpack(m, "b", x["b"], self.b)
        return {
            "sign": wire(m, "sign", a.sign ^ b.sign),
            "nan": wire(m, "nan", a.nan | b.nan | (a.inf & b.zero) | (a.zero & b.inf)),
            "inf": wire(m, "inf", a.inf | b.inf),
            "a_exponent": a.exponent, "b_exponent": b.exponent,
            "a_significand": a.significand, "b_significand": b.significand,
        }  # fmt: skip

    def _product(self, m: Module, x: Values) -> Values:
        exponent = x["a_exponent"] + x["b_exponent"] + self._offset
        return {
            "sign": x["sign"], "nan": x["nan"], "inf": x["inf"],
            "significand": wire(m, "product", x["a_significand"] * x["b_significand"]),
            "exponent": wire(m, "exponent", exponent, signed_exponent(*self._exponents)),
        }  # fmt: skip
