# amaranth: UnusedElaboratable=no
"""From the steps of a datapath to a component: combinational, or pipelined with streams."""

# A module that a refused step leaves unused (see above) is not worth a warning beside the error.

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Elaboratable, EnableInserter, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..formats import format
from .pipeline.datapath import pipelined
from .pipeline.placement import Placement
from .protocols import Pipelinable
from .steps import handing_on, renamed, run_steps
from .wires import Step, Values, wire

STREAM_PORTS = ("clk", "rst", "i_valid", "i_ready", "o_valid", "o_ready")
"""Ports of a pipelined unit beside its inputs and results."""

RESERVED_PORTS = (*STREAM_PORTS, "core", "elaborate", "metadata", "signature", "unit")
"""What inputs and results cannot be called: those, and attributes of components."""

Handshake = tuple[Value, Value, Values]
"""Whether inputs are taken in this clock, whether results are valid, and the results by name."""

Core = Callable[[Module, Values, Value, Value], Handshake]
"""What lies between two streams: made in a module, of inputs by name, whether they are valid, and
whether results are accepted in this clock."""


class Combinational(wiring.Component):
    """A unit without registers: a port for each input and each result, by its name."""

    def __init__(self, unit: Pipelinable):
        self.unit = unit
        members = {name: In(f.bits) for name, f in unit.inputs.items()}
        members |= {name: Out(f.bits) for name, f in unit.results.items()}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inputs: Values = {name: getattr(self, name) for name in self.unit.inputs}
        results = run_steps(m, self.unit.datapath(), inputs)
        m.d.comb += [getattr(self, name).eq(results[name]) for name in self.unit.results]
        return m


