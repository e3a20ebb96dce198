"""A mapped netlist with registers, simulated clock by clock: what its registers hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from ...exceptions import ToolFailure
from ...golden.compiler import inlined
from ...golden.kernels import Kernel
from ..synthesis.netlists import Net, Ports
from ..synthesis.timing import CLOCK
from .gates import Gate, Words

_RESET = 2
"""Clocks of reset before the first transfer."""

_PATIENCE = 10_000
"""Clocks without a transfer after which a netlist is given up."""


class Register(NamedTuple):
    """What a flip-flop holds: its net, and what it is after the next rising edge of the clock."""

    state: Net
    following: Gate


class Clocked:
    """A netlist at work: reset, then offered transfers in their order, over and over, results
    accepted at once.

    A vector of its nets is what they settle to before a rising edge of the clock. Registers begin
    with random values, which are the same each time: nothing may rely on how they begin.

    Attributes
    ----------
    taken : transfers so far; the present vector offers the next one.
    delivered : vectors with a result so far, the present one included.
    """

    def __init__(
        self,
        gates: Sequence[Gate],
        registers: Sequence[Register],
        ports: Ports,
        inputs: dict[Net, Words],
        transfers: int,
    ):
        """`gates` in order; `inputs` the nets of the operands (and constants), transfer by
        transfer."""
        self._offered = list(inputs)
        self._states = [register.state for register in registers]
        followings = [
            register.following._replace(output=("following", i))
            for i, register in enumerate(registers)
        ]
        pins = (net for port in ports.values() for net in port["bits"])
        outputs = (gate.output for gate in (*gates, *followings))
        nets = dict.fromkeys((*self._offered, *self._states, *pins, *outputs))
        place = {net: i for i, net in enumerate(nets)}

        def places(of: Iterable[Net]) -> np.ndarray:
            return np.array([place[net] for net in of], np.int64)

        def port(name: str) -> int:
            return place[ports[name]["bits"][0]]

        self._gates = _compiled_gates([*gates, *followings], place)
        self._registers = places(self._states), places([gate.output for gate in followings])
        self._drive = (
            places(self._offered),
            np.ascontiguousarray(np.stack(list(inputs.values()))),
            transfers,
        )
        self._handshake = port("i_valid"), port("i_ready"), port("o_valid")
        self._counts = np.zeros(3, np.int64)  # transfers, results, clocks of the latest run
        self._values = np.zeros(len(place), np.uint8)
        self._values[self._registers[0]] = np.random.default_rng(0).integers(0, 2, len(registers))
        self._values[[port(CLOCK), port("o_ready"), port("rst")]] = 1
        self._run(-1, _RESET)
        self._counts[:] = 0
        self._values[port("rst")] = 0
        self._values[port("i_valid")] = 1
        self._run(0, 0)

    @property
    def taken(self) -> int:
        return int(self._counts[0])

    @property
    def delivered(self) -> int:
        return int(self._counts[1])

    def run(self, until: int, most: int) -> Iterator[tuple[dict[Net, Words], np.ndarray]]:
        """Go on until transfer number `until` is being taken; at most so many clocks at a time.

        Gives of each time, for the present vector and the ones that follow, what the registers
        hold, and which transfer is offered. Raises `ToolFailure` if no more transfers are taken.
        """
        waited = 0
        while self.taken < until or not self._takes:
            before = self.taken
            clocks, waves, rows = self._run(until, most)
            waited = 0 if self.taken > before else waited + clocks
            if waited > _PATIENCE:
                raise ToolFailure(
                    f"the mapped netlist takes no operands after {self.taken} transfers"
                )
            yield dict(zip(self._states, waves, strict=True)), rows

    @property
    def _takes(self) -> bool:
        i_valid, i_ready, _ = self._handshake
        return bool(self._values[i_valid] & self._values[i_ready])

    def _run(self, until: int, most: int) -> tuple[int, np.ndarray, np.ndarray]:
        waves = np.zeros((len(self._states), most // 64 + 1), np.uint64)
        rows = np.zeros(most + 1, np.int64)
        netlist = self._values, self._gates, self._registers, self._drive, self._handshake
        _loop()(*netlist, self._counts, until, most, waves, rows)
        clocks = int(self._counts[2])
        return clocks, waves[:, : clocks // 64 + 1], rows[: clocks + 1]


def _compiled_gates(gates: list[Gate], place: dict[Net, int]) -> tuple[np.ndarray, ...]:
    """Of each gate: where its truth table starts, where its inputs start, its output; all inputs;
    all truth tables."""
    tables: dict[Callable[..., Words], int] = {}
    parts: list[np.ndarray] = []
    starts, ends, inputs = [], [0], []
    size = 0
    for gate in gates:
        if gate.function not in tables:
            tables[gate.function] = size
            parts.append(_truth_table(gate))
            size += len(parts[-1])
        starts.append(tables[gate.function])
        inputs += [place[net] for net in gate.inputs]
        ends.append(len(inputs))
    outputs = [place[gate.output] for gate in gates]
    numbers = (np.array(x, np.int64) for x in (starts, ends, outputs, inputs))
    return *numbers, np.concatenate([*parts, np.zeros(0, np.uint8)])


def _truth_table(gate: Gate) -> np.ndarray:
    """Its output by its inputs, the first of which is the lowest bit of the index."""
    index = np.arange(1 << len(gate.inputs))
    bits = [(index >> i & 1).astype(np.uint8) for i in range(len(gate.inputs))]
    return gate.function(*bits) & 1


@cache
def _loop() -> Kernel:
    """The simulation, compiled."""
    return Kernel(_make_loop)


def _make_loop() -> Callable:
    @inlined
    def settle(values, gates):
        starts, ends, outputs, inputs, tables = gates
        for gate in range(len(starts)):
            index = starts[gate]
            first = ends[gate]
            for i in range(ends[gate + 1] - first):
                index += np.int64(values[inputs[first + i]]) << i
            values[outputs[gate]] = tables[index]

    @inlined
    def offer(values, drive, row):
        driven, words, _ = drive
        for i in range(len(driven)):
            values[driven[i]] = words[i, row >> 6] >> np.uint64(row & 63) & np.uint64(1)

    def loop(values, gates, registers, drive, handshake, counts, until, most, waves, rows):
        """Clock until transfer `until` is being taken, or `most` times."""
        states, followings = registers
        _, _, transfers = drive
        i_valid, i_ready, o_valid = handshake
        offer(values, drive, counts[0] % transfers)
        settle(values, gates)
        for clock in range(most + 1):
            if clock:
                takes = values[i_valid] & values[i_ready]
                if takes and counts[0] == until:
                    counts[2] = clock - 1
                    return
                for i in range(len(states)):
                    values[states[i]] = values[followings[i]]
                if takes:
                    counts[0] += takes
                    offer(values, drive, counts[0] % transfers)
                settle(values, gates)
                counts[1] += values[o_valid]
            rows[clock] = counts[0] % transfers
            for i in range(len(states)):
                waves[i, clock >> 6] |= np.uint64(values[states[i]]) << np.uint64(clock & 63)
        counts[2] = most

    return loop
