"""Casts to wider floats: published digests, the values, and the hardware."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.evidence.records import EXACT
from tests.digests import digest
from tests.evidence import assert_equal_on, compared
from tests.faults import faulty

SPECS = (
    "cast",
    "cast:out=e5m2",
    "cast:a=e4m3,k=int4,out=fp16",
    "cast:a=e3m2,k=int6,out=e5m2,stages=2",
    "cast:a=e5m2,k=int8,out=e6m3",
    "cast:a=e4m3fnuz,k=int5,out=e5m3",
    "cast:a=e2m3fn,k=int2,out=bf16",
)


def pairs(u: Any) -> list[np.ndarray]:
    """Every code of the operand with every exponent."""
    return [x.ravel() for x in np.meshgrid(*(f.codes() for f in u.operands.values()))]


@pytest.mark.parametrize(
    ("out", "first", "last", "expected"),
    [("e4m3fn", -8, 6, "df4e2c2e40113f83"), ("e5m2", -15, 13, "673dfe4435197bb1")],
)
def test_published_codes(out: str, first: int, last: int, expected: str) -> None:
    """ZeroQuant-FP's casts of e2m1, by the unit and by the scaler that rounds."""
    u: Any = hw.unit(f"cast:out={out}")
    assert (u.least, u.most) == (first, last)
    k = u.k.encode(np.arange(first, last + 1))
    grid = np.meshgrid(u.a.codes(), k)
    y, clamped = u(*grid)
    assert digest(y.astype(np.uint8)) == expected
    assert not clamped.any()
    np.testing.assert_array_equal(hw.unit(f"scalb:a=e2m1fn,by=int5,out={out}")(*grid), y)


@pytest.mark.parametrize("spec", SPECS)
def test_values_are_exact_and_exponents_clamped(spec: str) -> None:
    u: Any = hw.unit(spec)
    a, k = pairs(u)
    y, clamped = u(a, k)
    by = u.k.decode(k).astype(int)
    np.testing.assert_array_equal(clamped, (by < u.least) | (by > u.most))
    with np.errstate(invalid="ignore"):
        expected = np.ldexp(u.a.decode(a).astype(float), by.clip(u.least, u.most))
    np.testing.assert_array_equal(u.out.decode(y).astype(float), expected)
    if u.a.nan == "none":
        zero = u.a.decode(a) == 0
        np.testing.assert_array_equal(np.signbit(u.out.decode(y[zero])), a[zero] > 0)
    compared(EXACT, len(a), u)


def test_range_ends_where_a_value_has_no_code() -> None:
    """One step further and the least or the greatest value is none of the result's."""
    for spec in SPECS:
        u: Any = hw.unit(spec)
        for k, x in ((u.least - 1, u.a.smallest), (u.most + 1, u.a.max)):
            scaled = float(x * 2**k if k >= 0 else x / 2**-k)
            assert u.out.decode(u.out.encode(scaled)) != scaled


@pytest.mark.parametrize("spec", SPECS)
def test_hardware_equals_golden(spec: str) -> None:
    u = hw.unit(spec)
    assert_equal_on(u, *pairs(u))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\$signed\(k\) < ", "$signed(k) <= "),
        (r"\$signed\(k\) > ", "$signed(k) >= "),
        (r"\+ 5'd6", "+ 5'd7"),
    ],
)
def test_injected_faults_are_found(right: str, wrong: str) -> None:
    u = hw.unit("cast")
    operands = pairs(u)
    found = hw.simulate(u, verilog=faulty(u, right, wrong))(*operands)
    assert any((x != y).any() for x, y in zip(found, u(*operands), strict=True))


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("cast:k=uint4", "k: must be a signed integer format, not uint4"),
        ("cast:k=fp16", "k: must be a signed integer format, not fp16"),
        ("cast:a=int8", "a: must be a signed float with subnormals, not int8"),
        ("cast:out=e8m0fnu", "out: must be a signed float with subnormals, not e8m0fnu"),
        ("cast:a=e4m3fn,out=e5m2", "out: e5m2 does not have all values of e4m3fn"),
        ("cast:a=e4m1,out=e2m1", "out: e2m1fn does not have all values of e4m1"),
        ("cast:a=e4m3,out=e5m3fn", "out: e5m3fn has no code for a NaN or infinity of e4m3"),
    ],
)
def test_mistakes(spec: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        hw.unit(spec)
