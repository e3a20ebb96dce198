"""The exact fused multiply-add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux

from ...formats import Format
from .. import rtl
from ..rtl import Values, wire
from ..rtl.floats import exponent_bits, exponent_range, signed_exponent
from ..rtl.integers import as_integer
from ..unit import format_parameter
from . import golden
from .alignment import bits_below
from .base import Exact


@dataclass(frozen=True, kw_only=True, repr=False)
class Fma(Exact):
    """Fused multiply-add a*b+c: the exact value is rounded once. `c` defaults to `out`.

    Infinity times zero is NaN whatever c is. Subnormals are kept.
    Source: IEEE 754-2019, 5.4.1 (fusedMultiplyAdd) and 7.2.
    """

    family: ClassVar[str] = "fma"
    summary: ClassVar[str] = "fused multiply-add a*b+c, correctly rounded (integers: exact)"
    operation: ClassVar[str] = "multiply-add"

    a: Format = format_parameter("first factor", "fp32")
    b: Format = format_parameter("second factor", same_as="a")
    c: Format = format_parameter("addend", same_as="out")
    out: Format = format_parameter("result", same_as="a")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b, "c": self.c}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    def definition(self) -> tuple[Callable[..., int], tuple]:
        formats = (self.a.numbers, self.b.numbers, self.c.numbers, self.out.numbers)
        return golden.fma, (*formats, *self._modes(), self._workspace)

    @property
    def _workspace(self) -> int:
        return self._sum_width(self._product_bits, self.c.precision)

    @property
    def word_bits(self) -> int:
        return max(self._workspace, self.out.word_bits)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        if self.is_integer:
            return [self._integer_multiply_add]
        return [
            self._unpack,
            self._multiply,
            self._align,
            self._add,
            *rtl.round_and_pack(self.out, self.round, self.overflow, self._exponents),
        ]

    def _integer_multiply_add(self, m: Module, x: Values) -> Values:
        product = wire(m, "product", as_integer(x["a"], self.a) * as_integer(x["b"], self.b))
        total = wire(m, "sum", product + as_integer(x["c"], self.c))
        return {"y": rtl.fit_integer(m, total, self.out, self.overflow)}

    # The sum is formed in a window: places for the addend above the product, the product, and
    # places below it. The addend is shifted right from the top of the window; if it belongs
    # higher still, the product is only sticky beside it.

    @property
    def _product_bits(self) -> int:
        return self.a.precision + self.b.precision

    @property
    def _above(self) -> int:
        """Places above the product: the addend, and what must be kept below it."""
        return self.c.precision + bits_below(self.c.precision, self.c.numbers.lsb, self.out)

    @property
    def _below(self) -> int:
        """Places below the product, which has few significant bits if a factor is subnormal."""
        fewest = min(self.a.precision, self.b.precision, self._product_bits - 1)
        lowest = self.a.numbers.lsb + self.b.numbers.lsb
        return bits_below(fewest, lowest, self.out, self.c.precision)

    @property
    def _window(self) -> int:
        return self._above + self._product_bits + self._below

    @property
    def _top_offset(self) -> int:
        """From the sum of a's and b's biased exponents to the exponent of the window's msb."""
        return 1 + self._above - self.a.bias - self.b.bias

    @property
    def _tops(self) -> tuple[int, int]:
        """Range of the exponent of the window's msb."""
        (a_low, a_high), (b_low, b_high) = exponent_range(self.a), exponent_range(self.b)
        return a_low + b_low + self._top_offset, a_high + b_high + self._top_offset

    @property
    def _addends(self) -> tuple[int, int]:
        low, high = exponent_range(self.c)
        return low - self.c.bias, high - self.c.bias

    @property
    def _exponents(self) -> tuple[int, int]:
        """Range of the sum's exponent, relative to the result's; the sum has a carry bit."""
        offset = 1 - self.out.numbers.emin
        low, high = (f(x, y) for f, x, y in zip((min, max), self._tops, self._addends, strict=True))
        return low + offset, high + offset

    def _unpack(self, m: Module, x: Values) -> Values:
        a, b, c = (rtl.unpack(m, name, x[name], f) for name, f in self.operands.items())
        sign = wire(m, "product_sign", a.sign ^ b.sign)
        product_inf = wire(m, "product_inf", a.inf | b.inf)
        invalid = wire(
            m, "invalid",
            (a.inf & b.zero) | (a.zero & b.inf) | (product_inf & c.inf & (sign ^ c.sign)),
        )  # fmt: skip
        return {
            "nan": wire(m, "nan", a.nan | b.nan | c.nan | invalid),
            "inf": wire(m, "inf", product_inf | c.inf),
            "inf_sign": wire(m, "inf_sign", Mux(product_inf, sign, c.sign)),
            "product_sign": sign, "c_sign": c.sign,
            "a_exponent": a.exponent, "b_exponent": b.exponent, "c_exponent": c.exponent,
            "a_significand": a.significand, "b_significand": b.significand,
            "c_significand": c.significand,
            "product_zero": wire(m, "product_zero", a.zero | b.zero), "c_zero": c.zero,
        }  # fmt: skip

    def _multiply(self, m: Module, x: Values) -> Values:
        """The product, and how far the addend lies below the top of the window."""
        top = wire(
            m, "window_exponent",
            x["a_exponent"] + x["b_exponent"] + self._top_offset, signed_exponent(*self._tops),
        )  # fmt: skip
        addend = wire(
            m, "addend_exponent", x["c_exponent"] - self.c.bias, signed_exponent(*self._addends)
        )
        (top_low, top_high), (c_low, c_high) = self._tops, self._addends
        distance = wire(
            m, "distance", top - addend, signed_exponent(top_low - c_high, top_high - c_low)
        )
        # A zero has an exponent without meaning and must not push the other side out.
        alone = wire(m, "addend_dominates", x["product_zero"] | (~x["c_zero"] & (distance < 0)))
        return {
            name: x[name]
            for name in (
                "nan", "inf", "inf_sign", "product_sign", "c_sign", "c_significand", "product_zero"
            )
        } | {
            "distance": distance,
            "addend_dominates": alone,
            "exponent": wire(
                m, "exponent", Mux(alone, addend, top) + (1 - self.out.numbers.emin),
                signed_exponent(*self._exponents),
            ),
            "product": wire(m, "product", x["a_significand"] * x["b_significand"]),
        }  # fmt: skip

    def _align(self, m: Module, x: Values) -> Values:
        width = exponent_bits(self._window)
        distance, alone = x["distance"], x["addend_dominates"]
        stays = alone | (distance < 0)
        far = wire(m, "addend_far_below", distance >= self._window)
        reach = Mux(far, Const(self._window, width), distance[:width])
        amount = wire(m, "align_right", Mux(stays, 0, reach), width)
        low = Const(0, self._window - self.c.precision)
        addend = rtl.shift_right_jam(m, "addend", Cat(low, x["c_significand"]), amount)
        placed = Cat(Const(0, self._below), x["product"], Const(0, self._above))
        sticky = Cat(~x["product_zero"], Const(0, self._window - 1))
        names = ("nan", "inf", "inf_sign", "product_sign", "c_sign", "exponent")
        return {name: x[name] for name in names} | {
            "product": wire(m, "placed_product", Mux(alone, sticky, placed)),
            "addend": addend,
        }

    def _add(self, m: Module, x: Values) -> Values:
        """Product plus addend; a negative difference is negated and turns the sign."""
        width = self._window + 1
        subtract = wire(m, "subtract", x["product_sign"] ^ x["c_sign"])
        addend = Cat(x["addend"] ^ subtract.replicate(self._window), subtract)
        total = wire(m, "total", (x["product"] + addend + subtract)[:width], width)
        negative = wire(m, "negative", subtract & total[-1])
        magnitude = rtl.conditional_negate(m, "magnitude", total, negative)
        zero_sign = Const(int(self.round == "rdn"), 1)
        cancelled = wire(m, "cancelled", subtract & ~magnitude.any())
        sign = Mux(cancelled, zero_sign, x["product_sign"] ^ negative)
        return {
            "nan": x["nan"], "inf": x["inf"],
            "sign": wire(m, "sign", Mux(x["inf"], x["inf_sign"], sign)),
            "significand": magnitude,
            "exponent": x["exponent"],
        }  # fmt: skip
