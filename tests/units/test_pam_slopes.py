"""Slopes of the piecewise-affine operations: the derivatives, exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from tests.evidence import assert_rtl_equals_golden
from tests.tiers import few
from tests.units.test_pam import SLOPES, expected_product, expected_quotient, parts


def normal_values(name: str) -> np.ndarray:
    f = hw.format(name)
    x = f.decode(f.codes()).astype(float)
    return f.codes()[np.isfinite(x) & (np.abs(x) >= float(f.smallest_normal))]


def exact(operation: str, *values: Fraction) -> Fraction:
    """Piecewise-affine operations of fractions, without range."""
    if operation == "mul":
        return expected_product(*values)
    if operation in ("div_a", "div_b"):
        return expected_quotient(*values)
    (x,) = values
    if operation == "exp2":
        return Fraction(2) ** (x // 1) * (1 + x - x // 1)
    e, m = parts(x)
    if operation == "log2":
        return e + m
    return exact("exp2", (e + m) / 2)


@pytest.mark.parametrize("operation", SLOPES)
def test_slopes_are_the_derivatives(operation: str) -> None:
    """The quotient of differences, taken so close above that no break lies between."""
    name = "e4m3fn"
    u = hw.unit(f"paslope:format={name},op={operation}")
    f = u.format
    rng = np.random.default_rng(5)
    codes = normal_values(name)
    if operation in ("log2", "sqrt"):
        codes = codes[codes < 128]
    columns = [rng.choice(codes, 400) for _ in u.operands]
    checked = 0
    for row in zip(*columns, u(*columns), strict=True):
        *x, got = (f.fraction(int(code)) for code in row)
        if operation == "exp2":
            x = [Fraction(round(x[0] * 8), 8)]
        which = 1 if operation == "div_b" else 0
        step = Fraction(1, 1 << 40) * (1 if x[which] > 0 else -1)
        moved = [value + step * (i == which) for i, value in enumerate(x)]
        if operation == "exp2":
            moved = [x[0] + abs(step)]
            step = abs(step)
        slope = (exact(operation, *moved) - exact(operation, *x)) / step
        if operation == "div_b":  # not affine in the divisor's binade: a power of two nearby
            continue
        if f.smallest_normal <= abs(slope) <= f.max:
            assert got == slope, x
            checked += 1
    assert checked > 100 or operation == "div_b"


def test_slope_of_the_divisor() -> None:
    """-sgn(a) 2^(Ea - 2 Eb - [Ma < Mb]), of the right sign for negative divisors too."""
    u = hw.unit("paslope:format=bf16,op=div_b")
    f = u.format
    rng = np.random.default_rng(6)
    a, b = f.encode(rng.standard_normal((2, 2000)) * 4)
    for x, y, got in zip(a.tolist(), b.tolist(), u(a, b).tolist(), strict=True):
        (ea, ma), (eb, mb) = parts(f.fraction(x)), parts(f.fraction(y))
        sign = -1 if f.fraction(x) > 0 else 1
        assert f.fraction(got) == sign * Fraction(2) ** (ea - 2 * eb - (ma < mb))
    assert f.decode(u(*f.encode(np.array([1.3, -1.7])))) == -0.5


@pytest.mark.parametrize(
    ("operation", "operands", "y"),
    [
        ("mul", (0x3F80, 0x8000), 0x0000),
        ("mul", (0x0000, 0xBFC0), 0xBF80),
        ("mul", (0x7F80, 0x3F80), 0x7FC0),
        ("div_a", (0x3F80, 0x8000), 0xFF80),
        ("div_b", (0x0000, 0x3F80), 0x0000),
        ("log2", (0x0000,), 0x7F80),
        ("log2", (0xBF80,), 0x7FC0),
        ("sqrt", (0x0000,), 0x7F80),
        ("exp2", (0x0000,), 0x3F80),
        ("exp2", (0x7F80,), 0x7FC0),
    ],
)
def test_slopes_of_special_values(operation: str, operands: tuple, y: int) -> None:
    assert hw.unit(f"paslope:format=bf16,op={operation}")(*operands) == y


@pytest.mark.parametrize("operation", few(SLOPES, 2))
@pytest.mark.parametrize("name", few(["e4m3fn", "e5m2", "e2m3fn", "bf16", "fp32"], 3))
def test_rtl_of_slopes(operation: str, name: str) -> None:
    assert_rtl_equals_golden(f"paslope:format={name},op={operation}")
