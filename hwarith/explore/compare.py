"""A handful of units side by side: costs, errors and, if asked for, a network's accuracy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import InvalidInput
from ..flow.synthesis.synthesize import MINOR
from ..progress import progress
from ..tables import Several, Table, quantity
from ..units import Unit
from ..units import unit as make_unit
from ..units.wrapped import unwrapped
from .hardware import FLOW, Flow
from .judged import OPERATIONS, energy_of, errors_of
from .metrics import SOURCES, Evaluation
from .workloads import Workload
from .workloads import workload as find_workload

if TYPE_CHECKING:
    from ..flow.energy.measure import Energy
    from ..flow.synthesis.synthesize import Synthesis

ERRORS = {
    "error_rate": "ER",
    "mred": "MRED",
    "nmed": "NMED",
    "max_ulp": "max ulp",
    "sqnr": "SQNR (dB)",
    "accuracy": "accuracy",
    "output_error": "output error",
}
"""The errors that compare units, and their titles, by the keys of `METRICS` and `NETWORK`."""


@dataclass(frozen=True)
class Compared:
    """What is known of a unit.

    ``evaluation`` are its errors on operands from ``source`` (a key of `SOURCES`), None for a
    unit without an exact reference, for the ``reason`` given; ``accuracy`` and ``output_error``
    of the network are None without one. ``energy`` is on the workload's operands, without one on
    `OPERATIONS` random sets (`Stimuli.usual_call`), of arrays on those of `hwarith.energy`; None
    if the library says nothing of it.
    """

    unit: Unit
    cost: Synthesis
    energy: Energy | None
    evaluation: Evaluation | None
    source: str | None
    reason: str | None
    accuracy: float | None = None
    output_error: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        found = self.evaluation
        return {
            "spec": self.unit.spec,
            "cost": self.cost.as_dict(),
            "energy": self.energy.as_dict() if self.energy else None,
            "metrics": found.metrics if found else None,
            "counts": found.counts if found else None,
            "operands": SOURCES[self.source] if self.source else None,
            "no_metrics": self.reason,
            "accuracy": self.accuracy,
            "output_error": self.output_error,
        }

    def row(self, first: Compared | None) -> dict[str, object]:
        """A row of a table: costs by titles with units, then their ratios to the ``first`` unit's
        (left out for None), then the errors that have a value, by the titles of `ERRORS`.
        """
        row = self.cost.row()
        del row["library"]
        if self.energy:
            row |= quantity("energy", self.energy.energy, self.energy.energy_unit)
        ratios = self.ratios(first) if first else {}
        row |= {f"{key}/1st": ratio and round(ratio, 3) for key, ratio in ratios.items()}
        figures = (self.evaluation.metrics if self.evaluation else {}) | {
            "accuracy": self.accuracy,
            "output_error": self.output_error,
        }
        errors = {key: figures.get(key) for key in ERRORS}
        return row | {ERRORS[key]: value for key, value in errors.items() if value is not None}

    def ratios(self, first: Compared) -> dict[str, float | None]:
        """Costs over those of the first unit."""
        mine, base = self._costs(), first._costs()
        known = (key for key in mine if mine[key] is not None and base[key])
        return dict.fromkeys(mine) | {key: mine[key] / base[key] for key in known}

    def _costs(self) -> dict[str, Any]:
        costs = {key: getattr(self.cost, key) for key in RATIOS}
        return costs | {"energy": self.energy.energy if self.energy else None}


RATIOS = ("area", "delay", "luts")

SECONDS = 10.0
"""That a unit takes if it is not kept from before, about, on one core."""

_DETAILS = (*MINOR, "cells", "flip-flops", "delay/1st", "NMED", "max ulp")
"""The titles of a comparison that few ask for."""


@dataclass(frozen=True)
class Comparison(Several[Compared]):
    """Units side by side; ``names`` are their specs as they were given."""

    names: tuple[str, ...]
    workload: str | None

    def tables(self) -> list[Table]:
        """A row for each unit: costs, ratios to the first one, errors."""
        first = self[0] if len(self) > 1 else None
        rows = [one.row(first) | {"spec": name} for one, name in zip(self, self.names, strict=True)]
        return [Table(rows, details=_DETAILS).without_empty((None, 0))]

    def notes(self) -> list[str]:
        """What the table does not say: operands, reasons, the library."""
        lines = []
        for source in dict.fromkeys(one.source for one in self if one.source):
            of = [name for one, name in zip(self, self.names, strict=True) if one.source == source]
            lines.append(f"Errors on {SOURCES[source]}: {' '.join(of)}")
        if not self.workload and any(one.energy for one in self):
            lines.append(f"Energy of {OPERATIONS} of the random sets")
        lines += [f"No errors: {x}" for x in dict.fromkeys(one.reason for one in self) if x]
        workload = f", workload {self.workload}" if self.workload else ""
        return [*lines, f"Library {self[0].cost.library}{workload}"]

    def as_dict(self) -> list[dict[str, Any]]:
        """All of it as plain data, for JSON."""
        return [one.as_dict() | {"ratios": one.ratios(self[0])} for one in self]


def compare(
    specs: Iterable[Any] | Unit,
    library: str | Path = "generic",
    workload: str | Workload | None = None,
    *,
    flow: Flow = FLOW,
) -> Comparison:
    """Synthesize units, evaluate their errors and run a workload on them.

    `specs` are units or specs, or a single one.

    Errors are computed on the operands that met the unit in the workload; without one on all
    operand codes or, where those are more than 2^16, on random ones (`SOURCES`).
    `flow` gives the hardware figures.

    Raises `InvalidInput` for a wrong spec, library or workload, and for a unit that the workload
    cannot run on, before anything runs.
    """
    given = [specs] if isinstance(specs, (str, Unit)) else list(specs)
    units = [make_unit(spec) for spec in given]
    if not units:
        raise InvalidInput("name at least one SPEC, such as mul:a=bf16, to compare")
    network = find_workload(workload) if workload else None
    for u in units:
        if network:
            network.check(unwrapped(u))
    found = []
    for u in progress(units, "compare", each=SECONDS):
        cost = flow.synthesize(u, library=library)
        outcome = network.run(unwrapped(u)) if network else None
        evaluation, source, reason = errors_of(u, outcome)
        energy, _ = energy_of(u, outcome, library, flow, at_random=evaluation is not None)
        network_figures = (outcome.accuracy, outcome.output_error) if outcome else ()
        found.append(Compared(u, cost, energy, evaluation, source, reason, *network_figures))
    return Comparison(tuple(found), tuple(map(str, given)), network.name if network else None)
