"""Memories one after the other, for units that go over a row of values several times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from amaranth.hdl import Module, Mux, Signal, Value

from ..formats import Format
from .pipeline.datapath import Datapath
from .pipeline.placement import placed
from .pipeline.recording import Recording
from .protocols import Pipelinable, Recurring
from .recurrence import recurring_core
from .steps import handing_on, run_steps
from .streams import Core, Handshake, rank_enables
from .wires import Step, Values, wire

PHASE = "phase"
"""The input that says which pass over its row a value belongs to, from 0 on."""

FIRST = "first"
"""What a step finds by this name: whether a value is the first of its row in this pass."""


class Memory(NamedTuple):
    """What stands between two segments.

    Attributes
    ----------
    registers : names and formats.
    update : a step from what they hold, and what the segment before gives, to what they hold next.
    phase : the pass in which they change.
    begins : codes that they count as holding when a row begins, by name; 0 of all others.
    once : what is made of them in several clocks, once a row, behind that pass. The next segment
        takes its results in place of the registers; the next pass begins when they are there. One
        memory of a unit may have it.
    """

    registers: Mapping[str, Format]
    update: Step
    phase: int
    begins: Mapping[str, int] = {}
    once: Recurring | None = None

    @property
    def gives(self) -> Mapping[str, Format]:
        """Names and formats of what the next segment takes."""
        return self.once.results if self.once else self.registers


class Passing(Pipelinable, Protocol):
    """A thing that takes the values of a row once in each of its `passes`.

    The values of every pass go the same way, through the `segments` of a datapath. Between two of
    them stands a memory, which changes in one pass, and the next segment takes what it holds: in
    that pass what it holds with this value, in the passes behind what the whole row has left
    there. Results are those of the last pass.
    """

    @property
    def passes(self) -> int:
        """How often the row is taken, at least twice."""

    @property
    def segments(self) -> Sequence[list[Step]]:
        """Steps from the inputs to the first memory, from each memory (and what else the segment
        before gave) to the next one, and from the last one to the results."""

    @property
    def memories(self) -> Sequence[Memory]:
        """The memory behind each segment but the last."""

    @property
    def ranks(self) -> Sequence[int]:
        """The register ranks in each segment."""


def passing_core(unit: Passing) -> Core:
    """The segments of a unit and the memories between them, each of which is a register rank.

    Takes a value in every clock, and gives results for those of the last pass. A row begins where
    the phase changes.
    """

    def core(m: Module, inputs: Values, valid: Value, o_ready: Value) -> Handshake:
        last = unit.passes - 1
        gives, taken = Signal(name="gives"), Signal(name="taken")
        m.d.comb += taken.eq(o_ready | ~gives)
        gate = _Gate(m, unit)
        ready, enables, valids = gate.enables(valid, taken)
        before = Signal(len(inputs[PHASE]), name="phase_before", init=last)
        with m.If(ready & valid):
            m.d.sync += before.eq(inputs[PHASE])
        values = inputs | {FIRST: wire(m, FIRST, inputs[PHASE] != before)}
        rank = 0
        for k, (steps, ranks) in enumerate(zip(unit.segments, unit.ranks, strict=True)):
            own = enables[rank : rank + ranks]
            values = placed(m, unit.family, handing_on((PHASE, FIRST), steps), values, own)
            rank += ranks
            if k == len(unit.memories):
                break
            memory = unit.memories[k]
            held: Values = {
                name: Signal(f.bits, name=name, reset_less=True)
                for name, f in memory.registers.items()
            }
            changes = wire(m, f"pass_{k}", valids[rank] & (values[PHASE] == memory.phase))
            so_far: Values = {
                name: wire(
                    m, f"{name}_so_far", Mux(values[FIRST], memory.begins.get(name, 0), x), len(x)
                )
                for name, x in held.items()
            }
            following = run_steps(m, [memory.update], values | so_far)
            with m.If(enables[rank] & changes):
                m.d.sync += [x.eq(following[name]) for name, x in held.items()]
            given = held
            if memory.once:
                first = values[FIRST] & (values[PHASE] == memory.phase + 1)
                given = gate.once(memory.once, held, valids[rank] & first, enables[rank])
            values = _rank(m, k, values, enables[rank]) | given
            rank += 1
        m.d.comb += gives.eq(valids[-1] & (values[PHASE] == last))
        results = {name: values[name] for name in unit.results}
        return ready, gives, results

    return core


class _Gate:
    """Where a pass waits for what is made of a memory in several clocks, before the memory's rank;
    nowhere, if there is no such memory."""

    def __init__(self, m: Module, unit: Passing):
        self.m, self.unit = m, unit
        self.places = [
            sum(unit.ranks[: k + 1]) + k for k, x in enumerate(unit.memories) if x.once is not None
        ]
        if self.places:
            self.waits = Signal(name="pass_waits")

    def enables(self, valid: Value, taken: Value) -> tuple[Value, list[Signal], list[Value]]:
        """Whether a value is taken; and for all ranks what `rank_enables` gives."""
        m, stages = self.m, self.unit.stages
        if not self.places:
            enables, valids = rank_enables(m, stages, valid, taken)
            return enables[0], enables, valids
        (place,) = self.places
        onward = Signal(name="pass_goes_on")
        enables, valids = rank_enables(m, place, valid, onward)
        passing = wire(m, "passing", valids[-1] & ~self.waits)
        later, (_, *behind) = rank_enables(m, stages - place, passing, taken, after=place)
        m.d.comb += onward.eq(later[0] & ~self.waits)
        return (*enables, onward)[0], [*enables, *later], [*valids, *behind]

    def once(self, unit: Recurring, held: Values, asks: Value, enable: Value) -> Values:
        """Registers of the results, which the first value of the pass waits for."""
        m = self.m
        begun = Signal(name="row_begun")
        asks = wire(m, "row_asks", asks)
        leaves = wire(m, "row_leaves", asks & enable)
        starts = wire(m, "row_starts", asks & ~begun)
        ready, gives, results = recurring_core(unit)(m, held, starts, leaves)
        found: Values = {
            name: Signal(f.bits, name=f"{name}_of_row", reset_less=True)
            for name, f in unit.results.items()
        }
        m.d.comb += self.waits.eq(asks & ~gives)
        with m.If(leaves & gives):
            m.d.sync += [begun.eq(0), *(x.eq(results[name]) for name, x in found.items())]
        with m.Elif(starts & ready):
            m.d.sync += begun.eq(1)
        return found


def _rank(m: Module, k: int, values: Values, enable: Value) -> Values:
    """Registers beside a memory for all that goes past it."""
    passing: Values = {
        name: Signal.like(x, name=f"{name}_{k}", reset_less=True) for name, x in values.items()
    }
    with m.If(enable):
        m.d.sync += [x.eq(values[name]) for name, x in passing.items()]
    return passing


def spread_ranks(unit: Passing, more: int) -> tuple[int, ...]:
    """So many register ranks in the segments of a unit, each where the longest path is, by the
    model of the delays of operators. The last segment begins with one, for the results."""
    inputs: Values = {name: Signal(f.bits, name=name) for name, f in unit.inputs.items()}
    inputs[FIRST] = Signal(name=FIRST)
    cutters = []
    last = len(unit.memories)
    for k, steps in enumerate(unit.segments):
        recording = Recording(handing_on((PHASE, FIRST), steps), inputs)
        cutters.append(Datapath(recording, set()).cutter)
        inputs = {name: Signal(len(x), name=name) for name, x in recording.results.items()}
        if k < last:
            given = unit.memories[k].gives
            inputs |= {name: Signal(f.bits, name=name) for name, f in given.items()}
    ranks = [0] * last + [1]
    for _ in range(more - 1):
        # The last segment ends in a rank, the others in the logic before a memory
        longest = [
            cutter.shortest(n + 1 if k < last else n)
            for k, (cutter, n) in enumerate(zip(cutters, ranks, strict=True))
        ]
        ranks[longest.index(max(longest))] += 1
    return tuple(ranks)
