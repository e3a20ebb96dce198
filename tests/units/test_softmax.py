"""The softmax of rows: a published attention, real numbers, and the hardware."""

from __future__ import annotations

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.rows.base import Arrays
from hwarith.units.rows.reference import NearestPower
from hwarith.units.rows.softmax import LOG2_E, SoftMax
from tests.digests import digest, values_near_one
from tests.faults import faulty
from tests.tiers import few

SAFE = "softmax:a=e5m2,out=e5m2,p=e5m2,z=fix6.2,acc=e5m2"
ONLINE = f"{SAFE},method=online"
WIDER = "softmax:a=e4m3,out=bf16,p=e5m2,z=fix7.4,acc=fp16,normalize=recip,stages=5"

MULTIPLY_ADD = "fma:a=bf16,b=bf16,c=fp32,out=fp32"
QUOTIENT = "div:a=fp32,b=fp32,out=bf16"


@pytest.fixture(scope="module")
def attention() -> tuple[np.ndarray, np.ndarray]:
    """Scores of 64 queries and 64 values of 64 elements, of which two implementations apart from
    this project know what follows."""
    q, k, v = values_near_one(3 * 64 * 64).reshape(3, 64, 64)
    eighth = hw.format("fp32").encode(0.125)
    return hw.unit("mul:a=fp32")(hw.matmul(MULTIPLY_ADD, q, k.T), eighth), v


@pytest.mark.parametrize(
    ("z", "digests"),
    [
        ("fix9.16", ("c38d886b47cb3d74", None, "ed047444aeb2e5e9")),
        ("fp32", ("41327cfaedf817e1", "4ac5ff03a4c59099", "690be0822ff17c06")),
    ],
)
def test_a_published_attention(
    attention: tuple[np.ndarray, np.ndarray], z: str, digests: tuple[str | None, ...]
) -> None:
    scores, v = attention
    u = hw.unit(f"softmax:a=fp32,out=bf16,p=bf16,z={z},acc=fp32")
    assert isinstance(u, SoftMax)
    p, total = u.exponentials(Arrays(), scores)
    y = hw.unit(QUOTIENT)(hw.matmul(MULTIPLY_ADD, p, v), total)
    for found, expected in zip((p, total, y), digests, strict=True):
        assert digest(found) == (expected or digest(found))
    if z == "fp32":
        assert digest(u(scores)) == "6e07f6f8d3a07f99"


def test_a_published_online_attention(attention: tuple[np.ndarray, np.ndarray]) -> None:
    """Tiles of 16 keys: what is summed up so far is multiplied with each tile's factor."""
    scores, v = attention
    u = hw.unit("softmax:z=fp32,method=online,tile=16")
    assert isinstance(u, SoftMax)
    found = u.online(Arrays(), scores)
    assert (digest(found.p), digest(found.total)) == ("72aec83b897b05b3", "2f8b15e09264242d")
    mixed = np.zeros((64, 64), np.uint32)
    for i in range(0, 64, 16):
        rescaled = hw.unit("mul:a=fp32")(mixed, found.factors[:, i : i + 1])
        mixed = hw.matmul(MULTIPLY_ADD, found.p[:, i : i + 16], v[i : i + 16], rescaled)
    assert digest(hw.unit(QUOTIENT)(mixed, found.total)) == "9e25bcabc468482f"


@pytest.mark.parametrize("tile", [1, 3])
@pytest.mark.parametrize("z", ["fix9.16", "fp32"])
def test_online_of_one_row(z: str, tile: int) -> None:
    """Alike in plain integers and in arrays; sums that are rescaled in fp16 are as good."""
    x = np.random.default_rng(1).normal(0, 4, (40, 50)).astype(np.float32)
    u = hw.unit(f"softmax:z={z},method=online,tile={tile},factor=fp16")
    y = u(u.a.encode(x))
    assert u.golden(u.a.encode(x[0]).tolist()) == y[0].tolist()
    assert np.abs(u.out.decode(y).sum(1) - 1).max() < 2**-8


def test_powers_of_fp32_are_rounded_once() -> None:
    """Where float64 decides, and where it does not: beside ties, and beyond the range."""
    rng = np.random.default_rng(1)
    codes = np.concatenate(
        [
            hw.format("fp32").encode(rng.uniform(-150, 128, 300)),
            hw.format("fp32").encode([-150, -149.99999, -149, -0.0, 1e-9, 128, 1e9, -1e9]),
            hw.format("fp32").encode([np.inf, -np.inf, np.nan]),
        ]
    )
    for out in ("bf16", "fp32"):
        u = NearestPower(a="fp32", out=out)
        assert u(codes).tolist() == [u.golden(code) for code in codes.tolist()]
    assert u(codes[300:]).tolist()[:5] == [0, 1, 1, 0x3F800000, 0x3F800000]
    assert u.out.decode(u(codes[305:])).tolist()[:-1] == [np.inf, np.inf, 0, np.inf, 0]


