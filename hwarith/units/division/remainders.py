"""The remainder units: to the nearest integer quotient, and to the one toward zero.

Nothing is normalized before the rows. The dividend's bits enter the remainder from its msb on, and
zeros behind them, a bit in each row, as in a division by hand; where the remainder reaches down to
the divisor's lsb, what is left of it goes on to the left until its first bit is a one. Together
that never takes more rows than there are from the dividend's highest binade to the lowest one.

Source: IEEE 754-2019, 5.3.1 (remainder); ISO C, 7.12.10 (fmod, remainder, remquo).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format, format
from ...golden.words import WORD_BITS
from ...rtl import Operand, Values, wire
from ...rtl.floats import lowest_exponent, signed_exponent
from ..contract import Contract
from ..operations import REMAINDER, TRUNCATED_REMAINDER, Operation
from ..parameters import format_parameter, integer_parameter
from . import definitions
from .base import BY_ZERO, Wrapping, by_zero_parameter
from .recurring import Recurring

NARROW_BITS, FEW_ROWS = 8, 72
"""Combinational remainder units are of floats and posits of at most so many bits, or of integers,
that take at most so many rows."""

DIGIT_BITS = 4
"""At least so many bits of a quotient are found at a time by golden definitions."""

MOST_QUOTIENT_BITS = 32
"""Most bits of the quotient beside a remainder."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Remainder(Recurring, Wrapping):
    """Base of the remainder units, a - b * n, for an integer quotient n of both."""

    meanings: ClassVar[dict[str, str]] = {
        "a": "dividend",
        "b": "divisor",
        "y": "remainder",
        "quo": "low bits of the integer quotient, in two's complement",
    }

    a: Format = format_parameter("dividend", "fp32")
    b: Format = format_parameter("divisor", same_as="a")
    out: Format = format_parameter("result", same_as="a")
    quo: int = integer_parameter(
        "low bits of the integer quotient, a second result; 0: none",
        0,
        MOST_QUOTIENT_BITS,
        0,
        quiet=True,
    )
    by_zero: str = by_zero_parameter(
        "a rem 0: nan, and flag NV; riscv, a (with overflow=wrap, and only there)", BY_ZERO[1:]
    )

    # -- what it is ----------------------------------------------------------------------------

    @property
    def _is_nearest(self) -> bool:
        """Whether the quotient is rounded to nearest."""
        raise NotImplementedError

    @property
    def _default_by_zero(self) -> str:
        return "riscv" if self._wraps else "nan"

    @property
    def _default_clocks(self) -> int:
        """A row a clock of what would take too many rows."""
        narrow = all(not f.is_float or f.bits <= NARROW_BITS for f in self.terms.values())
        if narrow and self.places <= FEW_ROWS:
            return 0
        return self._row_a_clock(
            f"remainders of floats of more than {NARROW_BITS} bits, and of what takes more than "
            f"{FEW_ROWS} rows, are found"
        )

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a, "b": self.b}

    @property
    def results(self) -> dict[str, Format]:
        quotient = {"quo": format(f"int{self.quo}")} if self.quo else {}
        return super().results | quotient

    @property
    def contract(self) -> Contract:
        return super().contract._replace(source="IEEE 754-2019, 5.3.1")

    @property
    def conventions(self) -> dict[str, str]:
        words = {"nan": "NaN, flag NV", "riscv": "the dividend"}[self.by_zero]
        return super().conventions | {
            "division by zero": "NaR" if self.out.is_posit else words,
            "remainder of zero": "with the dividend's sign",
        }

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        function = definitions.rem if self._is_nearest else definitions.fmod
        digits = -(-self._zeros // self._digit)
        return function, (*self.constants(), digits, self._digit, self.quo)

    @property
    def _divisor_bits(self) -> int:
        """Bits of the divisor on the common grid, if it matters."""
        return max(self.a.precision + 1, self.b.precision)

    @property
    def _zeros(self) -> int:
        """Most zeros behind a dividend, down to the divisor's lsb."""
        return max(1, self.weights[1] - self._terms["b"].lsb)

    @property
    def _digit(self) -> int:
        """As many bits of the quotient as there is room for in a word of 64 bits."""
        room = WORD_BITS - max(self._divisor_bits, self.quo)
        return min(self._zeros, max(DIGIT_BITS, room))

    @property
    def word_bits(self) -> int:
        return max(self._digit + max(self._divisor_bits, self.quo), self._result_bits)

    # -- ranges --------------------------------------------------------------------------------

    @property
    def weights(self) -> tuple[int, int]:
        a, b = self._terms.values()
        greatest = a.format.max  # a power of two and more; of an integer its msb counts
        highest = greatest.numerator.bit_length() - greatest.denominator.bit_length()
        return min(a.lsb, b.lsb), max(highest, a.weights[0])

    @property
    def _normalizes_divisor(self) -> bool:
        """Whether a divisor that is not normal may have its msb above the dividend's."""
        a, b = self._terms.values()
        return not b.is_normal and b.weights[0] > a.weights[0]

    @cached_property
    def _lowest(self) -> int:
        """The weight at which the remainder's msb stops: that of the result's lowest binade, unless
        bits of an operand may be left below it."""
        a, b = self._terms.values()
        out = self.rounder.out
        binade = lowest_exponent(out) - Operand(out).bias
        first = min(a.weights[0], b.lsb if self._normalizes_divisor else b.weights[0])
        lowest = self.weights[0]
        return lowest if binade > first or self.rounder.ftz else max(lowest, binade)

    @property
    def _fields(self) -> tuple[int, int]:
        bias = Operand(self.rounder.out).bias
        return self._lowest + bias, self.weights[1] + bias

    @property
    def _width(self) -> int:
        """Bits of the wider significand."""
        return max(x.precision for x in self._terms.values())

    @property
    def places(self) -> int:
        """Rows: to the right end of the dividend, on to the lowest place, and two to correct what
        is nearer to the next quotient."""
        rows = self._width + self.weights[1] - self._lowest
        return rows + 2 if self._is_nearest else rows

    # -- hardware ------------------------------------------------------------------------------

    @property
    def _bias(self) -> int:
        """What makes weights the positions that are counted: the result's exponents, if none of
        them is negative."""
        return max(Operand(self.rounder.out).bias, -self._lowest)

    @property
    def _position_bits(self) -> int:
        """Bits of a position, of which the greatest is above all of them."""
        greatest = self._width + max(x.weights[1] for x in self._terms.values())
        return (greatest + self._bias + 1).bit_length()

    def datapath(self) -> list[rtl.Step]:
        return [*self.front_datapath(), self._rows, *self.output_datapath()]

    def front_datapath(self) -> list[rtl.Step]:
        return self.with_ports([self._unpack, self._start])

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of both operands."""
        raws = self.unpacked(m, x)
        a, b = raws.values()
        never = b.special
        invalid = a.special & ~b.nan
        if self.by_zero == "riscv":
            never = never | b.zero
        else:
            invalid = invalid | (b.zero & ~a.nan)
        return self.nan_values(m, x, raws, invalid) | {
            "sign": a.sign,
            "other_sign": b.sign,
            "never": wire(m, "never_divides", never),
            "inf": Const(0, 1),
            "zero": Const(0, 1),
            "a_exponent": a.exponent,
            "b_exponent": b.exponent,
            "a_significand": a.significand,
            "b_significand": b.significand,
        }

    def _start(self, m: Module, x: Values) -> Values:
        """The remainder is nothing yet, and its lsb one place above the dividend's msb."""
        a, b = self._terms.values()
        width, bits = self._width, self._position_bits
        divisor, zeros = x["b_significand"], Const(0, 1)
        if self._normalizes_divisor:
            divisor, zeros = self.normalized(m, "b", divisor, b)
        above = self._bias + width - a.bias
        position = wire(m, "first_position", x["a_exponent"] + above, bits)
        last = wire(m, "divisor_position", x["b_exponent"] - zeros + (self._bias - b.bias), bits)
        values = self.handed_on(x) | {
            "rest": wire(m, "no_rest", Const(0, width)),
            "dividend": wire(m, "dividend", Cat(Const(0, width - a.precision), x["a_significand"])),
            "divisor": wire(m, "divisor", Cat(Const(0, width - b.precision), divisor)),
            "position": position,
            "last": wire(m, "last_position", last | x["never"].replicate(bits)),
        }
        if self._is_nearest:
            values["next"] = wire(m, "no_correction", Const(0, 1))
        if self._quotient_bits:
            values["integer_quotient"] = wire(m, "no_quotient", Const(0, self._quotient_bits))
        if self.quo:
            values["negative_quotient"] = wire(m, "negative", x["sign"] ^ x["other_sign"])
        return values

    @property
    def _quotient_bits(self) -> int:
        """Bits of the quotient that are kept: those of the result; its lsb decides on ties."""
        return max(self.quo, int(self._is_nearest))

    def recurrence(self, m: Module, x: Values) -> Values:
        """A row for each of the next bits."""
        return self._after_rows(m, x, self.rows)

    def _rows(self, m: Module, x: Values) -> Values:
        """A row for each bit, of the quotient and then of the remainder."""
        return x | self._after_rows(m, x, self.places)

    def _after_rows(self, m: Module, x: Values, count: int) -> Values:
        changed: Values = {}
        for i in range(count):
            changed = changed | self._row(m, f"row{i}", x | changed)
        return changed

    def _row(self, m: Module, name: str, x: Values) -> Values:
        """What becomes of the remainder in one row.

        Above the divisor's place the divisor is taken from it if it fits. From there on it moves
        to the left, until its first bit is on top or it is at the lowest place.
        """
        raise NotImplementedError

    def _is_below(self, rest: Value, position: Value) -> Value:
        """Whether a remainder may move on that is not to be divided."""
        return ~rest[-1] & (position != self._lowest + self._bias)

    def _found(self, m: Module, x: Values) -> Values:
        """The remainder as digits of the result, and whether anything is left behind them."""
        rest, spare = x["rest"], self._width - self.digits
        digits = rest[spare:] if spare > 0 else Cat(Const(0, -spare), rest)
        exponent = x["position"] + (Operand(self.rounder.out).bias - self._bias)
        return self.handed_on(x) | {
            "digits": digits,
            "rest": wire(m, "some_rest", rest[:spare].any() if spare > 0 else Const(0, 1)),
            "exponent": wire(m, "exponent", exponent, signed_exponent(*self._fields)),
        }

    def output_datapath(self) -> list[rtl.Step]:
        if not self.quo:
            return super().output_datapath()
        steps = super().output_datapath()
        return [*rtl.handing_on(("quo",), [self._with_quotient, *steps])]

    def _with_quotient(self, m: Module, x: Values) -> Values:
        """The quotient's low bits with its sign; none of a NaN."""
        negative = x["negative_quotient"]
        signed = (x["integer_quotient"] ^ negative.replicate(self.quo)) + negative
        signed = signed[: self.quo] & (~x["nan"]).replicate(self.quo)
        return x | {"quo": wire(m, "signed_quotient", signed, self.quo)}


@dataclass(frozen=True, kw_only=True, repr=False)
class Fmod(Remainder):
    """Remainder a - b * n, n the quotient a / b without its fraction; that of C's fmod.

    It has the dividend's sign and is less than the divisor, so that it is exact, unless the result
    is a narrower format. Something over zero and the remainder of an infinity are invalid; over an
    infinity the dividend stays what it is.

    Of integers ``overflow=wrap`` gives RISC-V's REM and REMU, of which a rem 0 is a.

    Source: ISO C, 7.12.10.1; special values: IEEE 754-2019, 7.2; RISC-V, M extension.
    """

    family: ClassVar[str] = "fmod"
    summary: ClassVar[str] = "remainder of a/b, of the quotient toward zero"
    operation: ClassVar[Operation] = TRUNCATED_REMAINDER

    @property
    def _is_nearest(self) -> bool:
        return False

    def _row(self, m: Module, name: str, x: Values) -> Values:
        rest, divisor, position = x["rest"], x["divisor"], x["position"]
        divides = wire(m, f"{name}_divides", position > x["last"])
        taken = Cat(x["dividend"][-1], rest)
        difference = wire(m, f"{name}_difference", taken - divisor)
        fits = wire(m, f"{name}_fits", divides & ~difference[-1])
        moves = wire(m, f"{name}_moves", divides | self._is_below(rest, position))
        moved = Mux(moves, taken, rest)[: len(rest)]
        values = {
            "rest": wire(m, f"{name}_rest", Mux(fits, difference[: len(rest)], moved)),
            "dividend": wire(m, f"{name}_dividend", Cat(Const(0, 1), x["dividend"][:-1])),
            "position": wire(m, f"{name}_next", (position - moves)[: len(position)]),
        }
        if self.quo:
            quotient = x["integer_quotient"]
            found = Mux(divides, Cat(fits, quotient)[: self.quo], quotient)
            values["integer_quotient"] = wire(m, f"{name}_quotient", found)
        return values


@dataclass(frozen=True, kw_only=True, repr=False)
class Rem(Remainder):
    """Remainder a - b * n, n the integer nearest to the quotient a / b, of two the even one.

    It is at most half the divisor, of either sign, so that it is exact, unless the result is a
    narrower format; a zero has the dividend's sign. Something over zero and the remainder of an
    infinity are invalid; over an infinity the dividend stays what it is.

    Source: IEEE 754-2019, 5.3.1 (remainder) and 7.2; ISO C, 7.12.10.2 and 7.12.10.3 (remquo).
    """

    family: ClassVar[str] = "rem"
    summary: ClassVar[str] = "remainder of a/b, of the nearest integer quotient"
    operation: ClassVar[Operation] = REMAINDER

    @property
    def _is_nearest(self) -> bool:
        return True

    def _row(self, m: Module, name: str, x: Values) -> Values:
        """At the divisor's place a row finds whether half of the divisor, or more, is left; then
        the one behind it takes the remainder from the divisor."""
        rest, divisor, position, corrects = x["rest"], x["divisor"], x["position"], x["next"]
        width, quotient = len(rest), x["integer_quotient"]
        divides = wire(m, f"{name}_divides", position > x["last"])
        bit = x["dividend"][-1]
        taken = Cat(bit, rest)
        # What lies below the remainder's lsb is taken from the divisor as well, and left there.
        minuend = wire(m, f"{name}_minuend", Mux(corrects, rest, taken), width + 1)
        carry = ~corrects | bit
        inverted = Cat(~divisor, Const(3, 2))
        total = Cat(carry, minuend, Const(0, 1)) + Cat(carry, inverted)
        difference = wire(m, f"{name}_difference", total[1 : width + 3])
        fits = wire(m, f"{name}_fits", ~difference[-1])
        more = quotient[0] | difference.any()
        due = wire(m, f"{name}_due", (position == x["last"]) & ~corrects & fits & more)
        moves = ~corrects & ~due & (divides | self._is_below(rest, position))
        moves = wire(m, f"{name}_moves", moves)
        moved = Mux(moves, taken, rest)[:width]
        subtracted = difference[:width] ^ corrects.replicate(width)
        replaced = corrects | (divides & fits)
        found = Mux(divides, Cat(fits, quotient)[: len(quotient)], quotient + corrects)
        dividend = x["dividend"]
        return {
            "rest": wire(m, f"{name}_rest", Mux(replaced, subtracted, moved)),
            "dividend": wire(
                m, f"{name}_dividend", Mux(moves, Cat(Const(0, 1), dividend[:-1]), dividend)
            ),
            "position": wire(m, f"{name}_next", (position - moves)[: len(position)]),
            "sign": wire(m, f"{name}_sign", x["sign"] ^ corrects),
            "next": due,
            "integer_quotient": wire(m, f"{name}_quotient", found, len(quotient)),
        }
