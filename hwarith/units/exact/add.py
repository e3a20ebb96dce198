"""The exact adder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux

from ... import rtl
from ...formats import Format
from ...rtl import PORT, Operand, Values, wire
from ...rtl.floats import exponent_bits, signed_exponent
from ...rtl.integers import as_integer, in_finer_units, negated_if
from ..operations import SUM, Operation
from ..parameters import choice_parameter, format_parameter
from . import definitions
from .alignment import bits_below
from .base import Exact


@dataclass(frozen=True, kw_only=True, repr=False)
class Add(Exact):
    """Sum of two codes, rounded once.

    A sum of opposite values is +0, or -0 when rounding down. Subnormals are kept.
    Source: IEEE 754-2019, 5.4.1 (addition) and 6.3.
    """

    family: ClassVar[str] = "add"
    summary: ClassVar[str] = "sum a+b, correctly rounded (integers: exact)"
    operation: ClassVar[Operation] = SUM
    meanings: ClassVar[dict[str, str]] = {
        "a": "first term",
        "b": "second term",
        "op": "0: a + b; 1: a - b",
        "y": "sum",
    }

    a: Format = format_parameter("first operand", "fp32")
    b: Format = format_parameter("second operand", same_as="a")
    out: Format = format_parameter("result", same_as="a")
    op: str = choice_parameter(
        "add, sub: a-b, or port: subtract if the port op is 1",
        ("add", "sub", PORT),
        "add",
        quiet=True,
    )

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @property
    def operations(self) -> dict[str, int]:
        return {"add": 0, "sub": definitions.NEGATE_ADDEND}

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.add, (*self.constants(), self._workspace)

    @property
    def _workspace(self) -> int:
        return self._sum_width(self.a.precision, self.b.precision)

    @property
    def word_bits(self) -> int:
        return max(self._workspace, self._result_bits)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        if self.is_integer:
            return [self._integer_sum]
        steps = [self._unpack, self._order, self._align, self._add]
        return self.with_ports([*steps, *self.rounder.steps(self._exponents)])

    def _integer_sum(self, m: Module, x: Values) -> Values:
        """The exact sum, and from it the result."""
        a, b = (
            in_finer_units(as_integer(x[name], f), f.exponent - self.exact_exponent)
            for name, f in self.terms.items()
        )
        total = wire(m, "sum", a + negated_if(b, self.negates(x, definitions.NEGATE_ADDEND)))
        return self.fitted(m, x, total)

    @property
    def _bias(self) -> int:
        """Bias that both operands' exponents are given."""
        return max(t.bias for t in self._terms.values())

    @property
    def _scales(self) -> tuple[int, int]:
        """Range of the operands' exponents."""
        lows, highs = zip(*(t.weights for t in self._terms.values()), strict=True)
        return min(lows) + self._bias, max(highs) + self._bias

    @property
    def _one_scale(self) -> bool:
        """Whether the operands' lowest binades are the same, so that a significand with leading
        zeros never has the greater exponent."""
        return len({t.emin for t in self._terms.values()}) == 1

    @property
    def _significand_bits(self) -> int:
        return max(self.a.precision, self.b.precision)

    @property
    def _bits_below(self) -> int:
        """Places below the aligned significands, the shorter of which is padded already."""
        needs = []
        a, b = self._terms.values()
        for first, second in ((a, b), (b, a)):
            # In its lowest binade an operand is only shifted against if the other reaches lower.
            shifted = first.emin > second.emin
            lsb = first.lsb if shifted else Operand(self.rounder.out).lsb
            lowest = None if first.is_normal else lsb
            needed = bits_below(first.precision, lowest, self.rounder, second.precision)
            needs.append(needed - (self._significand_bits - first.precision))
        return max(needs)

    @property
    def _exponents(self) -> tuple[int, int]:
        """Range of the sum's exponent, biased like the result's."""
        lowest, highest = self._scales
        return lowest + self._offset, highest + self._offset

    @property
    def _offset(self) -> int:
        """From an operand's exponent to the sum's, which has a carry bit."""
        return self.rounder.out.bias - self._bias + 1

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of both operands; whether their magnitudes are subtracted."""
        raws = self.unpacked(m, x)
        a, b = raws.values()
        b_sign = wire(m, "b_sign_here", b.sign ^ self.negates(x, definitions.NEGATE_ADDEND))
        subtract = wire(m, "subtract", a.sign ^ b_sign)
        values = self.nan_values(m, x, raws, a.special & b.special & subtract) | {
            "subtract": subtract,
            "inf": wire(m, "inf", a.special | b.special),
            # An infinity gives the result its sign.
            "inf_sign": wire(m, "inf_sign", Mux(a.special, a.sign, b_sign)),
        }
        width = exponent_bits(self._scales[1])
        for (name, term), raw, sign in zip(
            self._terms.items(), (a, b), (a.sign, b_sign), strict=True
        ):
            scale = raw.exponent + (self._bias - term.bias)
            exponent = wire(m, f"{name}_scale", scale[:width], width)
            padding = self._significand_bits - term.precision
            values |= {
                f"{name}_sign": sign,
                f"{name}_exponent": exponent,
                f"{name}_significand": Cat(Const(0, padding), raw.significand),
                f"{name}_zero": raw.zero,
            }
        return values

    def _order(self, m: Module, x: Values) -> Values:
        """Put the operand with the greater exponent first; a zero is never it. Of operands with
        one scale it is the greater one, so that no difference is negative.

        Both differences of the exponents are formed at once, to save the time of choosing.
        """
        bits = len(x["a_exponent"])
        a_less_b = wire(m, "a_less_b", x["a_exponent"] - x["b_exponent"])
        b_less_a = wire(m, "b_less_a", (x["b_exponent"] - x["a_exponent"])[:bits])
        if self._one_scale:
            a, b = (Cat(x[f"{name}_significand"], x[f"{name}_exponent"]) for name in "ab")
            _, a_first = rtl.compare(m, "order", a, b)
        else:
            a_first = ~a_less_b[-1]
            # A zero of the format with the higher range would push out a small operand.
            a_first = (a_first & ~x["a_zero"]) | x["b_zero"]
        a_first = wire(m, "a_first", a_first)
        values: Values = {name: x[name] for name in ("nan", "inf", "inf_sign", "subtract")}
        values["distance"] = wire(m, "distance", Mux(a_first, a_less_b[:bits], b_less_a))
        for field in ("sign", "exponent", "significand"):
            first = Mux(a_first, x[f"a_{field}"], x[f"b_{field}"])
            values[f"first_{field}"] = wire(m, f"first_{field}", first)
        second = Mux(a_first, x["b_significand"], x["a_significand"])
        values["second_significand"] = wire(m, "second_significand", second)
        return values

    def _align(self, m: Module, x: Values) -> Values:
        """Shift the second significand right by the difference of the exponents, inverted if it
        is to be subtracted."""
        width = self._significand_bits + self._bits_below
        distance = x["distance"]
        bits = len(distance)
        # The last level of the shifter, for which all bits of the distance are needed, is to
        # shift out everything.
        levels = (width - 1).bit_length()
        if levels < bits:
            far = distance[levels:].any()
            distance = wire(m, "align_right", Cat(distance[:levels], far))
        subtract = x["subtract"]
        second = x["second_significand"] ^ subtract.replicate(self._significand_bits)
        aligned, lost = rtl.shift_right(m, "second", second, distance, width, fill=subtract)
        names = ("nan", "inf", "inf_sign", "subtract", "first_sign", "first_exponent")
        return {name: x[name] for name in (*names, "first_significand")} | {
            "second": wire(m, "second", aligned),
            "lost": wire(m, "second_lost", lost),
        }

    def _add(self, m: Module, x: Values) -> Values:
        """Add, or subtract by adding the inverse; the rounder negates a negative sum."""
        subtract, lost = x["subtract"], x["lost"]
        first = Cat(Const(0, self._bits_below), x["first_significand"])
        # Inverting falls short of the negative by one, or by less if something was lost.
        plus_one = wire(m, "plus_one_low", subtract & ~lost)
        total = rtl.add(m, "total", first, x["second"], plus_one)
        negative = wire(m, "negative", 0 if self._one_scale else subtract & ~total[-1], 1)
        exponent, shape = x["first_exponent"] + self._offset, signed_exponent(*self._exponents)
        return {
            "nan": x["nan"],
            "inf": x["inf"],
            "sign": wire(m, "sign", Mux(x["inf"], x["inf_sign"], x["first_sign"] ^ negative)),
            "significand": Cat(total[:-1], Mux(subtract, negative, total[-1])),
            "negative": negative,
            "sticky": lost,
            "difference": wire(m, "difference", subtract & ~x["inf"]),
            "exponent": wire(m, "exponent", exponent, shape),
        }
