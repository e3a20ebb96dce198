"""Dot products of blocks that keep more than a scale: other lanes in front of the exact sum.

Elements are read as their metadata say, and are multiplied and summed up as any others. Two forms
differ from that: of M2XFP's weights the factor of eight elements is multiplied with the sum of
their products; and MX+ may multiply its largest elements in a unit of their own, with lanes that
see zeros in their places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from amaranth.hdl import Cat, Module, Mux, Value

from .... import rtl
from ....formats.blocks.m2xfp import SUBGROUP
from ....formats.blocks.mxplus import INDEX_BITS
from ....rtl import Operand, Raw, Values, wire, wires_named
from ....rtl.floats.operands import exponent_bits
from ...blocks.readers import FinerReader, LargestReader, OffsetReader, Reader
from ...blocks.shared import chosen, first_greatest
from ..parameters import DotParameters
from .exact import Exact
from .products import add_products, placed
from .terms import Terms


def with_metadata(unit: DotParameters) -> Exact:
    """The datapath of a dot product of such blocks."""
    if unit.meta == "m2xfp":
        return GroupSum(unit)
    return LargestSum(unit) if unit.bm == "unit" else MetadataSum(unit)


def at_place(m: Module, name: str, hot: Value, codes: list[Value]) -> Value:
    """The code where a bit is set, or 0."""
    gated = [code & bit.replicate(len(code)) for code, bit in zip(codes, hot, strict=True)]
    bits = [Cat(*(code[k] for code in gated)).any() for k in range(len(codes[0]))]
    return wire(m, name, Cat(*bits))


@dataclass(frozen=True)
class MetadataTerms(Terms):
    """Elements taken apart as their metadata say."""

    @property
    def readers(self) -> tuple[Reader, Reader]:
        assert self.unit.readers
        return self.unit.readers

    @property
    def a(self) -> Operand | Reader:
        return self.readers[0]

    @property
    def b(self) -> Operand | Reader:
        return self.readers[1]

    @property
    def sum_lsb(self) -> int:
        return sum(x.lsb for x in self.readers)

    @property
    def _of_scales(self) -> list[Operand]:
        return [Operand(x.kind.scale) for x in self.readers]

    @property
    def scale_weight(self) -> int:
        return -sum(s.bias + s.precision - 1 for s in self._of_scales)

    @property
    def scale_exponents(self) -> tuple[int, int]:
        low, high = (sum(s.exponents[end] for s in self._of_scales) for end in (0, 1))
        return low, high

    def unpack(self, m: Module, x: Values) -> Values:
        """Signs, exponents and significands of all factors, as their metadata say."""
        return super().unpack(m, x) | {name: x[name] for name in ("sa", "sb")}

    def _lanes(self, m: Module, x: Values) -> list[tuple[Raw, Raw]]:
        a, b = (self._read(m, x, side) for side in (0, 1))
        return list(zip(a, b, strict=True))

    def _read(self, m: Module, x: Values, side: int) -> list[Raw]:
        name = "ab"[side]
        return self.readers[side].read(m, name, self.codes(x, side), x[f"s{name}"])

    def ordinary(self, m: Module, x: Values, side: int) -> list[Raw]:
        """The elements as their codes are, whatever the metadata say."""
        name, f = "ab"[side], self.readers[side].element
        return [f.unpack(m, f"{name}{i}", code) for i, code in enumerate(self.codes(x, side))]

    def codes(self, x: Values, side: int) -> list[Value]:
        """The codes of a block."""
        bits = self.readers[side].kind.element.bits
        return [x["ab"[side]].word_select(i, bits) for i in range(self.unit.n)]

    def _scales(self, m: Module, x: Values, k: int) -> tuple[Raw, Raw]:
        left, right = self.readers
        return left.scale(m, f"sa{k}", x["sa"]), right.scale(m, f"sb{k}", x["sb"])


class CodeTerms(MetadataTerms):
    """Factors that are no wider than their codes say; what metadata make of them stands beside
    them."""

    @property
    def a(self) -> Operand | Reader:
        return Operand(self.unit.a)

    @property
    def b(self) -> Operand | Reader:
        return Operand(self.unit.b)


@dataclass(frozen=True)
class MetadataSum(Exact):
    """The exact sum of such terms."""

    @cached_property
    def terms(self) -> MetadataTerms:
        return MetadataTerms(self.unit)

    def _products(self, m: Module, x: Values) -> Values:
        """Each product at its place in a fixed-point number, in the bits that it may have."""
        left, right = self.terms.readers
        bits = (left.most * right.most).bit_length()
        found = super()._products(m, x)
        return {k: v[:bits] if k.startswith("placed") else v for k, v in found.items()}

    def _rows(self, x: Values, columns: rtl.Columns) -> Values:
        """These rows, with what is handed on."""
        low, high, _ = columns.compress()
        own = ("sign", "placed", "largest", "top", "sa", "sb")
        kept = [name for name in x if not name.startswith(own)]
        return {name: x[name] for name in kept} | {"low0": low, "high0": high}


# -- M2XFP -----------------------------------------------------------------------------------------


class GroupTerms(CodeTerms):
    """Elements as their codes are, E2M1; beside them, of each eight, what the two bits of the
    largest one of a add to it, and the weight that this is multiplied with."""

    def _read(self, m: Module, x: Values, side: int) -> list[Raw]:
        return self.ordinary(m, x, side)

    def unpack(self, m: Module, x: Values) -> Values:
        """Signs, exponents and significands of all factors; of each eight of a the largest, and
        what its metadata add to it."""
        found = super().unpack(m, x)
        a, b = (self.codes(x, side) for side in (0, 1))
        for first in range(0, self.unit.n, SUBGROUP):
            group = slice(first, first + SUBGROUP)
            at = self.readers[0].scale_bits + first // SUBGROUP * 2
            name = f"top{first}"
            with wires_named(f"{name}_"):
                more = self._added(m, a[group], b[group], x["sa"][at:][:2])
            found |= {f"{name}_{key}": value for key, value in more.items()}
        return found

    def _added(self, m: Module, a: list[Value], b: list[Value], metadata: Value) -> Values:
        """Metadata less 1, in steps of E2M3 where the largest is; one less from a power of two is a
        step of the binade below."""
        magnitude, is_top = first_greatest(m, "level", [code[:-1] for code in a])
        hot = wire(m, "is_top", Cat(*is_top))
        weight = Operand(self.unit.b).unpack(m, "weight", at_place(m, "weight_code", hot, b))
        negative = at_place(m, "largest_sign", hot, [code[-1:] for code in a])
        fraction, exponent = magnitude[0], magnitude[1:]
        less = wire(m, "less", ~metadata.any())
        none = wire(m, "nothing", (metadata == 1) | (less & ~magnitude.any()))
        step = Cat(exponent[1] & ~exponent[0], exponent.all())
        below = wire(m, "binade_below", less & ~fraction)
        step = wire(m, "step", Mux(below, exponent.all(), step + metadata.all()), 2)
        return {
            "significand": wire(
                m, "significand", weight.significand & (~none).replicate(len(weight.significand))
            ),
            "sign": wire(m, "sign", negative ^ less ^ weight.sign),
            "place": wire(m, "place", (step + weight.exponent - 1)[:3]),
        }


class GroupSum(MetadataSum):
    """The sum of the products of each eight, and of what is added to the largest, times the factor
    of the weights."""

    PLACES = 5
    """Most places of a weight and a step of E2M3."""

    @cached_property
    def terms(self) -> GroupTerms:
        return GroupTerms(self.unit)

    def _products(self, m: Module, x: Values) -> Values:
        """Each product at its place in a fixed-point number, and one more of each eight."""
        found = super()._products(m, x) | {"sb": x["sb"]}
        for first in range(0, self.unit.n, SUBGROUP):
            significand, sign, place = (
                x[f"top{first}_{name}"] for name in ("significand", "sign", "place")
            )
            row = placed(m, f"top{first}", significand, sign, place, self.PLACES)
            found |= {f"top{first}": row, f"top{first}_sign": sign}
        return found

    def _sum(self, m: Module, x: Values) -> Values:
        """Two rows whose sum, in two's complement, is that of all groups, each times 4 to 7."""
        activations, weights = self.terms.readers
        assert isinstance(weights, FinerReader)
        columns = rtl.Columns(m, "sum0", self._sum_width)
        products = SUBGROUP * activations.most * weights.element_most
        for first in range(0, self.unit.n, SUBGROUP):
            group = rtl.Columns(m, f"group{first}", products.bit_length() + 1)
            of = range(first, first + SUBGROUP)
            add_products(m, group, x, of, self._block_bits, 2)
            sign = x[f"top{first}_sign"]
            group.add_integer(Cat(x[f"top{first}"], sign).as_signed())
            group.add(0, sign)
            low, high, _ = group.compress()
            total = rtl.add(m, f"group{first}", low, high)[:-1].as_signed()
            columns.add_product(total, weights.factor(x["sb"], first))
        return self._rows(x, columns)


