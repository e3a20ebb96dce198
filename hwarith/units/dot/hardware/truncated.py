"""Terms truncated to the grid of the greatest exponent, and summed up exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Value

from .... import rtl
from ....rtl import Step, Values, wire
from ....rtl.floats.operands import exponent_bits, signed_exponent
from ..parameters import DotParameters
from .exponents import counted, greatest, moved_right, signed_rows
from .terms import Terms

SPECIAL = ("nan", "inf", "inf_sign")


@dataclass(frozen=True)
class Truncated:
    """The datapath of a sum of truncated terms.

    Exponents count from the `floor` of the unit on: what lies at it or below, and a zero, is 0
    where the greatest one is sought.
    """

    unit: DotParameters

    @cached_property
    def terms(self) -> Terms:
        return Terms(self.unit)

    def steps(self) -> list[Step]:
        group = [self._group] if self.unit.group > 1 else [self._products]
        sums = [self._exponents, *group, self._greatest, self._truncate, self._sum]
        exponents = (self._lowest_exponent, self._highest_exponent)
        return [self.terms.unpack, *sums, *self.unit.rounder.steps(exponents)]

    # -- exponents -----------------------------------------------------------------------------

    @property
    def _groups(self) -> int:
        return self.unit.n // self.unit.group

    @property
    def _term_range(self) -> tuple[int, int]:
        """Least and greatest exponent of a term, from the floor on."""
        terms = self.terms
        low = high = 0
        if self.unit.group == 1:
            low, high = (
                e + terms.product_weight for e in (terms.least_exponent, terms.most_exponent)
            )
        if self.unit.scale:
            least, most = terms.scale.exponents
            low, high = low + 2 * (least - terms.scale.bias), high + 2 * (most - terms.scale.bias)
        return low - self.unit.floor, high - self.unit.floor

    @property
    def _addend_range(self) -> tuple[int, int]:
        c = self.terms.c
        low, high = (e - c.bias - self.unit.floor for e in c.exponents)
        return low, high

    @property
    def _most(self) -> int:
        """The greatest exponent that there can be."""
        return max(self._term_range[1], self._addend_range[1] if self.unit.addend else 0, 0)

    def _exponents(self, m: Module, x: Values) -> Values:
        """The exponent of each term, from the floor on."""
        unit, terms = self.unit, self.terms
        found: Values = {}
        for g in range(self._groups):
            first = g * unit.group
            exponent: Value = Const(-unit.floor, signed_exponent(-abs(unit.floor), abs(unit.floor)))
            if unit.group == 1:
                exponent = exponent + x[f"exponent{first}"] + terms.product_weight
            if unit.scale:
                k = first // unit.block
                exponent = exponent + x[f"scale_exponent{k}"] - 2 * terms.scale.bias
            shape = signed_exponent(*self._term_range)
            found[f"term_exponent{g}"] = wire(m, f"term_exponent{g}", exponent, shape)
        if unit.addend:
            exponent = x["c_exponent"] - terms.c.bias - unit.floor
            shape = signed_exponent(*self._addend_range)
            found["addend_exponent"] = wire(m, "addend_exponent", exponent, shape)
        return x | found

    # -- terms -----------------------------------------------------------------------------------

    def _products(self, m: Module, x: Values) -> Values:
        """The magnitude of each product."""
        unit = self.unit
        found: Values = {}
        for i in range(unit.n):
            magnitude = rtl.product(m, f"product{i}", x[f"a{i}"], x[f"b{i}"])
            zero = x[f"zero{i}"]
            if unit.scale:
                k = i // unit.block
                if self.terms.scale.precision > 1:
                    factor = rtl.product(m, f"scale{i}", x[f"scale_a{k}"], x[f"scale_b{k}"])
                    magnitude = rtl.product(m, f"scaled{i}", magnitude, factor)
                zero = zero | x[f"scale_zero{k}"]
            found |= {
                f"term{i}": magnitude,
                f"term_sign{i}": x[f"sign{i}"],
                f"term_zero{i}": wire(m, f"term_zero{i}", zero),
            }
        return found | self._others(x)

    def _others(self, x: Values) -> Values:
        kept = ("nan", "inf", "inf_sign", "c_", "term_exponent", "addend_exponent")
        return {name: value for name, value in x.items() if name.startswith(kept)}

    @property
    def _group_bits(self) -> int:
        """Magnitude bits of a group's sum of products."""
        largest = ((1 << self.unit.sum_bits) - 1) // self._groups
        return max(1, largest.bit_length())

    def _group(self, m: Module, x: Values) -> Values:
        """The exact sum of each group of products, times its scales, as sign and magnitude."""
        unit, terms = self.unit, self.terms
        reach = terms.most_exponent - terms.least_exponent
        found: Values = {}
        for g in range(self._groups):
            lanes = range(g * unit.group, (g + 1) * unit.group)
            k = lanes[0] // unit.block
            columns = rtl.Columns(m, f"group{g}", self._group_bits + 1)
            placed = []
            for i in lanes:
                product = rtl.product(m, f"product{i}", x[f"a{i}"], x[f"b{i}"])
                place = (x[f"exponent{i}"] - terms.least_exponent)[: exponent_bits(reach)]
                product = rtl.scaled(m, f"placed{i}", product, wire(m, f"place{i}", place))
                placed.append((product[: self._group_bits], x[f"sign{i}"]))
            signed_rows(columns, placed)
            low, high, _ = columns.compress()
            total = rtl.add(m, f"group{g}", low, high)[:-1]
            negative = total[-1]
            inverted = total[:-1] ^ negative.replicate(self._group_bits)
            magnitude = wire(m, f"group{g}_magnitude", (inverted + negative)[: self._group_bits])
            if terms.scale.precision > 1:
                factor = rtl.product(m, f"scale{g}", x[f"scale_a{k}"], x[f"scale_b{k}"])
                magnitude = rtl.product(m, f"scaled{g}", magnitude, factor)
            zeros = Cat(*(x[f"zero{i}"] for i in lanes)).all()
            found |= {
                f"term{g}": magnitude,
                f"term_sign{g}": wire(m, f"term_sign{g}", negative),
                f"term_zero{g}": wire(m, f"term_zero{g}", zeros | x[f"scale_zero{k}"]),
            }
        return found | self._others(x)

    # -- the grid --------------------------------------------------------------------------------

    def _greatest(self, m: Module, x: Values) -> Values:
        """The greatest exponent of a term that is not zero, or 0."""
        width = exponent_bits(self._most)
        found = []
        for g in range(self._groups):
            exponent = x[f"term_exponent{g}"]
            found.append(counted(m, f"term_candidate{g}", exponent, x[f"term_zero{g}"], width))
        if self.unit.addend:
            exponent = x["addend_exponent"]
            found.append(counted(m, "addend_candidate", exponent, x["c_zero"], width))
        top = greatest(m, "greatest", found, width)
        distances = {}
        names = [f"term_exponent{g}" for g in range(self._groups)]
        for name in [*names, "addend_exponent"][: None if self.unit.addend else -1]:
            low = self._addend_range[0] if name == "addend_exponent" else self._term_range[0]
            distances[f"{name}_below"] = wire(
                m, f"{name}_below", (top - x[name])[: exponent_bits(self._most - min(low, 0))]
            )
        return {k: v for k, v in x.items() if "_exponent" not in k} | distances | {"greatest": top}

    # -- truncation ------------------------------------------------------------------------------

    @property
    def _above(self) -> int:
        """Bits of a term above the place that its exponent stands for, that place included."""
        if self.unit.group == 1:
            bits = 2 + (2 * (self.terms.scale.precision > 1) if self.unit.scale else 0)
            return bits
        terms = self.terms
        scales = 2 * (terms.scale.precision if terms.scale.precision > 1 else 0)
        whole = self._group_bits + scales + terms.sum_lsb
        return whole - 2 * (terms.scale.precision - 1) if scales else whole

    @property
    def _term_bits(self) -> int:
        """Bits of a truncated term."""
        return self._above + self.unit.acc.bits

    def _truncate(self, m: Module, x: Values) -> Values:
        """Each term moved right by its distance from the greatest exponent."""
        found = {}
        for g in range(self._groups):
            found[f"term{g}"] = moved_right(
                m, f"term{g}", x[f"term{g}"], x[f"term_exponent{g}_below"], self._term_bits
            )
            found[f"term_sign{g}"] = x[f"term_sign{g}"]
        if self.unit.addend:
            width = 1 + self.unit.acc.bits
            below = x["addend_exponent_below"]
            found["addend"] = moved_right(m, "addend", x["c_significand"], below, width)
            found["addend_sign"] = x["c_sign"]
        return found | {name: x[name] for name in (*SPECIAL, "greatest")}

    # -- the sum ---------------------------------------------------------------------------------

    @property
    def _total_bits(self) -> int:
        """Magnitude bits of the sum of all terms."""
        most = self._groups * ((1 << self._term_bits) - 1)
        if self.unit.addend:
            most += (1 << (1 + self.unit.acc.bits)) - 1
        return most.bit_length()

    def _sum(self, m: Module, x: Values) -> Values:
        """All truncated terms in one carry-save sum, in two's complement."""
        columns = rtl.Columns(m, "sum", self._total_bits + 1)
        names = [f"term{g}" for g in range(self._groups)]
        signs = [x[f"term_sign{g}"] for g in range(self._groups)]
        if self.unit.addend:
            names, signs = [*names, "addend"], [*signs, x["addend_sign"]]
        signed_rows(columns, [(x[name], s) for name, s in zip(names, signs, strict=True)])
        low, high, _ = columns.compress()
        total = rtl.add(m, "total", low, high)[:-1]
        negative = wire(m, "negative", total[-1])
        exponent = x["greatest"] + self._lowest_exponent
        shape = signed_exponent(self._lowest_exponent, self._highest_exponent)
        return {
            "nan": x["nan"],
            "inf": x["inf"],
            "sign": wire(m, "sum_sign", Mux(x["inf"], x["inf_sign"], negative)),
            # A zero below it, so that -1 can be inverted
            "significand": wire(m, "significand", Cat(Const(0, 1), total[:-1])),
            "negative": negative,
            "exponent": wire(m, "sum_exponent", exponent, shape),
        }

    @property
    def _lowest_exponent(self) -> int:
        """The biased exponent of the sum's msb for the least of the greatest exponents."""
        msb = self._total_bits - 1 - self.unit.acc.bits
        return self.unit.floor + msb + self.unit.rounded.bias

    @property
    def _highest_exponent(self) -> int:
        return self._lowest_exponent + self._most
