"""Verilog of a library's cells, made of their Liberty functions, to simulate netlists with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...exceptions import InvalidInput, shown
from ...rtl.verilog.names import KEYWORDS
from .cells import Cell, Library
from .functions import expression_of

_CONSTANTS = {"0": "1'b0", "1": "1'b1"}


def with_models(netlist: str, library: Library) -> str:
    """A netlist, and behind it a module for each cell of the library in it that it has none for.

    Raises `InvalidInput` for a cell whose function the library does not say, or that is a latch.
    """
    words = set(re.findall(r"[\w$]+", netlist))
    defined = set(re.findall(r"^\s*module\s+\\?([\w$]+)", netlist, re.MULTILINE))
    cells = [cell for name, cell in library.cells.items() if name in words - defined]
    return "\n".join([netlist, *(line for cell in cells for line in _model(cell))])


def _model(cell: Cell) -> Iterator[str]:
    """The module of a cell: its outputs, and what it holds.

    Raises `InvalidInput` for one without functions and for a latch, which no unit has.
    """
    if not cell.functions:
        raise InvalidInput(f"cell {shown(cell.name)}: the library does not say what it does")
    needed = {"next_state", "clocked_on"}
    if cell.register and not (needed <= cell.register.keys() and len(cell.states) == 2):
        raise InvalidInput(f"cell {shown(cell.name)} is no flip-flop with a state and its inverse")
    pins = [f"input {_named(pin)}" for pin in cell.inputs]
    pins += [f"output {_named(pin)}" for pin in cell.functions]
    yield f"module {_named(cell.name)}({', '.join(pins)});"
    if cell.register:
        yield from _flip_flop(cell)
    for pin, function in cell.functions.items():
        yield f"  assign {_named(pin)} = {_verilog(function, cell)};"
    yield "endmodule"


def _flip_flop(cell: Cell) -> Iterator[str]:
    """What a flip-flop holds: cleared and preset before all, and where it is both, cleared."""
    state, inverse = map(_named, cell.states)
    now = {"clear": "1'b0", "preset": "1'b1"}
    forced = {name: value for name, value in now.items() if name in cell.register}
    events = {"clocked_on": "clock", **{name: name for name in forced}}
    for name, wire in events.items():
        yield f"  wire _{wire}_ = {_verilog(cell.register[name], cell)};"
    yield f"  reg {state};"
    yield f"  wire {inverse} = ~{state};"
    yield f"  always @({' or '.join(f'posedge _{wire}_' for wire in events.values())})"
    for name, value in forced.items():
        yield f"    if (_{name}_) {state} <= {value}; else"
    yield f"    {state} <= {_verilog(cell.register['next_state'], cell)};"


def _verilog(function: str, cell: Cell) -> str:
    """A Liberty function in Verilog, whose operators are those of Python's expressions."""
    if (constant := _CONSTANTS.get(function.strip("() "))) is not None:
        return constant
    pins = (*cell.inputs, *cell.states, *cell.functions)
    expression, used = expression_of(function, pins, f"cell {shown(cell.name)}")
    return re.sub(r"x(\d+)", lambda found: _named(used[int(found[1])]), expression)


def _named(name: str) -> str:
    """A name as Verilog takes it."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and name not in KEYWORDS
    return name if plain else f"\\{name} "
