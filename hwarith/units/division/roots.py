"""The square root unit and that of its reciprocal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format
from ...rtl import Raw, Values, wire
from ...rtl.floats import signed_exponent
from ..operations import RECIPROCAL_ROOT, SQUARE_ROOT, Operation
from ..parameters import format_parameter
from . import definitions, direct, rows
from .base import Divided, by_zero_parameter
from .recurring import Recurring, method_parameter


@dataclass(frozen=True, kw_only=True, repr=False)
class Root(Divided):
    """Base of the units of one operand that halve its exponent."""

    a: Format = format_parameter("operand", "fp32")
    out: Format = format_parameter("result", same_as="a")

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def table_bits(self) -> int:
        """Bits of the radicand."""
        return self._terms["a"].precision + 1

    def halved(self, m: Module, a: Raw) -> tuple[Value, Value]:
        """The significand as a number from 1 to below 4, with two bits above the point, and half
        the exponent that goes with it."""
        operand = self._terms["a"]
        significand, zeros = self.normalized(m, "a", a.significand, operand)
        weight = a.exponent - zeros - operand.bias
        weight = wire(m, "weight", weight, signed_exponent(*self._tops("a")))
        moved = Mux(weight[0], Cat(Const(0, 1), significand), Cat(significand, Const(0, 1)))
        return wire(m, "radicand", moved), weight[1:].as_signed()


@dataclass(frozen=True, kw_only=True, repr=False)
class Sqrt(Recurring, Root):
    """Square root of a code, rounded once; that of -0 is -0, of what is less than zero NaN.

    Source: IEEE 754-2019, 5.4.1 (squareRoot) and 7.2.
    """

    family: ClassVar[str] = "sqrt"
    summary: ClassVar[str] = "square root of a, correctly rounded"
    operation: ClassVar[Operation] = SQUARE_ROOT
    meanings: ClassVar[dict[str, str]] = {"a": "radicand", "y": "square root"}
    random_rounding: ClassVar[bool] = True

    method: str = method_parameter("array", "table")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.sqrt, self.constants()

    @property
    def word_bits(self) -> int:
        return max(2 * self._needed + 2, self.a.precision + 2, self._result_bits)

    @property
    def weights(self) -> tuple[int, int]:
        low, high = self._tops("a")
        return low >> 1, high >> 1

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        steps = [self._unpack, self._root, self._denormalize]
        return self.with_ports([*steps, *self.rounder.after_normalization()])

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of the operand; its significand and exponent, which is halved."""
        raws = self.unpacked(m, x)
        (a,) = raws.values()
        radicand, half = self.halved(m, a)
        return self.nan_values(m, x, raws, a.sign & ~a.zero & ~a.nan) | {
            "sign": a.sign,
            "inf": a.special,
            "zero": a.zero,
            "radicand": radicand,
            "exponent": self.field(m, half),
        }

    @property
    def places(self) -> int:
        return self.digits

    def front_datapath(self) -> list[rtl.Step]:
        return self.with_ports([self._unpack, self._start])

    def _start(self, m: Module, x: Values) -> Values:
        """Nothing is found yet of the root."""
        count = self.rows * self.clocks
        radicand = Cat(Const(0, len(x["radicand"]) % 2), x["radicand"])
        return self.handed_on(x, "exponent") | {
            "radicand": wire(m, "padded_radicand", radicand),
            "root": wire(m, "no_root", Const(0, count)),
            "rest": wire(m, "no_rest", Const(0, count + 1)),
        }

    def recurrence(self, m: Module, x: Values) -> Values:
        """A row for each of the next bits of the root, which takes two of the radicand."""
        radicand, root, rest = x["radicand"], x["root"], x["rest"]
        places = [len(radicand) - 2 * i for i in range(1, self.rows + 1)]
        pairs = [radicand[i : i + 2] if i >= 0 else Const(0, 2) for i in places]
        found, left = rows.root_rows(m, root, rest, pairs)
        moved = Cat(Const(0, 2 * self.rows), radicand)[: len(radicand)]
        return {"radicand": moved, "root": found[: len(root)], "rest": left[: len(rest)]}

    def _found(self, m: Module, x: Values) -> Values:
        """The root, and whether anything is left behind it."""
        root, spare = x["root"], len(x["root"]) - self.digits
        more = root[:spare].any() | x["radicand"].any()
        return self.handed_on(x, "exponent") | {
            "digits": root[spare:],
            "rest": wire(m, "some_rest", x["rest"].any() | more),
        }

    def _root(self, m: Module, x: Values) -> Values:
        """A row for each bit of the root."""
        radicand = x["radicand"]
        if self.method == "table":
            found, some = direct.root(m, radicand, self.digits)
        else:
            padded = Cat(Const(0, len(radicand) % 2), radicand)
            found, rest = rows.root(m, padded, self.digits)
            some = rest.any() | padded[: max(0, len(padded) - 2 * self.digits)].any()
        return self.handed_on(x, "exponent") | {
            "digits": wire(m, "root", found),
            "rest": wire(m, "some_rest", some),
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Rsqrt(Recurring, Root):
    """Reciprocal of a code's square root, rounded once; that of -0 is -infinity.

    Source: IEEE 754-2019, 9.2.1 (rSqrt) and 7.3.
    """

    family: ClassVar[str] = "rsqrt"
    summary: ClassVar[str] = "reciprocal square root of a, correctly rounded"
    operation: ClassVar[Operation] = RECIPROCAL_ROOT
    meanings: ClassVar[dict[str, str]] = {"a": "radicand", "y": "reciprocal of its square root"}

    by_zero: str = by_zero_parameter()
    method: str = method_parameter("array", "table")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.rsqrt, self.constants()

    @property
    def word_bits(self) -> int:
        widest = self.a.precision + 1
        return max(2 * self._needed + 2 * widest + 2, self._result_bits)

    @property
    def weights(self) -> tuple[int, int]:
        low, high = self._tops("a")
        return -(high >> 1) - 1, -(low >> 1)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        steps = [self._unpack, self._root, self._denormalize]
        return self.with_ports([*steps, *self.rounder.after_normalization()])

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of the operand; its significand and exponent, which is halved."""
        raws = self.unpacked(m, x)
        (a,) = raws.values()
        radicand, half = self.halved(m, a)
        nan = self.by_zero == "nan"
        by_zero = Const(0, 1) if nan else a.zero
        negative = a.sign & ~a.zero & ~a.nan
        more = wire(m, "more_than_one", radicand[-1] | radicand[:-2].any())
        return (
            self.nan_values(m, x, raws, negative | a.zero if nan else negative)
            | self.with_zero_division(m, x, by_zero)
            | {
                "sign": a.sign,
                "inf": by_zero,
                "zero": a.special,
                "radicand": radicand,
                "more": more,
                "exponent": self.field(m, -half - more),
            }
        )

    def _root(self, m: Module, x: Values) -> Values:
        """A row for each bit of the root below the point; the root of one is one."""
        if self.method == "table":
            found, some = direct.reciprocal_root(m, x["radicand"], self.digits)
        else:
            found, rest = rows.reciprocal_root(m, x["radicand"], self.digits)
            more = x["more"]
            found = Cat(found[:-1] & more.replicate(len(found) - 1), found[-1])
            some = rest.any() & more
        return self.handed_on(x, "exponent") | {
            "digits": wire(m, "root", found),
            "rest": wire(m, "some_rest", some),
        }

    @property
    def places(self) -> int:
        return self.digits - 1

    def front_datapath(self) -> list[rtl.Step]:
        return self.with_ports([self._unpack, self._start])

    def _start(self, m: Module, x: Values) -> Values:
        """The first bit of the root is known, a one: what is left is four less the radicand."""
        radicand, count = x["radicand"], self.rows * self.clocks + 1
        width = len(radicand) + 1 + count  # of the last remainder
        four = Const(4 << (len(radicand) - 2))
        return self.handed_on(x, "exponent") | {
            "radicand": radicand,
            "more": x["more"],
            "root": wire(m, "first_root", Const(1, count)),
            "times": wire(m, "first_times", radicand, width),
            "rest": wire(m, "first_rest", (four - radicand)[: len(radicand)], width),
        }

    def recurrence(self, m: Module, x: Values) -> Values:
        """A row for each of the next bits of the root."""
        found, times, rest = rows.reciprocal_root_rows(
            m, x["radicand"], x["root"], x["times"], x["rest"], self.rows
        )
        return {"root": found, "times": times, "rest": rest}

    def _found(self, m: Module, x: Values) -> Values:
        """The root, and whether anything is left behind it; that of one is one."""
        root, more, spare = x["root"], x["more"], len(x["root"]) - self.digits
        digits = Cat(root[spare:-1] & more.replicate(self.digits - 1), root[-1])
        some = x["rest"].any() | root[:spare].any()
        return self.handed_on(x, "exponent") | {
            "digits": wire(m, "digits", digits),
            "rest": wire(m, "some_rest", some & more),
        }
