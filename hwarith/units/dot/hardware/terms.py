"""Terms taken apart: what all ways to accumulate begin with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from amaranth.hdl import Cat, Const, Module, Value

from ....rtl import Operand, Raw, Values, wire
from ...blocks.readers import Reader
from ..parameters import DotParameters


@dataclass(frozen=True)
class Terms:
    """The formats of a dot product's operands as a datapath takes them apart."""

    unit: DotParameters

    @property
    def a(self) -> Operand | Reader:
        return Operand(self.unit.a, self.unit.flushes_operands)

    @property
    def b(self) -> Operand | Reader:
        return Operand(self.unit.b, self.unit.flushes_operands)

    @property
    def scale(self) -> Operand:
        assert self.unit.scale
        return Operand(self.unit.scale)

    @property
    def c(self) -> Operand:
        assert self.unit.addend
        return Operand(self.unit.addend, self.unit.flushes_operands)

    @property
    def product_bits(self) -> int:
        return self.a.precision + self.b.precision

    @property
    def least_exponent(self) -> int:
        """Of the sum of two factors' biased exponents."""
        return self.a.exponents[0] + self.b.exponents[0]

    @property
    def most_exponent(self) -> int:
        return self.a.exponents[1] + self.b.exponents[1]

    @property
    def product_weight(self) -> int:
        """From the sum of biased exponents to the weight of the product's hidden bit: that of the
        product of the factors' msbs."""
        return -self.a.bias - self.b.bias

    @property
    def sum_lsb(self) -> int:
        """Weight of the lsb of an exact sum of products, without scales."""
        return self.a.lsb + self.b.lsb

    @property
    def scale_weight(self) -> int:
        """From the sum of the scales' biased exponents to the weight of their product's lsb."""
        return -2 * (self.scale.bias + self.scale.precision - 1)

    @property
    def scale_exponents(self) -> tuple[int, int]:
        """Least and greatest sum of the scales' biased exponents."""
        low, high = self.scale.exponents
        return 2 * low, 2 * high

    def unpack(self, m: Module, x: Values) -> Values:
        """Signs, exponents and significands of all factors; whether the result is NaN or infinite.

        For lane i: ``sign{i}`` of the product, ``exponent{i}`` (the sum of the biased ones),
        ``a{i}`` and ``b{i}`` (significands), ``zero{i}``. For block k: ``scale{k}`` (the
        product of the scales' significands), ``scale_exponent{k}``. Of the addend ``c_...``.
        """
        unit = self.unit
        lanes = self._lanes(m, x)
        values: Values = {}
        for i, (a, b) in enumerate(lanes):
            values |= {
                f"sign{i}": wire(m, f"sign{i}", a.sign ^ b.sign),
                f"exponent{i}": wire(m, f"exponent{i}", a.exponent + b.exponent),
                f"a{i}": a.significand,
                f"b{i}": b.significand,
                f"zero{i}": wire(m, f"zero{i}", a.zero | b.zero),
            }
        scales = [self._scales(m, x, k) for k in range(unit.blocks)] if unit.scale else []
        for k, (s, t) in enumerate(scales):
            values[f"scale_exponent{k}"] = wire(m, f"scale_exponent{k}", s.exponent + t.exponent)
            if self.scale.precision > 1:
                values[f"scale_a{k}"], values[f"scale_b{k}"] = s.significand, t.significand
            values[f"scale_zero{k}"] = wire(m, f"scale_zero{k}", s.zero | t.zero)
        signs = [values[f"sign{i}"] for i in range(unit.n)]
        addend = []
        if unit.addend:
            c = self.c.unpack(m, "c", x["c"])
            addend = [c]
            signs = [*signs, c.sign]
            values |= {
                "c_sign": c.sign,
                "c_exponent": c.exponent,
                "c_significand": c.significand,
                "c_zero": c.zero,
            }
        negative = wire(m, "all_negative", Cat(*signs).all())
        mixed = wire(m, "mixed_signs", Cat(*signs).any() & ~negative)
        values |= {"all_negative": negative, "mixed_signs": mixed}
        return values | self._specials(m, values, lanes, scales, addend)

    def _lanes(self, m: Module, x: Values) -> list[tuple[Raw, Raw]]:
        """Both factors of each product."""
        return [self._lane(m, x, i) for i in range(self.unit.n)]

    def _lane(self, m: Module, x: Values, i: int) -> tuple[Raw, Raw]:
        unit, flushes = self.unit, self.unit.flushes_operands
        a, b = (x[name].word_select(i, f.bits) for name, f in (("a", unit.a), ("b", unit.b)))
        return (
            Operand(unit.a, flushes).unpack(m, f"a{i}", a),
            Operand(unit.b, flushes).unpack(m, f"b{i}", b),
        )

    def _scales(self, m: Module, x: Values, k: int) -> tuple[Raw, Raw]:
        bits = self.scale.format.bits
        return (
            self.scale.unpack(m, f"sa{k}", x["sa"].word_select(k, bits)),
            self.scale.unpack(m, f"sb{k}", x["sb"].word_select(k, bits)),
        )

    def _specials(
        self,
        m: Module,
        values: Values,
        lanes: list[tuple[Raw, Raw]],
        scales: list[tuple[Raw, Raw]],
        addend: list[Raw],
    ) -> Values:
        """NaN and infinities among the operands."""
        unit = self.unit
        raws = [*(raw for pair in (*lanes, *scales) for raw in pair), *addend]
        nan = [raw.nan for raw in raws]
        if unit.flags != "none":  # a NaN must not make the sum invalid
            lanes = [(_infinite(a), _infinite(b)) for a, b in lanes]
            addend = [_infinite(c) for c in addend]
        positive = [raw.special & ~raw.sign for raw in addend]
        negative = [raw.special & raw.sign for raw in addend]
        zero_times_infinity = []
        for i, (a, b) in enumerate(lanes):
            if not (unit.a.infinity or unit.b.infinity):
                break
            infinite = wire(m, f"infinite{i}", a.special | b.special)
            sign = values[f"sign{i}"]
            zero_times_infinity.append((a.special & b.zero) | (a.zero & b.special))
            if scales:
                zero_times_infinity.append(infinite & values[f"scale_zero{i // unit.block}"])
            positive.append(infinite & ~sign)
            negative.append(infinite & sign)
        plus, minus = _any(m, "plus_infinity", positive), _any(m, "minus_infinity", negative)
        found: Values = {
            "nan": _any(m, "nan", [*nan, *zero_times_infinity, plus & minus]),
            "inf": wire(m, "inf", plus | minus),
            "inf_sign": minus,
        }
        if unit.flags != "none":
            opposite = plus & minus & ~_any(m, "operand_nan", nan)
            signaling = [raw.signaling for raw in raws]
            invalid = [*signaling, *zero_times_infinity, opposite]
            found["invalid"] = _any(m, "invalid_operation", invalid)
        return found


def _infinite(raw: Raw) -> Raw:
    """An operand of which NaN is not taken for an infinity."""
    return replace(raw, special=raw.inf)


def _any(m: Module, name: str, bits: Iterable[Value]) -> Value:
    """Whether one of the bits that are no constants is set."""
    found = [bit for bit in bits if not isinstance(bit, Const)]
    return wire(m, name, Cat(*found).any() if found else Const(0, 1))
