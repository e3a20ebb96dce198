"""Cells of a library: areas, functions, loads, delays and energies, and tables of these."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from ...exceptions import InvalidInput, quoted


@dataclass(frozen=True)
class Table:
    """A number by two others: a delay or slew by input slew and load, a setup time by the slews
    of data and clock. An axis that the file does not have has one point."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def at(self, row: float, column: float) -> float:
        """Bilinear between the four points around, and beyond the ends by the last two."""
        i, f = _between(self.rows, row)
        j, g = _between(self.columns, column)
        value = self.values[i][j]
        if f:
            value += f * (self.values[i + 1][j] - value)
        if g:
            other = self.values[i][j + 1]
            if f:
                other += f * (self.values[i + 1][j + 1] - other)
            value += g * (other - value)
        return value


def _between(axis: tuple[float, ...], x: float) -> tuple[int, float]:
    """The index of the point before `x`, and where `x` is from it (0) to the next (1)."""
    if len(axis) == 1:
        return 0, 0.0
    i = min(max(bisect_right(axis, x) - 1, 0), len(axis) - 2)
    return i, (x - axis[i]) / (axis[i + 1] - axis[i])


@dataclass(frozen=True)
class Arc:
    """A way through a cell, under one condition, to a rising (0) or falling (1) output.

    Attributes
    ----------
    source, target : its pins.
    edge : 0 if the output rises, 1 if it falls.
    sources : the edges of the input that cause it; of a clock, one that stands for its active one.
    delay, slew : tables by input slew and load.
    """

    source: str
    target: str
    edge: int
    sources: tuple[int, ...]
    delay: Table
    slew: Table


@dataclass(frozen=True)
class Power:
    """What a change of a pin takes inside its cell, beside charging the load.

    Attributes
    ----------
    pin : the pin that changes.
    source : for an output, the input that causes it; empty if any does, or for an input.
    when : the condition, in Liberty's notation; empty if there is none.
    tables : energy of a rise and of a fall by input slew and load; None takes none.
    """

    pin: str
    source: str
    when: str
    tables: tuple[Table | None, ...]


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    area : area in the library's units.
    inputs : names of the input pins.
    functions : the Boolean expression of each output, in Liberty's notation.
    register : the attributes of the ``ff`` or ``latch`` group (``next_state``, ``clocked_on``,
        ...), empty for a combinational cell.
    states : names of what a register holds, and of its inverse, as its expressions have them.
    delays : (input, output) to delay in the library's time unit; from the clock for a register.
        Empty if the library gives none.
    setups : input of a register to its setup time.
    capacitances : input to its capacitance when it rises and when it falls.
    arcs : the ways through it, with their tables.
    setup_tables : input of a register, edge (0 rises, 1 falls) and the table of its setup time.
    powers : its internal energies.
    leakage : its leakage power, in the library's unit; None if the file does not say.
    """

    name: str
    area: float
    inputs: tuple[str, ...]
    functions: dict[str, str]
    register: dict[str, str]
    delays: dict[tuple[str, str], float]
    setups: dict[str, float]
    capacitances: dict[str, tuple[float, float]] = field(default_factory=dict)
    arcs: tuple[Arc, ...] = ()
    setup_tables: tuple[tuple[str, int, Table], ...] = ()
    powers: tuple[Power, ...] = ()
    leakage: float | None = None
    states: tuple[str, ...] = ()

    @property
    def is_buffer(self) -> bool:
        """Whether its output is its one input."""
        functions = [re.sub(r"[\s()]", "", text) for text in self.functions.values()]
        return not self.register and functions == list(self.inputs)


@dataclass(frozen=True)
class Library:
    """A cell library: its name, its time unit (such as ``1ns``) and its cells by name.

    Attributes
    ----------
    picoseconds, femtofarads, nanowatts : the units of time, of capacitance and of leakage.
    femtojoules : the unit of internal energies, which is that of capacitance times volts squared.
    voltage : the supply in volts, of the default operating conditions; None if it is not given.
    """

    name: str
    time_unit: str
    cells: dict[str, Cell]
    picoseconds: float = 1000.0
    femtofarads: float = 1000.0
    femtojoules: float = 1000.0
    nanowatts: float = 1.0
    voltage: float | None = None

    @property
    def has_delays(self) -> bool:
        """Whether every combinational cell and register with an output has delays."""
        return all(cell.delays for cell in self.cells.values() if cell.functions and cell.inputs)

    @property
    def has_tables(self) -> bool:
        """Whether delays depend on loads: every cell with delays has tables, some by load."""
        return any(
            len(arc.delay.columns) > 1 for cell in self.cells.values() for arc in cell.arcs
        ) and all(cell.arcs for cell in self.cells.values() if cell.delays)

    @property
    def driver(self) -> Cell:
        """The smallest buffer, which stands for what drives an input."""
        buffers = [cell for cell in self.cells.values() if cell.is_buffer and cell.arcs]
        if not buffers:
            raise InvalidInput(f"library {quoted(self.name)} has no buffer with tables of delays")
        return min(buffers, key=lambda cell: (cell.area, cell.name))

    @property
    def output_load(self) -> float:
        """The load of an output, in the library's unit: four inputs of the smallest buffer."""
        (capacitance,) = self.driver.capacitances.values()
        return 4 * max(capacitance)
