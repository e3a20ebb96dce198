"""What quotients and roots have in common: their parameters, and the steps around their rows.

A core gives the leading bits of a quotient or root whose first one is a one, the exponent of that
one, and whether anything was left: what is subnormal is shifted right behind it, before the shared
rounder. Source: IEEE 754-2019, 5.4.1 and 9.2.1; restoring rows as in Ercegovac and Lang, Digital
Arithmetic, chapters 5 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import STOCHASTIC
from ...rtl import Operand, Rounder, Values, wire
from ...rtl.floats import lowest_exponent, signed_exponent, wrapping_rounder
from ..exact.rounded import Rounded
from ..parameters import choice_parameter

BY_ZERO = ("inf", "nan", "riscv")
"""What a finite operand divided by zero becomes, by the number that golden definitions take."""


INF_OR_NAN = "x/0: inf, an infinity and flag DZ; nan, and flag NV (default of binaryKpP and posits)"


def by_zero_parameter(help: str = INF_OR_NAN, choices: tuple[str, ...] = BY_ZERO[:2]) -> Any:
    """A field for what a finite operand divided by zero becomes, one of some of `BY_ZERO`."""
    return choice_parameter(
        help,
        choices,
        None,
        quiet=True,
        in_name=lambda _, value: f"by_zero_{value}",
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Divided(Rounded):
    """Base of quotients and roots, which are rounded once."""

    meanings: ClassVar[dict[str, str]] = {
        "flags": "exceptions, from the lsb up: NX, UF, OF, DZ, NV",
    }

    random_rounding: ClassVar[bool] = False
    """Whether it can be rounded by random bits."""

    def validate(self) -> None:
        if not self.random_rounding and self.round.removeprefix("port_") in STOCHASTIC:
            raise InvalidInput(
                f"{self.family}: parameter round: {self.round} is for div and sqrt only; allowed: "
                "modes without random bits"
            )
        if "by_zero" in self.parameters() and getattr(self, "by_zero", None) is None:
            object.__setattr__(self, "by_zero", self._default_by_zero)
        if self.out.is_posit and getattr(self, "by_zero", "nan") == "inf":
            raise InvalidInput(
                f"{self.family}: parameter by_zero: {self.out.name} has no infinity; allowed: nan"
            )
        super().validate()

    @property
    def _default_by_zero(self) -> str:
        return "nan" if self.out.name.startswith("binary") or self.out.is_posit else "inf"

    def shown_parameters(self) -> dict[str, Any]:
        """What is divided by zero goes without saying where it is the default."""
        shown = super().shown_parameters()
        if shown.get("by_zero") == self._default_by_zero:
            del shown["by_zero"]
        return shown

    def constants(self) -> tuple:
        by_zero = getattr(self, "by_zero", None)
        return (*super().constants(), *([BY_ZERO.index(by_zero)] if by_zero else []))

    @property
    def conventions(self) -> dict[str, str]:
        zero = {
            "inf": "infinity, flag DZ",
            "nan": "NaN, flag NV",
            "riscv": "all ones, 0/0 too",
        }
        if self.out.is_posit:
            zero = {"nan": "NaR"}
        by_zero = getattr(self, "by_zero", None)
        return super().conventions | ({"division by zero": zero[by_zero]} if by_zero else {})

    @property
    def table_bits(self) -> int:
        """Bits of what would index a table of all significands."""
        raise NotImplementedError

    # -- ranges --------------------------------------------------------------------------------

    @property
    def weights(self) -> tuple[int, int]:
        """Least and greatest exponent of a finite result's first one, and no more than that."""
        raise NotImplementedError

    def _tops(self, name: str) -> tuple[int, int]:
        """Least and greatest exponent of the first one of an operand."""
        operand = self._terms[name]
        low, high = operand.weights
        return (low if operand.is_normal else operand.lsb), high

    @cached_property
    def _result_bits(self) -> int:
        low, high = self.weights
        unbounded = self.out.magnitude_bits(Fraction(2) ** low, Fraction(2) ** (high + 1))
        return max(self.out.word_bits + 5, unbounded)

    @property
    def _needed(self) -> int:
        """Bits that the golden definition forms of a quotient or root, and the sticky one."""
        return self.out.precision + 3 + (self.n or 0)

    # -- hardware ------------------------------------------------------------------------------

    @property
    def digits(self) -> int:
        """Bits of the quotient or root that rows form, of which the first is a one."""
        return self.rounder.out.precision + self.rounder.below

    def with_zero_division(self, m: Module, x: Values, by_zero: Value) -> Values:
        """What goes with a division of something finite by zero, for flags and RISC-V's result."""
        some = self.flags != "none" or getattr(self, "by_zero", None) == "riscv"
        return {"by_zero": wire(m, "divided_by_zero", by_zero)} if some else {}

    def handed_on(self, x: Values, *names: str) -> Values:
        """What goes past a core, and these signals besides."""
        passing = ("sign", "nan", "inf", "zero", "by_zero", *names)
        return {name: x[name] for name in passing if name in x}

    def normalized(
        self, m: Module, name: str, significand: Value, operand: Operand
    ) -> tuple[Value, Value]:
        """A significand with its first one on top, and its leading zeros."""
        if operand.is_normal:
            return significand, Const(0, 1)
        zeros = rtl.leading_zeros(m, f"{name}_zeros", significand)
        moved, _ = rtl.shift_left(m, f"{name}_normalized", significand, zeros, len(significand))
        return wire(m, f"{name}_mantissa", moved), zeros

    @property
    def _fields(self) -> tuple[int, int]:
        """Range of the result's exponents, biased as in its codes."""
        low, high = self.weights
        bias = Operand(self.rounder.out).bias
        return low + bias, high + bias

    def field(self, m: Module, exponent: Value) -> Value:
        """A result's exponent, biased as in its codes."""
        biased = exponent + Operand(self.rounder.out).bias
        return wire(m, "exponent", biased, signed_exponent(*self._fields))

    def _denormalize(self, m: Module, x: Values) -> Values:
        """Shift right what is below the lowest binade; a zero has no ones at all."""
        low, high = self._fields
        lowest = lowest_exponent(self.rounder.out)
        kept, rest, exponent = x["digits"], x["rest"], x["exponent"]
        if not self.rounder.ftz:
            if low < lowest:
                kept, rest = self._shifted(m, kept, rest, exponent, lowest)
            exponent = exponent[: max(1, high.bit_length())]
        some = ~x["zero"]
        return {name: x[name] for name in ("sign", "nan", "inf")} | {
            "kept": wire(m, "kept", kept & some.replicate(len(kept))),
            "sticky": wire(m, "sticky", rest & some),
            "carry": Const(0, 1),
            "difference": Const(0, 1),
            "exponent": exponent,
        }

    def _shifted(
        self, m: Module, kept: Value, rest: Value, exponent: Value, lowest: int
    ) -> tuple[Value, Value]:
        """Digits moved right to the lowest binade, and whether anything was lost below."""
        most = lowest - self._fields[0]
        width = len(kept)
        bits = max(most.bit_length(), 1)
        distance = wire(m, "below", lowest - exponent)
        is_below = ~distance[-1]
        distance = distance[:bits] & is_below.replicate(bits)
        # The last level of the shifter shifts out everything.
        levels = (width - 1).bit_length()
        if levels < bits:
            distance = Cat(distance[:levels], distance[levels:].any())
        distance = wire(m, "move_right", distance)
        moved, lost = rtl.shift_right(m, "denormalized", kept, distance, width)
        return wire(m, "moved", moved), wire(m, "lost_or_rest", lost | rest)


