"""The register that a unit with a memory accumulates in, with valid and ready on both sides."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value

from .pipeline.placement import placed
from .protocols import Accumulating
from .steps import handing_on, run_steps
from .streams import Core, Handshake, rank_enables
from .wires import Values, wire


def accumulating_core(unit: Accumulating) -> Core:
    """The datapath of a unit from inputs and memory to the memory.

    Takes inputs in every clock. The memory holds a result until it is accepted, which may be in
    the clock in which the next group begins. A group that begins without ``first`` goes on from
    what is there. Ranks before it and behind it are pipelines of their own (`Accumulating`).
    """

    def core(m: Module, inputs: Values, valid: Value, o_ready: Value) -> Handshake:
        rank = unit.stages - unit.ranks_behind
        complete = Signal(name=f"valid_{rank}")
        behind, (*_, o_valid) = rank_enables(m, unit.ranks_behind, complete, o_ready, after=rank)
        ready = wire(m, f"ready_{rank}", ~complete | (*behind, o_ready)[0])
        enables, (*_, offered) = rank_enables(m, rank - 1, valid, ready)
        steps = handing_on(tuple(unit.controls), unit.front_datapath())
        values = placed(m, unit.family, steps, inputs, enables)
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
            m.d.sync += complete.eq(offered & values["last"])
        with m.If(ready & offered):
            m.d.sync += [register.eq(following[name]) for name, register in registers.items()]
        results = placed(m, unit.family, unit.output_datapath(), registers, behind)
        return (*enables, ready)[0], o_valid, results

    return core
