"""A handful of units side by side: costs, errors and, if asked for, a network's accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInput
from ..units import Unit
from ..units import unit as make_unit
from ..units.chain import outside
from .metrics import EXHAUSTIVE_BITS, Evaluation, evaluate
from .workloads import workload as find_workload

if TYPE_CHECKING:
    from ..flow.synthesize import Synthesis
    from ..formats import Format
    from .workloads.network import Outcome

OPERAND_SETS = 1 << 16
"""Random operand sets, for units of too many to take all."""

SOURCES = {
    "all": "all operand codes",
    "normal": f"{OPERAND_SETS} random sets, normally distributed, of standard deviation 1 (of "
    "integers and narrow formats a quarter of the largest value)",
    "workload": "the operands that the unit met in the workload",
}
"""Where the operands come from that errors are computed on."""

_WIDE_ENOUGH, _SHARE, _SEED = 4, 0.25, 1


@dataclass(frozen=True)
class Compared:
    """What is known of a unit.

    ``evaluation`` are its errors on operands from ``source`` (a key of `SOURCES`), None for a
    unit without an exact reference, for the ``reason`` given; ``accuracy`` and ``output_error``
    of the network are None without one.
    """

    unit: Unit
    cost: Synthesis
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
            "metrics": found.metrics if found else None,
            "counts": found.counts if found else None,
            "operands": SOURCES[self.source] if self.source else None,
            "no_metrics": self.reason,
            "accuracy": self.accuracy,
            "output_error": self.output_error,
        }

    def ratios(self, first: Compared) -> dict[str, float | None]:
        """Costs over those of the first unit."""
        pairs = {key: (getattr(self.cost, key), getattr(first.cost, key)) for key in RATIOS}
        return {key: a / b if a is not None and b else None for key, (a, b) in pairs.items()}


RATIOS = ("area", "delay", "luts")


def compare(
    specs: Iterable[Any],
    library: str | Path = "generic",
    workload: str | None = None,
    *,
    track: Callable[[list[Unit]], Iterable[Unit]] = iter,
    synthesize: Callable[..., Any] | None = None,
) -> list[Compared]:
    """Synthesize units (or their specs), evaluate their errors and run a workload on them.

    Errors are computed on the operands that met the unit in the workload; without one on all
    operand codes or, where those are more than 2^16, on random ones (`SOURCES`).
    `track` is given the units and gives them back one by one, to show progress; `synthesize`
    stands in for `hwarith.synthesize` in tests.

    Raises `InvalidInput` for a wrong spec, library or workload, and for a unit that the workload
    cannot run on, before anything runs.
    """
    units = [make_unit(spec) for spec in specs]
    network = find_workload(workload) if workload else None
    for u in units:
        if network:
            network.check(u)
    if synthesize is None:
        from ..flow.synthesize import synthesize as yosys

        synthesize = yosys
    found = []
    for u in track(units):
        cost = synthesize(u, library=library)
        outcome = network.run(u) if network else None
        evaluation, source, reason = _evaluated(u, outcome)
        network_figures = (outcome.accuracy, outcome.output_error) if outcome else ()
        found.append(Compared(u, cost, evaluation, source, reason, *network_figures))
    return found


def _evaluated(
    unit: Unit, outcome: Outcome | None
) -> tuple[Evaluation | None, str | None, str | None]:
    """A unit's errors and where its operands come from, or else why there are none."""
    formats = list(outside(unit).operands.values())
    if outcome:
        source, operands = "workload", outcome.operands
    elif sum(f.bits for f in formats) <= EXHAUSTIVE_BITS:
        source, operands = "all", None
    else:
        rng = np.random.default_rng(_SEED)
        source, operands = "normal", tuple(_random_codes(f, rng) for f in formats)
    try:
        return evaluate(unit, operands), source, None
    except InvalidInput as error:
        return None, None, str(error)


def _random_codes(f: Format, rng: np.random.Generator) -> np.ndarray:
    return f.encode(_deviation(f) * rng.normal(size=OPERAND_SETS))


def _deviation(f: Format) -> float:
    return 1.0 if f.is_float and f.max >= _WIDE_ENOUGH else float(f.max) * _SHARE
