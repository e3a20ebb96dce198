"""Elementary functions of fp32: faithful on every operand, mpmath, hardware, tables."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest

import hwarith as hw
from bench import function_errors
from bench.function_errors import FLOAT64, greatest_error, greatest_of_all, unit_of
from hwarith.exceptions import InvalidInput
from hwarith.units.functions import store
from hwarith.units.functions.minimax import minimax

GREATEST = {"exp2": 0.8988, "exp": 0.9077, "log2": 0.8332, "ln": 0.8104}
"""Greatest error in units in the last place, of all operands."""

BY_TAILS = ("sigmoid", "tanh", "silu", "softplus", "gelu", "gelu,form=tanh", "erf")
FUNCTIONS = (*GREATEST, *BY_TAILS)

MPMATH = {
    "exp2": lambda x: mpmath.power(2, x),
    "exp": mpmath.exp,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "ln": mpmath.log,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "gelu,form=tanh": lambda x: x / (1 + mpmath.exp(-inner(x))),
    "erf": mpmath.erf,
}


def inner(x: mpmath.mpf) -> mpmath.mpf:
    """Twice what the hyperbolic tangent is taken of."""
    return mpmath.sqrt(8 / mpmath.pi) * (x + x**3 * mpmath.mpf(44715) / 10**6)


def operands(family: str, count: int) -> np.ndarray:
    """Numbers of which the function is in range, some of them near 0 or 1."""
    rng = np.random.default_rng(7)
    near = np.exp2(rng.integers(-26, 0, count // 2)) * rng.uniform(-1, 1, count // 2)
    if family in ("log2", "ln"):
        x = np.concatenate([np.exp2(rng.uniform(-149, 127, count - count // 2)), 1 + near])
    elif family in ("tanh", "erf") or family.startswith("gelu"):
        x = np.concatenate([rng.uniform(-14.5, 11, count - count // 2), near])
    else:
        x = np.concatenate([rng.uniform(-104, 88, count - count // 2), near])
    return x.astype(np.float32)


@pytest.mark.parametrize("family", GREATEST)
def test_results_are_faithful(family: str) -> None:
    codes = operands(family, 20_000).view(np.uint32)
    assert 0.5 < greatest_error(family, codes) <= GREATEST[family]


@pytest.mark.long
@pytest.mark.parametrize("family", BY_TAILS)
def test_functions_by_tails_are_faithful(family: str) -> None:
    """Of every 67th operand, and of those that matter."""
    every = np.arange(0, 1 << 32, 67, dtype=np.uint64).astype(np.uint32)
    codes = np.concatenate([every, operands(family, 1 << 20).view(np.uint32)])
    assert 0.5 < greatest_error(family, codes) < 0.8


def with_fault(u: hw.Unit) -> hw.Unit:
    """The unit with a bit of a piece's c0 inverted, six below its first one."""
    table = u.approximation
    c0 = list(table.rows.c0)
    c0[5] ^= 1 << (c0[5].bit_length() - 7)
    broken = replace(table, rows=table.rows._replace(c0=tuple(c0)))
    faulty = hw.unit(f"{u.family}:a={u.a.name},flags=after")
    faulty.__dict__["approximation"] = broken
    return faulty


def test_a_fault_of_the_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = operands("exp2", 20_000).view(np.uint32)
    faulty = with_fault(unit_of("exp2"))
    monkeypatch.setattr(function_errors, "unit_of", lambda _: lambda x: faulty(x).y)
    assert greatest_error("exp2", codes) > 1


@pytest.mark.long
@pytest.mark.parametrize("family", ["exp2", "gelu"])
def test_a_fault_of_hardware_is_found(family: str) -> None:
    codes = stimulus(family, 20_000)
    u = hw.unit(f"{family}:a=fp32,flags=after")
    assert (hw.simulate(with_fault(u))(codes).y != u(codes).y).any()


@pytest.mark.long
@pytest.mark.parametrize("family", GREATEST)
def test_greatest_error_of_all_operands(family: str) -> None:
    found = greatest_of_all(family)
    assert GREATEST[family] - 0.001 < found <= GREATEST[family]


def check_by_mpmath(family: str, count: int) -> None:
    """Results are one of the two neighbours of mpmath's value."""
    x = operands(family, count)
    u, codes = unit_of(family), x.view(np.uint32)
    few = count < 1000  # not worth compiling
    y = np.array([u.golden(c) for c in codes.tolist()], np.uint32) if few else u(codes)
    found = y.view(np.float32)
    with mpmath.workprec(200):
        for a, y in zip(x.tolist(), found, strict=True):
            value = MPMATH[family](mpmath.mpf(a))
            size = mpmath.fabs(value)
            below, above = (
                mpmath.mpf(float(np.nextafter(np.abs(y), np.float32(end)))) for end in (0, np.inf)
            )
            exact = mpmath.mpf(float(np.abs(y))) == size
            assert exact or (below < size < above and value * float(y) >= 0), (family, a)


