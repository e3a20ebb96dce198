"""What is needed of a Liberty file: the cells, their areas, functions, loads, delays and energies.

The reader is our own. Those on PyPI give a tree of groups, as `parse` does, where most code here is
about what the groups mean: templates, tables, units, missing parts. And `liberty-parser` is under
the GPL, needs sympy and is slow; `lln-libparse` 0.56, which is yosys' parser, ends the whole
process at a file without a group, and never ends with some damaged ones.
"""

from __future__ import annotations

import gzip
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ...errors import InvalidInput

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r\f]+|\\\r?\n|/\*.*?\*/|//[^\n]*)
      | (?P<newline>\n)
      | (?P<text>"[^"]*")
      | (?P<mark>[(){}:;,])
      | (?P<word>[^\s"(){}:;,]+)
      | (?P<wrong>.)""",
    re.VERBOSE | re.DOTALL,
)


_GZIP = b"\x1f\x8b"

_DELAYS = (
    "combinational", "combinational_rise", "combinational_fall", "rising_edge", "falling_edge"
)  # fmt: skip

# The variables of tables, and which axis of `Table` each is.
_AXES = {
    "input_net_transition": 0, "input_transition_time": 0, "total_output_net_capacitance": 1,
    "constrained_pin_transition": 0, "related_pin_transition": 1,
}  # fmt: skip

_TIMES = {"s": 1e12, "ms": 1e9, "us": 1e6, "ns": 1e3, "ps": 1.0, "fs": 1e-3}
_CAPACITANCES = {"uf": 1e9, "nf": 1e6, "pf": 1e3, "ff": 1.0}
_VOLTAGES = {"v": 1.0, "mv": 1e-3}
_POWERS = {"w": 1e9, "mw": 1e6, "uw": 1e3, "nw": 1.0, "pw": 1e-3, "fw": 1e-6}


@dataclass
class Group:
    """A Liberty group ``kind (arguments) { ... }``: its attributes, and the groups inside."""

    kind: str
    arguments: list[str]
    attributes: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def named(self, *kinds: str) -> Iterator[Group]:
        return (group for group in self.groups if group.kind in kinds)


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
            raise InvalidInput(f"library {self.name!r} has no buffer with tables of delays")
        return min(buffers, key=lambda cell: (cell.area, cell.name))

    @property
    def output_load(self) -> float:
        """The load of an output, in the library's unit: four inputs of the smallest buffer."""
        (capacitance,) = self.driver.capacitances.values()
        return 4 * max(capacitance)


def read(path: Path) -> Library:
    """The cells of a Liberty file.

    A delay is read from the middle entry of its table, the slower of rise and fall: a typical
    load and slope, for ranking and not for sign-off. Raises `InvalidInput`, naming the file and
    what is wrong with it.
    """
    content = read_bytes(path)
    try:
        return _library(content)
    except InvalidInput as error:
        raise InvalidInput(f"Liberty file {path}: {error}") from None


@lru_cache(maxsize=4)
def _library(content: bytes) -> Library:
    top = parse(content.decode(errors="replace"))
    if top.kind != "library":
        raise InvalidInput(f"it begins with {top.kind!r} instead of a library group")
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


def read_bytes(path: Path) -> bytes:
    """The text of a Liberty file, which may be packed. Raises `InvalidInput`."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInput(f"Liberty file {path} cannot be unpacked: {error}") from None
    except OSError as error:
        raise InvalidInput(f"Liberty file {path} cannot be read: {error.strerror}") from None


def with_single_pins(text: str) -> str:
    """The same library with a ``timing`` group for each related pin: ABC, when it sizes gates,
    crashes on one with several."""
    parts, start = [], 0
    for match in re.finditer(r"\btiming\s*\(\s*\)\s*\{", text):
        depth, end = 1, match.end()
        while depth and (brace := re.compile(r"[{}]").search(text, end)):
            depth += 1 if brace[0] == "{" else -1
            end = brace.end()
        group = text[match.start() : end]
        related = re.search(r'related_pin\s*:\s*"([^"]*)"', group)
        pins = related[1].split() if related else []
        if related and len(pins) > 1:
            parts.append(text[start : match.start()])
            parts += [group[: related.start(1)] + pin + group[related.end(1) :] for pin in pins]
            start = end
    return "".join([*parts, text[start:]])


def parse(text: str) -> Group:
    """The outermost group of a Liberty text. Raises `InvalidInput` with the line of an error."""
    tokens = _Tokens(text)
    root = Group("", [])
    while tokens.peek():
        _statement(tokens, root)
    if len(root.groups) != 1 or root.attributes:
        raise InvalidInput("it is not a Liberty file, which is one group library (name) { ... }")
    return root.groups[0]


class _Tokens:
    """The tokens of a text, with the line of each."""

    def __init__(self, text: str):
        self.items: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(text):
            if match.lastgroup == "wrong":
                raise InvalidInput(f"line {line}: {match[0]!r} is not Liberty")
            if match.lastgroup != "skip":
                self.items.append((match[0], line))
            line += match[0].count("\n")
        self.last = line
        self.next = 0

    def peek(self) -> str:
        """The next token that is not a line's end, left in place; nothing at the end."""
        while self.next < len(self.items) and self.items[self.next][0] == "\n":
            self.next += 1
        return self.items[self.next][0] if self.next < len(self.items) else ""

    def take(self, allowed: str = "") -> str:
        """The next token. Raises `InvalidInput` if it is not among the `allowed` marks."""
        token = self.peek()
        if not token:
            raise InvalidInput(f"line {self.last}: it ends inside a group or statement")
        if allowed and token not in allowed:
            line = self.items[self.next][1]
            raise InvalidInput(f"line {line}: expected {' or '.join(allowed)}, not {token}")
        self.next += 1
        return token

    def value(self) -> str:
        """The value of a simple attribute: up to a semicolon or the end of its line."""
        words = []
        while self.next < len(self.items) and self.items[self.next][0] not in (";", "\n", "}"):
            words.append(self.take())
        return " ".join(words).strip('"')


def _statement(tokens: _Tokens, group: Group) -> None:
    """``name : value ;`` or ``name (a, b) ;`` or ``name (a, b) { ... }`` into its group."""
    name = tokens.take()
    if tokens.take(":(") == ":":
        group.attributes[name] = tokens.value()
    else:
        arguments = []
        while (token := tokens.take()) != ")":
            if token != ",":
                arguments.append(token.strip('"'))
        if tokens.peek() != "{":
            group.attributes[name] = ",".join(arguments)
        else:
            tokens.take()
            inner = Group(name, arguments)
            group.groups.append(inner)
            while tokens.peek() != "}":
                _statement(tokens, inner)
            tokens.take()
    if tokens.peek() == ";":
        tokens.take()


def _check_tables(cells: dict[str, Cell]) -> None:
    """Raise `InvalidInput` if some delays depend on loads and others have no tables."""
    if not any(len(arc.delay.columns) > 1 for cell in cells.values() for arc in cell.arcs):
        return
    for cell in cells.values():
        if cell.delays and not cell.arcs:
            raise InvalidInput(f"cell {cell.name}: it has no tables of slew, which others have")
        for pin in {arc.target for arc in cell.arcs}:
            for edge, name in enumerate(("rising", "falling")):
                if not any(arc.target == pin and arc.edge == edge for arc in cell.arcs):
                    raise InvalidInput(f"cell {cell.name}: it has no table for a {name} {pin}")


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
        raise InvalidInput(f"cell {''.join(group.arguments)}: {error}") from None


def _parts_of_cell(group: Group, templates: dict[str, Group]) -> Cell:
    pins = {name: pin for pin in group.named("pin") for name in pin.arguments}
    outputs = {n: pin for n, pin in pins.items() if "function" in pin.attributes}
    registers = list(group.named("ff", "latch", "ff_bank", "latch_bank"))
    delays: dict[tuple[str, str], float] = {}
    setups: dict[str, float] = {}
    arcs: list[Arc] = []
    setup_tables: list[tuple[str, int, Table]] = []
    for name, pin in pins.items():
        for timing in pin.named("timing"):
            kind = timing.attributes.get("timing_type", "combinational")
            related = timing.attributes.get("related_pin", "").split()
            if kind.startswith("setup"):
                number = _middle(timing, "rise_constraint", "fall_constraint", "intrinsic_rise",
                                 "intrinsic_fall")  # fmt: skip
                setups[name] = max(number or 0.0, setups.get(name, 0.0))
                for edge, tables in enumerate(("rise_constraint", "fall_constraint")):
                    for table in timing.named(tables):
                        setup_tables.append((name, edge, _table(table, templates)))
            elif kind in _DELAYS:
                number = _middle(timing, "cell_rise", "cell_fall", "intrinsic_rise",
                                 "intrinsic_fall")  # fmt: skip
                for source in related if number is not None else ():
                    arc = (source, name)
                    delays[arc] = max(number or 0.0, delays.get(arc, 0.0))
                    arcs += _arcs(timing, *arc, templates)
    return Cell(
        "".join(group.arguments),
        _number(group.attributes.get("area", "0"), "area"),
        tuple(n for n, pin in pins.items() if pin.attributes.get("direction") == "input"),
        {name: pin.attributes["function"] for name, pin in outputs.items()},
        registers[0].attributes if registers else {},
        delays,
        setups,
        {n: _capacitances(pin) for n, pin in pins.items() if "function" not in pin.attributes},
        tuple(arcs),
        tuple(setup_tables),
        tuple(x for name, pin in pins.items() for x in _powers(name, pin, templates)),
        _leakage(group),
        tuple(registers[0].arguments[:2]) if registers else (),
    )


def _powers(name: str, pin: Group, templates: dict[str, Group]) -> Iterator[Power]:
    for group in pin.named("internal_power"):
        tables = tuple(
            _table(table, templates) if table else None
            for kind in ("rise_power", "fall_power")
            for table in [next(group.named(kind, "power"), None)]
        )
        if tables == (None, None):
            raise InvalidInput(f"internal power of pin {name} has no table")
        for source in group.attributes.get("related_pin", "").split() or [""]:
            yield Power(name, source, group.attributes.get("when", ""), tables)


def _leakage(group: Group) -> float | None:
    """Its figure for all states, or the mean over those it lists."""
    if "cell_leakage_power" in group.attributes:
        return _number(group.attributes["cell_leakage_power"], "cell_leakage_power")
    states = [_number(g.attributes.get("value", ""), "leakage_power")
              for g in group.named("leakage_power")]  # fmt: skip
    return sum(states) / len(states) if states else None


def _capacitances(pin: Group) -> tuple[float, float]:
    common = pin.attributes.get("capacitance", "0")
    rise, fall = (
        _number(pin.attributes.get(f"{edge}_capacitance", common), "capacitance")
        for edge in ("rise", "fall")
    )
    return rise, fall


def _arcs(timing: Group, source: str, target: str, templates: dict[str, Group]) -> Iterator[Arc]:
    """The ways from one pin to another by one ``timing`` group."""
    kind = timing.attributes.get("timing_type", "combinational")
    sense = timing.attributes.get("timing_sense", "non_unate")
    slews = any(timing.named("rise_transition", "fall_transition"))
    for edge, name in enumerate(("rise", "fall")):
        delay = next(timing.named(f"cell_{name}"), None)
        slew = next(timing.named(f"{name}_transition"), None)
        if kind == f"combinational_{'fall' if edge == 0 else 'rise'}":
            continue
        if slews and (delay is None) != (slew is None):
            missing = f"cell_{name}" if delay is None else f"{name}_transition"
            raise InvalidInput(f"timing of pin {target} from {source} has no {missing}")
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
        raise InvalidInput(f"a table by {names.strip(', ')}; allowed: slews and the output's load")
    values = _numbers(group.attributes.get("values", ""), "values")
    lengths = [len(axis) for _, axis in axes] + [1] * (2 - len(axes))
    if len(values) != lengths[0] * lengths[1]:
        raise InvalidInput(f"a table {group.kind} has {len(values)} values instead of "
                           f"{lengths[0]} x {lengths[1]}")  # fmt: skip
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
        return float(text)
    except ValueError:
        raise InvalidInput(f"{what} must be a number, not {text!r}") from None


def _in_units(text: str, units: dict[str, float]) -> float:
    """``10ps`` in the unit that is 1 in `units`."""
    match = re.fullmatch(r"([\d.eE+-]+?)([a-z]+)", re.sub(r"\s", "", text).lower())
    if match is None or match[2] not in units:
        raise InvalidInput(f"a unit must be a number and one of {', '.join(units)}, not {text!r}")
    return _number(match[1], "a unit") * units[match[2]]
