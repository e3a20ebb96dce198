"""FP4 weights in FP8 products: casts by the exponent, scales that are powers of two apart."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.formats.fp4 import shifts_of

FP4 = hw.format("e2m1fn")
RANGES = {"e4m3fn": (-8, 6), "e5m2": (-15, 13)}


@pytest.mark.parametrize("out", RANGES)
def test_every_code_and_shift(out: str) -> None:
    """Exact in the range, and that of its end beyond it."""
    f, (low, high) = hw.format(out), RANGES[out]
    assert shifts_of(out) == (low, high)
    codes = FP4.codes()
    for k in range(low - 4, high + 5):
        found, saturated = hw.fp4_to_fp8(codes, k, out)
        within = min(max(k, low), high)
        assert np.array_equal(f.decode(found), FP4.decode(codes) * 2.0**within)
        assert np.array_equal(np.signbit(f.decode(found)), codes >= 8)
        assert (saturated == (k != within)).all()
    beyond = FP4.decode(codes) * 2.0 ** (high + 1)
    assert not np.array_equal(f.decode(f.encode(beyond)), beyond)
    below = FP4.decode(codes) * 2.0 ** (low - 1)
    assert not np.array_equal(f.decode(f.encode(below)), below)


def test_the_exponent_moves() -> None:
    """The published map for e4m3fn: sign, exponent + 6 + k, the fraction bit on top; 0.5 becomes
    normal."""
    for k in range(-5, 7):
        for code in range(16):
            sign, e2, m1 = code >> 3, code >> 1 & 3, code & 1
            if e2 == 0:
                e4, m3 = (6 + k, 0) if m1 else (0, 0)
            else:
                e4, m3 = e2 + 6 + k, m1 << 2
            if e4 < 1 and m1 + e2:
                continue  # a subnormal number of e4m3fn
            found, _ = hw.fp4_to_fp8(code, k)
            assert found == sign << 7 | e4 << 3 | m3


def test_shifts_of_groups() -> None:
    codes = np.arange(16).reshape(2, 8)
    found, saturated = hw.fp4_to_fp8(codes, [[1], [-20]])
    assert found.shape == saturated.shape == (2, 8)
    assert saturated.tolist() == [[False] * 8, [True] * 8]


def test_scales() -> None:
    s = np.random.default_rng(0).uniform(1e-3, 9, (20, 16))
    s[0, :4] = [1, 0.5, 8, 1 + 2**-52]
    m1 = hw.power_of_two_scales(s, "m1")
    assert np.array_equal(m1[1:], 2.0 ** np.ceil(np.log2(s[1:])))
    assert m1[0, :4].tolist() == [1, 0.5, 8, 2]
    largest = s.max(axis=-1, keepdims=True)
    for way, rounded in (("floor", np.floor), ("ceil", np.ceil)):
        m2 = hw.power_of_two_scales(s, "m2", way)
        assert np.array_equal(m2, largest / 2.0 ** rounded(np.log2(largest / s)))
    m2 = hw.power_of_two_scales(s)
    assert (m2 >= s).all()
    assert (m2 < 2 * s).all()
    assert (hw.power_of_two_scales(s, "m2", "ceil") <= s).all()


def test_m2_loses_less_than_m1() -> None:
    """As the paper has it: the mean square of how much scales grow."""
    s = np.random.default_rng(0).lognormal(0, 0.5, (400, 8))
    m1, m2 = (np.mean((hw.power_of_two_scales(s, rule) / s - 1) ** 2) for rule in ("m1", "m2"))
    assert m2 < 0.9 * m1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hw.fp4_to_fp8(16, 0), "fp4_to_fp8: codes: 16 is not a code of e2m1fn"),
        (lambda: hw.fp4_to_fp8(1, 0.5), "k must be integers, not an array of float64"),
        (lambda: hw.fp4_to_fp8(1, 0, "int8"), "int8 is no signed float with a fraction"),
        (lambda: hw.fp4_to_fp8(1, 0, "e8m0fnu"), "e8m0fnu is no signed float with a fraction"),
        (lambda: hw.power_of_two_scales([1, 0.0]), "scales must be positive and finite"),
        (lambda: hw.power_of_two_scales([1, -1]), "scales must be positive and finite"),
        (lambda: hw.power_of_two_scales([1, np.inf]), "scales must be positive and finite"),
        (lambda: hw.power_of_two_scales(1.0), "scales must be numbers (..., groups), not 1.0"),
        (lambda: hw.power_of_two_scales([1], "m3"), "unknown rule for scales 'm3'"),
        (lambda: hw.power_of_two_scales([1], "m2", "near"), "unknown rounding of scales 'near'"),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        call()
