"""One design point: everything that a sweep finds out about a unit."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ..exceptions import InvalidInput
from ..flow.synthesis import liberty
from ..flow.synthesis.libraries import fpga, liberty_file
from ..units import Unit
from ..units.wrapped import unwrapped
from .hardware import FLOW, Flow
from .lanes import bits_of_factors, per_clock
from .metrics import COUNTS, METRICS, Evaluation
from .workloads import Outcome, Workload
from .workloads import workload as find_workload


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
            "area",
            "Area",
            "GE",
            "Area of the cells; with hwarith's generic library in gate equivalents (GE), multiples "
            "of a two-input NAND gate. Of an FPGA the number of its look-up tables.",
        ),
        Figure(
            "delay",
            "Delay",
            "NAND2",
            "Longest path from inputs or registers to outputs or registers, without wires; with "
            "hwarith's generic library in delays of a two-input NAND gate, whatever it drives. "
            "Not known of an FPGA that is not routed.",
        ),
        Figure(
            "energy",
            "Energy",
            "NAND2",
            "Mean energy of an operation (of a unit with registers: of a transfer), by the "
            "switching activity of the mapped cells on the operands that met the unit in the "
            "workload, one dot product after the other (of a unit that no network runs on, on "
            "random operands); without glitches and wires. With hwarith's generic library in "
            "changes of the output of a two-input NAND gate that drives two others.",
        ),
        Figure(
            "lane_area",
            "Area per multiply-add or element",
            "GE",
            "Area over what the unit does in a clock at full throughput: multiply-adds of units "
            "that sum up products (n of a dot product, half a one where a weight takes two "
            "clocks), elements of those that take blocks, one result of all others. What costs "
            "the same by this gives the same throughput for it.",
        ),
        Figure(
            "lane_energy",
            "Energy per multiply-add or element",
            "NAND2",
            "Energy of an operation over the multiply-adds or elements that it is made of, counted "
            "in the same way.",
        ),
        Figure(
            "bits",
            "Bits per element",
            "bits",
            "Bits that a factor takes where it is stored, with its share of the scale of its "
            "block: the mean of both factors. No value for what is given no two factors.",
        ),
        Figure("leakage", "Leakage", "nW", "Power of the whole unit while nothing changes."),
        Figure("depth", "Depth", "cells", "Cells on the longest path."),
        Figure("cells", "Cells", "", "Cells of the library."),
        Figure(
            "cmos_cells",
            "CMOS cells",
            "",
            "Cells after mapping to two-input NAND, NOR and NOT alone (yosys, abc -g cmos2); a "
            "figure that other projects' units are compared by.",
        ),
        Figure("transistors", "Transistors", "", "Transistors of those cells in static CMOS."),
        Figure("cmos_path", "CMOS path", "cells", "Longest path in those cells."),
    )
}
"""What a unit costs in hardware, by key; lower is better."""

NETWORK = {
    figure.key: figure
    for figure in (
        Figure(
            "output_error",
            "Network output error",
            "",
            "Root mean square of the deviation of the network's outputs from those of the "
            "arithmetic that it is compared with (the workload says which), divided by the root "
            "mean square of the latter. It includes what is lost in encoding weights and "
            "activations in the unit's formats.",
        ),
        Figure("accuracy", "Accuracy", "", "Share of the workload's items done right."),
    )
}
"""How a network does on a unit, by key."""


@dataclass(frozen=True)
class Result:
    """A finished design point.

    ``cost`` by the keys of `COSTS` (None of what the library does not say); ``accuracy`` and
    ``output_error`` as in `NETWORK`; ``metrics`` and ``counts`` as in `hwarith.explore.metrics`,
    on the operands that the unit met in the workload, or on others if it cannot run on the unit;
    ``seconds`` that it took; ``details`` for
    the point's page in a report: ``verilog``, ``histogram`` (`hwarith.explore.metrics.histogram`),
    ``path`` (the ends of the longest path), ``cells`` (type to number) and ``cell_areas``;
    ``breakdown``, the ``parts`` of `hwarith.breakdown` and its ``difference``, but for FPGAs;
    ``operands``, where those come from that errors are computed on (`hwarith.explore.judged`), and
    if they are random the ``deviations`` of the metrics; and
    in ``reasons`` why there is no ``network``, no ``errors`` or no ``energy``.
    """

    spec: str
    name: str
    operation: str
    cost: dict[str, float | None]
    area_unit: str | None
    delay_unit: str | None
    accuracy: float | None
    output_error: float | None
    metrics: dict[str, float | None]
    counts: dict[str, int]
    seconds: float
    details: dict[str, Any] = field(default_factory=dict, repr=False)
    energy_unit: str | None = None

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


def measure(unit: Unit, workload: str | Workload, library: str, flow: Flow = FLOW) -> Result:
    """Synthesize a unit, run a workload on it, and find its errors and its energy on the operands
    it met; of a unit that the workload cannot run on, those of `hwarith.compare`, and why.

    Parameters
    ----------
    workload : a `Workload`, or its name (`hwarith.explore.workloads.workload`).
    library : as `hwarith.synthesize` takes it.
    flow : what gives the hardware figures.

    Raises `InvalidInput` for a workload or library that there is not, and `ToolFailure`.
    """
    from .judged import energy_of, errors_of  # here: a sweep whose points are known needs neither

    start = time.perf_counter()
    outcome, no_network = _run(find_workload(workload), unit)
    evaluation, source, no_errors = errors_of(unit, outcome)
    details = {"verilog": flow.verilog(unit), **_breakdown(flow, unit, library)}
    mapped = flow.synthesize(unit, library=library)
    cmos = flow.synthesize(unit, recipe="cmos")
    spent, no_energy = energy_of(unit, outcome, library, flow, at_random=evaluation is not None)
    reasons = {"network": no_network, "errors": no_errors, "energy": no_energy}
    details["reasons"] = {key: _brief(unit, why) for key, why in reasons.items() if why}
    area = mapped.luts if mapped.area is None else mapped.area
    return Result(
        spec=unit.spec,
        name=unit.name,
        operation=unit.operation.name,
        cost={
            "area": area,
            "delay": mapped.delay,
            "energy": spent.energy if spent else None,
            "lane_area": None if area is None else area / float(per_clock(unit)),
            "lane_energy": spent.energy / float(unit.work) if spent else None,
            "bits": bits_of_factors(unit),
            "leakage": spent.leakage if spent else None,
            "depth": mapped.depth,
            "cells": mapped.cells,
            "cmos_cells": cmos.cells,
            "transistors": cmos.transistors,
            "cmos_path": cmos.depth,
        },
        area_unit="LUT" if mapped.area is None else mapped.area_unit,
        delay_unit=mapped.delay_unit,
        energy_unit=spent.energy_unit if spent else None,
        accuracy=outcome.accuracy if outcome else None,
        output_error=outcome.output_error if outcome else None,
        metrics=evaluation.metrics if evaluation else dict.fromkeys(METRICS),
        counts=evaluation.counts if evaluation else dict.fromkeys(COUNTS, 0),
        seconds=round(time.perf_counter() - start, 2),
        details=details
        | {
            "path": [mapped.path_start, mapped.path_end],
            "cells": mapped.cells_by_type,
            "cell_areas": {} if mapped.area is None else _cell_areas(library, mapped.cells_by_type),
        }
        | _of_errors(evaluation, source),
    )


def _of_errors(evaluation: Evaluation | None, source: str | None) -> dict[str, Any]:
    """What a point's page says of its errors."""
    if evaluation is None:
        return {}
    found = {"histogram": evaluation.histogram, "operands": source}
    return found | ({"deviations": evaluation.deviations} if source == "normal" else {})


def _run(workload: Workload, unit: Unit) -> tuple[Outcome | None, str | None]:
    """What a workload gives with a unit, or one of its lanes, or else why it cannot run on it."""
    unit = unwrapped(unit)
    try:
        workload.check(unit)
    except InvalidInput as error:
        return None, str(error)
    return workload.run(unit), None


def _brief(unit: Unit, why: str) -> str:
    """A reason without what its row says anyway, and without what is allowed instead."""
    prefixes = (f"{unit.spec}: ", f"{unit.family}: ")
    for prefix in prefixes:
        why = why.removeprefix(prefix)
    return why.partition("; allowed:")[0]


def _breakdown(flow: Flow, unit: Unit, library: str) -> dict[str, Any]:
    if fpga(library):
        return {}
    found = flow.breakdown(unit, library=library)
    return {"breakdown": {"parts": found.as_dict()["parts"], "difference": found.difference}}


def _cell_areas(library: str, types: Iterable[str]) -> dict[str, float]:
    """The area of one cell of each type of a library."""
    cells = liberty.read(liberty_file(library)).cells
    return {name: cells[name].area for name in types}
