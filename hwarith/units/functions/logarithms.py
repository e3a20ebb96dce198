"""The units of logarithms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...rtl import Operand, Values, wire
from ...rtl.floats import signed_exponent
from ..operations import LOGARITHM, NATURAL_LOGARITHM, Operation
from .base import Function
from .logarithm import logarithm
from .lookup import piece


@dataclass(frozen=True, kw_only=True, repr=False)
class Logarithm(Function):
    """Base of the logarithms: an exponent, and pieces for the significand's part of them.

    From fp32 to fp32, rounded to nearest even, the logarithm to base 2 errs by at most .834 units
    in the last place and the natural one by .811, of all operands.
    """

    takes_wide: ClassVar[bool] = True

    @property
    def wide_definition(self) -> Callable[..., int]:
        return logarithm

    @property
    def weights(self) -> tuple[int, int]:
        """Of the sum's msb and lsb."""
        return -self.approximation.width, max(abs(k) for k in self._tops("a")).bit_length()

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        top = self._msb + Operand(self.rounder.out).bias
        names = ("invalid", "by_zero") if self.flags != "none" else ()
        interpolate = self._interpolate_by_degree_2 if self.is_wide else self._interpolate
        steps = [self._unpack, interpolate, self._add, *self.rounder.steps((top, top))]
        return self.with_ports(rtl.handing_on(names, steps) if names else steps)

    @property
    def _integer(self) -> int:
        """Bits of n, with its sign."""
        return (
            max(
                k if k >= 0 else ~k for k in (self._tops("a")[0], self._tops("a")[1] + 1)
            ).bit_length()
            + 1
        )

    @property
    def _msb(self) -> int:
        """The weight of the sum's msb below its sign."""
        unit = self.approximation.unit.bit_length() - 1 - self.approximation.width
        return self._integer - 1 + min(unit + 1, 0)

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of the operand, its significand normalized."""
        raws = self.unpacked(m, x)
        a, operand, f = raws["a"], Operand(self.a), self.a
        negative = a.sign & ~a.zero & ~a.nan
        significand, zeros = self.normalized(m, "a", a.significand, operand)
        fraction = significand[: f.fraction_bits]
        n = a.exponent - zeros - operand.bias + fraction[-1]
        low, high = self._tops("a")
        return (
            self.nan_values(m, x, raws, negative)
            | self.with_zero_division(m, x, a.zero)
            | {
                "inf": wire(m, "infinite", a.special | a.zero),
                "below": a.zero,
                "n": wire(m, "n", n, signed_exponent(low, high + 1)),
                "fraction": wire(m, "fraction", fraction),
            }
        )

    def _interpolate(self, m: Module, x: Values) -> Values:
        """The logarithm of the significand from 3/4 to 3/2, a linear piece of it."""
        t = self.approximation
        y = self._piece(m, x, t.width + 2)
        return self._with_y(x, y.as_signed())

    def _interpolate_by_degree_2(self, m: Module, x: Values) -> Values:
        """The logarithm of the significand from 3/4 to 3/2: the significand less one, times a piece
        of degree 2."""
        t, fraction = self.approximation, x["fraction"]
        factor = self._piece(m, x, t.factor + 1)
        below_one, above = Cat(fraction, Const(3, 2)), Cat(Const(0, 1), fraction, Const(0, 1))
        less_one = wire(m, "less_one", Mux(fraction[-1], below_one, above).as_signed())
        product = rtl.product(m, "times_less_one", factor, less_one)
        return self._with_y(x, product.as_signed() >> t.dropped(self.a.fraction_bits))

    def _piece(self, m: Module, x: Values, width: int) -> Value:
        t, fraction = self.approximation, x["fraction"]
        low = self.a.fraction_bits - t.select
        return piece(m, t.rows, fraction[low:], fraction[:low], width)

    def _with_y(self, x: Values, y: Value) -> Values:
        names = ("nan", "inf", "by_zero", "invalid", "below", "n", "fraction")
        return {name: x[name] for name in names if name in x} | {"y": y}

    def _add(self, m: Module, x: Values) -> Values:
        """The exponent's logarithm and the significand's: a sum in two's complement."""
        t, n, y = self.approximation, x["n"], x["y"]
        bits = self._msb + t.width + 2
        is_power = ~x["fraction"].any()
        if t.unit == 1 << t.width:
            exact: Value = is_power
            total: Value = Cat(y[: t.width], n + (y >> t.width))
        else:
            exact = is_power & ~n.any()
            scaled = rtl.product(m, "times_ln_2", n, Const(t.unit))
            total = scaled + y
        total = wire(m, "logarithm", total[:bits], bits)
        exact = wire(m, "exact", exact)
        names = ("nan", "inf", "by_zero", "invalid")
        negative = wire(m, "negative", (total[-1] & ~x["inf"]) | x["below"])
        return {name: x[name] for name in names if name in x} | {
            "sign": negative,
            "negative": negative,
            "sticky": ~exact,
            "significand": Cat(Const(0, 1), total[:-1]),
            "exponent": Const(self._msb + Operand(self.rounder.out).bias),
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Log2(Logarithm):
    """The logarithm to base 2: of powers of two it is exact, of zero -infinity with the flag DZ,
    of what is negative NaN.

    Source: IEEE 754-2019, 9.2.1 (log2).
    """

    family: ClassVar[str] = "log2"
    summary: ClassVar[str] = "logarithm of a to base 2, correctly rounded or faithful"
    operation: ClassVar[Operation] = LOGARITHM
    meanings: ClassVar[dict[str, str]] = {"a": "operand", "y": "its logarithm to base 2"}


@dataclass(frozen=True, kw_only=True, repr=False)
class Ln(Logarithm):
    """The natural logarithm: of one it is +0, of zero -infinity with the flag DZ, of what is
    negative NaN.

    Source: IEEE 754-2019, 9.2.1 (log).
    """

    family: ClassVar[str] = "ln"
    summary: ClassVar[str] = "natural logarithm of a, correctly rounded or faithful"
    operation: ClassVar[Operation] = NATURAL_LOGARITHM
    meanings: ClassVar[dict[str, str]] = {"a": "operand", "y": "its natural logarithm"}
