"""A datapath as data: its wires, their delays, and the same in segments between register ranks."""

from __future__ import annotations

from itertools import groupby
from typing import cast

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.hdl._ast import Concat, Slice

from ...errors import InvalidInput
from ..logic import Recorder, Step, Values, chain, wire
from .cuts import Cutter, Pipeline
from .delay import ONE, UNIT, Graph
from .expressions import SumsInBlocks, rebuilt


class Datapath:
    """What the steps of a datapath make of its inputs, with wide sums in blocks, but for those
    whose numbers are in `whole`.

    Attributes
    ----------
    wires : every wire and its expression, each after those it reads.
    results : expressions of the wires.
    homes : of each bit, the wire or expression where it first appears, a name, and the place.
    """

    def __init__(self, steps: list[Step], inputs: Values, whole: set[int]):
        recorder = Recorder()
        # Steps only hand the module on to `wire`
        results = chain(cast(Module, recorder), steps, inputs)
        in_blocks = SumsInBlocks(whole)
        for signal, value in recorder.wires:
            in_blocks.wire(signal, value)
        self.results = {name: in_blocks.changed(Value.cast(x), name) for name, x in results.items()}
        self.wires = in_blocks.wires
        self._sums = in_blocks.blocks
        self.homes: dict[int, tuple[Value, str, int]] = {}
        self.graph = Graph(list(inputs.values()))
        for name, value in inputs.items():
            self._settle(value, name)
        for signal, value in self.wires:
            self.graph.wire(signal, value)
            self._settle(signal, signal.name)
        for name, value in self.results.items():
            self._settle(value, name)
        self._settle_others()
        outputs = [bit for value in self.results.values() for bit in self.graph.bits(value)]
        self.cutter = Cutter(self.graph, outputs)

    def _settle(self, value: Value, name: str) -> None:
        """Here is the home of those bits that have none yet."""
        for place, bit in enumerate(self.graph.bits(value)):
            self.homes.setdefault(bit, (value, name, place))

    def _settle_others(self) -> None:
        """The home of bits inside an expression is the operation, named after the wire that
        its operation's next wire is."""
        name = next(iter(self.results))
        for operation, made in zip(
            reversed(self.graph.operations), reversed(self.graph.made), strict=True
        ):
            name = next((self.homes[bit][1] for bit in made if bit in self.homes), name)
            self._settle(operation, f"{name}_{made.start}")

    def sums_in_one_segment(self, pipeline: Pipeline) -> set[int]:
        """The numbers of the wide sums in which no register stands."""
        uncut = set()
        for number, blocks in enumerate(self._sums):
            bits = [bit for block in blocks for bit in self.graph.bits(block)]
            made = {self.graph.operation[bit] for bit in bits if self.cutter.live[bit]} - {-1}
            if len({pipeline.segment[operation] for operation in made}) <= 1:
                uncut.add(number)
        return uncut


def pipelined(steps: list[Step], inputs: Values, stages: int) -> tuple[Datapath, Pipeline]:
    """A datapath and its segments. A wide sum is in blocks only if a register stands in it."""
    datapath = Datapath(steps, inputs, set())
    uncut = datapath.sums_in_one_segment(datapath.cutter.pipeline(stages))
    datapath = Datapath(steps, inputs, uncut)
    return datapath, datapath.cutter.pipeline(stages)


def stages_for(steps: list[Step], widths: dict[str, int], target: int, most: int) -> int:
    """The fewest stages, up to `most`, with which no path is longer than `target` gate delays.

    `widths` are those of the inputs. Raises `InvalidInput` if no number of stages reaches that.
    """
    inputs: Values = {name: Signal(width, name=name) for name, width in widths.items()}
    cutter = Datapath(steps, inputs, set()).cutter
    for stages in range(most + 1):
        # With all sums in blocks it is never longer, and quickly known
        longest = cutter.shortest(max(stages, 1))
        if longest <= target * UNIT or stages == most:
            longest = max(pipelined(steps, inputs, max(stages, 1))[1].delays)
        if longest <= target * UNIT:
            return stages
    raise InvalidInput(
        f"must be {-(-longest // UNIT)} or more, which {most} stages reach, not {target}"
    )


