"""Static timing of a mapped netlist: its longest path.

`longest_path` takes one fixed delay for each way through a cell. `longest_path_by_load` takes the
library's tables (NLDM, the non-linear delay model): delay and slew by input slew and load, rising
and falling signals apart. Both are without wires.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from ...exceptions import ToolFailure
from .cells import Arc, Cell, Library
from .netlists import Instance, Module, Net, Ports

T = TypeVar("T", bound=Hashable)

CLOCK = "clk"
"""The port of the clock."""


class Path(NamedTuple):
    """The longest path: its delay in the library's unit, the cells on it, and its ends.

    A register is named by its output. One that starts or ends the path counts for its delay or
    setup time, not for `depth`.
    """

    delay: float
    depth: int
    start: str
    end: str
    nets: dict[Net, float]
    """The nets that it passes, in order, each with the delay of what drives it."""

    ends: dict[str, float]
    """The longest path to each bit of an output and to each register that one reaches."""


class _Arc(NamedTuple):
    source: Net
    target: Net
    delay: float


def find_longest_path(module: Module, library: Library) -> Path | None:
    """The longest path of a module, by load if the library has tables; None if it has no delays."""
    if library.has_tables:
        return longest_path_by_load(module, library)
    return longest_path(module, library.cells) if library.has_delays else None


def longest_path(module: Module, cells: Mapping[str, Cell]) -> Path:
    """The longest path of a module, in the form that yosys' ``write_json`` gives it.

    Paths start at inputs (time 0) and register outputs (the register's delay from its clock),
    and end at outputs (0) and register inputs (setup time). Raises `ToolFailure` for a
    combinational loop.
    """
    names = _net_names(module)
    arrivals: dict[Net, tuple[float, int, str]] = {}
    before: dict[Net, Net] = {}
    arcs: list[_Arc] = []
    ends: list[tuple[Net, float, str]] = []  # net, setup time, name
    for name, port in module["ports"].items():
        for net, bit in _bits(name, port):
            if port["direction"] == "input":
                arrivals[net] = (0.0, 0, bit)
            else:
                ends.append((net, 0.0, bit))
    for instance in module["cells"].values():
        cell = cells[instance["type"]]
        nets = {pin: bits[0] for pin, bits in instance["connections"].items()}
        if cell.register:
            outputs = [pin for pin in cell.functions if nets.get(pin) in names]
            for pin in outputs:
                launch = max((d for (_, q), d in cell.delays.items() if q == pin), default=0.0)
                arrivals[nets[pin]] = (launch, 0, names[nets[pin]])
            register = names[nets[outputs[0]]] if outputs else instance["type"]
            ends += [(nets[pin], setup, register) for pin, setup in cell.setups.items()]
        else:
            arcs += _cell_arcs(cell, nets)
    _propagate(arcs, arrivals, before)
    reached = [
        (round(arrivals[net][0] + setup, 6), arrivals[net][1], net, end)
        for net, setup, end in ends
        if net in arrivals
    ]
    if not reached:  # every output is a constant
        return Path(0.0, 0, "", "", {}, {})
    delay, depth, net, end = max(reached, key=lambda path: path[:2])
    nets = _passed(net, before, {net: time for net, (time, *_) in arrivals.items()})
    return Path(delay, depth, arrivals[net][2], end, nets, _by_end(reached))


def _by_end(paths: Iterable[tuple[float, int, Any, str]]) -> dict[str, float]:
    """The longest of these paths by where they end, which stands last."""
    longest: dict[str, float] = {}
    for delay, *_, end in paths:
        longest[end] = max(round(delay, 6), longest.get(end, 0.0))
    return longest


def _passed(last: T, before: Mapping[T, T | None], times: Mapping[T, float]) -> dict[T, float]:
    """The places up to the last one, in order, each with what it took from the one before."""
    places = [last]
    while (place := before.get(places[-1])) is not None:
        places.append(place)
    earlier = [0.0, *(times[place] for place in reversed(places[1:]))]
    return {
        place: times[place] - time for place, time in zip(reversed(places), earlier, strict=True)
    }


def _cell_arcs(cell: Cell, nets: Mapping[str, Net]) -> Iterator[_Arc]:
    for (source, target), delay in cell.delays.items():
        if target in nets:
            yield _Arc(nets[source], nets[target], delay)


def _propagate(
    arcs: list[_Arc], arrivals: dict[Net, tuple[float, int, str]], before: dict[Net, Net]
) -> None:
    """Latest arrival at every net: (time, cells passed, start), in topological order; and the
    net before it on the way there."""
    leaving: dict[Net, list[_Arc]] = defaultdict(list)
    waiting: dict[Net, int] = defaultdict(int)
    for arc in arcs:
        leaving[arc.source].append(arc)
        waiting[arc.target] += 1
    ready = [net for net in leaving if not waiting[net]]
    done = 0
    while ready:
        net = ready.pop()
        for arc in leaving[net]:
            done += 1
            if net in arrivals:  # else it is a constant
                time, depth, start = arrivals[net]
                candidate = (time + arc.delay, depth + 1, start)
                if arrivals.get(arc.target, (-1.0,))[:2] < candidate[:2]:
                    arrivals[arc.target], before[arc.target] = candidate, net
            waiting[arc.target] -= 1
            if not waiting[arc.target]:
                ready.append(arc.target)
    if done < len(arcs):
        raise ToolFailure("the mapped netlist has a combinational loop")


Transition = tuple[Net, int]
"""A net and what it does: rise (0) or fall (1)."""


@dataclass
class Signal:
    """An edge of a net: its latest arrival and how it came, and its greatest slew."""

    time: float
    depth: int
    start: str
    slew: float
    before: Transition | None = None


Signals = dict[Transition, Signal]
"""When and how fast nets rise and fall."""

Loads = Mapping[Net, Sequence[float]]
"""What a net's driver has to charge when it rises and when it falls, in the library's unit."""


def longest_path_by_load(module: Module, library: Library) -> Path:
    """The longest path of a module (as yosys' ``write_json`` gives it) by the library's tables.

    Paths start and end as in `longest_path`. An input is driven by `Library.driver`, whose own
    input rises and falls at once: it arrives later by what its load adds to the driver's delay,
    with the driver's slew. The clock has no slew. An output has the load `Library.output_load`.
    The slew of a net is the greatest of all ways to it, and a way that holds under a condition
    counts always, as in other static timing. Raises `ToolFailure` for a combinational loop.
    """
    names = _net_names(module)
    instances = [
        (library.cells[i["type"]], {pin: bits[0] for pin, bits in i["connections"].items()})
        for i in module["cells"].values()
    ]
    signals, _ = signals_and_loads(module["ports"], instances, library, names)
    ends: list[tuple[float, int, Transition, str]] = []  # delay, depth, net's edge, name
    registers = [(cell, nets) for cell, nets in instances if cell.register]
    for cell, nets in registers:
        outputs = [nets[pin] for pin in cell.functions if nets.get(pin) in names]
        register = names[outputs[0]] if outputs else cell.name
        for pin, edge, setup in cell.setup_tables:
            if at := signals.get((nets[pin], edge)):
                time = at.time + setup.at(at.slew, 0.0)
                ends.append((time, at.depth, (nets[pin], edge), register))
    for name, port in module["ports"].items():
        if port["direction"] != "input":
            ends += [
                (at.time, at.depth, (net, edge), bit)
                for net, bit in _bits(name, port)
                for edge in (0, 1)
                if (at := signals.get((net, edge)))
            ]
    if not ends:  # every output is a constant
        return Path(0.0, 0, "", "", {}, {})
    delay, depth, last, end = max(ends, key=lambda path: path[:2])
    before = {place: signal.before for place, signal in signals.items()}
    passed = _passed(last, before, {place: signal.time for place, signal in signals.items()})
    nets = {net: time for (net, _), time in passed.items()}
    return Path(round(delay, 6), depth, signals[last].start, end, nets, _by_end(ends))


def signals_and_loads(
    ports: Ports,
    instances: list[Instance],
    library: Library,
    names: Mapping[Net, str] | None = None,
) -> tuple[Signals, Loads]:
    """When and how fast each net rises (0) and falls (1), by net and edge, and its loads.

    `instances` are pairs of a cell and its nets by pin, `names` those of nets where paths start.
    The clock is no signal, for it has no slew. See `longest_path_by_load`.
    """
    names = names or {}
    loads = loads_of_nets(ports, instances, library)
    signals: Signals = {}
    for name, port in ports.items():
        for net, bit in _bits(name, port):
            if port["direction"] == "input" and name != CLOCK:
                _drive(library.driver, net, loads[net], bit, signals)
    for cell, nets in instances:
        for arc in cell.arcs if cell.register else ():
            if arc.target in nets:
                net = nets[arc.target]
                load = loads[net][arc.edge]
                time, slew = arc.delay.at(0.0, load), arc.slew.at(0.0, load)
                start = names.get(net, "")
                _arrive(signals, (net, arc.edge), Signal(time, 0, start, slew))
    for cell, nets in in_order([x for x in instances if not x[0].register]):
        _pass(cell.arcs, nets, loads, signals)
    return signals, loads


def loads_of_nets(
    ports: Ports, instances: Iterable[Instance], library: Library
) -> dict[Net, list[float]]:
    """What each net's driver has to charge when it rises and when it falls, in the library's unit.

    That is the input pins of cells (pairs of a cell and its nets by pin), and `output_load`.
    """
    loads: dict[Net, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for cell, nets in instances:
        for pin, capacitances in cell.capacitances.items():
            if pin in nets:
                for edge in (0, 1):
                    loads[nets[pin]][edge] += capacitances[edge]
    for name, port in ports.items():
        if port["direction"] != "input":
            for net, _ in _bits(name, port):
                for edge in (0, 1):
                    loads[net][edge] += library.output_load
    return loads


def _drive(driver: Cell, net: Net, load: Sequence[float], name: str, signals: Signals) -> None:
    for arc in driver.arcs:
        added = arc.delay.at(0.0, load[arc.edge]) - arc.delay.at(0.0, 0.0)
        slew = arc.slew.at(0.0, load[arc.edge])
        _arrive(signals, (net, arc.edge), Signal(added, 0, name, slew))


def _pass(arcs: Iterable[Arc], nets: Mapping[str, Net], loads: Loads, signals: Signals) -> None:
    """From the inputs of a cell to its outputs."""
    for arc in arcs:
        net = nets.get(arc.target)
        if net is None:
            continue
        load = loads[net][arc.edge]
        for edge in arc.sources:
            if at := signals.get((nets.get(arc.source), edge)):
                time = at.time + arc.delay.at(at.slew, load)
                slew = arc.slew.at(at.slew, load)
                before = (nets[arc.source], edge)
                _arrive(
                    signals, (net, arc.edge), Signal(time, at.depth + 1, at.start, slew, before)
                )


def _arrive(signals: Signals, edge: Transition, new: Signal) -> None:
    old = signals.setdefault(edge, new)
    slew = max(old.slew, new.slew)
    latest = max(old, new, key=lambda signal: (signal.time, signal.depth))
    signals[edge] = Signal(latest.time, latest.depth, latest.start, slew, latest.before)


def in_order(instances: list[Instance]) -> Iterator[Instance]:
    """Cells after those that drive them. Raises `ToolFailure` for a combinational loop."""
    drivers = {
        nets[pin]: i
        for i, (cell, nets) in enumerate(instances)
        for pin in cell.functions.keys() & nets.keys()
    }
    after: dict[int, list[int]] = defaultdict(list)
    waiting = [0] * len(instances)
    for i, (cell, nets) in enumerate(instances):
        for pin in cell.inputs:
            if (driver := drivers.get(nets.get(pin))) is not None:
                after[driver].append(i)
                waiting[i] += 1
    ready = [i for i, number in enumerate(waiting) if not number]
    for i in ready:  # grows as it goes
        yield instances[i]
        for later in after[i]:
            waiting[later] -= 1
            if not waiting[later]:
                ready.append(later)
    if len(ready) < len(instances):
        raise ToolFailure("the mapped netlist has a combinational loop")


def _net_names(module: Module) -> dict[Net, str]:
    """A name for each net: ports before other names of the source before made-up ones."""
    names: dict[Net, str] = {}
    ports = module["ports"]
    ranked = sorted(
        module["netnames"].items(), key=lambda item: (item[0] not in ports, item[1]["hide_name"])
    )
    for name, entry in ranked:
        for net, bit in _bits(name, entry):
            names.setdefault(net, bit)
    return names


def _bits(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[Net, str]]:
    """The nets of a port or a vector of this name, and the name of each bit."""
    for i, net in enumerate(entry["bits"]):
        yield net, f"{name}[{i}]" if len(entry["bits"]) > 1 else name
