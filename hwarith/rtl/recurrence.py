"""From the steps of a recurrence to a core: the same rows in each of several clocks."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Signal, Value

from .protocols import Recurring
from .steps import run_steps
from .streams import Core, Handshake
from .wires import Values, wire


def recurring_core(unit: Recurring) -> Core:
    """A core that works on one operation at a time: what its `front_datapath` gives is held while
    `recurrence` changes it in each of `clocks` clocks; then its `output_datapath` gives results,
    which have registers too.

    Results come two clocks after the last of them; the next operands are taken as results are
    formed, if there is room for these.
    """

    def core(m: Module, inputs: Values, valid: Value, o_ready: Value) -> Handshake:
        loaded = run_steps(m, unit.front_datapath(), inputs)
        busy, full = Signal(name="busy"), Signal(name="full")
        left = Signal(range(unit.clocks + 1), name="clocks_left", reset_less=True)
        held: Values = {name: _register(name, value) for name, value in loaded.items()}
        following = run_steps(m, [unit.recurrence], held)
        results = run_steps(m, unit.output_datapath(), held)
        done = wire(m, "done", ~left.any())
        leaves = wire(m, "leaves", busy & done & (~full | o_ready))
        ready = wire(m, "ready", ~busy | leaves)
        m.d.sync += [held[name].eq(following.pop(name)) for name in unit.steady]
        with m.If(ready):
            m.d.sync += [busy.eq(valid), left.eq(unit.clocks)]
            m.d.sync += [x.eq(loaded[name]) for name, x in held.items() if isinstance(x, Signal)]
        with m.Elif(~done):
            m.d.sync += left.eq(left - 1)
            m.d.sync += [held[name].eq(value) for name, value in following.items()]
        offered = {
            name: Signal(f.bits, name=f"{name}_held", reset_less=True)
            for name, f in unit.results.items()
        }
        with m.If(~full | o_ready):
            m.d.sync += full.eq(leaves)
            m.d.sync += [x.eq(results[name]) for name, x in offered.items()]
        return ready, full, {**offered}

    return core


def _register(name: str, value: Value) -> Value:
    """What holds a value; a constant needs nothing."""
    if isinstance(value, Const):
        return value
    return Signal(value.shape(), name=f"{name}_held", reset_less=True)
