"""Reads Liberty files: what their groups say of cells.

Of the format only what figures here need is read: areas, functions, loads, delays, setup times,
energies and leakage.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ...exceptions import InvalidInput, quoted, shown
from ...inputs import read_liberty, told
from .cells import Arc, Cell, Library, Power, Table
from .functions import sense_of
from .liberty_text import Group, parse

# Types of ``timing`` groups that are delays; others are constraints, or of no use here.
_COMBINATIONAL = ("combinational", "combinational_rise", "combinational_fall")
_FROM_CLOCK = ("rising_edge", "falling_edge")

_MOST_INPUTS = 12
"""Of functions whose sense is worked out from all their values."""

_INTRINSIC = ("intrinsic_rise", "intrinsic_fall")

# The variables of tables, and which axis of `Table` each is.
_AXES = {
    "input_net_transition": 0,
    "input_transition_time": 0,
    "total_output_net_capacitance": 1,
    "constrained_pin_transition": 0,
    "related_pin_transition": 1,
}

_TIMES = {"s": 1e12, "ms": 1e9, "us": 1e6, "ns": 1e3, "ps": 1.0, "fs": 1e-3}
_CAPACITANCES = {"uf": 1e9, "nf": 1e6, "pf": 1e3, "ff": 1.0}
_VOLTAGES = {"v": 1.0, "mv": 1e-3}
_POWERS = {"w": 1e9, "mw": 1e6, "uw": 1e3, "nw": 1.0, "pw": 1e-3, "fw": 1e-6}


def read(path: Path) -> Library:
    """The cells of a Liberty file.

    A delay is read from the middle entry of its table, the slower of rise and fall: a typical
    load and slope, for ranking and not for sign-off. Raises `InvalidInput`, naming the file and
    what is wrong with it.
    """
    content = read_liberty(path)
    with told(path, "Liberty file"):
        return _library(content)


@lru_cache(maxsize=4)
def _library(content: bytes) -> Library:
    top = parse(content.decode(errors="replace"))
    if top.kind != "library":
        raise InvalidInput(f"it begins with {quoted(top.kind)} instead of a library group")
    templates = {
        "".join(g.arguments): g for g in top.named("lu_table_template", "power_lut_template")
    }
    cells = {"".join(group.arguments): _cell(group, templates) for group in top.named("cell")}
    if not cells:
        raise InvalidInput("its library has no cells")
    _check_tables(cells)
    attributes = top.attributes
    time = attributes.get("time_unit", "1ns")
    capacitance = attributes.get("capacitive_load_unit", "1,pf")
    femtofarads = _in_units(capacitance.replace(",", ""), _CAPACITANCES)
    volts = _in_units(attributes.get("voltage_unit", "1V"), _VOLTAGES)
    return Library(
        "".join(top.arguments),
        time,
        cells,
        picoseconds=_in_units(time, _TIMES),
        femtofarads=femtofarads,
        femtojoules=femtofarads * volts**2,
        nanowatts=_in_units(attributes.get("leakage_power_unit", "1nW"), _POWERS),
        voltage=_voltage(top, volts),
    )


def _check_tables(cells: dict[str, Cell]) -> None:
    """Raise `InvalidInput` if some delays depend on loads and others have no tables."""
    if not any(len(arc.delay.columns) > 1 for cell in cells.values() for arc in cell.arcs):
        return
    for cell in cells.values():
        if cell.delays and not cell.arcs:
            raise InvalidInput(
                f"cell {shown(cell.name)}: it has no tables of slew, which others have"
            )
        for pin in {arc.target for arc in cell.arcs}:
            for edge, name in enumerate(("rising", "falling")):
                if not any(arc.target == pin and arc.edge == edge for arc in cell.arcs):
                    raise InvalidInput(
                        f"cell {shown(cell.name)}: it has no table for a {name} {shown(pin)}"
                    )


def _voltage(top: Group, volts: float) -> float | None:
    attributes = top.attributes
    default = attributes.get("default_operating_conditions")
    for conditions in top.named("operating_conditions"):
        if "".join(conditions.arguments) == default:
            attributes = attributes | conditions.attributes
    text = attributes.get("voltage", attributes.get("nom_voltage"))
    return None if text is None else _number(text, "voltage") * volts


def _cell(group: Group, templates: dict[str, Group]) -> Cell:
    try:
        return _parts_of_cell(group, templates)
    except InvalidInput as error:
        raise InvalidInput(f"cell {shown(''.join(group.arguments))}: {error}") from None


def _parts_of_cell(group: Group, templates: dict[str, Group]) -> Cell:
    pins = {name: pin for pin in group.named("pin") for name in pin.arguments}
    register = next(group.named("ff", "latch", "ff_bank", "latch_bank"), None)
    inputs = tuple(n for n, pin in pins.items() if pin.attributes.get("direction") == "input")
    timing = _Timing(pins, inputs, templates)
    return Cell(
        name="".join(group.arguments),
        area=_number(group.attributes.get("area", "0"), "area"),
        inputs=inputs,
        functions={
            name: pin.attributes["function"]
            for name, pin in pins.items()
            if "function" in pin.attributes
        },
        register=register.attributes if register else {},
        delays=timing.delays,
        setups=timing.setups,
        capacitances={
            name: _capacitances(pin)
            for name, pin in pins.items()
            if "function" not in pin.attributes
        },
        arcs=tuple(timing.arcs),
        setup_tables=tuple(timing.setup_tables),
        powers=tuple(x for name, pin in pins.items() for x in _powers(name, pin, templates)),
        leakage=_leakage(group),
        states=tuple(register.arguments[:2]) if register else (),
    )


class _Timing:
    """What the ``timing`` groups of a cell's pins say, as attributes of `Cell`."""

    def __init__(
        self, pins: dict[str, Group], inputs: tuple[str, ...], templates: dict[str, Group]
    ):
        self._pins, self._inputs, self._templates = pins, inputs, templates
        self.delays: dict[tuple[str, str], float] = {}
        self.setups: dict[str, float] = {}
        self.arcs: list[Arc] = []
        self.setup_tables: list[tuple[str, int, Table]] = []
        for name, pin in pins.items():
            for timing in pin.named("timing"):
                kind = timing.attributes.get("timing_type", "combinational")
                if kind.startswith("setup"):
                    self._add_setup(name, timing)
                elif kind in (*_COMBINATIONAL, *_FROM_CLOCK):
                    self._add_delays(name, timing)

    def _add_setup(self, pin: str, timing: Group) -> None:
        constraints = ("rise_constraint", "fall_constraint")
        number = _middle(timing, *constraints, *_INTRINSIC)
        self.setups[pin] = max(number or 0.0, self.setups.get(pin, 0.0))
        for edge, constraint in enumerate(constraints):
            for table in timing.named(constraint):
                self.setup_tables.append((pin, edge, _table(table, self._templates)))

    def _add_delays(self, pin: str, timing: Group) -> None:
        number = _middle(timing, "cell_rise", "cell_fall", *_INTRINSIC)
        if number is None:
            return
        for source in timing.attributes.get("related_pin", "").split():
            self.delays[source, pin] = max(number, self.delays.get((source, pin), 0.0))
            sense = timing.attributes.get("timing_sense") or self._sense(source, pin)
            self.arcs += _arcs(timing, source, pin, sense, self._templates)

    def _sense(self, source: str, target: str) -> str:
        """Where a group says nothing of it: that of the pin's function."""
        function = self._pins[target].attributes.get("function")
        if function is None or source not in self._inputs or len(self._inputs) > _MOST_INPUTS:
            return "non_unate"
        try:
            return sense_of(function, self._inputs, source, f"pin {shown(target)}")
        except InvalidInput:  # of a register's state, say
            return "non_unate"


