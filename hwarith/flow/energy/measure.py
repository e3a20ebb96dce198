"""Energy per operation of a mapped netlist, by its switching activity and the library's tables."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...exceptions import InvalidInput, quoted, shown
from ...tables import Table, Tabled, quantity
from ...units import Unit, unit
from ..stimuli.families import stimuli_of
from ..synthesis import liberty
from ..synthesis.cells import Cell, Library, Power
from ..synthesis.libraries import fpga, liberty_file
from ..synthesis.netlists import Instance, Net, Ports
from ..synthesis.synthesize import synthesize
from ..synthesis.timing import CLOCK, Loads, Signals, signals_and_loads
from .activity import Activity, Watch, activity, instances_of
from .gates import gate

VECTORS = 4096
"""Operand vectors, or transfers, when none are given."""


@dataclass(frozen=True, kw_only=True)
class Energy(Tabled):
    """What `energy` found, per operation: from one vector of operands to the next; of a unit with
    registers per transfer.

    Attributes
    ----------
    spec, library, recipe, delay_target, target : as of `Synthesis`.
    operations : how many operations it is the mean of.
    clocks : clocks of an operation; None without registers.
    toggles : changes of the cells' outputs.
    energy : what the cells and the clock draw, in `energy_unit`: `switching`, `internal`, `clock`.
    switching : of charging what the cells drive: input pins of cells, and the load of outputs.
    internal : inside the cells, by the library's tables; None if it has none. Of registers at each
        edge of the clock, too.
    clock : of charging the clock's pins; None without registers. It is in `energy`, though a clock
        tree pays it, because it is for nothing but this unit's registers.
    inputs : of charging the unit's inputs, which whatever drives them pays; not in `energy`.
    energy_unit : ``fJ``, or ``NAND2`` with the generic library: of a change of the output of a
        NAND2 that drives two others.
    leakage : of the whole unit, in nW, whether it works or not; None if the library gives none.
    by_type : for each type of cell the number of `cells`, their `energy` and `leakage`.
    versions : versions of hwarith, the tools and the libraries.
    """

    spec: str
    library: str
    recipe: str
    delay_target: float | None
    target: str
    operations: int
    clocks: float | None
    toggles: float
    energy: float
    switching: float
    internal: float | None
    clock: float | None
    inputs: float
    energy_unit: str
    leakage: float | None
    by_type: dict[str, dict[str, float | None]]
    versions: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """All figures for JSON."""
        return dataclasses.asdict(self)

    def tables(self) -> list[Table]:
        """Its figures, and those of each type of cell."""
        by_type = Table(self.table_by_type(), details=("spec", "library"))
        return [Table([self.row()], details=self.details).without_empty(), by_type]

    def row(self) -> dict[str, object]:
        """The figures of the unit, by titles with units; of a library its file's name."""
        return self._names() | {
            **quantity("energy", self.energy, self.energy_unit),
            **quantity("leakage", self.leakage, "nW"),
            **quantity("switching", self.switching, self.energy_unit),
            **quantity("internal", self.internal, self.energy_unit),
            **quantity("clock", self.clock, self.energy_unit),
            **quantity("inputs", self.inputs, self.energy_unit),
            "toggles": self.toggles,
            "clocks": self.clocks,
            "operations": self.operations,
        }

    @property
    def details(self) -> list[str]:
        """The titles of `row` that few ask for."""
        named = ("spec", "library", "energy", "leakage")
        return [title for title in self.row() if title.split()[0] not in named]

    def table_by_type(self) -> list[dict[str, object]]:
        """A row for each type of cell, by titles with units."""
        return [
            self._names()
            | {
                "cell": kind,
                "cells": found["cells"],
                **quantity("energy", found["energy"], self.energy_unit),
                **quantity("leakage", found["leakage"], "nW"),
            }
            for kind, found in self.by_type.items()
        ]

    def _names(self) -> dict[str, object]:
        return {"spec": self.spec, "library": Path(self.library).name}


class _Part(NamedTuple):
    """What a cell takes inside, and the changes that are watched for it."""

    cell: int
    power: Power
    watch: Watch


