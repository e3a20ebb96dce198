"""Sums rounded down to grids (CDNA3): products, then the addend, then what is rounded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Value

from .... import rtl
from ....rtl import Step, Values, wire
from ....rtl.floats.operands import exponent_bits, signed_exponent
from ..parameters import DotParameters
from .exponents import counted, floor_right, greatest, moved_right, signed_rows
from .terms import Terms

SPECIAL = ("nan", "inf", "inf_sign")

BELOW = 8
"""Bits below the products' grid to which their sum is rounded down."""

KEPT = 31
"""Fraction bits of what is rounded."""


@dataclass(frozen=True)
class Floored:
    """The datapath of a sum that is rounded down. Exponents count from the least one on."""

    unit: DotParameters

    @cached_property
    def terms(self) -> Terms:
        return Terms(self.unit)

    def steps(self) -> list[Step]:
        steps: list[Step] = [self.terms.unpack, self._products, self._exponents, self._truncate]
        steps += [self._sum_products, self._align, self._add, self._cut]
        low, high = self._base + self._msb, self._base + self._most + self._msb
        return [*steps, *self.unit.rounder.steps((low, high))]

    @property
    def _places(self) -> int:
        """Sums of products that have a grid of their own: of even and odd lanes, or one."""
        return 2 if self.unit.acc.way == "floor2" else 1

    @property
    def _fraction(self) -> int:
        return self.unit.acc.bits

    # -- exponents -----------------------------------------------------------------------------

    @property
    def _least(self) -> int:
        """The exponent that counts as 0."""
        terms = self.terms
        product = terms.least_exponent + terms.product_weight
        return min(product, terms.c.exponents[0] - terms.c.bias)

    @property
    def _most(self) -> int:
        terms = self.terms
        product = terms.most_exponent + terms.product_weight
        return max(product, terms.c.exponents[1] - terms.c.bias) - self._least

    @property
    def _base(self) -> int:
        """The biased exponent of the result that 0 stands for."""
        return self._least + self.unit.rounded.bias

    def _products(self, m: Module, x: Values) -> Values:
        """The magnitude of each product, and the products that are beyond the result's range."""
        unit, terms = self.unit, self.terms
        found = dict(x)
        positive: list[Value] = [x["inf"] & ~x["inf_sign"]]
        negative: list[Value] = [x["inf"] & x["inf_sign"]]
        # The exponent from which on a product is infinite, as a sum of biased exponents
        beyond = unit.rounded.bias + 1 - terms.product_weight
        for i in range(unit.n):
            product = rtl.product(m, f"product{i}", x[f"a{i}"], x[f"b{i}"])
            found[f"term{i}"] = product
            if self._places == 2 or terms.most_exponent + 1 < beyond:
                continue
            exponent, sign = x[f"exponent{i}"], x[f"sign{i}"]
            # A product of 2 or more belongs to the next binade; subnormals are far below
            infinite = (exponent >= beyond) | ((exponent == beyond - 1) & product[-1])
            infinite = wire(m, f"overflows{i}", infinite & ~x[f"zero{i}"])
            positive.append(infinite & ~sign)
            negative.append(infinite & sign)
        plus = wire(m, "plus_infinite", Cat(*positive).any())
        minus = wire(m, "minus_infinite", Cat(*negative).any())
        found["nan"] = wire(m, "not_a_number", x["nan"] | (plus & minus))
        found |= {"inf": wire(m, "infinite", plus | minus), "inf_sign": minus}
        return found

    def _exponents(self, m: Module, x: Values) -> Values:
        """The greatest exponents of products, and how far each lies below its own."""
        unit, terms, width = self.unit, self.terms, exponent_bits(self._most)
        found: Values = {name: x[name] for name in SPECIAL}
        candidates: list[list[Value]] = [[] for _ in range(self._places)]
        exponents = []
        for i in range(unit.n):
            exponent = x[f"exponent{i}"] + (terms.product_weight - self._least)
            exponent = wire(m, f"term_exponent{i}", exponent, signed_exponent(0, self._most))
            exponents.append(exponent)
            zero = x[f"zero{i}"]
            candidates[i % self._places].append(counted(m, f"candidate{i}", exponent, zero, width))
            found |= {f"term{i}": x[f"term{i}"], f"sign{i}": x[f"sign{i}"]}
        tops = [greatest(m, f"greatest_{k}_", c, width) for k, c in enumerate(candidates)]
        for i, exponent in enumerate(exponents):
            below = tops[i % self._places] - exponent
            found[f"below{i}"] = wire(m, f"below{i}", below[:width], width)
        found |= {f"top{k}": top for k, top in enumerate(tops)}
        found["top"] = greatest(m, "top", tops, width) if len(tops) > 1 else tops[0]
        addend = x["c_exponent"] - terms.c.bias - self._least
        found["addend_exponent"] = wire(m, "addend_exponent", addend[:width], width)
        found["nothing"] = wire(
            m, "products_zero", Cat(*(x[f"zero{i}"] for i in range(unit.n))).all()
        )
        return found | {name: x[name] for name in ("c_sign", "c_significand", "c_zero")}

    # -- the products ----------------------------------------------------------------------------

    @property
    def _dot_bits(self) -> int:
        """Bits of the sum of products on the grid of the greatest, its sign included."""
        return 2 + self._fraction + (self.unit.n - 1).bit_length() + 1

    def _truncate(self, m: Module, x: Values) -> Values:
        """Products moved right by their distance from the greatest."""
        found = {name: value for name, value in x.items() if not name.startswith(("term", "below"))}
        for i in range(self.unit.n):
            below = x[f"below{i}"]
            width = 2 + self._fraction
            found[f"term{i}"] = moved_right(m, f"term{i}", x[f"term{i}"], below, width)
        return found

    def _sum_products(self, m: Module, x: Values) -> Values:
        """The sum of products; of two of them on the grid of the greater one."""
        unit = self.unit
        parts = []
        for k in range(self._places):
            columns = rtl.Columns(m, f"dot{k}", self._dot_bits)
            lanes = range(k, unit.n, self._places)
            signed_rows(columns, [(x[f"term{i}"], x[f"sign{i}"]) for i in lanes])
            low, high, _ = columns.compress()
            part = rtl.add(m, f"dot{k}", low, high)[:-1]
            if self._places > 1:
                below = wire(m, f"dot{k}_below", (x["top"] - x[f"top{k}"])[: len(x["top"])])
                part = floor_right(m, f"dot{k}", part, below)
            parts.append(part)
        dot = parts[0]
        if len(parts) > 1:
            dot = wire(m, "dot", (parts[0].as_signed() + parts[1].as_signed())[: self._dot_bits])
        names = (*SPECIAL, "top", "nothing", "addend_exponent", "c_sign", "c_significand", "c_zero")
        return {name: x[name] for name in names} | {"dot": dot}

    # -- the addend ------------------------------------------------------------------------------

    @property
    def _total_bits(self) -> int:
        """Magnitude bits of sum and addend."""
        return self._dot_bits + BELOW

    @property
    def _msb(self) -> int:
        """Weight of the total's msb for an exponent of 0."""
        return self._total_bits - 1 - self._fraction - BELOW

    def _align(self, m: Module, x: Values) -> Values:
        """Sum of products and addend on the grids of the greater exponent, rounded down."""
        width = len(x["top"])
        zero = x["c_zero"]
        if self._places == 2:
            far = x["addend_exponent"] + (self._fraction + 1) < x["top"]
            zero = wire(m, "addend_nothing", zero | (far & ~x["nothing"]))
        addend_top = wire(m, "addend_top", x["addend_exponent"] & ~zero.replicate(width), width)
        # Nothing is kept that is finer than a result's least binade asks for.
        least = max(0, 2 - self.unit.rounded.bias - self._least)
        both = greatest(m, "both", [x["top"], addend_top, Const(least, width)], width)
        dot = Cat(Const(0, BELOW), x["dot"])
        dot = floor_right(m, "dot", dot, wire(m, "dot_below", (both - x["top"])[:width]))
        significand = x["c_significand"] & ~zero.replicate(len(x["c_significand"]))
        signed = Mux(x["c_sign"], -significand, significand)
        padding = Const(0, self._fraction - self.terms.c.precision + 1)
        signed = Cat(padding, wire(m, "signed_addend", signed, self.terms.c.precision + 1))
        below = wire(m, "addend_below", (both - addend_top)[:width])
        addend = floor_right(m, "addend", signed, below)
        return {name: x[name] for name in SPECIAL} | {"dot": dot, "addend": addend, "both": both}

    def _add(self, m: Module, x: Values) -> Values:
        """Their sum, in two's complement."""
        bits = self._total_bits + 1
        addend = Cat(Const(0, BELOW), x["addend"]).as_signed()
        total = wire(m, "total", (x["dot"].as_signed() + addend)[:bits], bits)
        return {name: x[name] for name in (*SPECIAL, "both")} | {"total": total}

    def _cut(self, m: Module, x: Values) -> Values:
        """The total rounded down to the fraction bits that are kept below its leading one."""
        total, negative = x["total"], wire(m, "negative", x["total"][-1])
        magnitude = wire(m, "leading", total[:-1] ^ negative.replicate(self._total_bits))
        most = self._total_bits - 1 - KEPT
        # Bit i is dropped if there is a one far enough above it.
        kept = [~magnitude[KEPT + 1 + i :].any() for i in range(most)]
        cut = Cat(*(total[i] & bit for i, bit in enumerate(kept)), total[most:-1])
        exponent = x["both"] + (self._base + self._msb)
        low, high = self._base + self._msb, self._base + self._most + self._msb
        return {
            "nan": x["nan"],
            "inf": x["inf"],
            "sign": wire(m, "sum_sign", Mux(x["inf"], x["inf_sign"], negative)),
            # A zero below it, so that -1 can be inverted
            "significand": wire(m, "significand", Cat(Const(0, 1), cut)),
            "negative": negative,
            "exponent": wire(m, "sum_exponent", exponent, signed_exponent(low, high)),
        }
