"""The register that a unit with a memory accumulates in, with valid and ready on both sides."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value

from .pipeline.datapath import pipelined
from .pipeline.placement import Placement
from .protocols import Accumulating
from .steps import handing_on, run_steps
from .streams import Core, Handshake, rank_enables
from .wires import Values, wire


def accumulating_core(unit: Accumulating) -> Core:
    """The datapath of a unit from inputs and memory to the memory.

    Takes inputs in every clock. The memory holds a result until it is accepted, which may be in
    the clock in which the next group begins. A group that begins without ``first`` goes on from
    what is there. What comes before the memory has a rank less than the unit has stages.
    """

    def core(m: Module, inputs: Values, valid: Value, o_ready: Value) -> Handshake:
        complete = Signal(name=f"valid_{unit.stages}")
        ready = wire(m, f"ready_{unit.stages}", ~complete | o_ready)
        enables, valid = rank_enables(m, unit.stages - 1, valid, ready)
        values = _front(m, unit, inputs, enables)
        registers: Values = {
            name: Signal(f.bits, name=name, reset_less=True) for name, f in unit.memory.items()
        }
        begun: Values = {
            name: wire(m, f"{name}_so_far", Mux(values["first"], 0, register), len(register))
            for name, register in registers.items()
        }
        entering = {name: x for name, x in values.items() if name not in unit.controls}
        following = run_steps(m, unit.datapath(), entering | begun)
        with m.If(ready):
            m.d.sync += complete.eq(valid & values["last"])
        with m.If(ready & valid):
            m.d.sync += [register.eq(following[name]) for name, register in registers.items()]
        results = run_steps(m, unit.output_datapath(), registers)
        return (*enables, ready)[0], complete, results

    return core


def _front(m: Module, unit: Accumulating, inputs: Values, enables: list[Signal]) -> Values:
    """What comes before the memory, with a register rank for each of `enables`."""
    steps = handing_on(tuple(unit.controls), unit.front_datapath())
    if not enables:
        return run_steps(m, steps, inputs)
    plan = pipelined(steps, inputs, len(enables), unit.family)
    return Placement(m, *plan).place(enables)
