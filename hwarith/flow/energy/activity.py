"""Switching activity of a mapped netlist: how often its signals change from vector to vector."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...exceptions import InvalidInput, ToolFailure, shown
from ...units import unit
from ..synthesis import liberty
from ..synthesis.cells import Cell, Library
from ..synthesis.libraries import fpga, liberty_file
from ..synthesis.netlists import Instance, Net, Ports
from ..synthesis.synthesize import Synthesis
from ..synthesis.timing import CLOCK, in_order
from .clocked import Clocked, Register
from .gates import Gate, Words, gate

_CHUNK = 1 << 14
"""Vectors at a time, a multiple of 64: some tens of megabytes for thousands of cells."""

_GATES = {"$_NAND_": "!(A B)", "$_NOR_": "!(A+B)", "$_NOT_": "!A"}


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What `activity` found.

    Attributes
    ----------
    operations : steps from one vector to the next, one fewer than there are vectors; of a unit
        with registers, transfers.
    clocks : rising edges of the clock in all operations; 0 without registers.
    toggles : changes of the cells' outputs per operation.
    changes : changes of each net in all operations; of the clock, two in each of the `clocks`.
    ones : vectors (before a rising edge of the clock) in which each net is 1.
    watched : how often each `Watch` was met.
    results : what the netlist computes, as the unit gives it for the same operands.
    """

    operations: int
    clocks: int
    toggles: float
    changes: dict[Net, int]
    ones: dict[Net, int]
    watched: list[int]
    results: np.ndarray | tuple[np.ndarray, ...]


class Watch(NamedTuple):
    """Changes of a net that are to be counted: those together with one of another net, if any is
    given, and under a condition (after the change, when the clock is high), if any is given."""

    net: Net
    cause: Net | None = None
    condition: Gate | None = None


def activity(synthesis: Synthesis, *codes: ArrayLike, watch: Sequence[Watch] = ()) -> Activity:
    """Switching activity of a synthesized unit for a sequence of operands.

    Cells take no time: a net changes once or not at all from one vector to the next. Glitches,
    which real delays add, are not counted.

    A combinational unit takes one vector of operands after the other. A unit with registers is
    reset and then driven at full throughput: its transfers are offered without a pause, over and
    over, and results are accepted at once. Counted is one repetition, from the clock in which its
    first transfer is taken to that of the next one's, after as many others as fill all ranks. So
    the filling is left out, and each rank meets each transfer once; the step from the last one to
    the first is one of the steps.

    Parameters
    ----------
    synthesis : of a Liberty file, of the generic library or, without registers, of recipe ``cmos``.
    codes : the operands, as the unit takes them; two vectors or more, or for a unit with registers
        what makes two transfers or more (`Unit.transfers`); applied in order.
    watch : what else to count.

    Raises `InvalidInput` for an FPGA, for registers in recipe ``cmos``, for wrong operands, for
    cells whose functions the library does not give, and for registers that are no flip-flops at the
    clock's rising edge; `ToolFailure` if the netlist stops to take operands, or gives another
    number of results than the unit.
    """
    u = unit(synthesis.spec)
    if synthesis.module is None or fpga(synthesis.library):
        raise InvalidInput(f"activity needs a netlist of cells, not of {synthesis.library}")
    if u.stages and synthesis.recipe == "cmos":
        raise InvalidInput(f"activity of registers needs a library's, and {u.spec} is of cmos")
    operands = u.check_operands(codes)
    columns = dict(zip(u.inputs, u.transfers.of(operands), strict=True))
    transfers = len(next(iter(columns.values())))
    if transfers < 2:
        raise InvalidInput(f"activity needs two vectors or more, not {transfers}")
    netlist = _netlist(synthesis)
    shape = u.transfers.result_shape(operands)
    results = {name: np.zeros(math.prod(shape), f.dtype) for name, f in u.results.items()}
    tally = _Tally(netlist, watch, results)
    chunks = _clocks(netlist, columns, u.stages) if u.stages else _vectors(netlist, columns)
    for chunk in chunks:
        tally.add(chunk)
    if tally.delivered != math.prod(shape):
        raise ToolFailure(
            f"the mapped netlist of {u.spec} gives {tally.delivered} results for {transfers} "
            f"transfers, instead of {math.prod(shape)}"
        )
    operations = transfers if u.stages else transfers - 1
    return Activity(
        operations=operations,
        clocks=tally.steps if u.stages else 0,
        toggles=sum(tally.changes[net] for net in netlist.outputs) / operations,
        changes=dict(tally.changes),
        ones=dict(tally.ones),
        watched=tally.watched,
        results=u.transfers.collect(list(results.values()), shape),
    )


# -- stimulus ------------------------------------------------------------------------------------


