"""The unit that divides and takes roots: held to the two definitions, and its hardware."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.stimuli.families import stimulus
from tests.evidence import rows
from tests.faults import faulty
from tests.streaming import assert_streams
from tests.tiers import few


@pytest.mark.parametrize("options", ["flags=after", "round=port,flags=before,by_zero=nan"])
def test_results_are_those_of_the_units_for_one(options: str) -> None:
    u = hw.unit(f"divsqrt:a=e5m2,b=e4m3fn,out=bf16,{options}")
    a, b, op, *rm = stimulus(u, 1 << 20)
    div = hw.unit(f"div:a=e5m2,b=e4m3fn,out=bf16,{options}")
    sqrt = hw.unit(f"sqrt:a=e5m2,out=bf16,{options.replace(',by_zero=nan', '')}")
    found = rows(u(a, b, op, *rm))
    for y, quotient, root in zip(found, div(a, b, *rm), sqrt(a, *rm), strict=True):
        np.testing.assert_array_equal(y, np.where(op == 1, root, quotient))
    assert set(op.tolist()) == {0, 1}


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "divsqrt:a=e4m3fn",
            "divsqrt:a=fp16",
            "divsqrt:a=e5m2,clocks=3,flags=after",
            "divsqrt:a=e4m3,subnormals=flush,round=port,flags=before",
            "divsqrt:a=e5m2,nan=payload,by_zero=nan,flags=after,clocks=2",
            "divsqrt:a=e5m2,b=e4m3fn,out=bf16",
            "divsqrt:a=bf16,b=e4m3fn,out=e5m2,flags=after",
            "divsqrt:a=fp16,clocks=1",
            "divsqrt:a=posit8",
            "divsqrt:a=binary8p4se,flags=after",
            "divsqrt:a=ue4m3",
            "divsqrt:a=bf16,round=rdn",
            "divsqrt:a=fp32,clocks=9,flags=after",
            "divsqrt:a=fp64,clocks=55",
            "divsqrt:a=e8m0fnu,b=e4m3fn,out=fp16",
        ],
        8,
    ),
)
def test_hardware(spec: str) -> None:
    u = hw.unit(spec)
    assert_streams(u, stimulus(u, 1 << 17, seed=5))


@pytest.mark.parametrize(
    ("sound", "broken"),
    few(
        [
            (r"is_quarter = ", r"is_quarter = 1'b0 & "),
            (r"(place_held <= ready \? )\{op, 5'd0\}", r"\1 6'd0"),
        ],
        2,
    ),
)
def test_faults_are_found(sound: str, broken: str) -> None:
    u = hw.unit("divsqrt:a=e4m3fn")
    operands = stimulus(u, 1 << 12, seed=5)
    found = hw.simulate(u, verilog=faulty(u, sound, broken))(*operands)
    assert (found != u(*operands)).any()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("divsqrt:a=int8", "divsqrt: parameter a: int8 is no float; allowed: floats and posits"),
        ("divsqrt:a=fp16,stages=2", "divsqrt: parameter stages: must be 0, not 2: quotients and"),
        ("divsqrt:a=fp16,clocks=6", "one of 1, 2, 3, 4, 5, 7, 13, not 6"),
        ("divsqrt:a=fp16,round=sra", "round: sra is for div and sqrt only"),
    ],
)
def test_what_cannot_be_is_refused(spec: str, message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        hw.unit(spec)
    assert message in str(raised.value)
