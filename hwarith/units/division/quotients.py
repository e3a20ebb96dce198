"""The divider and the reciprocal unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format
from ...rtl import Values, wire
from ..operations import QUOTIENT, RECIPROCAL, Operation
from ..parameters import format_parameter
from . import definitions, direct, newton, rows
from .base import BY_ZERO, INF_OR_NAN, Wrapping, by_zero_parameter
from .recurring import RecurringQuotient


@dataclass(frozen=True, kw_only=True, repr=False)
class Div(RecurringQuotient, Wrapping):
    """Quotient of two codes, rounded once.

    0/0 and infinity over infinity are invalid; anything else finite over zero is an infinity whose
    sign is that of both, with the flag DZ.

    Of integers and fixed point ``overflow=wrap`` gives RISC-V's DIV and DIVU, with ``round=rtz``:
    the low bits of the rounded quotient, so that the lowest integer over -1 is itself, and all ones
    for anything over zero (``by_zero=riscv``, which goes without saying); there are no flags.

    Source: IEEE 754-2019, 5.4.1 (division), 6.1, 7.2 and 7.3; ``by_zero=nan``: P3109 interim
    report v4.0, whose formats have one zero; ``by_zero=riscv``: RISC-V, M extension.
    """

    family: ClassVar[str] = "div"
    summary: ClassVar[str] = "quotient a/b, correctly rounded"
    operation: ClassVar[Operation] = QUOTIENT
    meanings: ClassVar[dict[str, str]] = {
        "a": "dividend",
        "b": "divisor",
        "y": "quotient",
    }
    random_rounding: ClassVar[bool] = True

    a: Format = format_parameter("dividend", "fp32")
    b: Format = format_parameter("divisor", same_as="a")
    out: Format = format_parameter("result", same_as="a")
    by_zero: str = by_zero_parameter(
        f"{INF_OR_NAN}; riscv, all ones (with overflow=wrap, and only there)", BY_ZERO
    )

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @property
    def table_bits(self) -> int:
        return 2 * max(x.precision for x in self._terms.values())

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.div, self.constants()

    @property
    def word_bits(self) -> int:
        dividend = max(self.a.precision, self._needed + self.b.precision)
        if self._wraps:
            finer = self.a.exponent - self.b.exponent - self.out.exponent
            dividend = max(dividend, self.a.precision + finer + 2 + (self.n or 0))
        return max(dividend + 1, self._result_bits)

    @property
    def weights(self) -> tuple[int, int]:
        (a_low, a_high), (b_low, b_high) = self._tops("a"), self._tops("b")
        return a_low - b_high - 1, a_high - b_low

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        steps = [self._unpack, self._normalize, self._divide, self._denormalize]
        return self.with_ports([*steps, *self.rounder.after_normalization()])

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of both operands, and the sign of the quotient."""
        raws = self.unpacked(m, x)
        a, b = raws.values()
        by_zero = b.zero & ~a.zero & ~a.nan
        invalid = (a.special & b.special) | (a.zero & b.zero)
        sign = a.sign ^ b.sign
        if self.by_zero == "riscv":  # all ones are the integer -1
            by_zero, infinite, sign = b.zero, Const(0, 1), sign | b.zero
        elif self.by_zero == "nan":
            invalid, infinite = invalid | (b.zero & ~a.nan), a.special
            by_zero = Const(0, 1)
        else:
            infinite = a.special | b.zero
        return (
            self.nan_values(m, x, raws, invalid)
            | self.with_zero_division(m, x, by_zero & ~a.inf)
            | {
                "sign": wire(m, "sign", sign),
                "inf": wire(m, "inf", infinite),
                "zero": wire(m, "zero", a.zero | b.special),
                "a_exponent": a.exponent,
                "b_exponent": b.exponent,
                "a_significand": a.significand,
                "b_significand": b.significand,
            }
        )

    def _denormalize(self, m: Module, x: Values) -> Values:
        """Shift right what is below the lowest binade; a zero has no ones at all."""
        # Over zero the magnitude of RISC-V's result is one, and its sign set.
        if self.by_zero != "riscv":
            return super()._denormalize(m, x)
        values = super()._denormalize(m, x | {"zero": x["zero"] | x["by_zero"]})
        one = Const(1 << self.rounder.below, len(values["kept"]))
        one = one & x["by_zero"].replicate(len(one))
        return values | {"kept": wire(m, "kept_or_one", values["kept"] | one)}

    def _normalize(self, m: Module, x: Values) -> Values:
        """Leading ones to the top; the dividend a place further if its significand is the lesser
        one, so that the quotient's first bit is a one."""
        dividend, divisor, exponent = self._aligned(m, x)
        less = wire(m, "a_less", dividend - divisor)[-1]
        return self.handed_on(x) | {
            "dividend": wire(m, "dividend", Mux(less, Cat(Const(0, 1), dividend), dividend)),
            "divisor": divisor,
            "exponent": self.field(m, exponent - less),
        }

    def _aligned(self, m: Module, x: Values) -> tuple[Value, Value, Value]:
        """Dividend and divisor of one width, their leading ones on top; the exponent of their
        quotient's place before the point."""
        a, b = self._terms.values()
        dividend, a_zeros = self.normalized(m, "a", x["a_significand"], a)
        divisor, b_zeros = self.normalized(m, "b", x["b_significand"], b)
        width = max(len(dividend), len(divisor))
        dividend = Cat(Const(0, width - len(dividend)), dividend)
        divisor = Cat(Const(0, width - len(divisor)), divisor)
        above = x["a_exponent"] - a_zeros - (a.bias - b.bias)
        return dividend, divisor, above - (x["b_exponent"] - b_zeros)

    def front_datapath(self) -> list[rtl.Step]:
        return self.with_ports([self._unpack, self._start])

    def _start(self, m: Module, x: Values) -> Values:
        """Leading ones to the top."""
        dividend, divisor, exponent = self._aligned(m, x)
        started = self.started(m, dividend, divisor)
        return self.handed_on(x) | started | {"exponent": self.field(m, exponent)}

    def _divide(self, m: Module, x: Values) -> Values:
        """A row for each bit of the quotient behind the first one, which is a one."""
        found, some = self.quotient(m, x["dividend"], x["divisor"])
        return self.handed_on(x, "exponent") | {
            "digits": wire(m, "quotient", found),
            "rest": wire(m, "some_rest", some),
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Recip(RecurringQuotient):
    """Reciprocal of a code, rounded once: the quotient of one and it, flags too.

    Source: IEEE 754-2019, 5.4.1 (division) and 7.3.
    """

    family: ClassVar[str] = "recip"
    summary: ClassVar[str] = "reciprocal 1/a, correctly rounded"
    operation: ClassVar[Operation] = RECIPROCAL
    meanings: ClassVar[dict[str, str]] = {"a": "divisor", "y": "reciprocal"}

    a: Format = format_parameter("operand", "fp32")
    out: Format = format_parameter("result", same_as="a")
    by_zero: str = by_zero_parameter()

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def table_bits(self) -> int:
        return self._terms["a"].precision - 1

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.recip, self.constants()

    @property
    def word_bits(self) -> int:
        return max(self._needed + self.a.precision + 1, self._result_bits)

    @property
    def weights(self) -> tuple[int, int]:
        low, high = self._tops("a")
        return -high - 1, -low

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        steps = [self._unpack, self._divide, self._denormalize]
        return self.with_ports([*steps, *self.rounder.after_normalization()])

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of the operand, its first one to the top."""
        raws = self.unpacked(m, x)
        (a,) = raws.values()
        nan = self.by_zero == "nan"
        invalid, by_zero = (a.zero, Const(0, 1)) if nan else (Const(0, 1), a.zero)
        operand = self._terms["a"]
        divisor, zeros = self.normalized(m, "a", a.significand, operand)
        more = wire(m, "more_than_one", divisor[:-1].any())
        less = Const(0, 1) if self.clocks else more  # of clocks it is found among the digits
        return (
            self.nan_values(m, x, raws, invalid)
            | self.with_zero_division(m, x, by_zero)
            | {
                "sign": a.sign,
                "inf": by_zero,
                "zero": a.special,
                "divisor": divisor,
                "more": more,
                "exponent": self.field(m, operand.bias - a.exponent + zeros - less),
            }
        )

    def front_datapath(self) -> list[rtl.Step]:
        return self.with_ports([self._unpack, self._start])

    def _start(self, m: Module, x: Values) -> Values:
        """A dividend of one."""
        divisor = x["divisor"]
        one = Const(1 << (len(divisor) - 1), len(divisor))
        return self.handed_on(x, "exponent") | self.started(m, one, divisor)

    def _divide(self, m: Module, x: Values) -> Values:
        """A row for each bit of the quotient behind the first one, of one or two and the
        operand."""
        divisor, more = x["divisor"], x["more"]
        if self.method == "newton":
            top = len(divisor) - 1
            dividend = Cat(Const(0, top), ~more, more)
            found, some = newton.quotient(m, dividend, divisor, self.digits)
        elif self.method == "table":
            found, some = direct.reciprocal(m, divisor, self.digits)
        else:
            rest: Value = (Const(2 << (len(divisor) - 1)) - divisor)[: len(divisor)]
            rest = wire(m, "rest", rest & more.replicate(len(divisor)))
            found, rest = rows.quotient(m, rest, divisor, self.digits - 1)
            found, some = Cat(found, Const(1, 1)), rest.any()
        return self.handed_on(x, "exponent") | {
            "digits": wire(m, "quotient", found),
            "rest": wire(m, "some_rest", some),
        }
