"""The units of 2^x and e^x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ...lazily import np
from ...rtl import Operand, Values, wire
from ..operations import POWER_OF_E, POWER_OF_TWO, Operation
from ..parameters import choice_parameter
from .base import Function
from .definitions import EXPONENT_AT, leading_of_fraction, word_of
from .fit import Rows, Wish
from .lookup import piece
from .power import power

_INTEGER, _FRACTION = 16, 16
"""Most bits of the integer and of the fraction of an operand in fixed point."""


_SEGMENTS = tuple(str(1 << k) for k in range(13))
_GUARDS = tuple(map(str, range(1, 13)))


def _shape_parameter(help: str, choices: tuple[str, ...]) -> Any:
    """A field for something of a table that its search finds unless it is given."""
    return choice_parameter(help, ("auto", *choices), "auto", quiet=True)


def in_fixed_point(
    m: Module, a: Format, significand: Value, weight: Value, highest: int, window: int
) -> tuple[Value, Value, Value]:
    """An operand's magnitude in fixed point, in a window of so many bits, of its exponent and what
    is to be on top of the window if the operand's msb is 2^`highest`; whether bits of it are lost;
    and whether it is beyond the range, and clamped."""
    operand = Operand(a)
    lowest, largest = operand.exponents
    top = highest + operand.bias
    most = max(top - lowest, 1)
    distance = wire(m, "distance", top - weight)
    far = distance[-1] if largest > top else Const(0, 1)
    distance = wire(m, "move_right", distance[: most.bit_length()])
    moved, lost = rtl.align_right(m, "fixed", significand, distance, most, window)
    return wire(m, "magnitude", moved | far.replicate(window)), lost, far


@dataclass(frozen=True, kw_only=True, repr=False)
class Power(Function):
    """Base of the powers: the operand in fixed point is an integer, which is the result's
    exponent, and a fraction, of which a table of pieces gives the power.

    From fp32 to fp32, rounded to nearest even, 2^a errs by at most .899 units in the last place and
    e^a by .908, of all operands.
    """

    takes_wide: ClassVar[bool] = True

    degree: str = _shape_parameter("of the pieces; auto: 1, of more than 16 bits 2", ("1", "2"))
    segments: str = _shape_parameter("pieces; auto: the fewest", _SEGMENTS)
    guard: str = _shape_parameter("bits of pieces below the result's last place", _GUARDS)

    def validate(self) -> None:
        super().validate()
        if self.is_wide and self.degree == "1":
            raise InvalidInput(
                f"{self.family}: parameter degree: from {self.a.name} to {self.out.name} must be "
                "auto or 2, not 1"
            )

    @property
    def wish(self) -> Wish:
        select = None if self.segments == "auto" else int(self.segments).bit_length() - 1
        degree, guard = (None if x == "auto" else int(x) for x in (self.degree, self.guard))
        return Wish(None if degree == 1 or self.is_wide else degree, select, guard)

    @property
    def wide_definition(self) -> Callable[..., int]:
        return power

    @property
    def weights(self) -> tuple[int, int]:
        most = 1 << self.approximation.reduction.integer
        return -most, most - 1

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        reduce = [self._unpack, self._reduce] if self.a.is_float else [self._split]
        is_linear = isinstance(self.approximation.rows, Rows)
        interpolate = self._interpolate if is_linear else self._interpolate_by_degree_2
        steps = [*reduce, interpolate, self._denormalize]
        return self.with_ports([*steps, *self.rounder.after_normalization()])

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of the operand, and its significand, times log2(e) if it is to be."""
        raws = self.unpacked(m, x)
        a, reduction = raws["a"], self.approximation.reduction
        significand: Value = a.significand
        if reduction.factor_bits:
            factor = Const(reduction.factor)
            significand = rtl.product(m, "times_log2_e", significand, factor)
        return self.nan_values(m, x, raws, Const(0, 1)) | {
            "negative": a.sign,
            "inf": wire(m, "a_above", a.special & ~a.sign),
            "zero": wire(m, "a_below", a.special & a.sign),
            "one": a.zero,
            "weight": a.exponent,
            "significand": significand,
        }

    def _reduce(self, m: Module, x: Values) -> Values:
        """The operand in fixed point, rounded down; what is beyond the range is clamped."""
        reduction = self.approximation.reduction
        window = reduction.integer + reduction.fraction
        highest = reduction.integer - 1 - (1 if reduction.factor_bits else 0)
        magnitude, lost, far = in_fixed_point(
            m, self.a, x["significand"], x["weight"], highest, window
        )
        exact = x["one"] if reduction.factor_bits else ~(lost | far)
        exact = wire(m, "exact", exact)
        inverted = Cat(magnitude, Const(0, 1)) ^ x["negative"].replicate(window + 1)
        fixed = inverted + (exact & x["negative"])
        fixed = wire(m, "integer_and_fraction", fixed[: window + 1])
        return self.handed_on(x) | {
            "sign": Const(0, 1),
            "rest": wire(m, "inexact", ~exact | fixed[: reduction.fraction].any()),
            "fraction": fixed[: reduction.fraction],
            "exponent": self.field(m, fixed[reduction.fraction :].as_signed()),
        }

    def _split(self, m: Module, x: Values) -> Values:
        """The operand in fixed point: an integer and a fraction."""
        fraction = wire(m, "fraction", x["a"][: -self.a.exponent])
        n = wire(m, "n", x["a"][-self.a.exponent :].as_signed())
        none = Const(0, 1)
        invalid = {} if self.flags == "none" else {"invalid": none}
        return invalid | {
            "sign": none,
            "nan": none,
            "inf": none,
            "zero": none,
            "rest": wire(m, "inexact", fraction.any()),
            "fraction": fraction,
            "exponent": self.field(m, n),
        }

    def _interpolate(self, m: Module, x: Values) -> Values:
        """2 to the power of the fraction, a linear piece of it."""
        return self._with_digits(m, x)

    def _interpolate_by_degree_2(self, m: Module, x: Values) -> Values:
        """2 to the power of the fraction, a piece of degree 2 of it."""
        return self._with_digits(m, x)

    def _with_digits(self, m: Module, x: Values) -> Values:
        t = self.approximation
        low = len(x["fraction"]) - t.select
        y = piece(m, t.rows, x["fraction"][low:], x["fraction"][:low], t.width + 1)
        digits = Cat(Const(0, max(0, self.digits - len(y))), y)[-self.digits :]
        return self.handed_on(x, "rest", "exponent") | {"digits": digits}