def _powers(name: str, pin: Group, templates: dict[str, Group]) -> Iterator[Power]:
    for group in pin.named("internal_power"):
        tables = tuple(
            _table(table, templates) if table else None
            for kind in ("rise_power", "fall_power")
            for table in [next(group.named(kind, "power"), None)]
        )
        if tables == (None, None):
            raise InvalidInput(f"internal power of pin {shown(name)} has no table")
        for source in group.attributes.get("related_pin", "").split() or [""]:
            yield Power(name, source, group.attributes.get("when", ""), tables)


def _leakage(group: Group) -> float | None:
    """Its figure for all states, or the mean over those it lists."""
    if "cell_leakage_power" in group.attributes:
        return _number(group.attributes["cell_leakage_power"], "cell_leakage_power")
    values = [g.attributes.get("value", "") for g in group.named("leakage_power")]
    states = [_number(value, "leakage_power") for value in values]
    return sum(states) / len(states) if states else None


def _capacitances(pin: Group) -> tuple[float, float]:
    common = pin.attributes.get("capacitance", "0")
    rise, fall = (
        _number(pin.attributes.get(f"{edge}_capacitance", common), "capacitance")
        for edge in ("rise", "fall")
    )
    return rise, fall


def _arcs(
    timing: Group, source: str, target: str, sense: str, templates: dict[str, Group]
) -> Iterator[Arc]:
    """The ways from one pin to another by one ``timing`` group."""
    kind = timing.attributes.get("timing_type", "combinational")
    slews = any(timing.named("rise_transition", "fall_transition"))
    for edge, name in enumerate(("rise", "fall")):
        delay = next(timing.named(f"cell_{name}"), None)
        slew = next(timing.named(f"{name}_transition"), None)
        if kind == f"combinational_{'fall' if edge == 0 else 'rise'}":
            continue
        if slews and (delay is None) != (slew is None):
            missing = f"cell_{name}" if delay is None else f"{name}_transition"
            raise InvalidInput(
                f"timing of pin {shown(target)} from {shown(source)} has no {missing}"
            )
        if delay is None or slew is None:
            continue
        sources = {"positive_unate": (edge,), "negative_unate": (1 - edge,)}.get(sense, (0, 1))
        if kind.endswith("_edge"):
            sources = (0,)
        tables = _table(delay, templates), _table(slew, templates)
        yield Arc(source, target, edge, sources, *tables)


