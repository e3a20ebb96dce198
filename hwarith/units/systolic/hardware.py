"""The array: cells of a multiply-add and its registers, and the registers that skew what flows.

Everything moves one cell a clock, or stands still: activations to the right, sums down. A transfer
enters a row one clock after the row above, and a column one clock after the column to its left. A
transfer of weights goes the same way, in the place of the sums: each cell takes what comes from
above as its weight and hands its old one down. So nothing overtakes anything, and weights may
follow activations and activations weights in every clock.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Protocol

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...rtl import Values, make_part, run_steps, wire
from ...rtl.pipeline.datapath import pipelined
from ...rtl.pipeline.placement import Placement
from ..chain import RIGHT, Chain
from ..contract import Unit
from ..parts import Grid


def multiply_add(m: Module, units: Chain, factors: list[Value], acc: Value) -> Value:
    """The hardware of a step of a chain."""
    if units.multiply:
        factors = [_result(m, units.multiply, factors)]
    return _result(m, units.add, [*factors, acc])


def _result(m: Module, unit: Unit, operands: list[Value]) -> Value:
    (name,) = unit.results
    named = dict(zip(unit.operands, operands, strict=True))
    return make_part(m, unit.family, run_steps, unit.datapath(), named)[name]


def _widths(units: Chain) -> tuple[dict[str, int], dict[str, int]]:
    """The bits of what an element takes of the left matrix, and of the right one."""
    left: dict[str, int] = {}
    right: dict[str, int] = {}
    for name, (f, n) in units.factors.items():
        (right if name in RIGHT else left)[name] = n * f.bits
    return left, right


def _fields(x: Value, widths: dict[str, int]) -> Values:
    """What lies side by side in a signal, by its names."""
    ends = list(accumulate(widths.values()))
    return {name: x[end - widths[name] : end] for name, end in zip(widths, ends, strict=True)}


class Cell(wiring.Component):
    """A processing element with its weight.

    Members
    -------
    enable : everything moves on in this clock.
    load : what comes from above is a weight, not a sum; the weight so far goes down.
    a, down_in : activation and sum, to be used in this clock; scales of activations and of weights
        are behind these.
    a_out, load_out, down_out : to the cells to the right and below, a clock later.
    """

    def __init__(self, units: Chain):
        self.units = units
        self.left, self.right = _widths(units)
        across, self.weight_bits = sum(self.left.values()), sum(self.right.values())
        down = max(self.weight_bits, units.accumulator.bits)
        inputs = {"enable": In(1), "load": In(1), "a": In(across), "down_in": In(down)}
        outputs = {"load_out": Out(1), "a_out": Out(across), "down_out": Out(down)}
        super().__init__(inputs | outputs)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        weight = Signal(self.weight_bits, name="weight", reset_less=True)
        acc = self.down_in[: self.units.accumulator.bits]
        found = _fields(self.a, self.left) | _fields(weight, self.right)
        total = multiply_add(m, self.units, [found[name] for name in self.units.factors], acc)
        a, load, down = (
            Signal.like(x, name=f"{name}_register", reset_less=True)
            for x, name in ((self.a, "a"), (self.load, "load"), (self.down_in, "down"))
        )
        with m.If(self.enable):
            m.d.sync += [a.eq(self.a), load.eq(self.load), down.eq(Mux(self.load, weight, total))]
            with m.If(self.load):
                m.d.sync += weight.eq(self.down_in[: self.weight_bits])
        m.d.comb += [self.a_out.eq(a), self.load_out.eq(load), self.down_out.eq(down)]
        return m


END_CLOCKS = 2
"""Clocks that what ends a column takes, so that its path is no longer than a cell's."""