@dataclass(frozen=True, kw_only=True, repr=False)
class Wrapping(Divided):
    """Base of those that give RISC-V's results of integers, with ``overflow=wrap``: they wrap, and
    something over zero is no exception (``by_zero=riscv``, which goes without saying)."""

    if TYPE_CHECKING:
        by_zero: str  # a field of every family

    def validate(self) -> None:
        super().validate()
        if self._wraps != (self.by_zero == "riscv"):
            others = [x for x in self.parameters()["by_zero"].allowed.split() if x != "riscv"]
            allowed = "riscv" if self._wraps else " or ".join(others)
            raise InvalidInput(
                f"{self.family}: parameter by_zero: must be {allowed} with "
                f"overflow={self.overflow}, not {self.by_zero}"
            )
        if self._wraps and self.flags != "none":
            raise InvalidInput(f"{self.family}: parameter flags: there are none with overflow=wrap")

    @property
    def _wraps(self) -> bool:
        return self.overflow == "wrap"

    @property
    def _integer_policies(self) -> tuple[str, ...]:
        return (*super()._integer_policies, *(["wrap"] if self.is_integer else []))

    @property
    def _default_by_zero(self) -> str:
        return "riscv" if self._wraps else super()._default_by_zero

    @cached_property
    def rounder(self) -> Rounder:
        """What wraps has room for the whole result."""
        if not self._wraps:
            return super().rounder
        return wrapping_rounder(self.out, self.round, self.weights[1], self.n or 0)