class _Chunk(NamedTuple):
    """Vectors one after the other: the nets that no gate drives, how many vectors there are, how
    many at the beginning have been counted before, and the number of the first new result."""

    nets: dict[Net, Words]
    vectors: int
    old: int
    result: int


def _vectors(netlist: _Netlist, columns: dict[str, np.ndarray]) -> Iterator[_Chunk]:
    """Vectors of operands, a result for each."""
    vectors = len(next(iter(columns.values())))
    for start in range(0, vectors, _CHUNK):
        # The last vector of the chunk before comes first, so that every step is in one chunk.
        first, stop = max(start - 1, 0), min(start + _CHUNK, vectors)
        nets = _inputs(netlist.ports, {name: x[first:stop] for name, x in columns.items()})
        yield _Chunk(nets, stop - first, start - first, start)


def _clocks(netlist: _Netlist, columns: dict[str, np.ndarray], stages: int) -> Iterator[_Chunk]:
    """One repetition of the transfers in a unit whose ranks have been filled."""
    ports, transfers = netlist.ports, len(next(iter(columns.values())))
    inputs = _inputs(ports, columns)
    clocked = Clocked(netlist.gates, netlist.registers, ports, inputs, transfers)
    filled = transfers * (1 + stages // transfers)
    for _ in clocked.run(filled, _CHUNK):
        pass
    result = clocked.delivered
    for states, rows in clocked.run(filled + transfers, _CHUNK):
        nets = _inputs(ports, {name: x[rows] for name, x in columns.items()})
        always = {"i_valid": "1", "o_ready": "1", "rst": "0", CLOCK: "1"}
        nets |= {ports[name]["bits"][0]: nets[value] for name, value in always.items()}
        yield _Chunk(nets | states, len(rows), 1, result)
        result = clocked.delivered


def _inputs(ports: Ports, columns: dict[str, np.ndarray]) -> dict[Net, Words]:
    """The nets of the input ports, and the constants."""
    vectors = len(next(iter(columns.values())))
    zeros = np.zeros(-(-vectors // 64), "<u8")
    nets: dict[Net, Words] = {"0": zeros, "x": zeros, "1": ~zeros}
    padded = np.zeros(64 * len(zeros), np.uint8)
    for name, column in columns.items():
        for i, net in enumerate(ports[name]["bits"]):
            padded[:vectors] = (column >> i) & 1
            nets[net] = np.packbits(padded, bitorder="little").view("<u8")
    return nets


# -- counting ------------------------------------------------------------------------------------


class _Tally:
    """Counts of changes, and the results, chunk by chunk."""

    def __init__(self, netlist: _Netlist, watch: Sequence[Watch], results: dict[str, np.ndarray]):
        self._netlist, self._watch, self._results = netlist, watch, results
        self.changes: Counter[Net] = Counter()
        self.ones: Counter[Net] = Counter()
        self.watched = [0] * len(watch)
        self.steps = self.delivered = 0

    def add(self, chunk: _Chunk) -> None:
        """Count a chunk whose gates are yet to be evaluated."""
        nets, clocks = chunk.nets, self._netlist.clocks
        for function, inputs, output in self._netlist.gates:
            nets[output] = function(*(nets[net] for net in inputs))
        steps = _Steps(chunk.vectors, chunk.old)
        changed = {net: steps.changed(words) for net, words in nets.items()}
        changed |= dict.fromkeys(clocks, steps.all)
        for net in nets:
            self.changes[net] += _count(changed[net]) * (2 if net in clocks else 1)
            self.ones[net] += _count(nets[net] & steps.new)
        for i, (net, cause, condition) in enumerate(self._watch):
            met = changed[net] if cause is None else changed[net] & changed[cause]
            if condition:
                met = met & condition.function(*(nets[net] for net in condition.inputs))
            self.watched[i] += _count(met) * (2 if net in clocks else 1)
        self.steps += _count(steps.all)
        self._collect(chunk)

    def _collect(self, chunk: _Chunk) -> None:
        """Results of the vectors that have one; those of a repetition may begin in the middle."""
        ports, nets = self._netlist.ports, chunk.nets
        valid = ports["o_valid"]["bits"][0] if CLOCK in ports else "1"
        new = np.flatnonzero(_bits(nets[valid], chunk.vectors)[chunk.old :]) + chunk.old
        for name, codes in self._results.items():
            place = (chunk.result + np.arange(len(new))) % len(codes)
            found = np.zeros(len(new), codes.dtype)
            for i, net in enumerate(ports[name]["bits"]):
                found |= _bits(nets[net], chunk.vectors)[new].astype(codes.dtype) << i
            codes[place] = found
        self.delivered += len(new)


def _count(x: Words) -> int:
    return int(np.bitwise_count(x).sum())


def _bits(x: Words, vectors: int) -> np.ndarray:
    return np.unpackbits(x.view(np.uint8), count=vectors, bitorder="little")


class _Steps:
    """The steps among `vectors` vectors; the first `old` of them have been counted before.

    `new` has a bit for each vector that has not, and `all` for each that has one before it.
    """

    def __init__(self, vectors: int, old: int):
        self.new = self._ones(old, vectors)
        self.all = self._ones(1, vectors)

    @staticmethod
    def _ones(start: int, stop: int) -> Words:
        bits = np.zeros(-(-stop // 64) * 64, np.uint8)
        bits[start:stop] = 1
        return np.packbits(bits, bitorder="little").view("<u8")

    def changed(self, x: Words) -> Words:
        """Where a vector differs from the one before."""
        before = x << np.uint64(1)
        before[1:] |= x[:-1] >> np.uint64(63)
        return (x ^ before) & self.all


# -- netlists ------------------------------------------------------------------------------------


def instances_of(synthesis: Synthesis, library: Library | None = None) -> list[Instance]:
    """The cells of a netlist, each with its nets by pin. `library` saves reading it again.

    What a register holds, and what it drives without anything there, have nets of their own.
    """
    if synthesis.recipe == "cmos":
        cells = {
            name: Cell(name, 0, tuple("AB"), {"Y": function}, {}, {}, {})
            for name, function in _GATES.items()
        }
    else:
        cells = (library or liberty.read(liberty_file(synthesis.library))).cells
    instances = []
    for i, (kind, nets) in enumerate((synthesis.module or {"cells": []})["cells"]):
        cell = cells[kind]
        own = {pin: (i, pin) for pin in (*cell.states, *cell.functions)} if cell.states else {}
        instances.append((cell, own | nets))
    return instances


class _Netlist(NamedTuple):
    """A netlist to be evaluated: gates in order, registers, the outputs of its cells, and the
    nets that follow the clock."""

    ports: Ports
    gates: list[Gate]
    registers: list[Register]
    outputs: list[Net]
    clocks: set[Net]


def _netlist(synthesis: Synthesis) -> _Netlist:
    instances = instances_of(synthesis)
    registers = [(cell, nets) for cell, nets in instances if cell.states]
    gates: list[Gate] = []
    for cell, nets in registers:
        state, inverse = (nets[name] for name in cell.states)
        gates.append(Gate(np.invert, (state,), inverse))
        gates += _gates_of(cell, nets)
    for cell, nets in in_order([x for x in instances if not x[0].states]):
        gates += _gates_of(cell, nets)
    ports = (synthesis.module or {})["ports"]
    settled = _settled(gates, ports)
    return _Netlist(
        ports=ports,
        gates=gates,
        registers=[_register(cell, nets, settled) for cell, nets in registers],
        outputs=[nets[pin] for cell, nets in instances for pin in cell.functions if pin in nets],
        clocks={net for net, phases in settled.items() if phases[0] != phases[1]},
    )


def _gates_of(cell: Cell, nets: dict[str, Net]) -> list[Gate]:
    """A gate for each output of a cell that is connected."""
    connected = {pin: text for pin, text in cell.functions.items() if pin in nets}
    return [gate(text, cell, nets, pin) for pin, text in connected.items()]


def _settled(gates: list[Gate], ports: Ports) -> dict[Net, np.ndarray]:
    """The nets that neither operands nor registers change: their values while the clock is low and
    while it is high."""
    low, high = np.zeros(2, np.uint8), np.ones(2, np.uint8)
    settled: dict[Net, np.ndarray] = {"0": low, "x": low, "1": high}
    if CLOCK in ports:
        settled[ports[CLOCK]["bits"][0]] = np.array([0, 1], np.uint8)
    for function, inputs, output in gates:
        if all(net in settled for net in inputs):
            settled[output] = function(*(settled[net] for net in inputs)) & 1
    return settled


def _register(cell: Cell, nets: dict[str, Net], settled: dict[Net, np.ndarray]) -> Register:
    """A flip-flop at the clock's rising edge that nothing clears or presets. Raises `InvalidInput`
    for other registers."""
    wanted = {"clocked_on": [0, 1], "clear": [0, 0], "preset": [0, 0]}

    controls = {
        name: gate(text, cell, nets) for name, text in cell.register.items() if name in wanted
    }

    def is_as_wanted(name: str) -> bool:
        function, inputs, _ = controls[name]
        if any(net not in settled for net in inputs):
            return False
        return (function(*(settled[net] for net in inputs)) & 1).tolist() == wanted[name]

    needed = {"next_state", "clocked_on"} <= cell.register.keys()
    if not needed or not all(map(is_as_wanted, controls)):
        raise InvalidInput(
            f"activity takes flip-flops at the rising edge of {CLOCK}, neither cleared nor preset, "
            f"and cell {shown(cell.name)} is used as something else"
        )
    return Register(nets[cell.states[0]], gate(cell.register["next_state"], cell, nets))