@dataclass(frozen=True, kw_only=True, repr=False)
class Exp2(Power):
    """2 to the power of a code; of integers in range it is exact.

    The operand may be in signed fixed point, ``fixI.F`` of I from 2 to 16 and F from 1 to 16 bits,
    as a softmax has it (``a=fix9.16``): its fraction is looked up, its integer is the exponent.

    Source: IEEE 754-2019, 9.2.1 (exp2).
    """

    family: ClassVar[str] = "exp2"
    summary: ClassVar[str] = "2 to the power of a, correctly rounded or faithful"
    operation: ClassVar[Operation] = POWER_OF_TWO
    meanings: ClassVar[dict[str, str]] = {"a": "exponent", "y": "2^a"}

    def takes(self, a: Format) -> bool:
        fraction = -a.exponent
        fits = 1 <= fraction <= _FRACTION and 2 <= a.bits - fraction <= _INTEGER
        return not a.is_float and a.signed and not a.symmetric and fits

    def _word(self, code: int) -> int:
        if self.a.is_float or self.accuracy == "faithful":
            return super()._word(code)
        fraction = -self.a.exponent
        n = (code >> fraction) - ((code >> (self.a.bits - 1)) << (self.a.bits - fraction))
        x = leading_of_fraction(
            self.function, code & ((1 << fraction) - 1), self.a, self.out, self._bits
        )
        return word_of(x._replace(exponent=x.exponent + n), self._bits)

    def _words_of(self, codes: np.ndarray) -> np.ndarray:
        if self.a.is_float:
            return super()._words_of(codes)
        fraction = -self.a.exponent
        signed = codes.astype(np.int64)
        signed -= (signed >> (self.a.bits - 1)) << self.a.bits
        words = self._words()[signed & ((1 << fraction) - 1)]
        return words + (signed >> fraction << (self._bits + EXPONENT_AT))


@dataclass(frozen=True, kw_only=True, repr=False)
class Exp(Power):
    """e to the power of a code, of which only that of zero is exact.

    Source: IEEE 754-2019, 9.2.1 (exp).
    """

    family: ClassVar[str] = "exp"
    summary: ClassVar[str] = "e to the power of a, correctly rounded or faithful"
    operation: ClassVar[Operation] = POWER_OF_E
    meanings: ClassVar[dict[str, str]] = {"a": "exponent", "y": "e^a"}
