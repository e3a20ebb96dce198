"""Pipeline registers: the delay model, the cuts, and that a pipelined unit computes the same."""

from __future__ import annotations

import itertools
import random
import re

import pytest
from amaranth.hdl import Cat, Const, Mux, Signal, Value

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.rtl.pipeline.cuts import Cutter
from hwarith.rtl.pipeline.datapath import Datapath
from hwarith.rtl.pipeline.delay import ONE, UNIT, ZERO, Graph
from hwarith.rtl.pipeline.mincut import Network
from hwarith.units.contract import STAGES

SMALL = [
    "mul:a=e4m3",
    "add:a=e4m3",
    "fma:a=e4m3",
    "fma:a=int4,out=int9",
    "mul:a=int8,out=int16",
    "lmul:format=e4m3",
    "convert:a=bf16,out=e4m3fn",
    "cmp:a=e4m3,op=lt",
    "minmax:a=e4m3,op=max",
]


def cutter(spec: str) -> Cutter:
    u = hw.unit(spec)
    inputs = {name: Signal(f.bits, name=name) for name, f in u.inputs.items()}
    return Datapath(u.datapath(), inputs, set()).cutter


def assert_stages_change_nothing(spec: str, stages: int) -> None:
    u = hw.unit(f"{spec},stages={stages}")
    operands = stimulus(u, 1 << 16, seed=7)
    assert (hw.simulate(u)(*operands) == hw.simulate(spec)(*operands)).all()


@pytest.mark.parametrize("stages", [1, 2, 5, 8])
@pytest.mark.parametrize("spec", SMALL)
def test_stages_change_no_result(spec: str, stages: int) -> None:
    assert_stages_change_nothing(spec, stages)


@pytest.mark.long
@pytest.mark.parametrize("stages", [3, 4, 6, 7])
@pytest.mark.parametrize("spec", SMALL)
def test_other_stages_change_no_result(spec: str, stages: int) -> None:
    assert_stages_change_nothing(spec, stages)


@pytest.mark.parametrize(
    "spec",
    [
        "fma:a=fp16,stages=3",
        "fma:a=bf16,b=bf16,c=fp32,out=fp32,stages=4",
        "mul:a=fp32,stages=5",
        "add:a=fp32,round=rup,stages=7",
        "mul:a=int70,stages=3",
        "fma:a=int20,stages=6",
    ],
)
def test_pipelined_units_equal_golden(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 1 << 16, seed=8)
    assert (u(*operands) == hw.simulate(u)(*operands)).all()


# -- the cuts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_segments_are_even(stages: int) -> None:
    cuts = cutter("fma:a=fp16")
    delays = cuts.pipeline(stages).delays
    assert len(delays) == stages
    assert max(delays) <= 1.25 * cuts.shortest(1) / stages


def test_few_registers() -> None:
    """In three ranks, between 48 bits of operands and 16 of results, with the valid bits."""
    declared = re.findall(
        r"^  reg (?:\[(\d+):0\] )?\w+( =|;)", hw.verilog("fma:a=fp16,stages=3"), re.M
    )
    registers = sum(int(msb or 0) + 1 for msb, _ in declared)
    planned = cutter("fma:a=fp16").pipeline(3).registers
    assert registers == sum(map(len, planned)) + len(planned) <= 200


@pytest.mark.parametrize("spec", ["mul:a=fp16", "fma:a=e4m3", "convert:a=fp32,out=bf16"])
@pytest.mark.parametrize("stages", [1, 2, 3, 8])
def test_what_is_read_is_made_before_or_registered(spec: str, stages: int) -> None:
    cuts = cutter(spec)
    graph, pipeline = cuts.graph, cuts.pipeline(stages)
    assert set(pipeline.registers[-1]) == set(cuts.results)

    def made(bit: int) -> int:
        return pipeline.segment[graph.operation[bit]] if graph.operation[bit] >= 0 else 0

    for bit, fanin in enumerate(graph.fanin):
        for source in fanin if cuts.live[bit] else ():
            assert made(source) <= made(bit)
            for rank in range(made(source), made(bit)):
                assert source in pipeline.registers[rank]


