"""From the steps of a datapath to a component: combinational, or pipelined with streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .logic import Values, wire

if TYPE_CHECKING:
    from ..unit import Unit

Step = Callable[[Module, Values], Values]
"""One step of a datapath: named signals in, named signals out (all that later steps need)."""

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
    """A unit with `stages` register ranks, valid and ready on both sides.

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


def handing_on(names: tuple[str, ...], steps: list[Step]) -> list[Step]:
    """The same steps, which also hand on signals of these names, unless they give new ones."""

    def with_names(step: Step) -> Step:
        def handing(m: Module, x: Values) -> Values:
            return {name: x[name] for name in names if name in x} | step(m, x)

        return handing

    return [with_names(step) for step in steps]


def chain(m: Module, steps: list[Step], values: Values) -> Values:
    """All steps, one after the other."""
    for step in steps:
        values = step(m, values)
    return values


def ranks(
    m: Module, unit: Unit, values: Values, valid: Value, o_ready: Value
) -> tuple[Value, Value, Values]:
    """The datapath with its register ranks: ready for operands, valid results, results."""
    steps = unit.datapath()
    # Evenly spread over the steps, the last rank behind all of them
    cuts = [(k + 1) * len(steps) // unit.stages for k in range(unit.stages)]
    ready = [Signal(name=f"ready_{k + 1}") for k in range(unit.stages)] + [o_ready]
    done = 0
    for k, cut in enumerate(cuts):
        values = chain(m, steps[done:cut], values)
        done = cut
        held = Signal(name=f"valid_{k + 1}")
        registers = {
            name: Signal(Value.cast(value).shape(), name=f"{name}_r{k + 1}", reset_less=True)
            for name, value in values.items()
        }
        m.d.comb += ready[k].eq(~held | ready[k + 1])
        with m.If(ready[k]):
            m.d.sync += held.eq(valid)
            m.d.sync += [registers[name].eq(value) for name, value in values.items()]
        valid, values = held, dict(registers)
    return ready[0], valid, values
