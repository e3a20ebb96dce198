"""Static timing of a mapped netlist: its longest path with the library's fixed delays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import ToolFailure
from .liberty import Cell


class Path(NamedTuple):
    """The longest path: its delay in the library's unit, the cells on it, and its ends.

    A register is named by its output. One that starts or ends the path counts for its delay or
    setup time, not for `depth`.
    """

    delay: float
    depth: int
    start: str
    end: str


class _Arc(NamedTuple):
    source: Any
    target: Any
    delay: float


def longest_path(module: Mapping[str, Any], cells: Mapping[str, Cell]) -> Path:
    """The longest path of a module, in the form that yosys' ``write_json`` gives it.

    Paths start at inputs (time 0) and register outputs (the register's delay from its clock),
    and end at outputs (0) and register inputs (setup time). Raises `ToolFailure` for a
    combinational loop.
    """
    names = _net_names(module)
    arrivals: dict[Any, tuple[float, int, str]] = {}
    arcs: list[_Arc] = []
    ends: list[tuple[Any, float, str]] = []  # net, setup time, name
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
    _propagate(arcs, arrivals)
    reached = [
        Path(round(arrivals[net][0] + setup, 6), *arrivals[net][1:], end)
        for net, setup, end in ends
        if net in arrivals
    ]
    if not reached:  # every output is a constant
        return Path(0.0, 0, "", "")
    return max(reached, key=lambda path: (path.delay, path.depth))


def _cell_arcs(cell: Cell, nets: Mapping[str, Any]) -> Iterator[_Arc]:
    for (source, target), delay in cell.delays.items():
        if target in nets:
            yield _Arc(nets[source], nets[target], delay)


def _propagate(arcs: list[_Arc], arrivals: dict[Any, tuple[float, int, str]]) -> None:
    """Latest arrival at every net: (time, cells passed, start), in topological order."""
    leaving: dict[Any, list[_Arc]] = defaultdict(list)
    waiting: dict[Any, int] = defaultdict(int)
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
                    arrivals[arc.target] = candidate
            waiting[arc.target] -= 1
            if not waiting[arc.target]:
                ready.append(arc.target)
    if done < len(arcs):
        raise ToolFailure("the mapped netlist has a combinational loop")


def _net_names(module: Mapping[str, Any]) -> dict[Any, str]:
    """A name for each net: ports before other names of the source before made-up ones."""
    names: dict[Any, str] = {}
    ports = module["ports"]
    ranked = sorted(
        module["netnames"].items(), key=lambda item: (item[0] not in ports, item[1]["hide_name"])
    )
    for name, entry in ranked:
        for net, bit in _bits(name, entry):
            names.setdefault(net, bit)
    return names


def _bits(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """The nets of a port or a vector of this name, and the name of each bit."""
    for i, net in enumerate(entry["bits"]):
        yield net, f"{name}[{i}]" if len(entry["bits"]) > 1 else name
