"""The softmax of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from amaranth.hdl import Module, Mux

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ...rtl import Step, Values, wire
from ..applied import applied, keeping
from ..contract import Contract, Unit
from ..conventions import of_parts
from ..division.recurring import Recurring
from ..functions.exactly import ln2
from ..operations import SOFTMAX, Operation
from ..parameters import choice_parameter, format_parameter, integer_parameter
from ..registry import unit
from .base import Evaluation, RowUnit
from .once import Once, clocks_parameter, waits
from .reference import REFERENCE, NearestPower
from .rescaled import RescaledSum

_BITS = 256

LOG2_E = Fraction(1 << _BITS, ln2(_BITS))
"""The binary logarithm of e, to many more bits than a format has."""

MOST_TILE = 1 << 16


class Online(NamedTuple):
    """What the first pass of an online softmax finds.

    Attributes
    ----------
    p : the exponentials of the values less the greatest one so far, a code each.
    factors : what sums were multiplied with before each of them was added.
    greatest : the greatest value, one code for the row.
    total : the sum, one code for the row.
    """

    p: Any
    factors: Any
    greatest: Any
    total: Any


@dataclass(frozen=True, kw_only=True, repr=False)
class SoftMax(RowUnit):
    """The softmax of rows: y = exp(a - m) / sum of exp(a - m), m the greatest value of the row.

    Three passes: the first one finds m; the second one p = 2^z, z = (a - m) log2(e), and sums p up
    in ascending order from +0; the third one finds p again and divides it by the sum (or with
    ``normalize=recip`` multiplies it with its reciprocal, which may differ in the last place; with
    `clocks` that is found once a row, bit by bit, while the last pass waits).
    a - m is rounded to `acc`, z once to its own format, beyond which it is clipped, p to `p`, sums
    to `acc`; all to nearest even. Rows have any number of values.

    With ``method=online`` there are two passes: the first one finds m and the sum together. Where m
    becomes m' with a `tile` of values, the sum so far is multiplied with 2^z of m - m' in the
    format `factor`, and rounded; then p of m' are added. While all values are -infinity +0 stands
    for m'. Hardware takes each value for a tile.

    With ``z=fp32`` z is rounded to fp32, and p is 2^z correctly rounded: a reference, of which
    there is no hardware.

    Where all values are -infinity, one is +infinity or NaN, results are NaN (of the finite values
    beside +infinity zeros).

    Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018, whose "safe
    softmax" and "online softmax" these are; Dao et al., FlashAttention, 2022 (tiles). The order of
    operations is a decision of this project.
    """

    family: ClassVar[str] = "softmax"
    summary: ClassVar[str] = "softmax of a row, in three passes"
    operation: ClassVar[Operation] = SOFTMAX
    meanings: ClassVar[dict[str, str]] = {
        "a": "a value of the row",
        "y": "its exponential over the sum of those of the row",
    }

    a: Format = format_parameter("values of a row", "fp32")
    out: Format = format_parameter("result", "bf16")
    p: Format = format_parameter("exponentials", "bf16")
    z: Format = format_parameter(
        "their exponents, a number of fixed point; fp32 is for golden models", "fix9.16"
    )
    acc: Format = format_parameter("differences and sums", "fp32")
    factor: Format = format_parameter(
        "online: what sums are multiplied with; default: that of p, with z=fp32 of acc"
    )
    normalize: str = choice_parameter(
        "div: exponentials over the sum; recip: times its reciprocal", ("div", "recip"), "div", True
    )
    clocks: int = clocks_parameter("with normalize=recip the reciprocal of the sum")
    method: str = choice_parameter(
        "safe: the maximum, the sum, results, in three passes; online: maximum and sum in one pass",
        ("safe", "online"),
        "safe",
        True,
    )
    tile: int = integer_parameter(
        "online: values of which the greatest is found before sums; hardware has 1",
        1,
        MOST_TILE,
        1,
        quiet=True,
    )

    def validate(self) -> None:
        self._check_online()
        for name in ("a", "out", "p", "acc", "factor"):
            f = getattr(self, name)
            if not f.is_float or not f.infinity:
                raise InvalidInput(
                    f"softmax: parameter {name}: must be a float with infinities, not {f}"
                )
        try:
            assert self._power
            assert self._factor
        except InvalidInput as error:
            raise InvalidInput(f"softmax: parameter z: {error}") from None
        if self.clocks and self.normalize == "div":
            raise InvalidInput("softmax: parameter clocks: is for normalize=recip")
        try:
            assert self._reciprocal
        except InvalidInput as error:
            raise InvalidInput(f"softmax: {str(error).removeprefix('recip: ')}") from None
        super().validate()

    def _check_online(self) -> None:
        """Set what follows. Raises `InvalidInput` for parameters that the method has no use for."""
        usual = self.acc if self.z == REFERENCE else self.p
        if self.factor is None:
            object.__setattr__(self, "factor", usual)
        if self.method == "online":
            object.__setattr__(self, "summary", "online softmax of a row, in two passes")
            return
        for name, given, default in (("tile", self.tile, 1), ("factor", self.factor, usual)):
            if given != default:
                raise InvalidInput(f"softmax: parameter {name}: is for method=online, not {given}")

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        if self.factor == (self.acc if self.z == REFERENCE else self.p):
            del shown["factor"]
        return shown

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    @property
    def contract(self) -> Contract:
        return Contract(
            "approximate",
            f"each operation rounded once, exponents to {self.z}, exponentials to {self.p}",
            "Milakov and Gimelshein, 2018; order of operations: this project",
        )

    @property
    def conventions(self) -> dict[str, str]:
        return of_parts({"each operation": self._sum.conventions})

    # -- the units that it is made of -----------------------------------------------------------

    @cached_property
    def _greater(self) -> Unit:
        return unit(f"minmax:a={self.a},op=max")

    @cached_property
    def _distance(self) -> Unit:
        return unit(f"add:a={self.a},out={self.acc},op=sub")

    @cached_property
    def _exponent(self) -> Unit:
        return unit(f"mul:a={self.acc},out={self.z}")

    @cached_property
    def _power(self) -> Unit:
        return self._power_in(self.p)

    @cached_property
    def _factor(self) -> Unit:
        return self._power_in(self.factor)

    def _power_in(self, out: Format) -> Unit:
        if self.z == REFERENCE:
            return NearestPower(a=self.z, out=out)
        return unit(f"exp2:a={self.z},out={out}")

    @cached_property
    def _rescaled_sum(self) -> Unit:
        return RescaledSum(p=self.p, factor=self.factor, acc=self.acc)

    @cached_property
    def _sum(self) -> Unit:
        return unit(f"add:a={self.p},b={self.acc},out={self.acc}")

    @cached_property
    def _quotient(self) -> Unit:
        return unit(f"div:a={self.p},b={self.acc},out={self.out}")

    @cached_property
    def _reciprocal(self) -> Recurring:
        u = unit(f"recip:a={self.acc},clocks={self.clocks}")
        assert isinstance(u, Recurring)
        return u

    @cached_property
    def _product(self) -> Unit:
        return unit(f"mul:a={self.p},b={self.acc},out={self.out}")

    @property
    def _least(self) -> int:
        """The code of -infinity."""
        return self.a.encode_one(float("-inf"))

    @property
    def _log2_e(self) -> int:
        return self.acc.encode_one(LOG2_E)

    # -- golden --------------------------------------------------------------------------------

    def row(self, at: Evaluation, a: Any) -> Any:
        if self.method == "online":
            found = self.online(at, a)
            p, total = self._powers(at, self._power, a, self._safe(at, found.greatest)), found.total
        else:
            p, total = self.exponentials(at, a)
        if self.normalize == "div":
            return at.each(self._quotient, p, total)
        return at.each(self._product, p, at.each(self._reciprocal, total))

    def exponentials(self, at: Evaluation, a: Any) -> tuple[Any, Any]:
        """The exponentials of a row, and their sum."""
        greatest = at.over(self._greater, a, begin=self._least)
        p = self._powers(at, self._power, a, greatest)
        return p, at.over(self._sum, p)

    def _powers(self, at: Evaluation, power: Unit, a: Any, greatest: Any) -> Any:
        """2^((a - greatest) log2(e))."""
        z = at.each(self._exponent, at.each(self._distance, a, greatest), self._log2_e)
        return at.each(power, z)

    def online(self, at: Evaluation, a: Any) -> Online:
        """The first pass of an online softmax: a row's maximum, and its sum, which is multiplied
        with a factor where the maximum changes."""
        greatest = at.running(self._greater, a, begin=self._least)
        n = len(a) if isinstance(a, list) else a.shape[-1]
        ends = [min(i // self.tile * self.tile + self.tile, n) for i in range(n)]
        now = at.at(greatest, ends)
        before = at.at(greatest, [ends[i] if i % self.tile else i for i in range(n)])
        safe = self._safe(at, now)
        p = self._powers(at, self._power, a, safe)
        one = self.factor.encode_one(1)
        factors = at.where_equal(now, before, one, self._powers(at, self._factor, before, safe))
        total = at.over(self._rescaled_sum, p, factors)
        return Online(p, factors, at.one_at(greatest, n), total)

    def _safe(self, at: Evaluation, greatest: Any) -> Any:
        """+0 in place of -infinity."""
        return at.where_equal(greatest, self._least, 0, greatest)

    # -- hardware ------------------------------------------------------------------------------

    @property
    def segments(self) -> Sequence[list[Step]]:
        if self.method == "online":
            exponentials = self._online_exponentials
        else:
            exponentials = [*self._power_steps("a", "greatest"), keeping("p")]
        if self.normalize == "div":
            results = applied(self._quotient, "y", "p", "total")
        else:
            part = [] if self.clocks else applied(self._reciprocal, "part", "total")
            results = [*part, *applied(self._product, "y", "p", "part")]
        return [], exponentials, [*results, keeping("y")]

    def _power_steps(self, a: str, greatest: str) -> list[Step]:
        """From a value and a maximum to p, the power of their difference."""
        return [
            *applied(self._distance, "distance", a, greatest),
            *applied(self._exponent, "z", "distance", self._log2_e),
            *applied(self._power, "p", "z"),
        ]

    @property
    def _online_exponentials(self) -> list[Step]:
        """One power for each value: of the maximum before it where the value is greater than that,
        which is the factor; else of the value."""
        if self.tile > 1:
            raise InvalidInput(
                f"softmax: parameter tile: {self.tile} is for golden models alone; hardware takes "
                "each value for a tile, tile=1"
            )
        other = applied(self._factor, "of_before", "z") if self.factor != self.p else []
        steps = [self._compare, *self._power_steps("lesser", "maximum"), *other, self._assign]
        return [*steps, keeping("p", "factor")]

    def _compare(self, m: Module, x: Values) -> Values:
        """What the power is of: where the value is a new maximum, the one before it."""
        greatest, before = x["greatest"], x["before"]
        rescales = wire(m, "rescales", (x[rtl.PHASE] == 0) & (greatest != before))
        nothing = wire(m, "nothing_yet", greatest == self._least)
        raw = rtl.unpack(m, "maximum", greatest, self.a)
        return {
            "rescales": rescales,
            "special": wire(m, "not_finite", raw.special | raw.nan),
            "lesser": wire(m, "lesser", Mux(rescales, before, x["a"])),
            "maximum": wire(m, "maximum_or_zero", Mux(nothing, 0, greatest), self.a.bits),
        }

    def _assign(self, m: Module, x: Values) -> Values:
        """The power to the factor, or to the value; that of a new maximum is one, if it is
        finite."""
        rescales, of_before = x["rescales"], x.get("of_before", x["p"])
        of_itself = Mux(x["special"], self._power_of_nan, self.p.encode_one(1))
        one = self.factor.encode_one(1)
        return {
            "p": wire(m, "p_of_value", Mux(rescales, of_itself, x["p"]), self.p.bits),
            "factor": wire(m, "factor", Mux(rescales, of_before, one), self.factor.bits),
        }

    @property
    def _power_of_nan(self) -> int:
        """What p is of NaN, the difference of an infinity from itself."""
        nan = self.acc.encode_one(float("nan"))
        code: int = self._power.golden(self._exponent.golden(nan, self._log2_e))
        return code

    def _sum_of_powers(self, update: Step, phase: int) -> rtl.Memory:
        """The memory of the sum."""
        registers = {"total": self.acc}
        if not self.clocks:
            return rtl.Memory(registers, update, phase)
        once = Once(self._reciprocal, registers, [rtl.renamed(total="a")], "part")
        return rtl.Memory(registers, update, phase, once=once)

    @property
    def waits(self) -> int:
        return waits(self.clocks)

    @property
    def memories(self) -> Sequence[rtl.Memory]:
        if self.method == "online":
            both = {"greatest": self.a, "before": self.a}
            return [
                rtl.Memory(both, self._maximum_and_before, 0, dict.fromkeys(both, self._least)),
                self._sum_of_powers(self._rescale_and_add, 0),
            ]
        return [
            rtl.Memory({"greatest": self.a}, self._maximum, 0, {"greatest": self._least}),
            self._sum_of_powers(self._add, 1),
        ]

    def _maximum(self, m: Module, x: Values) -> Values:
        """The greatest value so far."""
        return rtl.run_steps(m, applied(self._greater, "greatest", "a", "greatest"), x)

    def _maximum_and_before(self, m: Module, x: Values) -> Values:
        """The greatest value so far, and what it was before this one."""
        return self._maximum(m, x) | {"before": x["greatest"]}

    def _rescale_and_add(self, m: Module, x: Values) -> Values:
        """Multiply the sum so far with the factor, and add the exponential."""
        steps = applied(self._rescaled_sum, "total", "p", "factor", "total")
        return rtl.run_steps(m, steps, x)

    def _add(self, m: Module, x: Values) -> Values:
        """Add the exponential to their sum."""
        return rtl.run_steps(m, applied(self._sum, "total", "p", "total"), x)
