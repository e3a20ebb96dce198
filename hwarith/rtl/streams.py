"""From the steps of a datapath to a component: combinational, or pipelined with streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .logic import Values, chain, wire
from .pipeline.datapath import Placement, pipelined

if TYPE_CHECKING:
    from ..units.contract import Unit

RESERVED_PORTS = (
    "clk", "rst", "i_valid", "i_ready", "o_valid", "o_ready",
    "core", "elaborate", "metadata", "signature", "unit",
)  # fmt: skip
"""What operands, controls and results cannot be called: ports of the stream, and attributes of the
component."""

Core = Callable[[Module, Any, Values, Value, Value], tuple[Value, Value, Values]]
"""What lies between two streams: of a module, a unit, its inputs, whether they are valid, and
whether results are accepted, it makes ready for inputs, valid results, results."""


class Combinational(wiring.Component):
    """A unit without registers: a port for each operand and each result, by its name."""

    def __init__(self, unit: Unit):
        self.unit = unit
        members = {name: In(f.bits) for name, f in unit.operands.items()}
        members |= {name: Out(f.bits) for name, f in unit.results.items()}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        operands: Values = {name: getattr(self, name) for name in self.unit.operands}
        results = chain(m, self.unit.datapath(), operands)
        m.d.comb += [getattr(self, name).eq(results[name]) for name in self.unit.results]
        return m


class Pipelined(wiring.Component):
    """A unit with `stages` register ranks, valid and ready on both sides. The last rank holds the
    results; the others stand where they make the longest path short (see `cuts`).

    One result a clock; a rank that holds nothing fills even while the output is blocked. A
    result leaves `stages` clocks after its operands entered, if nothing blocks it.

    Members
    -------
    i : stream of a structure with a field for each operand and each control bit.
    o : stream of a structure with a field for each result.
    """

    def __init__(self, unit: Unit, core: Core | None = None):
        self.unit, self.core = unit, core or ranks
        operands = data.StructLayout({name: f.bits for name, f in unit.inputs.items()})
        results = data.StructLayout({name: f.bits for name, f in unit.results.items()})
        super().__init__({"i": In(stream.Signature(operands)), "o": Out(stream.Signature(results))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inputs: Values = {name: wire(m, name, self.i.payload[name]) for name in self.unit.inputs}
        i_ready, o_valid, results = self.core(m, self.unit, inputs, self.i.valid, self.o.ready)
        m.d.comb += [self.i.ready.eq(i_ready), self.o.valid.eq(o_valid)]
        m.d.comb += [self.o.payload[name].eq(results[name]) for name in self.unit.results]
        return m


class PipelinedPorts(wiring.Component):
    """The same with plain ports, as Verilog users expect them.

    Operands, control bits and results by name, ``i_valid`` and ``i_ready`` for the operands,
    ``o_valid`` and ``o_ready`` for the results. A transfer happens at a rising edge of ``clk``
    where valid and ready are both high; ``rst`` is synchronous and active high.
    """

    def __init__(self, unit: Unit, core: Core | None = None):
        self.unit, self.core = unit, core or ranks
        members = {"i_valid": In(1), "i_ready": Out(1)}
        members |= {name: In(f.bits) for name, f in unit.inputs.items()}
        members |= {"o_valid": Out(1), "o_ready": In(1)}
        members |= {name: Out(f.bits) for name, f in unit.results.items()}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inputs: Values = {name: getattr(self, name) for name in self.unit.inputs}
        i_ready, o_valid, results = self.core(m, self.unit, inputs, self.i_valid, self.o_ready)
        m.d.comb += [self.i_ready.eq(i_ready), self.o_valid.eq(o_valid)]
        m.d.comb += [getattr(self, name).eq(results[name]) for name in self.unit.results]
        return m


def advance(m: Module, stages: int, valid: Value, ready: Value) -> tuple[list[Signal], Value]:
    """When each rank takes what is before it, and whether the last one holds anything. A rank that
    holds nothing fills even while those behind it are blocked."""
    enables = [Signal(name=f"ready_{k + 1}") for k in range(stages)]
    for k, (enable, behind) in enumerate(zip(enables, [*enables, ready][1:], strict=True)):
        held = Signal(name=f"valid_{k + 1}")
        m.d.comb += enable.eq(~held | behind)
        with m.If(enable):
            m.d.sync += held.eq(valid)
        valid = held
    return enables, valid


def ranks(
    m: Module, unit: Unit, values: Values, valid: Value, o_ready: Value
) -> tuple[Value, Value, Values]:
    """The datapath with its register ranks: ready for operands, valid results, results."""
    enables, valid = advance(m, unit.stages, valid, o_ready)
    placement = Placement(m, *pipelined(unit.datapath(), values, unit.stages))
    return enables[0], valid, placement.place(enables)