def energy(
    spec: Unit | str,
    *codes: ArrayLike,
    library: str | Path = "generic",
    recipe: str | None = None,
    delay_target: float | None = None,
) -> Energy:
    """Energy per operation of a unit (or its spec), mapped to a library of cells.

    The operation of a unit with registers is a transfer (`Unit.transfers`): operands of a pipeline
    or of a unit with a memory, and of an array what enters in a clock (for an engine a row of
    activations, or of weights). They enter at full throughput, with full ranks (`activity`).

    The netlist is simulated without delays, so that what glitches take is not in the figure, and
    neither is what wires take. A change of a net takes half its capacitance times the square of
    the supply, and what the library's tables of internal power say of its cell. The slews that
    these ask for are those of `Synthesis.delay`, their loads too. A table of an output by related
    pin holds for its share in the changes of that pin that came with one of the output; conditions
    (``when``) are looked at after the change, with a clock that is high. The clock has no slew, and
    what a tree would take to bring it is not in the figure. Leakage is each cell's mean.

    Parameters
    ----------
    codes : the operands, as the unit takes them, in the order in which they arrive: two vectors
        (or transfers) or more. None: those of `operands`.
    library, recipe, delay_target : as of `synthesize`.

    Raises `InvalidInput` for an FPGA, the recipe ``cmos``, wrong operands, and a library without
    supply voltage, tables of slew, or the internal power of a cell though it has others'; and what
    `synthesize` and `activity` raise.
    """
    u = unit(spec)
    if fpga(str(library)) or recipe == "cmos":
        raise InvalidInput(f"energy needs a library of cells, not {recipe or library}")
    synthesis = synthesize(u, library, recipe, delay_target)
    cells = liberty.read(liberty_file(synthesis.library))
    if cells.voltage is None:
        raise InvalidInput(f"library {quoted(cells.name)} gives no supply voltage")
    instances = instances_of(synthesis, cells)
    parts = list(_internal_parts(instances, cells))
    found = activity(synthesis, *(codes or operands(u)), watch=[part.watch for part in parts])
    ports = (synthesis.module or {})["ports"]
    moving = [
        (cell, {pin: net for pin, net in nets.items() if found.changes[net]})
        for cell, nets in instances
    ]
    signals, loads = signals_and_loads(ports, moving, cells)
    # Half a capacitance is charged in a rise and in a fall.
    factor = cells.femtofarads * cells.voltage**2 / 2
    charging = {net: sum(load) / 2 * factor for net, load in loads.items()}
    switching = _switching(instances, charging, found)
    amounts = [_amount(part, signals, loads, cells) for part in parts]
    internal = _internal(instances, parts, amounts, found)
    clock = _clock(instances, ports, factor, found)
    energies = [sum(parts) for parts in zip(switching, internal, clock, strict=True)]
    unit_energy = _nand2(cells, factor) if library == "generic" else 1.0
    scale = 1 / (found.operations * unit_energy)
    known = any(cell.powers for cell in cells.cells.values())
    return Energy(
        spec=u.spec,
        library=synthesis.library,
        recipe=synthesis.recipe,
        delay_target=synthesis.delay_target,
        target=synthesis.target,
        operations=found.operations,
        clocks=_round(found.clocks / found.operations) if u.stages else None,
        toggles=round(found.toggles, 3),
        energy=_round(sum(energies) * scale),
        switching=_round(sum(switching) * scale),
        internal=_round(sum(internal) * scale) if known else None,
        clock=_round(sum(clock) * scale) if u.stages else None,
        inputs=_round(_of_inputs(ports, charging, found) * scale),
        energy_unit="NAND2" if library == "generic" else "fJ",
        leakage=_leakage([cell for cell, _ in instances], cells),
        by_type=_by_type(instances, energies, scale, cells),
        versions=synthesis.versions,
    )


def _round(x: float) -> float:
    """To six digits."""
    return float(f"{x:.6g}")