def test_values_are_those_of_real_numbers() -> None:
    x = np.random.default_rng(1).normal(0, 4, (40, 100)).astype(np.float32)
    exact = np.exp(x - x.max(1, keepdims=True).astype(float))
    exact /= exact.sum(1, keepdims=True)
    for normalize in ("div", "recip"):
        y = hw.unit(f"softmax:normalize={normalize}")(x, values=True)
        assert (np.abs(y - exact) <= exact * 2**-7 + 1e-30).all()
        assert np.abs(y.sum(1) - 1).max() < 2**-8


@pytest.mark.parametrize("spec", ["softmax:", "softmax:method=online"])
def test_rows_with_infinities_and_nan(spec: str) -> None:
    u = hw.unit(spec)
    inf, nan = np.inf, np.nan
    y = u([[0, -inf], [-inf, -inf], [0, inf], [0, nan], [-5, -5], [-inf, 0]], values=True)
    assert y[0].tolist() == [1, 0]
    assert y[4].tolist() == [0.5, 0.5]
    assert y[5].tolist() == [0, 1]
    assert np.isnan(y[[1, 3]]).all()
    assert (y[2, 0], np.isnan(y[2, 1])) == (0, True)


def test_log2_e() -> None:
    """Between the sums of 1/n! over less and more terms of the logarithm's series of e."""
    assert abs(float(LOG2_E) - np.log2(np.e)) < 1e-15
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(70):
        exact = mpmath.log(mpmath.e, 2) * 10**60
        assert abs(exact - LOG2_E * 10**60) < 1


@pytest.mark.parametrize(
    "spec", few([SAFE, WIDER, ONLINE, f"{WIDER},method=online,factor=fp16"], 3)
)
def test_hardware_equals_golden(spec: str) -> None:
    u = hw.unit(spec)
    (codes,) = stimulus(u, 4000, 1)
    rows = np.random.default_rng(2).choice(codes, (800, 5))
    expected = u(rows)
    simulated = hw.simulate(u)
    assert (simulated(rows) == expected).all()
    assert (simulated.stream(rows, idle=0.3, stall=0.4, seed=2) == expected).all()
    assert u.golden(rows[0].tolist()) == expected[0].tolist()


@pytest.mark.parametrize(
    ("spec", "pattern", "new"),
    few(
        [
            (SAFE, r"greatest_so_far = first \? 8'hfc", "greatest_so_far = first ? 8'h00"),
            (ONLINE, r"wire rescales = .*?;", "wire rescales = 1'b0;"),
            (ONLINE, r"wire nothing_yet = .*?;", "wire nothing_yet = 1'b0;"),
        ],
        3,
    ),
)
def test_injected_faults_are_found(spec: str, pattern: str, new: str) -> None:
    """A maximum that begins at zero; sums that are not rescaled; rows that begin with -infinity."""
    u = hw.unit(spec)
    values = -np.abs(np.random.default_rng(1).normal(4, 2, (50, 5)))
    values[::2, 0] = -np.inf
    rows = u.a.encode(values)
    assert (hw.simulate(u, faulty(u, pattern, new))(rows) != u(rows)).any()


def test_no_hardware_of_references() -> None:
    for spec, message in (
        ("softmax:z=fp32", "z: fp32 is for golden models alone; hardware takes fixed point"),
        ("softmax:method=online,tile=4", "tile: 4 is for golden models alone; hardware takes each"),
    ):
        with pytest.raises(hw.InvalidInput, match=f"softmax: parameter {message}"):
            hw.verilog(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("softmax:p=e4m3fn", "parameter p: must be a float with infinities, not e4m3fn"),
        ("softmax:a=int8", "parameter a: must be a float with infinities, not int8"),
        ("softmax:z=uint8", "parameter z: "),
        ("softmax:stages=2", "parameter stages: must be 3 to 64"),
        ("softmax:tile=2", "parameter tile: is for method=online, not 2"),
        ("softmax:factor=fp16", "parameter factor: is for method=online, not fp16"),
        (
            "softmax:factor=e4m3fn,method=online",
            "parameter factor: must be a float with infinities",
        ),
    ],
)
def test_refused(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


@pytest.mark.long
@pytest.mark.parametrize(
    "spec",
    [
        "softmax:a=fp32,stages=8",
        "softmax:a=bf16,normalize=recip,stages=12",
        "softmax:method=online,stages=6",
    ],
)
def test_many_rows_of_hardware(spec: str) -> None:
    u = hw.unit(spec)
    rows = u.a.encode(np.random.default_rng(3).normal(0, 5, (2000, 40)))
    assert (hw.simulate(u)(rows) == u(rows)).all()
    assert hw.regress(u, vectors=300).failed == 0
