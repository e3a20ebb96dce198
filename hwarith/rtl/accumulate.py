"""The register that a unit with a memory accumulates in, with valid and ready on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Module, Mux, Signal, Value

from .logic import Values, chain, handing_on, wire
from .pipeline.datapath import Placement, pipelined
from .streams import advance

if TYPE_CHECKING:
    from ..units.accumulator import Accumulator


def accumulate(
    m: Module, unit: Accumulator, values: Values, valid: Value, o_ready: Value
) -> tuple[Value, Value, Values]:
    """A datapath from operands and memory to the memory: ready for operands, valid results,
    results.

    Takes operands in every clock. The memory holds a result until it is accepted, which may be in
    the clock in which the next group begins. A group that begins without ``first`` goes on from
    what is there. What comes before the memory has a rank less than the unit has stages.
    """
    held = Signal(name=f"valid_{unit.stages}")
    ready = wire(m, f"ready_{unit.stages}", ~held | o_ready)
    enables, valid = advance(m, unit.stages - 1, valid, ready)
    front = handing_on(tuple(unit.controls), unit.front_datapath())
    if enables:
        values = Placement(m, *pipelined(front, values, len(enables))).place(enables)
    else:
        values = chain(m, front, values)
    registers: Values = {
        name: Signal(f.bits, name=name, reset_less=True) for name, f in unit.memory.items()
    }
    begun: Values = {
        name: wire(m, f"{name}_so_far", Mux(values["first"], 0, register), len(register))
        for name, register in registers.items()
    }
    entering = {name: x for name, x in values.items() if name not in unit.controls}
    following = chain(m, unit.datapath(), entering | begun)
    with m.If(ready):
        m.d.sync += held.eq(valid & values["last"])
    with m.If(ready & valid):
        m.d.sync += [register.eq(following[name]) for name, register in registers.items()]
    return (*enables, ready)[0], held, chain(m, unit.output_datapath(), registers)
