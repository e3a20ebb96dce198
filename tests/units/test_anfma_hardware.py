"""Hardware of the chained multiply-adds, and of the ends of their columns."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from tests.evidence import assert_rtl_equals_golden
from tests.tiers import few
from tests.units.test_anfma import NORMS


@pytest.mark.parametrize(
    "spec",
    few(
        [
            *(f"anfma:w={w},norm={norm}" for w in (16, 24) for norm in NORMS),
            "anfma:w=17,norm=an-2-3,guard=2",
            "anfma:w=20,norm=exact,guard=3,prodnorm=1",
            "anfma:prodnorm=1,norm=an-1-1",
            "anfma:a=e4m3fn,b=e5m2,w=12,norm=an-3-4",
            "anfma:a=fp16,w=30",
            "anfma:a=e4m3fnuz,w=8",
            "anfma:a=e2m1fn,w=4,norm=an-1-1",
            "anfma:stages=1",
            "anfma:norm=exact,stages=3",
            "anfma:w=16,stages=5",
            "anend",
            "anend:out=bf16",
            "anend:w=16",
            "anend:out=e4m3fn",
            "anend:out=e4m3fnuz,w=20",
            "anend:w=30,out=fp16",
            "anend:out=e2m1fn",
            "anend:a=e4m3fn,w=16,out=bf16,stages=2",
            "anseed",
            "anseed:w=16,seed=bf16",
            "anseed:seed=fp16,w=40",
            "anseed:seed=e4m3fn,stages=1",
        ],
        4,
    ),
)
def test_rtl_equals_golden(spec: str) -> None:
    assert_rtl_equals_golden(spec)


@pytest.mark.long
@pytest.mark.parametrize("w", [16, 24])
@pytest.mark.parametrize("norm", NORMS)
def test_ten_million_steps(norm: str, w: int) -> None:
    assert_rtl_equals_golden(f"anfma:w={w},norm={norm}", 10_000_000)


def test_vectors_reach_what_is_worth_trying() -> None:
    u = hw.unit("anfma")
    a, b, c = stimulus(u, 100_000, 2)
    product, state = u.column(a[:, None], b[:, None], state=True), u.unpack_state(c)
    finite = (product.significand > 0) & (state.significand > 0) & (state.flags == 0)
    assert finite.mean() > 0.3
    apart = (product.exponent - state.exponent)[finite]
    assert set(range(-26, 27)) <= set(apart.tolist())
    result = u.unpack_state(u(a, b, c))
    assert (result.significand[finite] == 0).sum() > 30
    assert set(np.unique(result.flags)) == set(range(8))