class End(wiring.Component):
    """A unit of one operand and one result, at an end of the columns, in so many clocks."""

    def __init__(self, unit: Unit, clocks: int):
        self.unit, self.clocks = unit, clocks
        (operand,), (result,) = unit.operands.values(), unit.results.values()
        super().__init__({"enable": In(1), "operand": In(operand.bits), "result": Out(result.bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        (name,), (result,) = self.unit.operands, self.unit.results
        if not self.clocks:
            m.d.comb += self.result.eq(_result(m, self.unit, [self.operand]))
            return m
        inputs: Values = {name: self.operand}
        plan = pipelined(self.unit.datapath(), inputs, self.clocks, self.unit.family)
        ranks = Placement(m, *plan)
        m.d.comb += self.result.eq(ranks.place([self.enable] * self.clocks)[result])
        return m


def _lane(x: Value, i: int, bits: int) -> Value:
    return x[i * bits : (i + 1) * bits]


def _lanes(inputs: Values, i: int, widths: dict[str, int]) -> Value:
    """What a row or a column takes of these inputs, side by side."""
    return Cat(*(_lane(inputs[name], i, bits) for name, bits in widths.items()))


def _delayed(
    m: Module, name: str, x: Value, enable: Value, clocks: int, reset: bool = False
) -> list[Value]:
    """`x`, which comes last if there are no clocks, and one clock later, two, and so on."""
    registers: list[Value] = [] if clocks else [x]
    for i in range(clocks):
        register = Signal(len(x), name=f"{name}_after_{i + 1}", reset_less=not reset)
        with m.If(enable):
            m.d.sync += register.eq(x)
        registers.append(register)
        x = register
    return registers


class Systolic(Grid, Protocol):
    """What the hardware takes of an array.

    Members
    -------
    stages : clocks from activations to their results.
    units : what its elements compute.
    """

    @property
    def stages(self) -> int: ...

    @property
    def units(self) -> Chain: ...


class Array:
    """The array between two streams, in a module; its parts are submodules, or where `instances`
    is set references to modules of their names (`parts`), so that Verilog has each once."""

    def __init__(self, unit: Systolic, instances: bool):
        self.unit, self.instances = unit, instances

    def build(
        self, m: Module, inputs: Values, valid: Value, o_ready: Value
    ) -> tuple[Value, Value, Values]:
        """Ready for inputs, valid results, results."""
        u = self.unit
        enable = Signal(name="enable")
        flags = _delayed(m, "counts", valid & ~inputs["load"], enable, u.stages, reset=True)
        m.d.comb += enable.eq(~flags[-1] | o_ready)
        loads = _delayed(m, "load_to_row", valid & inputs["load"], enable, u.rows)
        left, right = _widths(u.units)
        entering = [
            _delayed(m, f"row_{r}", _lanes(inputs, r, left), enable, r + 1)[-1]
            for r in range(u.rows)
        ]
        sums: list[Value] = [
            self._column_start(m, j, _lanes(inputs, j, right), inputs["c"], inputs["load"], enable)
            for j in range(u.columns)
        ]
        for r in range(u.rows):
            load, x = loads[r], entering[r]
            for j in range(u.columns):
                load, x, sums[j] = self._cell(m, r, j, enable, load, x, sums[j])
        lanes = []
        for j, total in enumerate(sums):
            y = self._column_end(m, j, total[: u.units.accumulator.bits], enable)
            lanes.append(_delayed(m, f"y_{j}", y, enable, u.columns - 1 - j)[-1])
        return enable, flags[-1], {"y": wire(m, "results", Cat(*lanes))}

    def _column_start(
        self, m: Module, j: int, weight: Value, c: Value, load: Value, enable: Value
    ) -> Value:
        """What enters a column: a weight, or what its sum begins with."""
        start = self.unit.units.start
        acc = _lane(c, j, self.unit.units.first.bits)
        if start:
            acc = self._end(m, "start", j, start, acc, enable)
        width = max(len(weight), len(acc))
        entering = wire(m, f"entering_{j}", Mux(load, weight, acc), width)
        return _delayed(m, f"top_{j}", entering, enable, j + 1)[-1]

    def _column_end(self, m: Module, j: int, total: Value, enable: Value) -> Value:
        end = self.unit.units.finish
        if end:
            return self._end(m, "end", j, end, total, enable)
        return _delayed(m, f"end_{j}", total, enable, 1)[-1]

    def _end(
        self, m: Module, kind: str, j: int, unit: Unit, operand: Value, enable: Value
    ) -> Value:
        result = Signal(next(iter(unit.results.values())).bits, name=f"{kind}_{j}")
        self.unit.place(
            m,
            kind,
            f"{kind}_of_column_{j}",
            {"enable": enable, "operand": operand},
            {"result": result},
            self.instances,
        )
        return result

    def _cell(
        self, m: Module, r: int, j: int, enable: Value, load: Value, a: Value, down: Value
    ) -> tuple[Value, Value, Value]:
        out = {
            "load_out": Signal(1, name=f"load_{r}_{j}"),
            "a_out": Signal(len(a), name=f"a_{r}_{j}"),
            "down_out": Signal(len(down), name=f"down_{r}_{j}"),
        }
        inputs = {"enable": enable, "load": load, "a": a, "down_in": down}
        self.unit.place(m, "cell", f"cell_{r}_{j}", inputs, out, self.instances)
        return out["load_out"], out["a_out"], out["down_out"]
