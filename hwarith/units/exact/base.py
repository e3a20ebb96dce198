"""What the exact units have in common: their parameters, contract and checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ...formats import OVERFLOWS, ROUNDINGS, Format, Rounding
from ...formats import rounding as r
from ..unit import Contract, Unit, choice_parameter

GUARD_BITS = 4
"""Bits that `add_exact` needs beyond the widest significand and the result's precision."""


def round_parameter() -> Any:
    return choice_parameter("rounding mode", ROUNDINGS, "rne")


def overflow_parameter() -> Any:
    return choice_parameter(
        "beyond the largest value: nosat (default), satprop, saturate; integers: wrap (default), "
        "saturate", OVERFLOWS, None,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class Exact(Unit):
    """Base of the units whose exact result is rounded once."""

    round: str = round_parameter()
    overflow: str = overflow_parameter()

    @property
    def out_format(self) -> Format:
        (out,) = self.results.values()
        return out

    @property
    def is_integer(self) -> bool:
        return not self.out_format.is_float

    def _default_overflow(self) -> str:
        return "wrap" if self.is_integer else "nosat"

    def validate(self) -> None:
        formats = [*self.operands.values(), self.out_format]
        if len({f.kind for f in formats}) > 1:
            raise InvalidInput(
                f"{self.family}: formats must be all floating-point or all integer, not "
                + ", ".join(f.name for f in formats)
            )
        for f in formats:
            if f.exponent:
                raise InvalidInput(
                    f"{self.family}: format {f.name} is fixed-point; allowed: floats and integers"
                )
        if self.overflow is None:
            object.__setattr__(self, "overflow", self._default_overflow())
        allowed = ("wrap", "saturate") if self.is_integer else ("nosat", "satprop", "saturate")
        if self.overflow not in allowed:
            raise InvalidInput(
                f"{self.family}: parameter overflow: must be {' or '.join(allowed)} for "
                f"{self.out_format.name}, not {self.overflow!r}"
            )
        if self.is_integer and self.round != "rne":
            raise InvalidInput(
                f"{self.family}: parameter round: integer arithmetic is exact and takes none"
            )

    def _shown(self) -> dict[str, Any]:
        """Integers are not rounded; the default overflow policy goes without saying."""
        shown = super()._shown()
        if self.is_integer:
            del shown["round"]
        if self.overflow == self._default_overflow():
            del shown["overflow"]
        return shown

    @property
    def contract(self) -> Contract:
        if self.is_integer:
            return Contract("exact integer", f"exact, then {self.overflow}", "two's complement")
        half = Rounding[self.round.upper()] in (Rounding.RNE, Rounding.RNA)
        bound = f"error at most {'1/2 ulp' if half else 'less than 1 ulp'}, one rounding"
        return Contract("correctly rounded", bound, "IEEE 754-2019, 5.4.1")

    def _modes(self) -> tuple[int, int]:
        return int(r.rounding(self.round)), int(r.overflow(self.overflow))

    def _sum_width(self, *significands: int) -> int:
        """Workspace of `add_exact` for significands of these widths."""
        return max(*significands, self.out_format.precision) + GUARD_BITS