@pytest.mark.parametrize("family", FUNCTIONS)
def test_mpmath_agrees(family: str) -> None:
    check_by_mpmath(family, 300)


@pytest.mark.long
@pytest.mark.parametrize("family", BY_TAILS)
def test_mpmath_agrees_on_a_million_operands(family: str) -> None:
    check_by_mpmath(family, 1_000_000)


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


ZERO, MINUS_ZERO, HALF, ONE, INFINITY, MINUS_INFINITY, NAN = (
    *(0, 0x80000000, 0x3F000000, 0x3F800000),
    *(0x7F800000, 0xFF800000, 0x7FC00000),
)
LIMITS = {  # of -infinity, -0, +0, +infinity; of numbers that are next to nothing, and of huge ones
    "sigmoid": ((ZERO, HALF, HALF, ONE), (HALF, HALF), (ZERO, ONE)),
    "tanh": ((ONE | MINUS_ZERO, MINUS_ZERO, ZERO, ONE), (0x80000001, 1), (0xBF800000, ONE)),
    "erf": ((ONE | MINUS_ZERO, MINUS_ZERO, ZERO, ONE), (0x80000001, 1), (0xBF800000, ONE)),
    "silu": ((MINUS_ZERO, MINUS_ZERO, ZERO, INFINITY), None, (MINUS_ZERO, 0x7F000000)),
    "gelu": ((MINUS_ZERO, MINUS_ZERO, ZERO, INFINITY), None, (MINUS_ZERO, 0x7F000000)),
    "gelu,form=tanh": ((MINUS_ZERO, MINUS_ZERO, ZERO, INFINITY), None, (MINUS_ZERO, 0x7F000000)),
    "softplus": ((ZERO, 0x3F317218, 0x3F317218, INFINITY), (0x3F317218,) * 2, (ZERO, 0x7F000000)),
}


@pytest.mark.parametrize("function", LIMITS)
def test_limits(function: str) -> None:
    special, tiny, huge = LIMITS[function]
    u = unit_of(function)
    found = u(np.array([MINUS_INFINITY, MINUS_ZERO, ZERO, INFINITY, NAN], np.uint32))
    assert tuple(found) == (*special, NAN)
    if tiny:
        assert tuple(u(np.array([0x80000001, 1], np.uint32))) == tiny
    assert tuple(u(np.array([0xFF000000, 0x7F000000], np.uint32))) == huge


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
@pytest.mark.parametrize("family", FUNCTIONS)
@pytest.mark.parametrize("more", ["", ",round=rna,stages=3"])
def test_hardware_on_many_operands(family: str, more: str) -> None:
    count = 200_000 if "stages" in more else 1 << 23
    assert_hardware_is_golden(f"{unit_of(family).spec},flags=after{more}", stimulus(family, count))


@pytest.mark.parametrize(
    "spec", ["exp2:a=fp32,out=bf16", "exp:a=fp32,out=fp16", "exp:a=fp32,out=bf16"]
)
def test_powers_of_many_digits_in_few(spec: str) -> None:
    """Operands that are small beside 1 have more digits below the fraction than results have."""
    u = hw.unit(spec)
    x = np.concatenate([np.geomspace(1e-30, 5, 4000), -np.geomspace(1e-30, 5, 4000)])
    codes = u.a.encode(x)
    x = u.a.decode(codes).astype(np.float64)
    value = np.exp2(x) if u.family == "exp2" else np.exp(x)
    error = np.abs(u.out.decode(u(codes)).astype(np.float64) - value)
    assert (error / np.ldexp(1.0, np.frexp(value)[1] - 1 - u.out.fraction_bits)).max() < 1


def test_softplus_of_what_is_huge() -> None:
    """It is the operand, which is a number of the result's format."""
    u = hw.unit("softplus:a=bf16,out=fp32")
    codes = u.a.encode(np.geomspace(64, 3e38, 3000))
    np.testing.assert_array_equal(u.out.decode(u(codes)), u.a.decode(codes).astype(np.float32))


@pytest.mark.long
@pytest.mark.parametrize("formats", ["a=tf32", "a=bf16,out=fp32", "a=fp32,out=bf16", "a=e6m11"])
@pytest.mark.parametrize("family", FUNCTIONS)
def test_other_formats(family: str, formats: str) -> None:
    """Every code of those of fewer bits: results are neighbours of float64's."""
    name, _, form = family.partition(",")
    u = hw.unit(f"{name}:{formats},flags=after{form and ','}{form}")
    if family in ("log2", "ln") and formats == "a=bf16,out=fp32":
        with pytest.raises(InvalidInput, match="no pieces of degree 2"):
            u(u.a.codes())
        return
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
    assert (
        store.finder(function, goal).from_plain(store.found_anew(function, *formats, goal)) == known
    )


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
        "tanh:a=fp64": "at most 32 bits",
        "gelu:a=fp32,accuracy=correct": "parameter accuracy",
        "exp2:a=fp32,degree=1": "parameter degree",
    }.items():
        with pytest.raises(InvalidInput, match=message):
            hw.unit(spec)