# -- MX+ -------------------------------------------------------------------------------------------


class LaneTerms(CodeTerms):
    """MX+ with zeros in the places of the largest elements, beside them these and what they are
    multiplied with."""

    def unpack(self, m: Module, x: Values) -> Values:
        """Signs, exponents and significands of all factors; the largest elements are zeros among
        them, and come with their partners."""
        found = super().unpack(m, x)
        hot = [self._hot(m, x, side) for side in (0, 1)]
        for side, name in enumerate("ab"):
            for i in range(self.unit.n):
                keep = (~hot[side][i]).replicate(len(found[f"{name}{i}"]))
                found[f"{name}{i}"] = wire(m, f"{name}{i}_kept", found[f"{name}{i}"] & keep)
        return found | self._partners(m, x, hot)

    def _read(self, m: Module, x: Values, side: int) -> list[Raw]:
        return self.ordinary(m, x, side)

    def _largest_reader(self, side: int) -> LargestReader:
        found = self.readers[side]
        assert isinstance(found, LargestReader)
        return found

    def _hot(self, m: Module, x: Values, side: int) -> Value:
        name = "ab"[side]
        return self._largest_reader(side).index(m, name, x[f"s{name}"])

    def _partners(self, m: Module, x: Values, hot: list[Value]) -> Values:
        """The largest element of a with that of b in its place; that of b with what of a is in its
        own, 0 if it is the largest."""
        i, j = (
            x[f"s{name}"][reader.scale_bits :][:INDEX_BITS]
            for name, reader in zip("ab", self.readers, strict=True)
        )
        same = wire(m, "same_place", i == j)
        largest, partner = [], []
        for side, name in enumerate("ab"):
            of, word, codes = self._largest_reader(side), x[f"s{name}"], self.codes(x, side)
            own = at_place(m, f"{name}_largest_code", hot[side], codes)
            raw = of.largest(m, f"{name}_largest", own, word)
            none = wire(m, f"{name}_none", ~hot[side].any())
            raw = replace(raw, significand=raw.significand & (~none).replicate(of.precision))
            largest.append(raw)
            code = at_place(m, f"{name}_partner_code", hot[1 - side], codes)
            ordinary = Operand(of.kind.element).unpack(m, f"{name}_partner", code)
            partner.append(of.other(m, f"{name}_partner", ordinary, word))
        first = chosen(m, "largest_partner", same, largest[1], partner[1])
        second = partner[0].significand & (~same).replicate(len(partner[0].significand))
        return {
            "largest_a0": largest[0].significand,
            "largest_b0": first.significand,
            "largest_sign0": wire(m, "largest_sign0", largest[0].sign ^ first.sign),
            "largest_exponent0": wire(m, "exponent_a", largest[0].exponent + first.exponent),
            "largest_a1": wire(m, "partner_of_b", second),
            "largest_b1": largest[1].significand,
            "largest_sign1": wire(m, "largest_sign1", partner[0].sign ^ largest[1].sign),
            "largest_exponent1": wire(m, "exponent_b", partner[0].exponent + largest[1].exponent),
        }