def test_cuts_are_the_same_every_time() -> None:
    first, second = (cutter("fma:a=e4m3").pipeline(3) for _ in range(2))
    assert first == second
    assert hw.verilog("fma:a=e4m3,stages=3") == hw.verilog("fma:a=e4m3,stages=3")


def test_more_stages_than_gates() -> None:
    """A minimum of one-bit numbers has little to cut; it has the ranks all the same."""
    u = hw.unit("minmax:a=uint1,op=min,stages=8")
    assert list(hw.simulate(u)([0, 0, 1, 1], [0, 1, 0, 1])) == [0, 0, 0, 1]


def least_cut_by_trial(edges: list[tuple[int, int, int]], count: int) -> int:
    """The least capacity over all sets of vertices with the source and without the sink."""
    costs = []
    for chosen in itertools.product((False, True), repeat=count):
        side = (True, False, *chosen)
        costs.append(sum(room for tail, head, room in edges if side[tail] and not side[head]))
    return min(costs)


@pytest.mark.parametrize("seed", range(40))
def test_least_cut_is_the_least_of_all(seed: int) -> None:
    rng = random.Random(seed)
    network, count = Network(), 7
    for _ in range(count):
        network.vertex()
    edges = [(*rng.sample(range(count + 2), 2), rng.randrange(6)) for _ in range(24)]
    for edge in edges:
        network.edge(*edge)
    side = network.source_side()
    assert side[network.SOURCE]
    assert not side[network.SINK]
    cost = sum(room for tail, head, room in edges if side[tail] and not side[head])
    assert cost == least_cut_by_trial(edges, count)


# -- the delay model -----------------------------------------------------------------------------


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


def test_an_expression_that_no_datapath_has_is_told() -> None:
    a, b = Signal(8), Signal(3)
    with pytest.raises(TypeError, match="no delay is known of Part"):
        bits_of(a.bit_select(b, 1), a, b)
    with pytest.raises(TypeError, match="no delay is known of operator '<<'"):
        bits_of(a << b, a, b)


# -- target_delay --------------------------------------------------------------------------------


def test_target_delay_gives_the_fewest_stages_that_reach_it() -> None:
    u = hw.unit("fma:a=fp16,target_delay=50")
    assert u.spec == "fma:a=fp16,b=fp16,c=fp16,out=fp16,round=rne,stages=3"
    assert u == hw.unit("fma:a=fp16,stages=3")
    cuts = cutter("fma:a=fp16")
    assert max(cuts.pipeline(3).delays) <= 50 * UNIT < max(cuts.pipeline(2).delays)


def test_a_target_that_is_reached_anyway_gives_a_combinational_unit() -> None:
    assert hw.unit("fma:a=fp16,target_delay=500").stages == 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fma:a=e4m3,stages=2,target_delay=50", "fma: give stages or target_delay, not both"),
        ("fma:a=e4m3,target_delay=0", "fma: parameter target_delay: must be 1 or more, not 0"),
        ("mac:a=bf16,target_delay=9", "mac: parameter target_delay: a unit with a memory has none"),
    ],
)
def test_wrong_targets(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput) as error:
        hw.unit(spec)
    assert str(error.value) == message


def test_a_target_out_of_reach_says_what_can_be_reached() -> None:
    reached = -(-max(cutter("fma:a=e4m3").pipeline(STAGES).delays) // UNIT)
    with pytest.raises(hw.InvalidInput) as error:
        hw.unit("fma:a=e4m3,target_delay=2")
    assert str(error.value) == (
        f"fma: parameter target_delay: must be {reached} or more, which 8 stages reach, not 2"
    )
    assert hw.unit(f"fma:a=e4m3,target_delay={reached}").stages == STAGES
