"""The register that a unit with a memory accumulates in, with valid and ready on both sides."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value

from .pipeline.placement import placed
from .protocols import Accumulating
from .steps import handing_on, run_steps
from .streams import Core, Handshake, rank_enables
from .wires import Values, wire


def accumulating_core(unit: Accumulating, after: int = 0) -> Core:
    """The datapath of a unit from inputs and memory to the memory.

    Takes inputs in every clock. The memory holds a result until it is accepted, which may be in
    the clock in which the next group begins. A group that begins without ``first`` goes on from
    what is there. Ranks before it and behind it are pipelines of their own (`Accumulating`).
    `after` is the number of the rank before all of them.
    """

    def core(m: Module, inputs: Values, valid: Value, o_ready: Value) -> Handshake:
        before = unit.stages - unit.ranks_behind - 1
        rank = after + before + 1
        complete = Signal(name=f"valid_{rank}")
        behind, (*_, o_valid) = rank_enables(m, unit.ranks_behind, complete, o_ready, after=rank)
        ready = wire(m, f"ready_{rank}", ~complete | (*behind, o_ready)[0])
        enables, (*_, offered) = rank_enables(m, before, valid, ready, after)
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


def chained_core(chain: Accumulating, total: Accumulating, length: int) -> Core:
    """A memory for chains of so many transfers of a group, and one for the group, which takes the
    results of the former, in order; the last chain of a group may be shorter.

    Takes inputs in every clock: a chain's result leaves for the second memory as the next chain
    begins. A group that begins without ``first`` goes on from what is there.
    """

    def core(m: Module, inputs: Values, valid: Value, o_ready: Value) -> Handshake:
        first, last = inputs["first"], inputs["last"]
        place = Signal(range(length), name="place")
        place_now = wire(m, "place_now", Mux(first, 0, place), len(place))
        begins = wire(m, "chain_begins", place_now == 0)
        ends = wire(m, "chain_ends", last | (place_now == length - 1))
        taken = Signal(name="chain_taken")
        within = inputs | {"first": begins, "last": ends}
        ready, whole, found = accumulating_core(chain)(m, within, valid, taken)
        # The chain in the first memory is the first one of its group, or the last one
        opens, closes = (Signal(name=f"chain_is_{x}", reset_less=True) for x in ("first", "last"))
        with m.If(ready & valid):
            m.d.sync += [
                place.eq(Mux(ends, 0, place_now + 1)),
                opens.eq(first | (opens & ~begins)),
                closes.eq(last),
            ]
        given = dict(zip(total.inputs, found.values(), strict=False))
        of_group = given | {"first": opens, "last": closes}
        onward, gives, results = accumulating_core(total, chain.stages)(m, of_group, whole, o_ready)
        m.d.comb += taken.eq(onward)
        return ready, gives, results

    return core