class LargestSum(MetadataSum):
    """The sum of the lanes, and of the products of the largest elements."""

    @cached_property
    def terms(self) -> LaneTerms:
        return LaneTerms(self.unit)

    @property
    def _offsets(self) -> bool:
        """Whether the other elements have a scale of their own."""
        return isinstance(self.terms.readers[0], OffsetReader)

    def _products(self, m: Module, x: Values) -> Values:
        """Each product at its place in a fixed-point number: those of the lanes, and two more."""
        found = super()._products(m, x)
        left, right = self.terms.readers
        least = left.exponents[0] + right.exponents[0]
        reach = left.exponents[1] + right.exponents[1] - least
        for k in (0, 1):
            product = rtl.product(m, f"largest{k}", x[f"largest_a{k}"], x[f"largest_b{k}"])
            place = (x[f"largest_exponent{k}"] - least)[: exponent_bits(reach)]
            place = wire(m, f"largest_place{k}", place)
            sign = x[f"largest_sign{k}"]
            found[f"largest{k}"] = placed(m, f"largest{k}", product, sign, place, reach)
            found[f"largest_sign{k}"] = sign
        return found | {name: x[name] for name in ("sa", "sb")}

    def _sum(self, m: Module, x: Values) -> Values:
        """Two rows whose sum, in two's complement, is that of lanes and largest elements."""
        columns = rtl.Columns(m, "sum0", self._sum_width)
        left, right = self.terms.readers
        places = left.precision + right.precision - self.terms.a.precision - self.terms.b.precision
        lanes = range(self.unit.n)
        if self._offsets:
            most = self.unit.n * left.element_most * right.element_most
            alone = rtl.Columns(m, "lanes", most.bit_length() + 1)
            add_products(m, alone, x, lanes, self._block_bits, 0)
            low, high, _ = alone.compress()
            total = rtl.add(m, "lanes", low, high)[:-1].as_signed()
            of_both = [~x[name][-3:] for name in ("sa", "sb")]
            place = wire(m, "lanes_place", of_both[0] + of_both[1])
            total = rtl.scaled(m, "lanes_placed", total, place).as_signed()
            columns.add_integer(total, places)
        else:
            add_products(m, columns, x, lanes, self._block_bits, places)
        for k in (0, 1):
            sign = x[f"largest_sign{k}"]
            row = Cat(x[f"largest{k}"][: self._block_bits], sign).as_signed()
            columns.add_integer(row)
            columns.add(0, sign)
        return self._rows(x, columns)
