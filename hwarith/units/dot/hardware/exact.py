"""The exact sum of all terms, rounded once.

Products are put at their place in a fixed-point number and summed up in one carry-save tree, and so
is an addend that takes few places (fp16 beside e4m3fn). Any other is put into a window around that
sum: places for it above, the sum, and places below. It is shifted right from the top of the window.
If it belongs higher still, or if the sum is zero, it stays on top, and the window has its exponent:
the sum is then higher in it than it should be, but below all that rounding looks at one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Value

from .... import rtl
from ....rtl import Step, Values, wire
from ....rtl.floats.operands import exponent_bits, signed_exponent
from ....rtl.integers import as_integer, in_finer_units
from ...exact.alignment import bits_below
from ...exact.integers import fitted
from ..parameters import DotParameters
from .products import add_products, placed
from .terms import Terms

SPECIAL = ("nan", "inf", "inf_sign", "all_negative", "mixed_signs")
ADDEND = ("c_sign", "c_exponent", "c_significand", "c_zero")


@dataclass(frozen=True)
class Exact:
    """The datapath of an exact dot product."""

    unit: DotParameters

    @cached_property
    def terms(self) -> Terms:
        return Terms(self.unit)

    def steps(self) -> list[Step]:
        if self.unit.is_integer:
            return [self._multiply_add]
        steps = self._float_steps()
        return rtl.handing_on(("invalid",), steps) if self.unit.flags != "none" else steps

    def _float_steps(self) -> list[Step]:
        steps: list[Step] = [self.terms.unpack, self._products, self._sum]
        if self._scales_magnitude:
            return [*steps, self._scale_magnitude, *self.unit.rounder.steps(self._exponents)]
        if self.unit.scale and not self._exponent_only:
            steps.append(self._scale)
        if self._has_window:
            steps += [self._align, self._add]
        else:
            steps.append(self._resolve)
        return [*steps, *self.unit.rounder.steps(self._exponents)]

    def fixed_steps(self) -> list[Step]:
        """Those that give the sum itself."""
        if not (self.unit.a.is_float or self.unit.b.is_float):
            return [self._multiply_add]
        return [self.terms.unpack, self._products, self._sum, self._give]

    # -- integers ------------------------------------------------------------------------------

    def _multiply_add(self, m: Module, x: Values) -> Values:
        """All products and the addend in one carry-save sum, and from it the result."""
        unit, out, exponent = self.unit, self.unit.rounded, self.unit.exact_exponent
        finer = unit.a.exponent + unit.b.exponent - exponent
        a, b = (
            [as_integer(x[name].word_select(i, f.bits), f) for i in range(unit.n)]
            for name, f in (("a", unit.a), ("b", unit.b))
        )
        a = [in_finer_units(lane, finer) for lane in a]
        addends = []
        if unit.addend:
            places = unit.addend.exponent - exponent
            addends.append(in_finer_units(as_integer(x["c"], unit.addend), places))
        # Not a bit more than there must be: ABC takes minutes to prove that it is the sign.
        exact = max([unit.sum_bits + finer + 1, *(len(c) + 1 for c in addends)]) + len(addends)
        kept = max(out.bits + out.exponent - exponent, 1)
        width = min(exact, kept) if unit.overflow == "wrap" else exact
        total = rtl.sum_of_products(m, "sum", list(zip(a, b, strict=True)), addends, width)
        return {"y": fitted(m, x, total, exponent, out, unit.round, str(unit.overflow))}

    # -- the sum -------------------------------------------------------------------------------

    @property
    def _blocks(self) -> int:
        """Sums of products that are formed apart: one for each pair of scales."""
        return self.unit.blocks if self.unit.scale else 1

    @property
    def _exponent_only(self) -> bool:
        """Whether a scale is but an exponent of the sum: there is one, a power of two."""
        return self._blocks == 1 and self.terms.scale.precision == 1

    @property
    def _block_bits(self) -> int:
        """Magnitude bits of a block's sum."""
        largest = (1 << self.unit.sum_bits) - 1
        return max(1, (largest // self._blocks).bit_length())

    def _products(self, m: Module, x: Values) -> Values:
        """Each product at its place in a fixed-point number."""
        unit, terms = self.unit, self.terms
        reach = terms.most_exponent - terms.least_exponent
        found: Values = {}
        for i in range(unit.n):
            product = rtl.product(m, f"product{i}", x[f"a{i}"], x[f"b{i}"])
            place = (x[f"exponent{i}"] - terms.least_exponent)[: exponent_bits(reach)]
            place = wire(m, f"place{i}", place)
            found[f"placed{i}"] = placed(m, f"product{i}", product, x[f"sign{i}"], place, reach)
        kept = [*SPECIAL, *(ADDEND if self._has_window else ())]
        if self._joins:
            place = x["c_exponent"] - terms.c.exponents[0]
            place = wire(m, "addend_place", place[: exponent_bits(self._addend_reach)])
            row = placed(m, "addend", x["c_significand"], x["c_sign"], place, self._addend_reach)
            found |= {"c_sign": x["c_sign"], "addend": row}
        kept += [f"sign{i}" for i in range(unit.n)]
        kept += [name for name in x if name.startswith("scale")]
        return found | {name: x[name] for name in kept}

    @property
    def _sum_width(self) -> int:
        """Bits of the rows of a block's sum."""
        whole = not self.unit.scale or self._exponent_only
        return self._row_bits if whole else self._block_bits + 1

    def _sum(self, m: Module, x: Values) -> Values:
        """Two rows whose sum, in two's complement, is that of a block's products."""
        unit = self.unit
        width = self._sum_width
        at = self.terms.sum_lsb - self._lsb if self._joins else 0
        rows: Values = {}
        for k in range(self._blocks):
            columns = rtl.Columns(m, f"sum{k}", width)
            lanes = range(k * unit.n // self._blocks, (k + 1) * unit.n // self._blocks)
            add_products(m, columns, x, lanes, self._block_bits, at)
            if self._joins:
                at_addend = self.terms.c.lsb - self._lsb
                columns.add_integer(Cat(x["addend"], x["c_sign"]).as_signed(), at_addend)
                columns.add(at_addend, x["c_sign"])
            rows[f"low{k}"], rows[f"high{k}"], _ = columns.compress()
        kept = [name for name in x if not name.startswith(("sign", "placed", "addend"))]
        return {name: x[name] for name in kept} | rows

    def _give(self, m: Module, x: Values) -> Values:
        """The sum itself; 0 with a mark if an operand is not finite."""
        total = rtl.add(m, "total", x["low0"], x["high0"])[:-1]
        special = wire(m, "not_finite", x["nan"] | x["inf"])
        return {"y": total & ~special.replicate(len(total)), "invalid": special}

    # -- scales --------------------------------------------------------------------------------

    @property
    def _scale_shift(self) -> int:
        """How far exponents of scales may move a block's sum in the sum of all."""
        if self._blocks == 1:
            return 0
        low, high = self.terms.scale.exponents
        return 2 * (high - low)

    @property
    def _sum_bits(self) -> int:
        """Magnitude bits of the scaled sum of all blocks, and of an addend that joins them."""
        if self._joins:
            top = self._addend_top
            return max(self.terms.sum_lsb + self._block_bits, top) + 1 - self._lsb
        if not self.unit.scale:
            return self._block_bits
        bits = self._block_bits + 2 * (
            self.terms.scale.precision - (self.terms.scale.precision == 1)
        )
        return bits + self._scale_shift + (self._blocks - 1).bit_length()

    @property
    def _row_bits(self) -> int:
        """Bits of the two rows with the sum: up to the window's top, and a sign."""
        above = self._above + self.terms.c.precision if self._has_window else 0
        return self._sum_bits + above + 1

    def _scale(self, m: Module, x: Values) -> Values:
        """Sums of blocks times the product of their scales, at their places in the sum of all."""
        terms, width = self.terms, self._row_bits
        columns = rtl.Columns(m, "scaled_sum", width)
        for k in range(self._blocks):
            total = rtl.add(m, f"block{k}", x[f"low{k}"], x[f"high{k}"])[:-1]
            total = total.as_signed()
            if terms.scale.precision > 1:
                factor = rtl.product(m, f"scale{k}", x[f"scale_a{k}"], x[f"scale_b{k}"])
                if not self._scale_shift:
                    columns.add_product(total, factor)
                    continue
                total = rtl.product(m, f"scaled{k}", total, factor).as_signed()
            place = x[f"scale_exponent{k}"] - 2 * terms.scale.exponents[0]
            place = wire(m, f"scale_place{k}", place[: exponent_bits(self._scale_shift)])
            columns.add_integer(rtl.scaled(m, f"scaled{k}", total, place).as_signed())
        low, high, _ = columns.compress()
        names = [*SPECIAL, *(ADDEND if self._has_window else ())]
        if self._blocks == 1:
            names.append("scale_exponent0")
        return {name: x[name] for name in names} | {"low0": low, "high0": high}

    @property
    def _scales_magnitude(self) -> bool:
        """Whether the magnitude of a sum is scaled: there is one, and nothing to be added."""
        scaled = self.unit.scale and self._blocks == 1 and not self._exponent_only
        return bool(scaled) and not self.unit.addend

    def _scale_magnitude(self, m: Module, x: Values) -> Values:
        """The magnitude of the sum times the product of its scales.

        A negative sum is inverted, and lacks one: one more time the scales. That way nothing is
        negative behind it, which takes 6 % from the gates of 16 e2m1fn and 11 % from their path.
        To count the zeros of the factors instead of those of the product takes 2 % from the path,
        and 4 % more gates.
        """
        total = rtl.add(m, "total", x["low0"], x["high0"])[:-1]
        negative = wire(m, "total_negative", total[-1])
        magnitude = wire(m, "inverted", total[:-1] ^ negative.replicate(len(total) - 1))
        factor = rtl.product(m, "scale", x["scale_a0"], x["scale_b0"])
        columns = rtl.Columns(m, "scaled", self._sum_bits)
        if columns.add_product(magnitude, factor):
            columns.add_constant(-1 << (len(magnitude) + len(factor)))
        columns.add(0, factor & negative.replicate(len(factor)))
        low, high, _ = columns.compress()
        scaled = rtl.add(m, "scaled", low, high)[:-1]
        exponent = self._exponent(x) + self._top + self.unit.rounder.out.bias
        return self._result(m, x, Cat(scaled, Const(0, 1)), exponent) | {
            "sign": wire(m, "signed", Mux(x["inf"], x["inf_sign"], negative | x["all_negative"]))
        }

    @property
    def _has_exponent(self) -> bool:
        """Whether the sum has an exponent of its own."""
        return bool(self.unit.scale) and self._blocks == 1

    @property
    def _lsb(self) -> int:
        """Weight of the sum's lsb, or what is to be added to its exponent for it."""
        terms = self.terms
        if not self.unit.scale:
            return min(terms.sum_lsb, terms.c.lsb) if self._joins else terms.sum_lsb
        lsb = terms.sum_lsb + terms.scale_weight
        return lsb if self._has_exponent else lsb + 2 * terms.scale.exponents[0]

    @property
    def _scale_exponents(self) -> tuple[int, int]:
        """Least and greatest exponent of the sum."""
        if not self._has_exponent:
            return 0, 0
        return self.terms.scale_exponents

    def _exponent(self, x: Values) -> Value:
        return x["scale_exponent0"] if self._has_exponent else Const(0, 1)

    # -- without an addend -----------------------------------------------------------------------

    def _resolve(self, m: Module, x: Values) -> Values:
        """The sum from its two rows."""
        total = rtl.add(m, "total", x["low0"], x["high0"])[:-1]
        return self._result(m, x, total, self._exponent(x) + self._top + self.unit.rounder.out.bias)

    @property
    def _top(self) -> int:
        """Weight of the window's msb for an exponent of 0."""
        above = self._above + self.terms.c.precision if self._has_window else 0
        return self._lsb + self._sum_bits - 1 + above

    def _result(self, m: Module, x: Values, total: Value, exponent: Value) -> Values:
        """What is rounded: a signed sum, whose msb but for the sign has this biased exponent."""
        negative = wire(m, "negative", total[-1])
        return {
            "nan": x["nan"],
            "inf": x["inf"],
            "sign": wire(m, "sum_sign", Mux(x["inf"], x["inf_sign"], negative | x["all_negative"])),
            # A zero below it, so that -1 can be inverted
            "significand": wire(m, "significand", Cat(Const(0, 1), total[:-1])),
            "negative": negative,
            "difference": wire(m, "difference", x["mixed_signs"] & ~x["inf"]),
            "exponent": wire(m, "sum_exponent", exponent, signed_exponent(*self._exponents)),
        }

    @property
    def _exponents(self) -> tuple[int, int]:
        low, high = (e + self._top + self.unit.rounder.out.bias for e in self._scale_exponents)
        if not self._has_window:
            return low, high
        c = self.terms.c
        least, most = (e - c.bias + self.unit.rounder.out.bias for e in c.exponents)
        return min(low, least), max(high, most)

    # -- with an addend among the products --------------------------------------------------------

    @cached_property
    def _joins(self) -> bool:
        """Whether the addend is one more row of the sum, at its own place like the products: no
        scale moves them, and all places together are not more than a window has."""
        if self.unit.addend is None or self.unit.scale:
            return False
        low = min(self.terms.sum_lsb, self.terms.c.lsb)
        high = max(self.terms.sum_lsb + self._block_bits, self._addend_top)
        return high - low <= self._block_bits + self._above + self.terms.c.precision

    @property
    def _has_window(self) -> bool:
        return self.unit.addend is not None and not self._joins

    @property
    def _addend_reach(self) -> int:
        """How far its exponent moves an addend that is finite."""
        low, high = self.terms.c.exponents
        # IEEE's infinities have an exponent to themselves, P3109's have none.
        addend = self.unit.addend
        return high - low - bool(addend and addend.infinity and addend.nan == "ieee")

    @property
    def _addend_top(self) -> int:
        """Weight above an addend's greatest msb."""
        return self.terms.c.lsb + self.terms.c.precision + self._addend_reach

    # -- with an addend in a window --------------------------------------------------------------

    @property
    def _above(self) -> int:
        """Places between the addend on top and the sum."""
        c = self.terms.c
        return bits_below(c.precision, None if c.is_normal else c.lsb, self.unit.rounder)

    @property
    def _below(self) -> int:
        """Places below the sum, which may have a single significant bit."""
        lowest = self._lsb + self._scale_exponents[0]
        return bits_below(1, lowest, self.unit.rounder, self.terms.c.precision)

    @property
    def _window(self) -> int:
        return self._below + self._sum_bits + self._above + self.terms.c.precision

    def _align(self, m: Module, x: Values) -> Values:
        """Put the addend into the window, inverted if it is negative; or on top of it, if it
        belongs above or if there is nothing else."""
        c = self.terms.c
        offset = self._top + c.bias
        low, high = self._scale_exponents
        shape = signed_exponent(low + offset - c.exponents[1], high + offset - c.exponents[0])
        distance = self._exponent(x) + offset - x["c_exponent"]
        distance = wire(m, "distance", distance, shape)
        width = exponent_bits(self._window)
        far = wire(m, "addend_far_below", distance >= self._window)
        above = wire(m, "addend_above", ~x["c_zero"] & (distance < 0))
        reach = Mux(far, Const(self._window, width), distance[:width])
        sign = x["c_sign"]
        significand = x["c_significand"] ^ sign.replicate(c.precision)
        right = wire(m, "align_right", Mux(distance < 0, 0, reach), width)
        moved, lost = rtl.shift_right(m, "addend", significand, right, self._window, fill=sign)
        on_top = Cat(sign.replicate(self._window - c.precision), significand)
        # Two rows have the sum zero if each bit of one differs from the other just where a carry
        # comes in, which is where either has a one below.
        low_row, high_row = (x[name][: self._sum_bits + 1] for name in ("low0", "high0"))
        carries = Cat(Const(0, 1), (low_row | high_row)[:-1])
        nothing = wire(m, "sum_zero", (low_row ^ high_row) == carries)
        alone = wire(m, "addend_on_top", nothing | above)
        names = ("nan", "inf", "inf_sign", "all_negative", "mixed_signs", "c_sign")
        exponent = Mux(alone, x["c_exponent"] - c.bias, self._exponent(x) + self._top)
        exponent = exponent + self.unit.rounder.out.bias
        return {name: x[name] for name in names} | {
            "low0": x["low0"],
            "high0": x["high0"],
            "addend": wire(m, "addend", Mux(nothing, on_top, moved)),
            "lost": wire(m, "addend_lost", lost & ~nothing),
            "exponent": wire(m, "window_exponent", exponent, signed_exponent(*self._exponents)),
        }

    def _add(self, m: Module, x: Values) -> Values:
        """The sum's two rows and the addend."""
        sign, lost = x["c_sign"], x["lost"]
        width = self._window + 1
        columns = rtl.Columns(m, "window", width)
        columns.add_integer(Cat(x["addend"], sign).as_signed())
        # Inverting falls short of the negative by one, or by less if something was lost.
        columns.add(0, wire(m, "plus_one", sign & ~lost))
        columns.add(self._below, x["low0"])
        columns.add(self._below, x["high0"])
        low, high, _ = columns.compress()
        total = rtl.add(m, "total", low, high)[:width]
        return self._result(m, x, total, x["exponent"]) | {"sticky": lost}