class Pipelined(wiring.Component):
    """A unit with `stages` register ranks, valid and ready on both sides. The last rank holds the
    results; the others stand where they make the longest path short (see `cuts`).

    One result a clock; a rank that holds nothing fills even while the output is blocked. A
    result leaves `stages` clocks after its operands entered, if nothing blocks it. In reset it is
    not ready for inputs, and what it held is gone after a clock of it.

    Parameters
    ----------
    core : what lies between the streams, if it is not the unit's datapath in stages.

    Members
    -------
    i : stream of a structure with a field for each input.
    o : stream of a structure with a field for each result.
    """

    def __init__(self, unit: Pipelinable, core: Core | None = None):
        self.unit, self.core = unit, core or datapath_core(unit)
        inputs = data.StructLayout({name: f.bits for name, f in unit.inputs.items()})
        results = data.StructLayout({name: f.bits for name, f in unit.results.items()})
        super().__init__({"i": In(stream.Signature(inputs)), "o": Out(stream.Signature(results))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inputs: Values = {name: wire(m, name, self.i.payload[name]) for name in self.unit.inputs}
        i_ready, o_valid, results = _outside_reset(m, self.core, inputs, self.i.valid, self.o.ready)
        m.d.comb += [self.i.ready.eq(i_ready), self.o.valid.eq(o_valid)]
        m.d.comb += [self.o.payload[name].eq(results[name]) for name in self.unit.results]
        return m


class PipelinedPorts(wiring.Component):
    """The same with plain ports, as Verilog users expect them.

    Inputs and results by name, ``i_valid`` and ``i_ready`` for the inputs, ``o_valid`` and
    ``o_ready`` for the results. A transfer happens at a rising edge of ``clk`` where valid and
    ready are both high. ``rst`` is synchronous and active high; in it ``i_ready`` is low.

    Parameters
    ----------
    core : what lies between the streams, if it is not the unit's datapath in stages.
    enable : the name of a clock enable. Where it is low a rising edge changes nothing but for a
        reset, and transfers nothing.
    """

    def __init__(self, unit: Pipelinable, core: Core | None = None, enable: str = ""):
        self.unit, self.core, self.enable = unit, core or datapath_core(unit), enable
        members: dict[str, wiring.Member] = {enable: In(1)} if enable else {}
        members |= {"i_valid": In(1), "i_ready": Out(1)}
        members |= {name: In(f.bits) for name, f in unit.inputs.items()}
        members |= {"o_valid": Out(1), "o_ready": In(1)}
        members |= {name: Out(f.bits) for name, f in unit.results.items()}
        super().__init__(members)

    def elaborate(self, platform: object) -> Elaboratable:
        m = Module()
        inputs: Values = {name: getattr(self, name) for name in self.unit.inputs}
        i_ready, o_valid, results = _outside_reset(m, self.core, inputs, self.i_valid, self.o_ready)
        m.d.comb += [self.i_ready.eq(i_ready), self.o_valid.eq(o_valid)]
        m.d.comb += [getattr(self, name).eq(results[name]) for name in self.unit.results]
        return EnableInserter(getattr(self, self.enable))(m) if self.enable else m


def _outside_reset(
    m: Module, core: Core, inputs: Values, valid: Value, o_ready: Value
) -> Handshake:
    """A core that takes nothing, and is not ready for it, while it is in reset."""
    running = ~ResetSignal(allow_reset_less=True)
    offered = wire(m, "offered", valid & running)
    i_ready, o_valid, results = core(m, inputs, offered, o_ready)
    return i_ready & running, o_valid, results


def rank_enables(
    m: Module, stages: int, valid: Value, ready: Value, after: int = 0
) -> tuple[list[Signal], list[Value]]:
    """When each of `stages` register ranks takes what is before it, and whether there is anything
    before each of them and, last, in the last one. A rank that holds nothing fills even while those
    behind it are blocked. `after` is the number of the rank before the first of them."""
    ranks = range(after + 1, after + stages + 1)
    enables = [Signal(name=f"ready_{k}") for k in ranks]
    valids = [valid]
    for k, enable, behind in zip(ranks, enables, [*enables, ready][1:], strict=True):
        full = Signal(name=f"valid_{k}")
        m.d.comb += enable.eq(~full | behind)
        with m.If(enable):
            m.d.sync += full.eq(valids[-1])
        valids.append(full)
    return enables, valids


def datapath_core(unit: Pipelinable) -> Core:
    """The datapath of a unit in its stages, each with a register rank behind it."""

    def core(m: Module, inputs: Values, valid: Value, o_ready: Value) -> Handshake:
        enables, valids = rank_enables(m, unit.stages, valid, o_ready)
        plan = pipelined(unit.datapath(), inputs, unit.stages, unit.family, unit.cuts, unit.grain)
        return enables[0], valids[-1], Placement(m, *plan).place(enables)

    return core


def registered_ready(core: Core) -> Core:
    """A core whose ready for inputs does not depend on ``o_ready`` but through a register: behind
    it is a place where a result waits that was not taken (a skid buffer). It costs no clock.
    """

    def registered(m: Module, inputs: Values, valid: Value, o_ready: Value) -> Handshake:
        waits = Signal(name="waits")
        i_ready, o_valid, results = core(m, inputs, valid, ~waits)
        offered: Values = {}
        for name, value in results.items():
            waiting = Signal(len(Value.cast(value)), name=f"{name}_waiting", reset_less=True)
            with m.If(~waits):
                m.d.sync += waiting.eq(value)
            offered[name] = wire(m, f"{name}_offered", Mux(waits, waiting, value))
        m.d.sync += waits.eq((waits | o_valid) & ~o_ready)
        return i_ready, waits | o_valid, offered

    return registered


class Tagged:
    """A unit with bits that travel with the inputs of a transfer to its results, as ``i_tag`` and
    ``o_tag``."""

    def __init__(self, unit: Pipelinable, bits: int):
        self._unit, self._tag = unit, format(f"uint{bits}")
        self.family, self.stages = unit.family, unit.stages
        self.cuts, self.grain = unit.cuts, unit.grain
        self.inputs = {**unit.inputs, "i_tag": self._tag}
        self.results = {**unit.results, "o_tag": self._tag}

    def datapath(self) -> list[Step]:
        steps = handing_on(("i_tag",), self._unit.datapath())
        return [*steps, renamed(i_tag="o_tag")]
