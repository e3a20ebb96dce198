"""Two modules of gates and flip-flops as two functions: their registers cut out and paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...exceptions import InvalidInput, listed, shown
from .netlists import Module, Net

HELD = "registers_hold"
"""The port for what registers hold before a clock."""

GET = "registers_get"
"""The port for what they get at it."""

_FLIP_FLOP = "$_DFF_P_"
_CONSTANTS = ("0", "1", "x")


@dataclass(frozen=True)
class Cut:
    """A unit and its netlist without registers; made by `cut`.

    Attributes
    ----------
    modules : both in yosys' JSON, ``unit`` and ``netlist``, with the same ports.
    outputs, registers : bits of outputs and of registers that are compared.
    names : of the bits at the port `GET`, in order.
    alone : registers of the unit or of the netlist that the other one does not have.
    """

    modules: dict[str, Any]
    outputs: int
    registers: int
    names: list[str]
    alone: list[str]


def cut(unit: Module, netlist: Module, clock: str) -> Cut:
    """Cut the registers out of a unit and of its netlist, and pair them by name.

    Of the unit's registers that the netlist holds once, each is what the netlist holds; those that
    are constant there are constant. Those that one of them has alone hold anything.

    Raises `InvalidInput` for other ports, for latches, and for registers that are cleared or
    preset without the clock, or have another clock or its falling edge.
    """
    _check_ports(unit, netlist)
    ours, theirs = (_registers(module, clock) for module in (unit, netlist))
    theirs_named = {name: bit for name, bit in _named(netlist)}
    names = {bit: name for name, bit in _named(unit) if bit in ours}
    place = {bit: i for i, bit in enumerate(theirs)}
    held: dict[Net, Net] = {}
    pairs: list[tuple[str, Net, Net]] = []
    alone: list[str] = []
    for name, bit in _named(unit):
        other = theirs_named.get(name)
        if bit not in ours or bit in held or other is None:
            continue
        if other in place:
            held[bit] = f"held {place[other]}"
            pairs.append((name, ours[bit], theirs[other]))
        elif other in _CONSTANTS:
            held[bit] = other
            pairs.append((name, ours[bit], other))
    width = len(theirs)
    for bit in ours:
        if bit not in held:
            held[bit] = f"held {width}"
            alone.append(names.get(bit, "one without a name"))
            width += 1
    paired = {pair[2] for pair in pairs}
    alone += [name for name, bit in _named(netlist) if bit in theirs and theirs[bit] not in paired]
    cut_of_netlist = {bit: f"held {i}" for bit, i in place.items()}
    modules = {
        "unit": _without(unit, held, width, [pair[1] for pair in pairs]),
        "netlist": _without(netlist, cut_of_netlist, width, [pair[2] for pair in pairs]),
    }
    return Cut(
        {"modules": modules},
        sum(len(p["bits"]) for p in unit["ports"].values() if p["direction"] == "output"),
        len(pairs),
        [pair[0] for pair in pairs],
        list(dict.fromkeys(alone)),
    )


def _check_ports(unit: Module, netlist: Module) -> None:
    """Raise `InvalidInput`, naming the first port that is not what the unit's is."""
    theirs = {name: (p["direction"], len(p["bits"])) for name, p in netlist["ports"].items()}
    ours = {name: (p["direction"], len(p["bits"])) for name, p in unit["ports"].items()}
    for name in ours | theirs:
        if ours.get(name) != theirs.get(name):
            raise InvalidInput(
                f"netlist: port {shown(name)} must be as in the unit's Verilog; its ports are "
                f"{listed(ours)}"
            )


def _registers(module: Module, clock: str) -> dict[Net, Net]:
    """What each register's output gets at the clock."""
    found: dict[Net, Net] = {}
    (edge,) = module["ports"][clock]["bits"] if clock in module["ports"] else (None,)
    for cell in module["cells"].values():
        pins = {pin: bits[0] for pin, bits in cell["connections"].items()}
        if cell["type"] == _FLIP_FLOP and pins["C"] == edge:
            found[pins["Q"]] = pins["D"]
        elif set("DQ") <= pins.keys() or "E" in pins:
            raise InvalidInput(
                f"netlist: its registers must take what they get at the rising edge of {clock} "
                "alone, without clear or preset"
            )
    return found


def _named(module: Module) -> Iterator[tuple[str, Net]]:
    """Every bit of the module that has a name, some by several names."""
    for name, net in module["netnames"].items():
        if not net.get("hide_name"):
            lowest = net.get("offset", 0)
            for i, bit in enumerate(net["bits"], lowest):
                yield (f"{name}[{i}]" if len(net["bits"]) > 1 else name), bit


def _without(module: Module, held: Mapping[Net, Net], width: int, get: list[Net]) -> dict[str, Any]:
    """The module without its registers, and with ports for what they hold and get."""
    first = 1 + max(
        (bit for x in module["netnames"].values() for bit in x["bits"] if isinstance(bit, int)),
        default=1,
    )
    numbers: dict[Net, Net] = {f"held {i}": first + i for i in range(width)}

    def moved(bits: list[Net]) -> list[Net]:
        cut = (held.get(bit, bit) for bit in bits)
        return [numbers.get(bit, bit) for bit in cut]

    ports = {
        name: port | {"bits": port["bits"] if port["direction"] == "input" else moved(port["bits"])}
        for name, port in module["ports"].items()
    }
    if width:
        ports[HELD] = {"direction": "input", "bits": list(numbers.values())}
    if get:
        ports[GET] = {"direction": "output", "bits": moved(get)}
    cells = {
        name: cell
        | {"connections": {pin: moved(bits) for pin, bits in cell["connections"].items()}}
        for name, cell in module["cells"].items()
        if cell["type"] != _FLIP_FLOP
    }
    return {"attributes": {}, "ports": ports, "cells": cells, "netnames": {}}