def operands(u: Unit) -> tuple[np.ndarray, ...]:
    """The operands of `energy` when none are given: of those that the unit is tested with
    (`Stimuli.operands`), shuffled, as many as make up to `VECTORS` vectors or transfers; of a unit
    with a memory in groups of 32 operands, of an engine in tiles of 64 vectors of activations
    (`Stimuli.usual_call`)."""
    stimuli = stimuli_of(u)
    columns = stimuli.operands(VECTORS)
    order = np.random.default_rng(0).permutation(len(columns[0]))
    codes = stimuli.usual_call(tuple(column[order] for column in columns))
    transfers = sum(u.transfers.per_result(u.check_operands(codes)))
    most = max(1, len(codes[0]) * VECTORS // transfers)
    return tuple(column[:most] for column in codes)


def _switching(
    instances: list[Instance], charging: Mapping[Net, float], found: Activity
) -> list[float]:
    """Of each cell what charges the nets that it drives, in all operations."""
    energies = []
    for cell, nets in instances:
        driven = [nets[pin] for pin in cell.functions if pin in nets]
        energies.append(sum(charging.get(net, 0.0) * found.changes[net] for net in driven))
    return energies


def _clock(instances: list[Instance], ports: Ports, factor: float, found: Activity) -> list[float]:
    """Of each cell what charges its clock pin, in all operations."""
    clock_nets = ports[CLOCK]["bits"] if CLOCK in ports else []
    energies = []
    for cell, nets in instances:
        clocked = (x for pin, x in cell.capacitances.items() if nets.get(pin) in clock_nets)
        energies.append(sum(sum(x) / 2 * factor * 2 * found.clocks for x in clocked))
    return energies


def _of_inputs(ports: Ports, charging: Mapping[Net, float], found: Activity) -> float:
    """What charges the unit's inputs, but for the clock, in all operations."""
    driven = (p for name, p in ports.items() if p["direction"] == "input" and name != CLOCK)
    nets = (net for port in driven for net in port["bits"])
    return sum(charging.get(net, 0.0) * found.changes[net] for net in nets)


def _internal_parts(instances: list[Instance], library: Library) -> Iterator[_Part]:
    """The library's tables of internal power of each cell."""
    known = any(cell.powers for cell in library.cells.values())
    for i, (cell, nets) in enumerate(instances):
        if known and not cell.powers and cell.inputs:
            raise InvalidInput(
                f"library {quoted(library.name)} has no internal power of {shown(cell.name)}"
            )
        for power in cell.powers:
            if power.pin in nets:
                cause = nets.get(power.source) if power.source else None
                condition = gate(power.when, cell, nets) if power.when else None
                yield _Part(i, power, Watch(nets[power.pin], cause, condition))


def _amount(
    part: _Part,
    signals: Signals,
    loads: Loads,
    library: Library,
) -> float:
    """What one change takes, in fJ: the mean of a rise and a fall."""
    net, cause, _ = part.watch
    slews = [at.slew for edge in (0, 1) if (at := signals.get((cause or net, edge)))]
    slew = sum(slews) / len(slews) if slews else 0.0
    load = loads.get(net, (0.0, 0.0))
    tables = enumerate(part.power.tables)
    total = sum(table.at(slew, load[edge]) for edge, table in tables if table)
    return total / 2 * library.femtojoules


def _internal(
    instances: list[Instance], parts: list[_Part], amounts: list[float], found: Activity
) -> list[float]:
    """Internal energy of each cell in all operations.

    The tables of an output are weighted by their counts, and their weights add up to its changes.
    """
    of_output: dict[tuple[int, str], list[tuple[int, float]]] = defaultdict(list)
    energies = [0.0] * len(instances)
    for part, amount, count in zip(parts, amounts, found.watched, strict=True):
        if part.power.pin in instances[part.cell][0].functions:
            of_output[part.cell, part.power.pin].append((count, amount))
        else:
            energies[part.cell] += count * amount
    for (i, pin), ways in of_output.items():
        times = found.changes[instances[i][1][pin]]
        total = sum(count for count, _ in ways)
        if total:
            energies[i] += times * sum(count * amount for count, amount in ways) / total
        else:  # no table's condition was met
            energies[i] += times * sum(amount for _, amount in ways) / len(ways)
    return energies


def _nand2(library: Library, factor: float) -> float:
    """Energy of a change of a NAND2 that drives two others, in fJ."""
    nand = library.cells["NAND2"]
    (power,) = nand.powers
    inside = sum(table.at(0, 0) for table in power.tables if table) / 2 * library.femtojoules
    return 2 * max(nand.capacitances["A"]) * factor + inside


def _leakage(cells: list[Cell], library: Library) -> float | None:
    """In nW; None if it is not known of any of these cells."""
    known = [cell.leakage for cell in cells if cell.leakage is not None]
    return _round(sum(known) * library.nanowatts) if known else None


def _by_type(
    instances: list[Instance], energies: list[float], scale: float, library: Library
) -> dict[str, dict[str, float | None]]:
    of_type: dict[str, list[int]] = defaultdict(list)
    for i, (cell, _) in enumerate(instances):
        of_type[cell.name].append(i)
    return {
        name: {
            "cells": len(which),
            "energy": _round(sum(energies[i] for i in which) * scale),
            "leakage": _leakage([instances[i][0] for i in which], library),
        }
        for name, which in sorted(of_type.items())
    }