class Placement:
    """Puts a datapath into a module: its wires segment by segment, and registers between them.

    An expression can be read in every segment. In one where all its bits are made it is what it
    was; of bits made earlier there are registers, and bits that are made later read as zero (they
    are then beside others that are needed, and are not needed themselves).
    """

    def __init__(self, m: Module, datapath: Datapath, pipeline: Pipeline):
        self._m, self._datapath, self._graph = m, datapath, datapath.graph
        self._pipeline = pipeline
        self._names: set[str] = set()
        self._read: dict[tuple[int, int], Value] = {}  # by identity and segment
        self._held: dict[int, tuple[Signal, int]] = {}  # registers of the rank before
        self._expressions = {id(signal): value for signal, value in datapath.wires}

    def place(self, enables: list[Signal]) -> Values:
        """Add all segments, each with a rank that takes new values when its signal is high; gives
        the results, of the last rank."""
        for segment, enable in enumerate(enables):
            for signal, _ in self._datapath.wires:
                if segment in map(self._segment, self._graph.bits(signal)):
                    self._at(signal, segment)
            self._held = self._rank(segment, enable)
        return {name: self._at(x, len(enables)) for name, x in self._datapath.results.items()}

    def _segment(self, bit: int) -> int:
        """Where a bit is made; -1 for a constant, and what nothing reads."""
        operation = self._graph.operation[bit]
        return self._pipeline.segment[operation] if operation >= 0 else -int(bit <= ONE)

    def _rank(self, segment: int, enable: Signal) -> dict[int, tuple[Signal, int]]:
        """The registers behind a segment, one for each home of bits."""
        homes = self._datapath.homes
        rank: dict[int, tuple[Signal, int]] = {}
        bits = sorted(self._pipeline.registers[segment], key=lambda bit: homes[bit][1:])
        for (name, _), group in groupby(bits, lambda bit: (homes[bit][1], id(homes[bit][0]))):
            held = list(group)
            value = self._at(homes[held[0]][0], segment)
            register = Signal(len(held), name=f"{name}_r{segment + 1}", reset_less=True)
            with self._m.If(enable):
                self._m.d.sync += register.eq(_joined([(value, homes[bit][2]) for bit in held]))
            rank |= {bit: (register, place) for place, bit in enumerate(held)}
        return rank

    def _at(self, value: Value, segment: int) -> Value:
        """An expression as it reads in a segment."""
        if isinstance(value, Const):
            return value
        if isinstance(value, (Slice, Concat)):
            return rebuilt(value, lambda part: self._at(part, segment))
        key = id(value), segment
        if key not in self._read:
            self._read[key] = self._made_at(value, segment)
        return self._read[key]

    def _made_at(self, value: Value, segment: int) -> Value:
        bits = self._graph.bits(value)
        made = [self._segment(bit) for bit in bits]
        here = self._made_here(value, segment) if segment in made else None
        if here is not None and not any(bit in self._held for bit in bits):
            return here
        sources: list[tuple[Value, int]] = []
        for place, bit in enumerate(bits):
            if bit in self._held:
                sources.append(self._held[bit])
            elif here is not None and made[place] == segment:
                sources.append((here, place))
            else:
                sources.append((Const(int(bit == ONE), 1), 0))
        joined = _joined(sources)
        return joined.as_signed() if value.shape().signed else joined

    def _made_here(self, value: Value, segment: int) -> Value:
        """The wire or the operation itself, of what its parts are in this segment."""
        if not isinstance(value, Signal):
            return rebuilt(value, lambda part: self._at(part, segment))
        if id(value) not in self._expressions:
            return value  # an input
        name = value.name if value.name not in self._names else f"{value.name}_s{segment + 1}"
        self._names.add(name)
        expression = self._at(self._expressions[id(value)], segment)
        return wire(self._m, name, expression, value.shape())


def _joined(sources: list[tuple[Value, int]]) -> Value:
    """Bits of values, each value with the place of a bit in it, side by side."""
    parts: list[Value] = []
    for _, run in groupby(enumerate(sources), lambda x: (id(x[1][0]), x[1][1] - x[0])):
        places = [source for _, source in run]
        value, first = places[0]
        parts.append(value[first : first + len(places)] if len(places) < len(value) else value)
    return parts[0] if len(parts) == 1 and not parts[0].shape().signed else Cat(*parts)
