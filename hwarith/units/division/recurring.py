"""Quotients and roots by a recurrence: the same rows in each of several clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...rtl import Values, wire
from ..contract import STAGES
from ..parameters import choice_parameter, integer_parameter
from ..transfers import Transfers
from . import direct, newton, rows, srt
from .base import Divided

_METHODS = {
    "array": "a row for each bit",
    "newton": "multiplications, shorter and larger",
    "table": "an entry for every significand, where these have few bits",
}


def method_parameter(*choices: str) -> Any:
    """A field for how a unit without clocks finds its digits."""
    words = "; ".join(f"{name}, {_METHODS[name]}" for name in choices)
    return choice_parameter(f"without clocks: {words}", choices, "array", quiet=True)


@dataclass(frozen=True, kw_only=True, repr=False)
class Recurring(Divided):
    """Base of quotients and roots whose rows may be used again, one operation at a time.

    With `clocks` a result comes `clocks` + 2 clocks after its operands: they are normalized into
    registers, rows find bits in so many clocks, and what they found is rounded into registers. The
    next operands are taken as that happens, `clocks` + 1 clocks after the ones before.
    """

    clocks: int = integer_parameter(
        "clocks in which the same rows find all bits, one operation at a time; 0: rows for each",
        0,
        None,
        0,
        quiet=True,
        in_name=lambda _, value: f"c{value}",
    )
    stages: int = integer_parameter(
        "pipeline registers; of clocks they follow",
        0,
        None,
        0,
        quiet=True,
        in_name=lambda _, value: f"l{value}",
    )

    def validate(self) -> None:
        super().validate()
        if not self.clocks:
            object.__setattr__(self, "clocks", self._default_clocks)
        self._check_method(getattr(self, "method", "array"))
        if not self.clocks:
            if self.stages > STAGES:
                raise InvalidInput(
                    f"{self.family}: parameter stages: must be 0 to {STAGES}, not {self.stages}"
                )
            return
        allowed = list(self._all_clocks())
        if self.clocks not in allowed:
            raise InvalidInput(
                f"{self.family}: parameter clocks: must be 0, or for {self.places} digits one of "
                f"{', '.join(map(str, allowed))}, not {self.clocks}"
            )
        if self.stages not in (0, self.clocks + 2):
            raise InvalidInput(f"{self.family}: give stages or clocks, not both")
        object.__setattr__(self, "stages", self.clocks + 2)

    def _check_method(self, method: str) -> None:
        """Raise `InvalidInput` for one that is not for such a unit."""
        if method != "array" and self.clocks:
            raise InvalidInput(
                f"{self.family}: parameter method: {method} is for units without clocks"
            )
        if method == "table" and self.table_bits > direct.MOST_INDEX:
            raise InvalidInput(
                f"{self.family}: parameter method: a table is indexed by significands of at most "
                f"{direct.MOST_INDEX} bits together, not {self.table_bits}"
            )

    def stages_for(self, target_delay: int) -> int:
        if self.clocks:
            raise InvalidInput(f"{self.family}: give clocks or target_delay, not both")
        return super().stages_for(target_delay)

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        if self.clocks:
            shown.pop("stages", None)
        return shown

    @property
    def latency(self) -> str:
        if not self.clocks:
            return super().latency
        return f"{self.stages} clocks, one result every {self.clocks + 1} clocks"

    @property
    def transfers(self) -> Transfers:
        return Transfers(self, clocks=self.clocks + 1)

    @property
    def _default_clocks(self) -> int:
        """Clocks where they are not given."""
        return 0

    def _row_a_clock(self, what: str) -> int:
        """Clocks of what has no rows for each. Raises `InvalidInput` if it is given stages."""
        if self.stages:
            raise InvalidInput(
                f"{self.family}: parameter stages: must be 0, not {self.stages}: {what} in clocks"
            )
        return self.places

    # -- hardware ------------------------------------------------------------------------------

    @property
    def steady(self) -> tuple[str, ...]:
        """What the recurrence would not change any more if it went on; it needs no gate to hold."""
        return ()

    @property
    def places(self) -> int:
        """Bits, or digits, that the recurrence must find."""
        raise NotImplementedError

    @property
    def rows(self) -> int:
        """Rows, each of which finds one of them in each clock."""
        return -(-self.places // self.clocks)

    def _all_clocks(self) -> Iterator[int]:
        """Numbers of clocks, none of which takes as many rows as a smaller one."""
        for count in reversed(range(1, self.places + 1)):
            clocks = -(-self.places // count)
            if -(-self.places // clocks) == count:
                yield clocks

    @property
    def is_pipeline(self) -> bool:
        return not self.clocks

    def core(self, instances: bool) -> rtl.Core:
        return rtl.recurring_core(self) if self.clocks else super().core(instances)

    def recurrence(self, m: Module, x: Values) -> Values:
        """What a clock changes."""
        raise NotImplementedError

    def front_datapath(self) -> list[rtl.Step]:
        """Steps from the operands to what is held while bits are found."""
        raise NotImplementedError

    def output_datapath(self) -> list[rtl.Step]:
        """Steps from what is held at the end to the result."""
        steps = [self._found, self._denormalize, *self.rounder.after_normalization()]
        return self.with_ports(steps)

    def _found(self, m: Module, x: Values) -> Values:
        """What was found, its first one on top, and whether anything is left."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, repr=False)
