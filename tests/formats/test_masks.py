"""bf16 with masked fractions and clipped ranges: published errors, and special values."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import hwarith as hw

BF16 = hw.format("bf16")
EVERY = BF16.codes()
VALUES = BF16.decode(EVERY)
FINITE = np.isfinite(VALUES)


@pytest.mark.parametrize(
    ("bits", "mean", "worst", "nearest"),
    [
        (6, -0.271, 0.775, -1.5e-5),
        (5, -0.811, 2.290, -4.6e-5),
        (4, -1.885, 5.185, -1.4e-4),
        (3, -4.008, 10.490, -4.4e-4),
    ],
)
def test_errors_of_masks(bits: int, mean: float, worst: float, nearest: float) -> None:
    """Of the 128 fractions, in percent."""
    codes = np.arange(128, dtype=np.uint16) + BF16.encode(1.0)
    x = BF16.decode(codes)
    relative = BF16.decode(hw.mask_mantissa(codes, bits)) / x - 1
    assert round(100 * relative.mean(), 3) == mean
    assert round(-100 * relative.min(), 3) == worst
    rounded = BF16.decode(hw.mask_mantissa(codes, bits, "rne")) / x - 1
    assert float(f"{rounded.mean():.1e}") == nearest


@pytest.mark.parametrize("bits", range(8))
def test_every_code_is_masked(bits: int) -> None:
    found = hw.mask_mantissa(EVERY, bits)
    mask = 0xFFFF - ((1 << (7 - bits)) - 1)
    assert np.array_equal(found[FINITE], EVERY[FINITE] & mask)
    assert np.array_equal(BF16.decode(found[~FINITE]), VALUES[~FINITE], equal_nan=True)
    nearest = hw.mask_mantissa(EVERY, bits, "rne")
    infinite = np.isinf(VALUES)
    assert np.array_equal(nearest[infinite], EVERY[infinite])
    assert np.isnan(BF16.decode(nearest[np.isnan(VALUES)])).all()
    if bits == 0:
        assert found[0x7F81] == 0x7FC0
        assert nearest[0x7F7F] == 0x7F80  # to infinity
    elif bits == 7:
        assert np.array_equal(found, EVERY)
        assert np.array_equal(nearest, EVERY)
    else:
        f = hw.format(f"e8m{bits}")
        expected = f.encode(VALUES, overflow="nosat").astype(np.uint16) << (7 - bits)
        assert np.array_equal(nearest[FINITE], expected[FINITE])


@pytest.mark.parametrize("bits", range(2, 9))
def test_every_code_is_clipped(bits: int) -> None:
    bias = 2 ** (bits - 1) - 1
    largest, least = (2 - 2.0**-7) * 2.0**bias, 2.0 ** (1 - bias)
    x = np.clip(VALUES, -largest, largest)
    flushed = np.where(np.abs(x) < least, np.copysign(0.0, x), x)
    found = BF16.decode(hw.clip_exp(EVERY, bits))
    assert np.array_equal(found, flushed, equal_nan=True)
    assert np.array_equal(np.signbit(found), np.signbit(flushed))
    step = least * 2.0**-7
    kept = np.where(np.abs(x) < least, np.rint(x / step) * step, x)
    assert np.array_equal(BF16.decode(hw.clip_exp(EVERY, bits, "keep")), kept, equal_nan=True)
    nan = np.isnan(VALUES)
    assert np.array_equal(hw.clip_exp(EVERY, bits)[nan], EVERY[nan])


def test_scalars_and_types() -> None:
    import ml_dtypes

    assert hw.mask_mantissa(0x3FFF, 3) == 0x3FF0
    assert hw.clip_exp(0x7F80, 4) == BF16.encode(255.0)
    x = np.array([1.99, -3.3], ml_dtypes.bfloat16)
    assert hw.mask_mantissa(x, 0).tolist() == [0x3F80, 0xC000]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hw.mask_mantissa(1, 8), "bits must be an integer from 0 to 7, not 8"),
        (lambda: hw.mask_mantissa(1, 2.0), "bits must be an integer from 0 to 7, not 2.0"),
        (lambda: hw.mask_mantissa(1, 2, "rna"), "unknown rounding mode of a mask 'rna'"),
        (lambda: hw.mask_mantissa(1.5, 2), "mask_mantissa: codes must be codes of bf16"),
        (lambda: hw.clip_exp(1, 1), "bits must be an integer from 2 to 8, not 1"),
        (lambda: hw.clip_exp(1, True), "bits must be an integer from 2 to 8, not True"),
        (lambda: hw.clip_exp(1, 4, "round"), "unknown treatment of subnormals 'round'"),
        (lambda: hw.clip_exp(70000, 4), "70000 is not a code of bf16"),
    ],
)
def test_mistakes(call: Any, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        call()
