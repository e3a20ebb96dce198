"""The delay model of the pipeliner."""

from __future__ import annotations

import pytest
from amaranth.hdl import Cat, Const, Mux, Signal, Value, signed

from hwarith.rtl.pipeline.cuts import Cutter
from hwarith.rtl.pipeline.delay import Graph
from hwarith.rtl.pipeline.gates import ONE, UNIT, ZERO


def bits_of(value: Value, *inputs: Signal) -> tuple[Graph, list[int]]:
    graph = Graph(list(inputs))
    return graph, graph.bits(value)


def test_constants_and_other_names_of_bits_take_no_time() -> None:
    x = Signal(4)
    graph, bits = bits_of(Cat(x[2], x & 0b0110, Mux(x[0], 1, 1), x | Const(0b1001, 4)), x)
    _, b, c, _ = graph.bits(x)
    assert bits == [c, ZERO, b, c, ZERO, ONE, ONE, b, c, ONE]
    assert not graph.operations


def test_a_sum_ripples() -> None:
    a, b = Signal(16), Signal(16)
    graph, bits = bits_of(a + b, a, b)
    delays = Cutter(graph, bits).shortest(1)
    assert delays == pytest.approx((2 * 16 + 1) * UNIT, rel=0.1)


def gate_delays(value: Value, *inputs: Signal) -> float:
    graph, bits = bits_of(value, *inputs)
    return Cutter(graph, bits).shortest(1) / UNIT


def test_shifts_by_constants_and_powers_of_two_take_no_time() -> None:
    x, y = Signal(6), Signal(signed(6))
    for value in (x // 4, x % 8, y // 4, y % 8, x // 256, y % 1, x << Const(3), y >> Const(2)):
        assert gate_delays(value, x, y) == 0
    graph, bits = bits_of(Cat(y // 4, y % 8), y)
    assert bits == [*graph.bits(y)[2:], *[graph.bits(y)[-1]] * 2, *graph.bits(y)[:3], ZERO]


@pytest.mark.parametrize(("width", "amount"), [(8, 3), (16, 4), (32, 5)])
def test_a_shift_is_levels_of_multiplexers(width: int, amount: int) -> None:
    """Two gates for each bit of the amount, and one more, as yosys 0.70 maps it."""
    x, y = Signal(width), Signal(amount)
    for value in (x << y, x >> y, x.bit_select(y, 1), x.as_signed() >> y):
        assert gate_delays(value, x, y) == pytest.approx(2 * amount + 1, rel=0.1)


@pytest.mark.parametrize(
    ("width", "divisor", "measured"), [(4, 4, 22), (8, 8, 80), (16, 16, 301), (16, 8, 235)]
)
def test_a_division_is_long(width: int, divisor: int, measured: int) -> None:
    """Between a quotient and a remainder, as yosys 0.70 maps them."""
    x, y = Signal(width), Signal(divisor)
    assert gate_delays(x // y, x, y) == pytest.approx(measured, rel=0.1)
    assert gate_delays(x % y, x, y) == pytest.approx(measured, rel=0.1)
