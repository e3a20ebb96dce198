"""Switching activity of a mapped netlist: how often its signals change from vector to vector."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import InvalidInput
from ..units import unit
from . import liberty
from .libraries import fpga, liberty_file
from .synthesize import Synthesis
from .timing import in_order

_CHUNK = 1 << 14
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
    changes : changes of each net in all operations.
    ones : vectors in which each net is 1.
    watched : how often each `Watch` was met.
    results : what the netlist computes, as the unit gives it for the same operands.
    """

    operations: int
    toggles: float
    changes: dict[Any, int]
    ones: dict[Any, int]
    watched: list[int]
    results: Any


class Gate(NamedTuple):
    """A function of nets, and the net that it drives."""

    function: Callable[..., Words]
    inputs: tuple[Any, ...]
    output: Any = None


class Watch(NamedTuple):
    """Changes of a net that are to be counted: those together with one of another net, if any is
    given, and under a condition (after the change), if any is given."""

    net: Any
    cause: Any = None
    condition: Gate | None = None


def activity(synthesis: Synthesis, *codes: Any, watch: Sequence[Watch] = ()) -> Activity:
    """Switching activity of a synthesized combinational unit for a sequence of operands.

    Cells take no time: a net changes once or not at all from one vector to the next. Glitches,
    which real delays add, are not counted.

    Parameters
    ----------
    synthesis : of a Liberty file, of the generic library or of recipe ``cmos``.
    codes : the operands, as the unit takes them; two vectors or more, applied in order.
    watch : what else to count.

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
    gates = _gates(synthesis)
    ports = synthesis.module["ports"]
    results = {
        name: np.zeros(math.prod(u.result_shape(operands)), f.dtype)
        for name, f in u.results.items()
    }
    changes: Counter[Any] = Counter()
    ones: Counter[Any] = Counter()
    watched = [0] * len(watch)
    for start in range(0, vectors, _CHUNK):
        # The last vector of the chunk before comes first, so that every step is in one chunk.
        first = max(start - 1, 0)
        chunk = slice(first, min(start + _CHUNK, vectors))
        nets = _inputs(ports, {name: x[chunk] for name, x in columns.items()})
        for gate in gates:
            nets[gate.output] = gate.function(*(nets[net] for net in gate.inputs))
        steps = _Steps(chunk.stop - first, start - first)
        changed = {net: steps.changed(words) for net, words in nets.items()}
        for net in nets:
            changes[net] += _count(changed[net])
            ones[net] += _count(nets[net] & steps.new)
        for i, (net, cause, condition) in enumerate(watch):
            met = changed[net] if cause is None else changed[net] & changed[cause]
            if condition:
                met = met & condition.function(*(nets[net] for net in condition.inputs))
            watched[i] += _count(met)
        for name, codes_of in results.items():
            codes_of[chunk] = _codes(ports[name]["bits"], nets, codes_of[chunk])
    return Activity(
        operations=vectors - 1,
        toggles=sum(changes[gate.output] for gate in gates) / (vectors - 1),
        changes=dict(changes),
        ones=dict(ones),
        watched=watched,
        results=u.collect(list(results.values()), u.result_shape(operands)),
    )


def _count(x: Words) -> int:
    return int(np.bitwise_count(x).sum())


class _Steps:
    """The steps among `vectors` vectors; the first `old` of them have been counted before.

    `new` has a bit for each vector that has not.
    """

    def __init__(self, vectors: int, old: int):
        self.new = self._ones(old, vectors)
        self._steps = self._ones(1, vectors)

    @staticmethod
    def _ones(start: int, stop: int) -> Words:
        bits = np.zeros(-(-stop // 64) * 64, np.uint8)
        bits[start:stop] = 1
        return np.packbits(bits, bitorder="little").view("<u8")

    def changed(self, x: Words) -> Words:
        """Where a vector differs from the one before."""
        before = x << np.uint64(1)
        before[1:] |= x[:-1] >> np.uint64(63)
        return (x ^ before) & self._steps


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


def instances_of(
    synthesis: Synthesis, library: liberty.Library | None = None
) -> list[tuple[liberty.Cell, dict[str, Any]]]:
    """The cells of a netlist, each with its nets by pin. `library` saves reading it again."""
    if synthesis.recipe == "cmos":
        cells = {name: liberty.Cell(name, 0, tuple("AB"), {"Y": function}, {}, {}, {})
                 for name, function in _GATES.items()}  # fmt: skip
    else:
        cells = (library or liberty.read(liberty_file(synthesis.library))).cells
    module = synthesis.module or {"cells": []}
    return [(cells[kind], nets) for kind, nets in module["cells"]]


def _gates(synthesis: Synthesis) -> list[Gate]:
    """A gate for each output of each cell, after those that drive it."""
    gates = []
    for cell, nets in in_order(instances_of(synthesis)):
        for pin, text in cell.functions.items():
            if pin in nets:
                gates.append(gate(text, cell, nets, pin))
    return gates


def gate(text: str, cell: liberty.Cell, nets: dict[str, Any], output: str = "") -> Gate:
    """A Liberty function of a cell's pins. Raises `InvalidInput` if it is none."""
    pins = (*cell.inputs, *cell.functions)
    function, inputs = function_of(text, pins, f"cell {cell.name}")
    return Gate(function, tuple(nets[pin] for pin in inputs), nets.get(output))


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