def _table(group: Group, templates: dict[str, Group]) -> Table:
    """A table with its axes in the order of `Table`, whatever their order in the file."""
    template = templates.get("".join(group.arguments), Group("", []))
    axes: list[tuple[str, tuple[float, ...]]] = []
    for i in (1, 2):
        variable = template.attributes.get(f"variable_{i}", "")
        index = group.attributes.get(f"index_{i}", template.attributes.get(f"index_{i}", ""))
        if variable:
            axes.append((variable, _numbers(index, f"index_{i}")))
    if "variable_3" in template.attributes or any(v not in _AXES for v, _ in axes):
        names = ", ".join(template.attributes.get(f"variable_{i}", "") for i in (1, 2, 3))
        raise InvalidInput(
            f"a table by {shown(names.strip(', '))}; allowed: slews and the output's load"
        )
    values = _numbers(group.attributes.get("values", ""), "values")
    lengths = [len(axis) for _, axis in axes] + [1] * (2 - len(axes))
    if len(values) != lengths[0] * lengths[1]:
        size = f"{lengths[0]} x {lengths[1]}"
        raise InvalidInput(f"a table {group.kind} has {len(values)} values instead of {size}")
    table = tuple(values[i : i + lengths[1]] for i in range(0, len(values), lengths[1]))
    first, second = (*(axis for _, axis in axes), (0.0,), (0.0,))[:2]
    if axes and _AXES[axes[0][0]] == 1:
        return Table(second, first, tuple(zip(*table, strict=True)))
    return Table(first, second, table)


def _numbers(text: str, what: str) -> tuple[float, ...]:
    return tuple(_number(part, what) for part in text.replace(",", " ").split())


def _middle(timing: Group, *names: str) -> float | None:
    """The largest of these numbers; a table stands for its middle entry."""
    found = [_number(timing.attributes[name], name) for name in names if name in timing.attributes]
    for table in timing.named(*names):
        entries = table.attributes.get("values", "").replace(",", " ").split()
        if entries:
            found.append(_number(entries[len(entries) // 2], table.kind))
    return max(found, default=None)


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"{what} must be a number, not {quoted(text)}")
    return number


def _in_units(text: str, units: dict[str, float]) -> float:
    """``10ps`` in the unit that is 1 in `units`."""
    match = re.fullmatch(r"([\d.eE+-]+?)([a-z]+)", re.sub(r"\s", "", text).lower())
    if match is None or match[2] not in units:
        raise InvalidInput(
            f"a unit must be a number and one of {', '.join(units)}, not {quoted(text)}"
        )
    return _number(match[1], "a unit") * units[match[2]]
