"""Elementary functions of fp32: faithful on every operand, mpmath, hardware, tables."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import hwarith as hw
from bench.function_errors import FLOAT64, greatest_error, greatest_of_all
from hwarith.exceptions import InvalidInput
from hwarith.units.functions import store
from hwarith.units.functions.minimax import minimax

GREATEST = {"exp2": 0.8988, "exp": 0.9077, "log2": 0.8332, "ln": 0.8104}
"""Greatest error in units in the last place, of all operands."""

MPMATH = {
    "exp2": lambda x: mpmath.power(2, x),
    "exp": mpmath.exp,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "ln": mpmath.log,
}


def unit_of(family: str) -> hw.Unit:
    return hw.unit(f"{family}:a=fp32")


def operands(family: str, count: int) -> np.ndarray:
    """Numbers of which the function is in range, some of them near 0 or 1."""
    rng = np.random.default_rng(7)
    near = np.exp2(rng.integers(-26, 0, count // 2)) * rng.uniform(-1, 1, count // 2)
    if family in ("log2", "ln"):
        x = np.concatenate([np.exp2(rng.uniform(-149, 127, count - count // 2)), 1 + near])
    else:
        x = np.concatenate([rng.uniform(-104, 88, count - count // 2), near])
    return x.astype(np.float32)


@pytest.mark.parametrize("family", GREATEST)
def test_results_are_faithful(family: str) -> None:
    codes = operands(family, 20_000).view(np.uint32)
    assert 0.5 < greatest_error(family, codes) <= GREATEST[family]


@pytest.mark.long
@pytest.mark.parametrize("family", GREATEST)
def test_greatest_error_of_all_operands(family: str) -> None:
    found = greatest_of_all(family)
    assert GREATEST[family] - 0.001 < found <= GREATEST[family]


def check_by_mpmath(family: str, count: int) -> None:
    """Results are one of the two neighbours of mpmath's value."""
    x = operands(family, count)
    found = unit_of(family)(x.view(np.uint32)).view(np.float32)
    with mpmath.workprec(80):
        for a, y in zip(x.tolist(), found, strict=True):
            value = MPMATH[family](mpmath.mpf(a))
            size = mpmath.fabs(value)
            below, above = (
                mpmath.mpf(float(np.nextafter(np.abs(y), np.float32(end)))) for end in (0, np.inf)
            )
            exact = mpmath.mpf(float(np.abs(y))) == size
            assert exact or (below < size < above and value * float(y) >= 0), (family, a)


@pytest.mark.parametrize("family", GREATEST)
def test_mpmath_agrees(family: str) -> None:
    check_by_mpmath(family, 400)


@pytest.mark.long
@pytest.mark.parametrize("family", GREATEST)
def test_mpmath_agrees_on_ten_million_operands(family: str) -> None:
    check_by_mpmath(family, 10_000_000)


def test_exact_and_special_results() -> None:
    exponents = np.arange(-149, 128)
    powers = np.ldexp(np.float32(1), exponents)
    exact = hw.unit("exp2:a=fp32,flags=after")(exponents.astype(np.float32).view(np.uint32))
    assert (exact.y.view(np.float32) == powers).all()
    assert not exact.flags.any()
    logarithms = hw.unit("log2:a=fp32,flags=after")(powers.view(np.uint32))
    assert (logarithms.y.view(np.float32) == exponents).all()
    assert not logarithms.flags.any()
    special = {
        "exp2": {0x7F800000: 0x7F800000, 0xFF800000: 0, 0: 0x3F800000, 0x43000000: 0x7F800000},
        "exp": {0x80000000: 0x3F800000, 0xFF800000: 0, 0x7FC00000: 0x7FC00000, 0xC3000000: 0},
        "log2": {0: 0xFF800000, 0xBF800000: 0x7FC00000, 0x7F800000: 0x7F800000, 0x3F800000: 0},
        "ln": {0x80000000: 0xFF800000, 0xFF800000: 0x7FC00000, 0x3F800000: 0},
    }
    for family, results in special.items():
        for code, y in results.items():
            assert unit_of(family).golden(code) == y, (family, hex(code))


