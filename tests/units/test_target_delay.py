"""The parameter `target_delay`: a number of gate delays in the place of stages."""

from __future__ import annotations

import pytest

import hwarith as hw
from hwarith.rtl.pipeline.gates import UNIT
from hwarith.units.contract import STAGES
from tests.rtl.cutter import cutter


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
