"""Pipeline registers: where they stand, and that a pipelined unit computes the same."""

from __future__ import annotations

import re

import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.rtl.pipeline.gates import REGISTER
from tests.evidence import assert_equal_on
from tests.rtl.cutter import cutter
from tests.tiers import few

SMALL = (
    "mul:a=e4m3",
    "add:a=e4m3",
    "fma:a=e4m3",
    "fma:a=int4,out=int9",
    "mul:a=int8,out=int16",
    "lmul:format=e4m3",
    "convert:a=bf16,out=e4m3fn",
    "cmp:a=e4m3,op=lt",
    "minmax:a=e4m3,op=max",
)


def assert_stages_change_nothing(spec: str, stages: int) -> None:
    u = hw.unit(f"{spec},stages={stages}")
    operands = stimulus(u, 1 << 16, seed=7)
    assert (hw.simulate(u)(*operands) == hw.simulate(spec)(*operands)).all()


@pytest.mark.parametrize("stages", few([2, 5], 2))
@pytest.mark.parametrize("spec", few(SMALL, 3))
def test_stages_change_no_result(spec: str, stages: int) -> None:
    assert_stages_change_nothing(spec, stages)


@pytest.mark.long
@pytest.mark.parametrize("stages", [1, 3, 4, 6, 7, 8])
@pytest.mark.parametrize("spec", SMALL)
def test_other_stages_change_no_result(spec: str, stages: int) -> None:
    assert_stages_change_nothing(spec, stages)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "fma:a=fp16,stages=3",
            "fma:a=bf16,b=bf16,c=fp32,out=fp32,stages=4",
            pytest.param("mul:a=fp32,stages=5", marks=pytest.mark.long),
            "add:a=bf16,round=rup,stages=7",
            pytest.param("add:a=fp32,round=rup,stages=7", marks=pytest.mark.long),
            "mul:a=int70,stages=3",
            "fma:a=int20,stages=6",
        ],
        3,
    ),
)
def test_pipelined_units_equal_golden(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 1 << 16, seed=8)
    assert_equal_on(u, *operands)


# -- the cuts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_segments_are_even(stages: int) -> None:
    cuts = cutter("fma:a=fp16")
    delays = cuts.pipeline(stages).delays
    assert len(delays) == stages
    assert max(delays) <= 1.25 * cuts.shortest(1) / stages


def test_a_segment_that_shortens_little_is_empty_and_the_last_one() -> None:
    """A seventh one takes 137 to 135 at best, by the model."""
    cuts = cutter("add:a=e4m3")
    six, seven, eight = (cuts.pipeline(stages) for stages in (6, 7, 8))
    assert cuts.shortest(6) > cuts.shortest(7) > 0.94 * cuts.shortest(6)
    assert (seven.segment, seven.delays) == (six.segment, [*six.delays, 0])
    assert seven.registers == [*six.registers, cuts.results]
    assert max(eight.delays) < 0.94 * max(six.delays)


def test_a_register_takes_time_to_give_what_it_holds() -> None:
    """So the first segment, which has none before it, may be longer than others by that."""
    cuts = cutter("mul:a=fp16")
    whole, halves = cuts.shortest(1), cuts.shortest(2)
    assert whole + REGISTER <= 2 * halves
    assert cuts.pipeline(2).delays[1] > REGISTER


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
