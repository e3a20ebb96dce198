"""A datapath put into a module: its segments, and the register ranks between them."""

from __future__ import annotations

from itertools import groupby

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.hdl._ast import Concat, Slice

from ..steps import run_steps
from ..wires import Step, Values, description_of_step, wire, wires_of_step
from .cuts import Pipeline
from .datapath import Datapath, pipelined
from .delay import ONE
from .expressions import parts_of, rebuilt, visit_inner_first


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
        self._registered: dict[int, tuple[Signal, int]] = {}  # registers of the rank before
        self._expressions = {id(signal): value for signal, value in datapath.wires}

    def place(self, enables: list[Signal]) -> Values:
        """Add all segments, each with a rank that takes new values when its signal is high; gives
        the results, of the last rank."""
        for segment, enable in enumerate(enables):
            for signal, _ in self._datapath.wires:
                if segment in map(self._segment, self._graph.bits(signal)):
                    self._place(signal, segment)
            self._registered = self._rank(segment, enable)
        results = self._datapath.results
        return {name: self._place(x, len(enables)) for name, x in results.items()}

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
            crossing = list(group)
            value = self._place(homes[crossing[0]][0], segment)
            register = Signal(len(crossing), name=f"{name}_r{segment + 1}", reset_less=True)
            with self._m.If(enable):
                sources = [(value, homes[bit][2]) for bit in crossing]
                self._m.d.sync += register.eq(_joined(sources))
            rank |= {bit: (register, place) for place, bit in enumerate(crossing)}
        return rank

    def _place(self, value: Value, segment: int) -> Value:
        """An expression as it reads in a segment, with the wires that it takes there."""
        visit_inner_first(
            value,
            parts=lambda x: self._parts_at(x, segment),
            is_done=lambda x: isinstance(x, Const) or (id(x), segment) in self._read,
            visit=lambda x: self._make_at(x, segment),
        )
        return self._at(value, segment)

    def _at(self, value: Value, segment: int) -> Value:
        """The same of what has been placed."""
        return value if isinstance(value, Const) else self._read[id(value), segment]

    def _parts_at(self, value: Value, segment: int) -> list[Value]:
        """What is read in a segment for an expression or wire: nothing if it is made elsewhere."""
        if not isinstance(value, (Slice, Concat)):
            if segment not in map(self._segment, self._graph.bits(value)):
                return []
            if isinstance(value, Signal):
                return [self._expressions[id(value)]] if id(value) in self._expressions else []
        return parts_of(value)

    def _make_at(self, value: Value, segment: int) -> None:
        if isinstance(value, (Slice, Concat)):
            made = rebuilt(value, lambda part: self._at(part, segment))
        else:
            made = self._made_at(value, segment)
        self._read[id(value), segment] = made

    def _made_at(self, value: Value, segment: int) -> Value:
        bits = self._graph.bits(value)
        made = [self._segment(bit) for bit in bits]
        here = self._made_here(value, segment) if segment in made else None
        if here is not None and not any(bit in self._registered for bit in bits):
            return here
        sources: list[tuple[Value, int]] = []
        for place, bit in enumerate(bits):
            if bit in self._registered:
                sources.append(self._registered[bit])
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
        with wires_of_step(description_of_step(value)):
            return wire(self._m, name, expression, value.shape())


def placed(
    m: Module, name: str, steps: list[Step], inputs: Values, enables: list[Signal]
) -> Values:
    """Steps put into a module, with a register rank for each of `enables`; `name` is the unit's."""
    if not enables:
        return run_steps(m, steps, inputs)
    return Placement(m, *pipelined(steps, inputs, len(enables), name)).place(enables)


def _joined(sources: list[tuple[Value, int]]) -> Value:
    """Bits of values, each value with the place of a bit in it, side by side."""
    parts: list[Value] = []
    for _, run in groupby(enumerate(sources), lambda x: (id(x[1][0]), x[1][1] - x[0])):
        places = [source for _, source in run]
        value, first = places[0]
        parts.append(value[first : first + len(places)] if len(places) < len(value) else value)
    return parts[0] if len(parts) == 1 and not parts[0].shape().signed else Cat(*parts)
