"""One design point: everything that a sweep finds out about a unit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..units import Unit


class Figure(NamedTuple):
    """A column of a sweep's table: its title, unit (empty: a plain ratio) and definition."""

    key: str
    title: str
    unit: str
    definition: str


COSTS = {
    figure.key: figure
    for figure in (
        Figure(
            "area", "Area", "GE",
            "Area of the cells; with hwarith's generic library in gate equivalents (GE), multiples "
            "of a two-input NAND gate.",
        ),
        Figure(
            "delay", "Delay", "NAND2",
            "Longest path from input to output, without wires and loads; with hwarith's generic "
            "library in delays of a two-input NAND gate.",
        ),
        Figure("depth", "Depth", "cells", "Cells on that path."),
        Figure("cells", "Cells", "", "Cells of the library."),
        Figure(
            "cmos_cells", "CMOS cells", "",
            "Cells after mapping to two-input NAND, NOR and NOT alone (yosys, abc -g cmos2); a "
            "figure that other projects' units are compared by.",
        ),
        Figure("transistors", "Transistors", "", "Transistors of those cells in static CMOS."),
        Figure("cmos_path", "CMOS path", "cells", "Longest path in those cells."),
    )
}  # fmt: skip
"""What a unit costs in hardware, by key; lower is better."""

NETWORK = {
    figure.key: figure
    for figure in (
        Figure(
            "output_error", "Network output error", "",
            "Root mean square of the deviation of the network's outputs from float64's, divided "
            "by the root mean square of float64's outputs. It includes what is lost in encoding "
            "weights and activations in the unit's formats.",
        ),
        Figure("accuracy", "Accuracy", "", "Share of the held-out images classified right."),
    )
}  # fmt: skip
"""How a network does on a unit, by key."""


@dataclass(frozen=True)
class Result:
    """A finished design point.

    ``cost`` by the keys of `COSTS` (the delay is None if the library has none); ``accuracy`` and
    ``output_error`` as in `NETWORK`; ``metrics`` and ``counts`` as in `hwarith.explore.metrics`,
    on the operands that the unit met in the workload; ``seconds`` that it took; ``details`` for
    the point's page in a report: ``verilog``, ``histogram`` (`hwarith.explore.metrics.histogram`),
    ``path`` (the ends of the longest path), ``cells`` (type to number) and ``cell_areas``, and
    where it was asked for ``breakdown``: the ``parts`` of `hwarith.breakdown`, and its
    ``difference``.
    """

    spec: str
    name: str
    operation: str
    cost: dict[str, float | None]
    area_unit: str | None
    delay_unit: str | None
    accuracy: float
    output_error: float | None
    metrics: dict[str, float | None]
    counts: dict[str, int]
    seconds: float
    details: dict[str, Any] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The result as plain data, for JSON."""
        return asdict(self)

    def brief(self) -> dict[str, Any]:
        """The same without the Verilog, which is long."""
        details = {key: value for key, value in self.details.items() if key != "verilog"}
        return self.as_dict() | {"details": details}

    def figures(self) -> dict[str, float | None]:
        """Every number by its column's key: costs, network, metrics."""
        network = {"output_error": self.output_error, "accuracy": self.accuracy}
        return {**self.cost, **network, **self.metrics}


def measure(
    unit: Unit,
    workload: str,
    library: str,
    synthesize: Callable[..., Any] | None = None,
    breakdown: bool = False,
) -> Result:
    """Synthesize a unit, run a workload on it, and evaluate it on the operands it met.

    Raises `InvalidInput` for a workload that cannot run on the unit, and `ToolFailure`.
    `synthesize` stands in for `hwarith.synthesize` in tests, where there is no `breakdown`.
    """
    from .metrics import evaluate
    from .workloads import workload as find_workload

    start = time.perf_counter()
    details: dict[str, Any] = {}
    if synthesize is None:
        from ..flow.synthesize import synthesize as yosys
        from ..flow.verilog import verilog

        synthesize = yosys
        details["verilog"] = verilog(unit)
        if breakdown:
            details["breakdown"] = _parts(unit, library)
    mapped = synthesize(unit, library=library)
    cmos = synthesize(unit, recipe="cmos")
    outcome = find_workload(workload).run(unit)
    evaluation = evaluate(unit, outcome.operands)
    return Result(
        spec=unit.spec,
        name=unit.name,
        operation=unit.operation,
        cost={
            "area": mapped.area,
            "delay": mapped.delay,
            "depth": mapped.depth,
            "cells": mapped.cells,
            "cmos_cells": cmos.cells,
            "transistors": cmos.transistors,
            "cmos_path": cmos.depth,
        },
        area_unit=mapped.area_unit,
        delay_unit=mapped.delay_unit,
        accuracy=outcome.accuracy,
        output_error=outcome.output_error,
        metrics=evaluation.metrics,
        counts=evaluation.counts,
        seconds=round(time.perf_counter() - start, 2),
        details=details
        | {
            "histogram": evaluation.histogram,
            "path": [mapped.path_start, mapped.path_end],
            "cells": mapped.cells_by_type,
            "cell_areas": {} if mapped.area is None else _cell_areas(library, mapped.cells_by_type),
        },
    )


def _parts(unit: Unit, library: str) -> dict[str, Any]:
    from ..flow.breakdown import breakdown

    found = breakdown(unit, library)
    return {"parts": found.as_dict()["parts"], "difference": found.difference}


def _cell_areas(library: str, types: Iterable[str]) -> dict[str, float]:
    """The area of one cell of each type of a library."""
    from ..flow import liberty, tools

    generic = tools.shipped("synth") / "generic.lib"
    cells = liberty.read(generic if library == "generic" else Path(library)).cells
    return {name: cells[name].area for name in types}
