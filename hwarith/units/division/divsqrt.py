"""One unit for quotients and square roots, which chooses by a port and uses the same rows for both.

The bits of a root are found as those of a quotient whose divisor is twice the root so far, with a
one behind it: w' = 2w - q (2S + q 2^-j). So there is no divisor then, but each bit of the root is
put into its place in a register, behind which a one moves on with every row. Around the rows
everything is as if the radicand were divided by one.

Source: Ercegovac and Lang, Digital Arithmetic (2004), chapters 5 and 6; IEEE 754-2019, 5.4.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ...rtl import PORT, Operand, Values, wire
from ...rtl.floats import signed_exponent
from ..operations import QUOTIENT_OR_ROOT, Operation
from ..parameters import format_parameter
from . import definitions, rows
from .base import by_zero_parameter
from .quotients import Div
from .recurring import RecurringBits
from .roots import Sqrt


@dataclass(frozen=True, kw_only=True, repr=False)
class DivSqrt(RecurringBits):
    """Quotient of two codes, or square root of the first one, rounded once, as the port ``op``
    says: that of `Div` if it is 0, that of `Sqrt` if it is 1, when ``b`` may be anything.

    It takes as many clocks for either; they are a bit each if not given.

    Source: IEEE 754-2019, 5.4.1 (division, squareRoot), 6.1, 7.2 and 7.3.
    """

    family: ClassVar[str] = "divsqrt"
    summary: ClassVar[str] = "quotient a/b or square root of a, correctly rounded"
    operation: ClassVar[Operation] = QUOTIENT_OR_ROOT
    meanings: ClassVar[dict[str, str]] = {
        "a": "dividend, or radicand",
        "b": "divisor",
        "op": "0: a / b; 1: square root of a",
        "y": "quotient, or square root",
    }

    a: Format = format_parameter("dividend, or radicand", "fp32")
    b: Format = format_parameter("divisor", same_as="a")
    out: Format = format_parameter("result", same_as="a")
    by_zero: str = by_zero_parameter()

    def validate(self) -> None:
        for name, f in {"a": self.a, "b": self.b, "out": self.out}.items():
            if not f.is_float:
                raise InvalidInput(
                    f"divsqrt: parameter {name}: {f.name} is no float; allowed: floats and posits"
                )
        super().validate()

    @property
    def _default_clocks(self) -> int:
        return self._row_a_clock("quotients and roots of one unit are found")

    @property
    def _op(self) -> str:
        return PORT

    @property
    def operations(self) -> dict[str, int]:
        return {"div": 0, "sqrt": definitions.SQUARE_ROOT}

    @property
    def negated(self) -> dict[int, tuple[str, ...]]:
        return dict.fromkeys(self.operations.values(), ())

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @cached_property
    def alone(self) -> tuple[Div, Sqrt]:
        """Units that do one of both."""
        shared = {
            name: getattr(self, name)
            for name in self.parameters()
            if name in Sqrt.parameters() and name not in ("clocks", "stages")
        }
        return Div(b=self.b, by_zero=self.by_zero, **shared), Sqrt(**shared)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.divsqrt, self.constants()

    @property
    def word_bits(self) -> int:
        return max(u.word_bits for u in self.alone)

    @property
    def weights(self) -> tuple[int, int]:
        low, high = zip(*(u.weights for u in self.alone), strict=True)
        return min(low), max(high)

    # -- hardware ------------------------------------------------------------------------------

    def front_datapath(self) -> list[rtl.Step]:
        return self.with_ports([self._unpack, self._start])

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of both operands; of a root the divisor has the classes of one."""
        root = x["op"][0]
        raws = self.unpacked(m, x)
        a, b = raws.values()
        divides = wire(m, "divides", ~root)
        classes = ("sign", "nan", "zero", "special", "inf", "signaling")
        b = replace(b, **{name: getattr(b, name) & divides for name in classes})
        raws["b"] = b
        by_zero = b.zero & ~a.zero & ~a.nan & ~a.inf
        invalid = (a.special & b.special) | (a.zero & b.zero) | (root & a.sign & ~a.zero & ~a.nan)
        infinite = a.special | b.zero
        if self.by_zero == "nan":
            invalid, infinite = invalid | (b.zero & ~a.nan), a.special
            by_zero = Const(0, 1)
        return (
            self.nan_values(m, x, raws, invalid)
            | self.with_zero_division(m, x, by_zero)
            | {
                "root": root,
                "sign": wire(m, "sign", a.sign ^ b.sign),
                "inf": wire(m, "inf", infinite),
                "zero": wire(m, "zero", a.zero | b.special),
                "a_exponent": a.exponent,
                "b_exponent": b.exponent,
                "a_significand": a.significand,
                "b_significand": b.significand,
            }
        )

    @property
    def _width(self) -> int:
        """Bits of the remainder, from that of one on: those of half a quotient's or a quarter of a
        root's operand, and all places where a bit of the root may stand."""
        return max(self.digits, self.a.precision + 1, self.b.precision) + 1

    def _start(self, m: Module, x: Values) -> Values:
        """Leading ones to the top. The remainder is half the dividend, or half or a quarter of the
        radicand, whose exponent is halved; the divisor of a root is only what is known of it."""
        a, b = self._terms.values()
        root, width, count = x["root"], self._width, self.rows * self.clocks
        dividend, a_zeros = self.normalized(m, "a", x["a_significand"], a)
        divisor, b_zeros = self.normalized(m, "b", x["b_significand"], b)
        bias = Operand(self.rounder.out).bias
        of_root, of_quotient = 2 * bias - a.bias, bias + b.bias - a.bias
        offset = of_root if of_root == of_quotient else Mux(root, of_root, of_quotient)
        below = Mux(root, 0, x["b_exponent"] - b_zeros)
        total = x["a_exponent"] - a_zeros - below + offset
        total = wire(m, "sum_of_exponents", total, signed_exponent(*self._sums))
        exponent = Mux(root, total[1:].as_signed(), total)
        half = Cat(Const(0, width - 1 - len(dividend)), dividend)
        quarter = wire(m, "is_quarter", root & ~total[0])
        rest = Mux(quarter, half[1:], half)
        divisor = Mux(root, 0, Cat(Const(0, width - len(divisor)), divisor))
        return self.handed_on(x) | {
            "exponent": wire(m, "exponent", exponent, signed_exponent(*self._fields)),
            "rest": wire(m, "first_rest", rest, width),
            "divisor": wire(m, "divisor", divisor, width),
            "quotient": wire(m, "no_quotient", Const(0, count)),
            "known": wire(m, "no_root", Const(0, count)),
            "place": wire(m, "first_place", Cat(Const(0, count - 1), root)),
        }

    @property
    def _sums(self) -> tuple[int, int]:
        """Least and greatest of the exponents from which those of results are made: of quotients
        they are these, of roots half of them."""
        bias = Operand(self.rounder.out).bias
        (q_low, q_high), (r_low, r_high) = (u.weights for u in self.alone)
        return min(q_low + bias, 2 * (r_low + bias)), max(q_high + bias, 2 * (r_high + bias) + 1)

    @property
    def steady(self) -> tuple[str, ...]:
        return "place", "known"

    def recurrence(self, m: Module, x: Values) -> Values:
        """A row for each of the next bits, which of a root are put in their places, too."""
        rest, known, place, quotient = x["rest"], x["known"], x["place"], x["quotient"]
        for i in range(self.rows):
            behind = Cat(place[1:], Const(0, 1))
            off = wire(m, f"row{i}_off", x["divisor"] | self._on_top(known | behind))
            fits, rest = rows.restoring_row(m, f"row{i}", Cat(Const(0, 1), rest), off)
            rest = rest[: self._width]
            bits = Cat(Mux(now, fits, bit) for now, bit in zip(place, known, strict=True))
            known = wire(m, f"row{i}_known", bits)
            quotient, place = Cat(fits, quotient)[: len(quotient)], behind
        return {"rest": rest, "known": known, "place": place, "quotient": quotient}

    def _on_top(self, bits: Value) -> Value:
        """Bits of a root and the one behind them as those of a divisor, cut off or filled up."""
        spare = self._width - len(bits)
        return Cat(Const(0, spare), bits) if spare >= 0 else bits[-spare:]
