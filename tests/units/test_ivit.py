"""I-ViT's functions of integers: the publication's equations in float64 and in Python's integers,
figures of their errors, and the hardware against the definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from hwarith.units.ivit.definitions import newton_root
from hwarith.units.rows import RowUnit
from tests.evidence import assert_equal_on
from tests.tiers import few

MOST = 2**31 - 1


# -- the equations, with x0 < 0 as published -----------------------------------------------------


def exponential(x: int, x0: int, n: int) -> int:
    p = x + math.floor(x / 2) - math.floor(x / 16)
    p = max(p, n * x0)
    q = math.floor(Fraction(p, x0))
    r = p - x0 * q
    return max(0, math.floor((Fraction(r, 2) - x0) * Fraction(2) ** (n - q)))


def share(e: int, total: int, out: int) -> int:
    return min(e * (MOST // min(total, MOST)) // 2 ** (32 - out), 2 ** (out - 1) - 1)


def softmax(x: list[int], x0: int, n: int, out: int) -> list[int]:
    e = [exponential(v - max(x), x0, n) for v in x]
    return [share(part, sum(e), out) for part in e]


def gelu(x: list[int], x0: int, n: int, out: int) -> list[int]:
    top = max(0, *x)
    other = exponential(-top, x0, n)
    return [v * share(e, e + other, out) for v in x for e in [exponential(v - top, x0, n)]]


def layernorm(x: list[int], bias: list[int], newton: bool) -> list[int]:
    mean = round(Fraction(sum(x), len(x)))
    d = [v - mean for v in x]
    v = min(sum(k * k for k in d), 2**32 - 1)
    std = math.isqrt(v)
    if newton:
        std = 2**16
        for _ in range(10):
            std = (std + v // std) // 2
    f = MOST // max(std, 1)
    return [math.floor(Fraction(k * f, 2)) + b for k, b in zip(d, bias, strict=True)]


def in_rows(u: hw.Unit, length: int, n: int, seed: int) -> list[np.ndarray]:
    """Rows of stimuli, with one value of x0 in each."""
    rows = [x[: x.size // length * length] for x in stimulus(u, n * length, seed)]
    rows = [x.reshape(-1, length) for x in rows]
    if "x0" in u.operands:
        rows[1] = np.broadcast_to(np.maximum(rows[1][:, :1], 1), rows[1].shape)
    return rows


# -- exponential ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 15, 16, 23, 31])
def test_exponential_is_that_of_the_equations(n: int) -> None:
    u = hw.unit(f"shiftexp:n={n}")
    a = np.arange(-256, 1)
    for x0 in (1, 2, 3, 7, 16, 100, 255):
        want = [exponential(v, -x0, n) for v in a.tolist()]
        assert u(a, x0).tolist() == want
        assert u.golden(-200 & 511, x0) == want[56]


def test_exponential_of_what_is_not_published() -> None:
    u = hw.unit("shiftexp")
    assert (u(np.arange(256), 9) == u(0, 9)).all()
    assert u(0, 9) == 9 << 15
    assert (u(np.arange(-256, 256), 0) == 0).all()


@pytest.mark.parametrize(
    ("x0", "end", "low", "high"),
    [
        (256, 4, 0.0, 0.079),
        (16, 4, -0.006, 0.111),
        (256, 10, 0.0, 0.101),
        (16, 10, -0.006, 0.134),
    ],
)
def test_error_of_the_exponential(x0: int, end: int, low: float, high: float) -> None:
    a = np.arange(-end * x0, 1)
    y = hw.unit("shiftexp:a=int16,x0=uint9")(a, x0) / (x0 * 2.0**15)
    error = y / np.exp(a / x0) - 1
    assert abs(error.min() - low) < 0.002
    assert abs(error.max() - high) < 0.002


def test_a_line_in_place_of_a_power() -> None:
    """1 + r/2 is up to 1.06148 times 2^r, at r = -0.557; log2(e) is 0.36 % more than 1.4375."""
    x0 = 1 << 14
    octaves = hw.unit("shiftexp:a=int16,x0=uint15,n=16")
    a = np.arange(-11000, 1)
    p = a + (a >> 1) - (a >> 4)
    of_an_octave = p > -x0
    ratio = (octaves(a, x0) / (x0 * 2.0**16) / np.exp2(p / x0))[of_an_octave]
    assert abs(ratio.max() - 1.06148) < 1e-5
    assert abs(p[ratio.argmax() - ratio.size] / x0 + 0.557) < 1e-3
    assert abs(p[0] / a[0] / math.log2(math.e) - 1 + 0.0036) < 1e-4


# -- rows ----------------------------------------------------------------------------------------

ROWS = [
    ("shiftmax", 5),
    ("shiftmax:x0=uint16,n=23", 3),
    ("shiftmax:a=int4,x0=uint4,out=5", 9),
    ("shiftgelu", 5),
    ("shiftgelu:x0=uint10", 4),
    ("shiftgelu:a=int4,n=15,out=4", 3),
    ("ilayernorm:length=6,root=newton", 6),
    ("ilayernorm:length=7", 7),
    ("ilayernorm:a=int16,bias=int20,length=4", 4),
    ("ilayernorm:a=int16,bias=int8,length=9,root=newton", 9),
    ("ilayernorm:a=int4,length=4", 4),
    ("ilayernorm:a=int4,length=1", 1),
]


@pytest.mark.parametrize(("spec", "length"), ROWS)
def test_rows_are_those_of_the_equations(spec: str, length: int) -> None:
    u = hw.unit(spec)
    rows = in_rows(u, length, 300, 1)
    y = u(*rows)
    (out,) = u.results.values()
    formats = u.operands.values()
    values = [f.decode(x).astype(int).tolist() for f, x in zip(formats, rows, strict=True)]
    for i, (x, other) in enumerate(zip(*values, strict=True)):
        if u.family == "ilayernorm":
            want = layernorm(x, other, u.root == "newton")
        else:
            want = {"shiftmax": softmax, "shiftgelu": gelu}[u.family](x, -other[0], u.n, u.out)
        assert out.decode(y[i]).astype(int).tolist() == want
        assert u.golden(*(r[i].tolist() for r in rows)) == y[i].tolist()


@pytest.mark.parametrize(("x0", "published"), [(8, 0.035), (16, 0.024), (32, 0.016)])
def test_error_of_shiftmax(x0: int, published: float) -> None:
    """64 random int8 logits: the largest error of 200 rows is that of the specification, within a
    tenth for one row in some; sums are short of 1."""
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (200, 64))
    y = hw.unit("shiftmax")(x, x0) / 128
    e = np.exp((x - x.max(axis=1, keepdims=True)) / x0)
    error = abs(y - e / e.sum(axis=1, keepdims=True)).max(axis=1)
    assert error.min() < published * 1.1
    assert error.max() > published * 0.9
    sums = y.sum(axis=1)
    assert 0.7 < sums.min() < sums.max() <= 1


def test_sums_that_are_clamped() -> None:
    """Shares of a clamped sum would exceed the largest one."""
    u = hw.unit("shiftmax:x0=uint16,n=23")
    assert u([5, 5], 60_000).tolist() == [127, 127]
    assert u([5, 5], 100).tolist() == [100 * 2**23 >> 24] * 2
    u = hw.unit("shiftgelu:x0=uint10")
    assert u([100, 1], 1000).tolist() == [12700, 127]


def test_sigmoid_of_shiftgelu() -> None:
    """Within 0.09 of the real one where no exponential is cut off."""
    u = hw.unit("shiftgelu")
    low = high = 0.0
    for x0 in range(2, 17):
        for top in range(1, min(127, int(23 * x0 / 1.4375)) + 1, 3):
            x = np.arange(-128, top + 1)
            x = x[(1.4375 * (top - x) <= 23 * x0) & (x != 0)]
            sigmoid = u.results["y"].decode(u(x, x0)) / 128 / x
            error = sigmoid - 1 / (1 + np.exp(-x / x0))
            low, high = min(low, error.min()), max(high, error.max())
    assert -0.09 < low < -0.05
    assert 0.05 < high < 0.09


# -- Newton's root -------------------------------------------------------------------------------


def test_newton_root_arrives_from_some_36000_on() -> None:
    above = np.array([newton_root(v) - math.isqrt(v) for v in range(40_000)])
    assert newton_root(0) == 64
    assert above.min() == 0
    assert 60 <= above.max() <= 64
    late = np.flatnonzero(above > 1)
    assert 30_000 < late.max() < 36_900
    rng = np.random.default_rng(3)
    for v in [36_900, 2**32 - 1, *(2.0 ** rng.uniform(15.2, 32, 3000)).astype(int).tolist()]:
        assert newton_root(v) - math.isqrt(v) in (0, 1)


def test_normalized_values() -> None:
    """Of 256 values with a sum of squares that Newton reaches, both roots give the same, and what
    the real layer normalization gives within 1 %."""
    rng = np.random.default_rng(1)
    x = np.clip(np.rint(rng.normal(3, 30, (20, 256))), -128, 127).astype(int)
    newton, exact = (hw.unit(f"ilayernorm:length=256,root={r}") for r in ("newton", "exact"))
    y = exact.results["y"].decode(exact(x, 0)).astype(float)
    assert abs(newton.results["y"].decode(newton(x, 0)) / np.where(y, y, 1) - (y != 0)).max() < 5e-3
    d = x - x.mean(axis=1, keepdims=True)
    real = d / np.sqrt((d * d).mean(axis=1, keepdims=True))
    assert abs(y * 16 / 2**30 - real).max() < 0.03


# -- hardware ------------------------------------------------------------------------------------

HARDWARE = [
    "shiftexp",
    "shiftexp:n=31,x0=uint4",
    "shiftexp:n=16,a=int16,x0=uint16",
    "shiftexp:n=1,a=int5,stages=2",
]


@pytest.mark.parametrize("spec", few(HARDWARE, 2))
def test_hardware_of_the_exponential(spec: str) -> None:
    u = hw.unit(spec)
    assert_equal_on(u, *stimulus(u, 20_000, seed=3))


SMALL = [ROWS[2], ROWS[10]]
LARGE = [*(row for row in ROWS if row not in SMALL), ("ilayernorm:length=64,root=newton", 64)]


@pytest.mark.parametrize(
    ("spec", "length"), [*SMALL, *(pytest.param(*row, marks=pytest.mark.long) for row in LARGE)]
)
def test_hardware_of_rows(spec: str, length: int) -> None:
    u = hw.unit(spec)
    rows = in_rows(u, length, 2000, 4)
    simulated = hw.simulate(u)
    expected = u(*rows)
    np.testing.assert_array_equal(simulated(*rows), expected)
    some = [x[:200] for x in rows]
    streamed = simulated.stream(*some, idle=0.3, stall=0.4, seed=2)
    np.testing.assert_array_equal(streamed, expected[:200])


@pytest.mark.long
@pytest.mark.parametrize(("spec", "length"), ROWS)
def test_regression_of_rows(spec: str, length: int) -> None:
    u = hw.unit(spec)
    assert isinstance(u, RowUnit)
    assert hw.regress(hw.unit(f"{spec}{',' if ':' in spec else ':'}stages=6")).failed == 0


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("shiftexp:a=uint8", "parameter a: must be a signed integer of up to 16 bits, not uint8"),
        ("shiftmax:x0=int8", "parameter x0: must be an unsigned integer of up to 16 bits"),
        ("shiftgelu:a=bf16", "parameter a: must be a signed integer of up to 16 bits, not bf16"),
        ("shiftmax:out=1", "parameter out: must be 2 to 16, not 1"),
        ("shiftexp:n=0", "parameter n: must be 1 to 31, not 0"),
        ("ilayernorm:a=int32", "parameter a: must be a signed integer of up to 16 bits, not int32"),
        ("ilayernorm:bias=fp32", "parameter bias: must be a signed integer of up to 32 bits"),
        ("ilayernorm:root=iterated", "unknown value 'iterated'"),
    ],
)
def test_refused(spec: str, said: str) -> None:
    with pytest.raises(hw.InvalidInput, match=said):
        hw.unit(spec)
