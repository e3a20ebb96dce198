"""A handful of units side by side: costs, errors and, if asked for, a network's accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InvalidInput
from ..flow.stimuli.families import stimuli_of
from ..tables import quantity
from ..units import Unit
from ..units import unit as make_unit
from ..units.chain import chain_of_one, chained_accumulators, rounded_accumulators
from ..units.dot import Dot
from .hardware import FLOW, Flow
from .metrics import EXHAUSTIVE_BITS, Evaluation, evaluate
from .workloads import Outcome, Workload
from .workloads import workload as find_workload

if TYPE_CHECKING:
    from ..flow.energy.measure import Energy
    from ..flow.synthesis.synthesize import Synthesis
    from ..formats import Format

OPERAND_SETS = 1 << 16
"""Random operand sets, for units of too many to take all."""

OPERATIONS = 1 << 12
"""Random operand sets that energy is the mean of."""

SOURCES = {
    "all": "all operand codes",
    "normal": f"{OPERAND_SETS} random sets, normally distributed, of standard deviation 1 (of "
    "integers and narrow formats a quarter of the largest value), of scales their magnitudes",
    "workload": "the operands that the unit met in the workload",
}
"""Where the operands come from that errors are computed on."""

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

_WIDE_ENOUGH, _SHARE, _SEED = 4, 0.25, 1


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

    def row(self, first: Compared | None, write: Callable[[str, float], str]) -> dict[str, object]:
        """A row of a table: costs by titles with units, then their ratios to the ``first`` unit's
        (left out for None), then the errors that have a value, by the titles of `ERRORS`.

        ``write`` gives the text of an error's value, for its key and the value.
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
        return row | {
            ERRORS[key]: write(key, value) for key, value in errors.items() if value is not None
        }

    def ratios(self, first: Compared) -> dict[str, float | None]:
        """Costs over those of the first unit."""
        mine, base = self._costs(), first._costs()
        known = (key for key in mine if mine[key] is not None and base[key])
        return dict.fromkeys(mine) | {key: mine[key] / base[key] for key in known}

    def _costs(self) -> dict[str, Any]:
        costs = {key: getattr(self.cost, key) for key in RATIOS}
        return costs | {"energy": self.energy.energy if self.energy else None}


RATIOS = ("area", "delay", "luts")


def compare(
    specs: Iterable[Any],
    library: str | Path = "generic",
    workload: str | Workload | None = None,
    *,
    track: Callable[[list[Unit]], Iterable[Unit]] = iter,
    flow: Flow = FLOW,
) -> list[Compared]:
    """Synthesize units (or their specs), evaluate their errors and run a workload on them.

    Errors are computed on the operands that met the unit in the workload; without one on all
    operand codes or, where those are more than 2^16, on random ones (`SOURCES`).
    `track` is given the units and gives them back one by one, to show progress; `flow` gives the
    hardware figures.

    Raises `InvalidInput` for a wrong spec, library or workload, and for a unit that the workload
    cannot run on, before anything runs.
    """
    units = [make_unit(spec) for spec in specs]
    network = find_workload(workload) if workload else None
    for u in units:
        if network:
            network.check(u)
    found = []
    for u in track(units):
        cost = flow.synthesize(u, library=library)
        outcome = network.run(u) if network else None
        energy = _energy(u, outcome, library, flow)
        evaluation, source, reason = _evaluated(u, outcome)
        network_figures = (outcome.accuracy, outcome.output_error) if outcome else ()
        found.append(Compared(u, cost, energy, evaluation, source, reason, *network_figures))
    return found


def _energy(u: Unit, outcome: Outcome | None, library: str | Path, flow: Flow) -> Energy | None:
    if outcome:
        operands = outcome.operands
    elif u.parts:
        operands = ()
    else:
        codes = chained_accumulators(u, _random_operands(u, OPERATIONS))
        operands = stimuli_of(u).usual_call(codes)
    try:
        return flow.energy(u, *operands, library=library)
    except InvalidInput:
        return None


def _evaluated(
    unit: Unit, outcome: Outcome | None
) -> tuple[Evaluation | None, str | None, str | None]:
    """A unit's errors and where its operands come from, or else why there are none."""
    formats = chain_of_one(unit).operands.values()
    operands: Sequence[np.ndarray] | None
    if outcome:
        source, operands = "workload", rounded_accumulators(unit, outcome.operands)
    elif sum(f.bits for f in formats) <= EXHAUSTIVE_BITS:
        source, operands = "all", None
    else:
        source, operands = "normal", _random_operands(unit, OPERAND_SETS)
    try:
        return evaluate(unit, operands), source, None
    except InvalidInput as error:
        return None, None, str(error)


def _random_operands(unit: Unit, sets: int) -> list[np.ndarray]:
    """Codes of normally distributed values, of one operand after the other."""
    rng = np.random.default_rng(_SEED)
    lanes = unit.lane_formats if isinstance(unit, Dot) else {}
    found = []
    for name, port in chain_of_one(unit).operands.items():
        f, *count = lanes.get(name, (port,))
        x = _deviation(f) * rng.normal(size=(sets, *count))
        found.append(f.encode(np.abs(x) if f.is_float and not f.signed else x))
    return found


def _deviation(f: Format) -> float:
    return 1.0 if f.is_float and f.max >= _WIDE_ENOUGH else float(f.max) * _SHARE
