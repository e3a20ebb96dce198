"""The softmax of rows: a published attention, real numbers, and the hardware."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.rows.base import Arrays
from hwarith.units.rows.softmax import LOG2_E, SoftMax
from tests.digests import digest, values_near_one
from tests.faults import faulty

SPECS = (
    "softmax:a=e5m2,out=e5m2,p=e5m2,z=fix6.2,acc=e5m2",
    "softmax:a=e4m3,out=bf16,p=e5m2,z=fix7.4,acc=fp16,normalize=recip,stages=5",
)


def test_a_published_attention() -> None:
    """64 queries of 64 values each, of which two implementations apart from this project know the
    exponentials and the results: scores in fp32, z in fix9.16."""
    q, k, v = values_near_one(3 * 64 * 64).reshape(3, 64, 64)
    scores = hw.matmul("fma:a=bf16,b=bf16,c=fp32,out=fp32", q, k.T)
    eighth = hw.format("fp32").encode(0.125)
    u = hw.unit("softmax:a=fp32,out=bf16,p=bf16,z=fix9.16,acc=fp32")
    assert isinstance(u, SoftMax)
    scores = hw.unit("mul:a=fp32")(scores, eighth)
    p, total = u.exponentials(Arrays(), scores)
    assert digest(p) == "c38d886b47cb3d74"
    mixed = hw.matmul("fma:a=bf16,b=bf16,c=fp32,out=fp32", p, v)
    y = hw.unit("div:a=fp32,b=fp32,out=bf16")(mixed, total)
    assert digest(y) == "ed047444aeb2e5e9"


def test_values_are_those_of_real_numbers() -> None:
    x = np.random.default_rng(1).normal(0, 4, (40, 100)).astype(np.float32)
    exact = np.exp(x - x.max(1, keepdims=True).astype(float))
    exact /= exact.sum(1, keepdims=True)
    for normalize in ("div", "recip"):
        y = hw.unit(f"softmax:normalize={normalize}")(x, values=True)
        assert (np.abs(y - exact) <= exact * 2**-7 + 1e-30).all()
        assert np.abs(y.sum(1) - 1).max() < 2**-8


def test_rows_with_infinities_and_nan() -> None:
    u = hw.unit("softmax:")
    inf, nan = np.inf, np.nan
    y = u([[0, -inf], [-inf, -inf], [0, inf], [0, nan], [-5, -5]], values=True)
    assert y[0].tolist() == [1, 0]
    assert y[4].tolist() == [0.5, 0.5]
    assert np.isnan(y[[1, 3]]).all()
    assert (y[2, 0], np.isnan(y[2, 1])) == (0, True)


def test_log2_e() -> None:
    """Between the sums of 1/n! over less and more terms of the logarithm's series of e."""
    assert abs(float(LOG2_E) - np.log2(np.e)) < 1e-15
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(70):
        exact = mpmath.log(mpmath.e, 2) * 10**60
        assert abs(exact - LOG2_E * 10**60) < 1


@pytest.mark.parametrize("spec", SPECS)
def test_hardware_equals_golden(spec: str) -> None:
    u = hw.unit(spec)
    (codes,) = stimulus(u, 4000, 1)
    rows = np.random.default_rng(2).choice(codes, (800, 5))
    expected = u(rows)
    simulated = hw.simulate(u)
    assert (simulated(rows) == expected).all()
    assert (simulated.stream(rows, idle=0.3, stall=0.4, seed=2) == expected).all()
    assert u.golden(rows[0].tolist()) == expected[0].tolist()


def test_a_maximum_that_begins_at_zero_is_found() -> None:
    u = hw.unit(SPECS[0])
    rows = u.a.encode(-np.abs(np.random.default_rng(1).normal(4, 2, (50, 5))))
    wrong = faulty(u, r"greatest_so_far = first \? 8'hfc", "greatest_so_far = first ? 8'h00")
    assert (hw.simulate(u, wrong)(rows) != u(rows)).any()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("softmax:p=e4m3fn", "parameter p: must be a float with infinities, not e4m3fn"),
        ("softmax:a=int8", "parameter a: must be a float with infinities, not int8"),
        ("softmax:z=uint8", "parameter z: "),
        ("softmax:stages=2", "parameter stages: must be 3 to 64"),
    ],
)
def test_refused(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


@pytest.mark.long
@pytest.mark.parametrize(
    "spec", ["softmax:a=fp32,stages=8", "softmax:a=bf16,normalize=recip,stages=12"]
)
def test_many_rows_of_hardware(spec: str) -> None:
    u = hw.unit(spec)
    rows = u.a.encode(np.random.default_rng(3).normal(0, 5, (2000, 40)))
    assert (hw.simulate(u)(rows) == u(rows)).all()
    assert hw.regress(u, vectors=300).failed == 0
