"""The exact fused multiply-add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ...rtl import PORT, Operand, Values, wire
from ...rtl.floats import exponent_bits, signed_exponent
from ...rtl.integers import as_integer, in_finer_units, negated_if
from ..operations import MULTIPLY_ADD, Operation
from ..parameters import choice_parameter, format_parameter
from . import definitions
from .alignment import bits_below
from .base import Exact
from .options import adder_parameter, booth_parameter, optimize_parameter


@dataclass(frozen=True, kw_only=True, repr=False)
class Fma(Exact):
    """Fused multiply-add a*b+c: the exact value is rounded once. `c` defaults to `out`.

    Infinity times zero is NaN whatever c is. Subnormals are kept. With ``optimize=delay`` the
    leading zeros of the sum are anticipated from its two rows, while these are added.
    Source: IEEE 754-2019, 5.4.1 (fusedMultiplyAdd) and 7.2.
    """

    family: ClassVar[str] = "fma"
    summary: ClassVar[str] = "fused multiply-add a*b+c, correctly rounded (integers: exact)"
    operation: ClassVar[Operation] = MULTIPLY_ADD
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factor",
        "b": "second factor",
        "c": "addend",
        "op": "0: a*b + c; 1: a*b - c; 2: c - a*b; 3: -(a*b) - c",
        "y": "a*b + c",
    }

    a: Format = format_parameter("first factor", "fp32")
    b: Format = format_parameter("second factor", same_as="a")
    c: Format = format_parameter("addend", same_as="out")
    out: Format = format_parameter("result", same_as="a")
    op: str = choice_parameter(
        "madd: a*b+c, msub: a*b-c, nmsub: c-a*b, nmadd: -a*b-c, or port: by the port op, of which "
        "bit 0 negates c and bit 1 the product",
        ("madd", "msub", "nmsub", "nmadd", PORT),
        "madd",
        quiet=True,
    )
    booth: str = booth_parameter()
    adder: str = adder_parameter()
    optimize: str = optimize_parameter()

    def validate(self) -> None:
        super().validate()
        if self.optimize == "area":
            return
        if not self.out.is_float:
            raise InvalidInput(
                f"fma: parameter optimize: {self.optimize} is for results that are floats, not "
                f"{self.out.name}"
            )
        if self.booth == "on":
            raise InvalidInput(
                f"fma: parameter optimize: {self.optimize} goes with booth=auto or off, not on"
            )

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b, "c": self.c}

    @property
    def operations(self) -> dict[str, int]:
        c, product = definitions.NEGATE_ADDEND, definitions.NEGATE_PRODUCT
        return {"madd": 0, "msub": c, "nmsub": product, "nmadd": c | product}

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.fma, (*self.constants(), self._workspace)

    @property
    def _workspace(self) -> int:
        return self._sum_width(self._product_bits, self.c.precision)

    @property
    def word_bits(self) -> int:
        return max(self._workspace, self._result_bits)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        if self.is_integer:
            return [self._integer_multiply_add]
        return self.with_ports([*self.exact_steps(), *self.rounder.steps(self.exponents)])

    def exact_steps(self) -> list[rtl.Step]:
        """From the operands to the exact sum, or what of it decides on its rounding."""
        return [self._unpack, self._compare, self._align, self._multiply_add]

    def _integer_multiply_add(self, m: Module, x: Values) -> Values:
        """Product and addend in one carry-save sum, and from it the result."""
        a, b, c = (as_integer(x[name], f) for name, f in self.terms.items())
        a = in_finer_units(a, self.a.exponent + self.b.exponent - self.exact_exponent)
        c = in_finer_units(c, self.c.exponent - self.exact_exponent)
        a = negated_if(a, self.negates(x, definitions.NEGATE_PRODUCT))
        c = negated_if(c, self.negates(x, definitions.NEGATE_ADDEND))
        exact = max(len(a) + len(b), len(c)) + 2
        kept = self.out.bits + self.out.exponent - self.exact_exponent
        width = min(exact, max(kept, 1)) if self.overflow == "wrap" else exact
        total = rtl.sum_of_products(m, "sum", [(a, b)], [c], width, self.structure)
        return self.fitted(m, x, total)

    # The sum is formed in a window: places for the addend above the product, the product, and
    # places below it. The addend is shifted right from the top of the window. If it belongs
    # higher still it stays on top, and the window has its exponent: the product is then higher
    # in it than it should be, but below all that rounding looks at one by one.

    @property
    def _product_bits(self) -> int:
        return self.a.precision + self.b.precision

    @property
    def _above(self) -> int:
        """Places above the product: the addend, and what must be kept below it."""
        c = self._terms["c"]
        lowest = None if c.is_normal else c.lsb
        return c.precision + bits_below(c.precision, lowest, self.rounder)

    @property
    def _below(self) -> int:
        """Places below the product, which has few significant bits if a factor is subnormal."""
        a, b = self._terms["a"], self._terms["b"]
        fewest = self._product_bits - 1
        for one, other in ((a, b), (b, a)):
            if one.can_be_normal and not other.is_normal:
                fewest = min(fewest, one.precision)
        lowest = None if a.is_normal or b.is_normal else a.lsb + b.lsb
        return bits_below(fewest, lowest, self.rounder, self.c.precision)

    @property
    def _window(self) -> int:
        return self._above + self._product_bits + self._below

    @property
    def _top_offset(self) -> int:
        """From the sum of a's and b's biased exponents to the exponent of the window's msb, biased
        like c's."""
        a, b, c = (term.bias for term in self._terms.values())
        return 1 + self._above - a - b + c

    def top_offset(self, m: Module, x: Values) -> Any:
        """The same as what a datapath adds."""
        return self._top_offset

    @property
    def _tops(self) -> tuple[int, int]:
        """Range of the exponent of the window's msb, biased like c's."""
        (a_low, a_high), (b_low, b_high) = (self._terms[name].exponents for name in "ab")
        return a_low + b_low + self._top_offset, a_high + b_high + self._top_offset

    @property
    def exponents(self) -> tuple[int, int]:
        """Range of the sum's exponent, biased like the result's."""
        (top_low, top_high), (c_low, c_high) = self._tops, self._terms["c"].exponents
        low = c_low if self._zero_on_top else min(top_low, c_low)
        return low + self._offset, max(top_high, c_high) + self._offset

    @property
    def _offset(self) -> int:
        """From an exponent biased like c's to one biased like the result's."""
        return self.rounder.out.bias - self._terms["c"].bias

    @property
    def _zero_on_top(self) -> bool:
        """Whether an addend of zero may stay on top of the window like any other in its binade:
        the product must then be below all that is kept in the result's lowest binade."""
        c = self._terms["c"]
        below, rounder = self._above - c.precision, self.rounder
        return not rounder.ftz and below >= c.lsb - Operand(rounder.out).lsb + rounder.below

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of the operands, signs of product and addend, and whether their
        magnitudes are subtracted."""
        raws = self.unpacked(m, x)
        a, b, c = raws.values()
        sign = a.sign ^ b.sign ^ self.negates(x, definitions.NEGATE_PRODUCT)
        sign = wire(m, "product_sign", sign)
        c_sign = wire(m, "addend_sign", c.sign ^ self.negates(x, definitions.NEGATE_ADDEND))
        subtract = wire(m, "subtract", sign ^ c_sign)
        product_inf = wire(m, "product_inf", a.special | b.special)
        zero_times_inf = (a.special & b.zero) | (a.zero & b.special)
        opposite = product_inf & c.special & subtract
        if self.flags != "none":  # where an operand is NaN, infinities of others do not matter
            opposite = opposite & ~(a.nan | b.nan)
        invalid = wire(m, "invalid", zero_times_inf | opposite)
        return self.nan_values(m, x, raws, invalid) | {
            "inf": wire(m, "inf", product_inf | c.special),
            "inf_sign": wire(m, "inf_sign", Mux(product_inf, sign, c_sign)),
            "product_sign": sign,
            "subtract": subtract,
            **{f"{name}_exponent": raw.exponent for name, raw in raws.items()},
            **{f"{name}_significand": raw.significand for name, raw in raws.items()},
            "product_zero": wire(m, "product_zero", a.zero | b.zero),
            "c_zero": c.zero,
        }

    def _compare(self, m: Module, x: Values) -> Values:
        """How far the addend lies below the top of the window."""
        total = x["a_exponent"] + x["b_exponent"] + self.top_offset(m, x)
        top = wire(m, "window_exponent", total, signed_exponent(*self._tops))
        addend = x["c_exponent"]
        (top_low, top_high), (c_low, c_high) = self._tops, self._terms["c"].exponents
        distance = wire(
            m, "distance", top - addend, signed_exponent(top_low - c_high, top_high - c_low)
        )
        # A zero has an exponent without meaning and must not push the other side out.
        above = distance < 0 if self._zero_on_top else ~x["c_zero"] & (distance < 0)
        on_top = wire(m, "addend_on_top", x["product_zero"] | above)
        width = exponent_bits(self._window)
        far = wire(m, "addend_far_below", distance >= self._window)
        reach = Mux(far, Const(self._window, width), distance[:width])
        stays = on_top | (distance < 0)
        exponent = Mux(on_top, addend, top) + self._offset
        names = ("nan", "inf", "inf_sign", "product_sign", "subtract")
        significands = ("a_significand", "b_significand", "c_significand")
        return {name: x[name] for name in (*names, *significands)} | {
            "align_right": wire(m, "align_right", Mux(stays, 0, reach), width),
            "exponent": wire(m, "exponent", exponent, signed_exponent(*self.exponents)),
        }

    def _align(self, m: Module, x: Values) -> Values:
        """Put the addend into the window, inverted if it is to be subtracted."""
        subtract = x["subtract"]
        significand = x["c_significand"] ^ subtract.replicate(self.c.precision)
        addend, lost = rtl.shift_right(
            m, "addend", significand, x["align_right"], self._window, fill=subtract
        )
        names = ("nan", "inf", "inf_sign", "product_sign", "subtract", "exponent")
        return {name: x[name] for name in (*names, "a_significand", "b_significand")} | {
            "addend": wire(m, "addend", addend),
            "lost": wire(m, "addend_lost", lost),
        }

    def _multiply_add(self, m: Module, x: Values) -> Values:
        """Product plus addend: partial products and addend in one carry-save sum.

        Above the product there is only the addend and a carry into it, which does not leave the
        window: an addend that reaches its top has zeros at the places of the product.
        """
        subtract, lost = x["subtract"], x["lost"]
        split = self._below + self._product_bits
        columns = rtl.Columns(m, "sum", split, self.structure)
        excess = columns.add_product(x["a_significand"], x["b_significand"], self._below)
        columns.add(0, x["addend"][:split], late=True)
        # Inverting falls short of the negative by one, or by less if something was lost.
        columns.add(0, wire(m, "plus_one_low", subtract & ~lost), late=True)
        low, high, carries = columns.compress()
        low_sum = self.structure.add(m, "low_sum", low, high)
        # The carries add up to one at most, or to two at most if there is an excess of one.
        carry = low_sum[-1]
        for bit in carries:
            carry = carry ^ bit
        carry = wire(m, "carry_into_addend", ~carry if excess else carry)
        upper = x["addend"][split:]
        upper_sum = rtl.increment(m, "upper_sum", upper, carry)
        negative = wire(m, "negative", subtract & ~upper_sum[-1])
        values = {name: x[name] for name in ("nan", "inf", "exponent")} | {
            "sign": wire(m, "sign", Mux(x["inf"], x["inf_sign"], x["product_sign"] ^ negative)),
            "significand": wire(m, "total", Cat(low_sum[:-1], upper_sum[:-1])),
            "negative": negative,
            "sticky": lost,
            "difference": wire(m, "difference", subtract & ~x["inf"]),
        }
        if self.optimize == "delay":
            # Of the carries out of the compressed columns one at most is set.
            into_addend = wire(m, "row_into_addend", Cat(*carries).any(), 1)
            rows = Cat(low, upper), Cat(high, into_addend, Const(0, len(upper) - 1))
            values["anticipated"] = rtl.anticipate(m, "anticipated", *rows, subtract)
        return values