class RecurringBits(Recurring):
    """Base of those whose bits begin with a one or with 01, as a quotient's do of significands that
    begin with a one."""

    @property
    def places(self) -> int:
        return self.digits + 1

    def ended(self, m: Module, x: Values) -> tuple[Value, Value]:
        """All bits that were found, and whether a remainder is left."""
        return x["quotient"], x["rest"].any()

    def _found(self, m: Module, x: Values) -> Values:
        """The quotient with its first one on top, and whether anything is left behind it."""
        found, some = self.ended(m, x)
        spare = len(found) - self.digits
        first = found[-1]
        digits = Mux(first, found[spare:], found[spare - 1 : -1])
        more = found[: spare - 1].any() | (first & found[spare - 1])
        exponent = x["exponent"] - ~first
        return self.handed_on(x) | {
            "digits": wire(m, "digits", digits),
            "rest": wire(m, "some_rest", some | more),
            "exponent": wire(m, "normalized_exponent", exponent, x["exponent"].shape()),
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class RecurringQuotient(RecurringBits):
    """Base of those that divide, with rows of bits or of digits of radix 4."""

    radix: str = choice_parameter(
        "with clocks: of a row's digits; 2 is smaller, 4 faster where a clock has many",
        ("2", "4"),
        "2",
        quiet=True,
        in_name=lambda _, value: f"r{value}",
    )

    method: str = method_parameter("array", "newton", "table")

    def validate(self) -> None:
        if self.radix == "4" and not self.clocks:
            raise InvalidInput(f"{self.family}: parameter radix: 4 is for units with clocks")
        super().validate()

    def quotient(self, m: Module, dividend: Value, divisor: Value) -> tuple[Value, Value]:
        """All digits of a quotient, and whether anything is left behind them; the dividend is at
        least the divisor, whose first bit is a one, and less than twice that."""
        if self.method == "newton":
            return newton.quotient(m, dividend, divisor, self.digits)
        if self.method == "table":
            return direct.quotient(m, dividend, divisor, self.digits)
        rest = wire(m, "rest", (dividend - divisor)[: len(divisor)])
        found, rest = rows.quotient(m, rest, divisor, self.digits - 1)
        return Cat(found, Const(1, 1)), rest.any()

    @property
    def places(self) -> int:
        bits = super().places
        return bits if self.radix == "2" else bits // 2 + 1

    def started(self, m: Module, dividend: Value, divisor: Value) -> Values:
        """Registers at the start: rows double the rest before they take the divisor from it, so
        that it is half the dividend, with a bit more below the point."""
        if self.radix == "4":
            return srt.start(m, dividend, divisor, self.rows * self.clocks)
        return {
            "rest": wire(m, "first_rest", dividend, len(divisor) + 1),
            "divisor": divisor,
            "quotient": wire(m, "no_quotient", Const(0, self.rows * self.clocks)),
        }

    def recurrence(self, m: Module, x: Values) -> Values:
        """A row for each of the next digits of the quotient."""
        if self.radix == "4":
            for i in range(self.rows):
                x = x | srt.step(m, f"row{i}", x)
            return {name: x[name] for name in ("sum", "carries", "quotient", "less_one")}
        divisor = Cat(Const(0, 1), x["divisor"])
        found, rest = rows.quotient(m, x["rest"], divisor, self.rows)
        quotient = Cat(found, x["quotient"])[: len(x["quotient"])]
        return {"rest": rest, "quotient": quotient}

    def ended(self, m: Module, x: Values) -> tuple[Value, Value]:
        return srt.end(m, x) if self.radix == "4" else super().ended(m, x)
