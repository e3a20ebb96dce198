"""Switching activity of a mapped netlist: how often its signals change from vector to vector."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import InvalidInput
from ..units import unit
from . import liberty
from .libraries import fpga, liberty_file
from .synthesize import Synthesis
from .timing import in_order, loads_of_nets

_CHUNK = 1 << 16
"""Vectors at a time, a multiple of 64: some tens of megabytes for thousands of cells."""

_GATES = {"$_NAND_": "!(A B)", "$_NOR_": "!(A+B)", "$_NOT_": "!A"}

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|[01]|[!'()&*|+^])")

Words = np.ndarray
"""A signal's values, 64 vectors in a word, the first in its lowest bit."""


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What `activity` found.

    Attributes
    ----------
    operations : steps from one vector to the next, one fewer than there are vectors.
    toggles : changes of the cells' outputs per operation.
    switched_capacitance : the same weighted with the capacitance of what each net drives, inputs
        of the unit included, per operation and in fF; None if the library has no tables of delays,
        for its capacitances then stand for nothing. Times half the squared supply voltage, this
        is the energy of charging pins; wires and the insides of cells are not in it.
    results : what the netlist computes, as the unit gives it for the same operands.
    """

    operations: int
    toggles: float
    switched_capacitance: float | None
    results: Any


class _Gate(NamedTuple):
    function: Callable[..., Words]
    inputs: tuple[Any, ...]
    output: Any


def activity(synthesis: Synthesis, *codes: Any) -> Activity:
    """Switching activity of a synthesized combinational unit for a sequence of operands.

    Cells take no time: a net changes once or not at all from one vector to the next. Glitches,
    which real delays add, are not counted.

    Parameters
    ----------
    synthesis : of a Liberty file, of the generic library or of recipe ``cmos``.
    codes : the operands, as the unit takes them; two vectors or more, applied in order.

    Raises `InvalidInput` for an FPGA, for a unit with registers, for wrong operands, and for
    cells whose functions the library does not give.
    """
    u = unit(synthesis.spec)
    if synthesis.module is None or fpga(synthesis.library):
        raise InvalidInput(f"activity needs a netlist of cells, not of {synthesis.library}")
    if u.stages or synthesis.flip_flops:
        raise InvalidInput(f"activity takes combinational units, and {u.spec} has registers")
    operands = u.check_operands(codes)
    columns = dict(zip(u.inputs, u.transfers(operands), strict=True))
    vectors = len(next(iter(columns.values())))
    if vectors < 2:
        raise InvalidInput(f"activity needs two vectors or more, not {vectors}")
    library = _library(synthesis)
    gates = _gates(synthesis.module, library)
    weights = _weights(synthesis.module, library)
    ports = synthesis.module["ports"]
    results = {
        name: np.zeros(math.prod(u.result_shape(operands)), f.dtype)
        for name, f in u.results.items()
    }
    toggles = switched = 0.0
    for start in range(0, vectors, _CHUNK):
        # The last vector of the chunk before comes first, so that every step is in one chunk.
        first = max(start - 1, 0)
        chunk = slice(first, min(start + _CHUNK, vectors))
        nets = _inputs(ports, {name: x[chunk] for name, x in columns.items()})
        for gate in gates:
            nets[gate.output] = gate.function(*(nets[net] for net in gate.inputs))
        steps = _Steps(chunk.stop - first)
        changes = {
            net: steps.count(nets[net]) for net in weights.keys() | {g.output for g in gates}
        }
        toggles += sum(changes[gate.output] for gate in gates)
        switched += sum(weight * changes[net] for net, weight in weights.items())
        for name, codes_of in results.items():
            codes_of[chunk] = _codes(ports[name]["bits"], nets, codes_of[chunk])
    return Activity(
        operations=vectors - 1,
        toggles=toggles / (vectors - 1),
        switched_capacitance=switched / (vectors - 1) if weights else None,
        results=u.collect(list(results.values()), u.result_shape(operands)),
    )


class _Steps:
    """Counts the changes between neighbours among `vectors` vectors."""

    def __init__(self, vectors: int):
        words = -(-vectors // 64)
        bits = np.zeros(64 * words, np.uint8)
        bits[1:vectors] = 1
        self._counted = np.packbits(bits, bitorder="little").view("<u8")

    def count(self, x: Words) -> int:
        before = x << np.uint64(1)
        before[1:] |= x[:-1] >> np.uint64(63)
        return int(np.bitwise_count((x ^ before) & self._counted).sum())


def _inputs(ports: dict[str, Any], columns: dict[str, np.ndarray]) -> dict[Any, Words]:
    """The nets of the input ports, and the constants."""
    vectors = len(next(iter(columns.values())))
    zeros = np.zeros(-(-vectors // 64), "<u8")
    nets: dict[Any, Words] = {"0": zeros, "x": zeros, "1": ~zeros}
    padded = np.zeros(64 * len(zeros), np.uint8)
    for name, column in columns.items():
        for i, net in enumerate(ports[name]["bits"]):
            padded[:vectors] = (column >> i) & 1
            nets[net] = np.packbits(padded, bitorder="little").view("<u8")
    return nets


def _codes(bits: list[Any], nets: dict[Any, Words], like: np.ndarray) -> np.ndarray:
    codes = np.zeros_like(like)
    for i, net in enumerate(bits):
        values = np.unpackbits(nets[net].view(np.uint8), count=len(like), bitorder="little")
        codes |= values.astype(like.dtype) << i
    return codes


def _library(synthesis: Synthesis) -> liberty.Library | None:
    if synthesis.recipe == "cmos":
        return None
    return liberty.read(liberty_file(synthesis.library))


def _gates(module: dict[str, Any], library: liberty.Library | None) -> list[_Gate]:
    """A gate for each output of each cell, after those that drive it."""
    if library is None:
        cells = {name: liberty.Cell(name, 0, tuple("AB"), {"Y": function}, {}, {}, {})
                 for name, function in _GATES.items()}  # fmt: skip
    else:
        cells = library.cells
    instances = [(cells[kind], nets) for kind, nets in module["cells"]]
    gates = []
    for cell, nets in in_order(instances):
        for pin, text in cell.functions.items():
            if pin in nets:
                function, inputs = function_of(text, cell.inputs, f"cell {cell.name}")
                gates.append(_Gate(function, tuple(nets[p] for p in inputs), nets[pin]))
    return gates


def _weights(module: dict[str, Any], library: liberty.Library | None) -> dict[Any, float]:
    """The capacitance in fF that each net drives; nothing if the library does not know."""
    if library is None or not library.has_tables:
        return {}
    instances = [(library.cells[kind], nets) for kind, nets in module["cells"]]
    loads = loads_of_nets(module["ports"], instances, library)
    constants = ("0", "1", "x")
    return {
        net: sum(load) / 2 * library.femtofarads
        for net, load in loads.items() if net not in constants
    }  # fmt: skip


# -- functions of cells --------------------------------------------------------------------------


def function_of(
    text: str, pins: tuple[str, ...], what: str
) -> tuple[Callable[..., Words], tuple[str, ...]]:
    """A Liberty function on words, and the pins that are its arguments, in order.

    Of the operators, ``!`` and ``'`` bind most, then ``^``, then ``&``, ``*`` or a space, then
    ``|`` or ``+`` (Liberty User Guide, "function attribute"). Raises `InvalidInput` for a text
    that is no function of these pins.
    """
    parser = _Parser(text, pins, what)
    expression = parser.sum()
    if parser.tokens or not parser.used:
        raise parser.error()
    names = ", ".join(f"x{i}" for i in range(len(parser.used)))
    # Of nothing but names that were made here, numbers and operators.
    return eval(f"lambda {names}: {expression}", {"__builtins__": {}}), tuple(parser.used)


class _Parser:
    """Recursive descent over a Liberty function, into a Python expression."""

    def __init__(self, text: str, pins: tuple[str, ...], what: str):
        self.text, self.pins, self.what = text, pins, what
        self.tokens: list[str] = []
        self.used: list[str] = []
        rest = text.rstrip()
        while rest:
            match = _TOKEN.match(rest)
            if match is None:
                raise self.error()
            self.tokens.append(match[1])
            rest = rest[match.end() :]

    def error(self) -> InvalidInput:
        pins = ", ".join(self.pins)
        return InvalidInput(f"{self.what}: {self.text!r} is no function of its inputs {pins}")

    def take(self, *allowed: str) -> bool:
        if self.tokens and self.tokens[0] in allowed:
            self.tokens.pop(0)
            return True
        return False

    def sum(self) -> str:
        terms = [self.product()]
        while self.take("+", "|"):
            terms.append(self.product())
        return f"({' | '.join(terms)})"

    def product(self) -> str:
        factors = [self.difference()]
        while self.take("*", "&") or (self.tokens and re.match(r"[\w!(]", self.tokens[0])):
            factors.append(self.difference())
        return f"({' & '.join(factors)})"

    def difference(self) -> str:
        sides = [self.inverted()]
        while self.take("^"):
            sides.append(self.inverted())
        return f"({' ^ '.join(sides)})"

    def inverted(self) -> str:
        if self.take("!"):
            return f"(~{self.inverted()})"
        if self.take("("):
            inner = self.sum()
            if not self.take(")"):
                raise self.error()
        elif self.tokens and self.tokens[0] in self.pins:
            name = self.tokens.pop(0)
            if name not in self.used:
                self.used.append(name)
            inner = f"x{self.used.index(name)}"
        else:
            raise self.error()
        while self.take("'"):
            inner = f"(~{inner})"
        return inner
