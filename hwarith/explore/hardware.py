"""What measuring asks of the flow, so that something else can stand in for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..units import Unit

if TYPE_CHECKING:
    from ..flow.energy.measure import Energy
    from ..flow.synthesis.breakdown import Breakdown
    from ..flow.synthesis.synthesize import Synthesis


class Flow(Protocol):
    """What gives the hardware figures of units: functions of those of `hwarith` that have the same
    names, and raise the same errors."""

    def verilog(self, unit: Unit) -> str:
        """The text of a unit's Verilog."""
        ...

    def synthesize(
        self, unit: Unit, library: str | Path = "generic", recipe: str | None = None
    ) -> Synthesis:
        """Area, delay and cells of a unit."""
        ...

    def breakdown(self, unit: Unit, library: str | Path = "generic") -> Breakdown:
        """What each part of a unit costs."""
        ...

    def energy(self, unit: Unit, *codes: Any, library: str | Path = "generic") -> Energy:
        """Energy of an operation on these operands."""
        ...


class OwnFlow:
    """`hwarith.flow`, each part of it loaded when first used: a sweep whose points are all known
    needs none."""

    def verilog(self, unit: Unit) -> str:
        from ..flow.verilog import verilog

        return verilog(unit)

    def synthesize(
        self, unit: Unit, library: str | Path = "generic", recipe: str | None = None
    ) -> Synthesis:
        from ..flow.synthesis.synthesize import synthesize

        return synthesize(unit, library, recipe)

    def breakdown(self, unit: Unit, library: str | Path = "generic") -> Breakdown:
        from ..flow.synthesis.breakdown import breakdown

        return breakdown(unit, library)

    def energy(self, unit: Unit, *codes: Any, library: str | Path = "generic") -> Energy:
        from ..flow.energy.measure import energy

        return energy(unit, *codes, library=str(library))


FLOW: Flow = OwnFlow()
"""What measures units, unless something else is given."""
