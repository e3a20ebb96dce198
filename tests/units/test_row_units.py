"""Units that go over a row several times: normalizations, their passes, and their hardware."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.rows import RowUnit
from hwarith.units.rows.transfers import RowTransfers
from tests.digests import digest, values_near_one
from tests.faults import faulty
from tests.tiers import few

SMALL = (
    "rmsnorm:a=e4m3,acc=e4m3,length=3",
    "layernorm:a=e3m2,acc=e4m3,length=4,stages=6",
)
IN_CLOCKS = (
    "rmsnorm:a=e4m3,acc=e4m3,length=3,clocks=2",
    "layernorm:a=e3m2,acc=e4m3,length=4,stages=6,clocks=4",
    "rmsnorm:a=e4m3,acc=fp16,root=e4m3,length=1,clocks=1,stages=5",
    "softmax:a=e5m2,p=e5m2,z=fix6.2,acc=e5m2,normalize=recip,clocks=1",
    "softmax:a=e4m3,p=e5m2,z=fix7.4,acc=fp16,normalize=recip,clocks=7,stages=5",
    "softmax:a=e5m2,p=e5m2,z=fix6.2,acc=fp16,normalize=recip,method=online,clocks=2,stages=4",
)


# Calculated apart from this project, by numpy's float32 and by integers.
DIGESTS = {
    ("layernorm", 64): "1348562d2915f5c0",
    ("layernorm", 256): "71d0f1f14c6b49f1",
    ("rmsnorm", 64): "ca86283df5edad84",
    ("rmsnorm", 256): "4e306b7464d9d751",
}


@pytest.mark.parametrize(("family", "n"), DIGESTS)
def test_published_digests(family: str, n: int) -> None:
    u = hw.unit(f"{family}:a=bf16,length={n}")
    one, zero = np.uint16(0x3F80), np.uint16(0)
    y = u(values_near_one(64 * n).reshape(64, n), *[one, zero][: len(u.operands) - 1])
    assert digest(y) == DIGESTS[family, n]


@pytest.mark.parametrize("n", [64, 256])
def test_no_result_differs_from_the_rounded_real_number(n: int) -> None:
    codes, u = values_near_one(64 * n).reshape(64, n), hw.unit(f"layernorm:a=bf16,length={n}")
    x = u.a.decode(codes).astype(float)
    d = x - x.mean(1, keepdims=True)
    exact = d / np.sqrt((d * d).mean(1, keepdims=True) + 1e-5)
    assert (u(codes, u.w.encode(1), u.w.encode(0)) == u.out.encode(exact)).all()


def test_values_are_those_of_real_numbers() -> None:
    """Within what the formats can say, of lengths that are no powers of two too."""
    rng = np.random.default_rng(1)
    x, gamma, beta = rng.normal(3, 2, (20, 77)), rng.normal(size=77), rng.normal(size=77)
    x, gamma, beta = (
        hw.format("fp16").decode(hw.format("fp16").encode(v)) for v in (x, gamma, beta)
    )
    y = hw.unit("layernorm:a=fp16,length=77")(x, gamma, beta, values=True)
    d = x - x.mean(1, keepdims=True)
    exact = d / np.sqrt((d * d).mean(1, keepdims=True) + 1e-5) * gamma + beta
    assert np.abs(y - exact).max() < 4e-3
    y = hw.unit("rmsnorm:a=fp16,length=77,eps=1")(x, gamma, values=True)
    exact = x / np.sqrt((x * x).mean(1, keepdims=True) + 1) * gamma
    assert np.abs(y - exact).max() < 4e-3


@pytest.mark.parametrize("spec", SMALL)
def test_golden_of_one_row(spec: str) -> None:
    u = hw.unit(spec)
    assert isinstance(u, RowUnit)
    length = u.row_length or 4
    rows = [x.reshape(-1, length) for x in stimulus(u, 8 * length, 3)]
    together = u(*rows)
    for i in range(8):
        assert u.golden(*(x[i].tolist() for x in rows)) == together[i].tolist()


def test_rows_of_one_value() -> None:
    """Such a value is its own mean, and its own root mean square."""
    u = hw.unit("layernorm:a=fp16,length=1")
    assert u([3.0], 2.0, 0.5, values=True).tolist() == [0.5]
    u = hw.unit("rmsnorm:a=fp16,length=1,eps=0")
    assert u([-3.0], 2.0, values=True).tolist() == [-2.0]
    code = u.a.encode_one(Fraction(3))
    assert u.golden([code], [code]) == [code]


@pytest.mark.parametrize("spec", [*SMALL, *few(IN_CLOCKS, 3)])
def test_hardware_equals_golden(spec: str) -> None:
    u = hw.unit(spec)
    length = u.row_length or 4
    rows = [x.reshape(-1, length) for x in stimulus(u, 3000 * length, 1)]
    simulated = hw.simulate(u)
    expected = u(*rows)
    assert (simulated(*rows) == expected).all()
    assert (simulated.stream(*rows, idle=0.3, stall=0.4, seed=2) == expected).all()


@pytest.mark.long
@pytest.mark.parametrize("spec", IN_CLOCKS)
def test_what_is_found_in_clocks_in_the_regression(spec: str) -> None:
    """Pauses, resets while it is found, and how long a pass waits for it."""
    assert hw.regress(spec, vectors=200).failed == 0


@pytest.mark.long
@pytest.mark.parametrize("spec", [IN_CLOCKS[0], IN_CLOCKS[3]])
@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        (r"wire row_asks = .*?;", "wire row_asks = 1'b0;"),  # nobody waits
        (r"wire row_starts = .*?;", "wire row_starts = row_asks;"),  # found again while it waits
    ],
)
def test_a_pass_that_does_not_wait_is_found(spec: str, pattern: str, new: str) -> None:
    u = hw.unit(spec)
    length = u.row_length or 4
    rows = [x.reshape(-1, length) for x in stimulus(u, 100 * length, 1)]
    try:
        found = hw.simulate(u, faulty(u, pattern, new)).stream(*rows, stall=0.5)
    except hw.ToolFailure as error:
        assert "result" in str(error)  # noqa: PT017 (either way the fault is found)
    else:
        assert (found != u(*rows)).any()


def test_a_sum_that_never_begins_is_found() -> None:
    u = hw.unit(SMALL[0])
    rows = [x.reshape(-1, 3) for x in stimulus(u, 300, 1)]
    wrong = faulty(u, r"squares_so_far = first \? 8'd0 : squares", "squares_so_far = squares")
    assert (hw.simulate(u, wrong)(*rows) != u(*rows)).any()


def test_transfers_and_back() -> None:
    u = hw.unit("rmsnorm:a=fp16,length=3")
    a = np.arange(12, dtype=np.uint16).reshape(2, 2, 3)
    gamma = a + np.uint16(100)
    columns = RowTransfers(u).of([a, gamma])
    assert columns[0].tolist()[:9] == [0, 1, 2, 0, 1, 2, 3, 4, 5]
    assert columns[2].tolist()[:7] == [0, 0, 0, 1, 1, 1, 0]
    found = RowTransfers(u).calls(columns)
    assert [x.tolist() for x, _ in found] == a.reshape(-1, 3).tolist()
    assert RowTransfers(u).per_result([a]) == [4, 1, 1] * 4
    for column, place in ((0, 3), (2, 1), (2, 4)):
        wrong = [x.copy() for x in columns]
        wrong[column][place] ^= 1
        with pytest.raises(hw.InvalidInput, match=r"transfers? \d+"):
            RowTransfers(u).calls(wrong)
    with pytest.raises(hw.InvalidInput, match="the last one, must have phase=1"):
        RowTransfers(u).calls([x[:3] for x in columns])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("layernorm:stages=2", "parameter stages: must be 3 to 64"),
        ("layernorm:eps=-1", "parameter eps: must be at least 0, not '-1'"),
        ("layernorm:eps=small", "parameter eps: must be a number, such as 1e-5"),
        ("rmsnorm:acc=int32", "parameter acc: must be a float, not int32"),
        ("rmsnorm:length=0", "parameter length: must be 1 to"),
        ("softmax:clocks=2", "softmax: parameter clocks: is for normalize=recip"),
        (
            "softmax:normalize=recip,clocks=8",
            "softmax: parameter clocks: must be 0, or for 26 digits",
        ),
        ("rmsnorm:clocks=7", "rmsnorm: parameter clocks: must be 0, or for 24 digits one of 1, 2"),
        ("rmsnorm:target_delay=9", "parameter target_delay: a unit with a memory has none"),
    ],
)
def test_refused(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


def test_refused_rows() -> None:
    u = hw.unit("rmsnorm:a=fp16,length=4")
    for a in (np.zeros(3, np.uint16), np.zeros((4, 0), np.uint16)):
        with pytest.raises(hw.InvalidInput, match="have 4 values, not"):
            u(a, a)
    with pytest.raises(hw.InvalidInput, match="are rows"):
        u(np.uint16(1), np.uint16(1))
    with pytest.raises(hw.InvalidInput, match="have 4 values, not 2"):
        u.golden([1, 2], [3, 4])


@pytest.mark.long
@pytest.mark.parametrize(
    "spec",
    [
        "layernorm:a=e4m3,out=e5m2,w=e3m2,acc=fp16,root=e4m3,length=3,stages=6",
        "rmsnorm:a=e4m3,acc=bf16,length=5,eps=0,stages=5",
        "layernorm:a=bf16,acc=bf16,length=16,stages=6",
        "layernorm:a=fp16,acc=fp32,root=fp16,length=8,stages=8",
        "rmsnorm:a=bf16,acc=fp32,length=16,stages=4",
    ],
)
def test_many_rows_of_hardware(spec: str) -> None:
    u = hw.unit(spec)
    rows = [x.reshape(-1, u.row_length) for x in stimulus(u, 20000 * u.row_length, 1)]
    assert (hw.simulate(u)(*rows) == u(*rows)).all()
    assert hw.regress(u).failed == 0
