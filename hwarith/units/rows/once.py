"""What is made of a row once, in several clocks: a quotient or a root by a recurrence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ... import rtl
from ...formats import Format
from ...rtl import Step
from ..division.recurring import Recurring
from ..parameters import integer_parameter


def waits(clocks: int) -> int:
    """How many clocks a pass waits: those of the recurrence, and in, out, and into the row's
    register; none if there is no recurrence."""
    return clocks + 3 if clocks else 0


def clocks_parameter(what: str) -> Any:
    """A field for in how many clocks `what` is found."""
    return integer_parameter(
        f"clocks in which {what} is found, once a row; 0: rows of an array for each bit",
        0,
        None,
        0,
        quiet=True,
        in_name=lambda _, value: f"c{value}",
    )


@dataclass(frozen=True)
class Once:
    """A unit with clocks, as `hwarith.rtl.Memory` takes it: of what `before` makes of a memory's
    registers, its operand `a`, it gives a result of this name.

    Attributes
    ----------
    unit : the unit, which has `clocks`.
    inputs : the registers.
    before : steps from them to ``a``.
    result : the result's name.
    """

    unit: Recurring
    inputs: dict[str, Format]
    before: list[Step]
    result: str

    @property
    def family(self) -> str:
        return self.unit.family

    @property
    def results(self) -> dict[str, Format]:
        return {self.result: self.unit.out}

    @property
    def stages(self) -> int:
        return self.unit.stages

    @property
    def cuts(self) -> tuple[int, ...]:
        return ()

    @property
    def grain(self) -> int:
        return self.unit.grain

    @property
    def clocks(self) -> int:
        return self.unit.clocks

    @property
    def steady(self) -> tuple[str, ...]:
        return self.unit.steady

    @property
    def recurrence(self) -> Step:
        return self.unit.recurrence

    def front_datapath(self) -> list[Step]:
        return [*self.before, *self.unit.front_datapath()]

    def output_datapath(self) -> list[Step]:
        return [*self.unit.output_datapath(), rtl.renamed(y=self.result)]

    def datapath(self) -> list[Step]:
        return [*self.before, *self.unit.datapath()]