def assert_hardware_is_golden(spec: str, codes: np.ndarray) -> None:
    u = hw.unit(spec)
    for x, y in zip(u(codes), hw.simulate(u)(codes), strict=True):
        assert (x == y).all()


def stimulus(family: str, count: int) -> np.ndarray:
    any_code = np.random.default_rng(3).integers(0, 1 << 32, count // 2, dtype=np.uint32)
    return np.concatenate([any_code, operands(family, count // 2).view(np.uint32)])


def test_hardware_is_the_golden_model() -> None:
    assert_hardware_is_golden("log2:a=fp32,flags=after", stimulus("log2", 20_000))


@pytest.mark.long
@pytest.mark.parametrize("family", GREATEST)
@pytest.mark.parametrize("more", ["", ",round=rna,stages=3"])
def test_hardware_on_many_operands(family: str, more: str) -> None:
    count = 200_000 if "stages" in more else 1 << 23
    assert_hardware_is_golden(f"{family}:a=fp32,flags=after{more}", stimulus(family, count))


@pytest.mark.long
@pytest.mark.parametrize("formats", ["a=tf32", "a=bf16,out=fp32", "a=fp32,out=bf16", "a=e6m11"])
@pytest.mark.parametrize("family", GREATEST)
def test_other_formats(family: str, formats: str) -> None:
    """Every code of those of fewer bits: results are neighbours of float64's."""
    u = hw.unit(f"{family}:{formats},flags=after")
    codes = u.a.codes() if u.a.bits < 24 else operands(family, 1 << 20).view(np.uint32)
    assert_hardware_is_golden(u.spec, codes)
    with np.errstate(all="ignore"):
        x = u.a.decode(codes).astype(np.float64)
        value = FLOAT64[family](x)
        y = u.out.decode(u(codes).y).astype(np.float64)
    top = np.maximum(np.frexp(value)[1] - 1, u.out.numbers.emin) - u.out.fraction_bits
    error = np.abs(y - value) / np.ldexp(1.0, top)
    known = np.isfinite(value) & (np.abs(value) < float(u.out.max) / 2)
    assert error[known].max() < 1


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in store.shipped() if "minimax" in name])
def test_tables_are_found_again(name: str) -> None:
    function, a, out, goal = name.split(" ")
    formats = hw.format(a), hw.format(out)
    known = store.table(function, *formats, goal)
    assert store.finder(function).from_plain(store.found_anew(function, *formats, goal)) == known


def test_polynomials_of_least_greatest_error() -> None:
    """The published errors of 2^x on [0, 1], and the line that is known."""
    x = np.linspace(0, 1, 4001)
    y = np.exp2(x)
    for degree, least in enumerate((2.98e-2, 1.73e-3, 7.48e-5, 2.59e-6, 7.49e-8, 1.86e-9), 1):
        _, error = minimax(x, y, degree, 1 / y)
        assert error == pytest.approx(least, rel=0.01)
    coefficients, error = minimax(x, x * x, 1)
    assert coefficients == pytest.approx([-1 / 8, 1], abs=1e-6)
    assert error == pytest.approx(1 / 8)


def test_what_there_is_not() -> None:
    for spec, message in {
        "exp2:a=fp32,accuracy=correct": "parameter accuracy",
        "ln:a=fp32,round=rup": "parameter round",
        "log2:a=fp32,round=port": "parameter round",
        "exp:a=bf16,out=fp32,accuracy=correct": "parameter accuracy",
        "exp2:a=fp64": "at most 32 bits",
        "exp2:a=fix9.16,out=fp32": "parameter out",
        "tanh:a=fp32": "at most 16 bits",
        "exp2:a=fp32,degree=1": "parameter degree",
    }.items():
        with pytest.raises(InvalidInput, match=message):
            hw.unit(spec)
