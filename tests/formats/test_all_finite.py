"""Floats of which every code is a number, with any bias: values, names, and hardware."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from tests.evidence import assert_rtl_equals_golden
from tests.tiers import few

FORMATS = [
    (e, m, bias)
    for e, m in ((1, 0), (1, 2), (2, 1), (3, 0), (3, 2), (4, 3))
    for bias in (-30, -1, 0, 1, 2, 7, 25)
]


@pytest.mark.parametrize(("e", "m", "bias"), FORMATS)
def test_values_of_all_codes(e: int, m: int, bias: int) -> None:
    """Exponent 0 has subnormal numbers, the top exponent is an ordinary binade."""
    f = hw.format(f"e{e}m{m}b{bias}f")
    for code in range(1 << f.bits):
        sign, field, t = code >> (e + m), code >> m & (1 << e) - 1, code & (1 << m) - 1
        size = Fraction(2) ** (max(field, 1) - bias) * (Fraction(t, 1 << m) + (field > 0))
        assert f.decode_one(code) == (-1) ** sign * size
        assert f.encode_one(f.decode_one(code)) == code
    assert f.max == (2 - Fraction(1, 1 << m)) * Fraction(2) ** ((1 << e) - 1 - bias)
    codes = f.codes()
    assert np.array_equal(f.encode(f.decode(codes)), codes)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("E1M2F", "e1m2f"),
        ("e2m1f", "e2m1fn"),
        ("e2m1b1f", "e2m1fn"),
        ("e3m2b3f", "e3m2fn"),
        ("e4m3b7f", "e4m3f"),
        ("e3m0b-0f", "e3m0b0f"),
        ("e3m0b007f", "e3m0b7f"),
    ],
)
def test_names(name: str, canonical: str) -> None:
    assert hw.format(name) is hw.format(canonical)
    assert hw.format(name).name == canonical


def test_names_are_read_back() -> None:
    u = hw.unit("fma:a=e3m0b-2f,c=fp32,out=fp32")
    assert hw.unit(u.spec) == u
    assert u.name.startswith("fma_e3m0bn2f")


def test_what_is_too_large() -> None:
    f = hw.format("e1m2b3f")
    assert f.decode(f.encode([9, -9, np.inf, 0.4376])).tolist() == [0.4375, -0.4375, 0.4375, 0.4375]
    product = hw.unit("mul:a=e1m2b-3f")
    assert product(7, 7) == 7
    assert hw.unit("convert:a=fp32,out=e3m0f")(0xFFC00000) in (7, 15)  # NaN: the largest value


def test_all_biases_whose_values_fp64_has() -> None:
    for e, m in ((1, 0), (3, 4), (11, 0), (8, 23)):
        low, high = (1 << e) - 1024, 1075 - m
        for bias in (low, high):
            f = hw.format(f"e{e}m{m}b{bias}f")
            ends = [float(f.max), float(f.smallest)]
            assert np.isfinite(ends).all()
            assert min(ends) > 0
            assert np.array_equal(f.decode(f.encode(ends)), ends)
        for bias in {low - 1, high + 1} - {(1 << (e - 1)) - 1}:  # that of IEEE 754 goes
            with pytest.raises(hw.InvalidInput, match=f"the bias must be {low} to {high}, for all"):
                hw.format(f"e{e}m{m}b{bias}f")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("e0m3f", "exponent bits must be 1 to 15 and fraction bits 0 to 112"),
        ("e3m113f", "exponent bits must be 1 to 15 and fraction bits 0 to 112"),
        ("e12m3b4f", "the bias cannot be given, for all values to be values of fp64, not 4"),
        ("e1m2", "from 1 and 0 on in eXmYf, of which every code is a number"),
        ("e4m3b5", "unknown format 'e4m3b5'"),
        ("e4m3b5fn", "unknown format 'e4m3b5fn'"),
        ("e3m0b--2f", "unknown format 'e3m0b--2f'"),
    ],
)
def test_wrong_names(name: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.format(name)


UNITS = (
    "mul:a={}",
    "add:a={}",
    "fma:a={},c=fp32,out=fp32",
    "dot:a={},n=2",
    "convert:a=fp32,out={}",
    "div:a={}",
    "cmp:a={}",
    "kulisch:a={},k=65536",
)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "roundint:a=e3m0b-2f,flags=on",
            *[u.format(f) for f in ("e3m0b-2f", "e1m2b9f", "e4m3b12f", "e1m0f") for u in UNITS],
        ],
        6,
    ),
)
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(hw.unit(spec).spec, vectors=1 << 16)


@pytest.mark.parametrize("bias", few(range(1, 8), 6))
def test_logarithmic_units_have_one_among_their_normal_numbers(bias: int) -> None:
    for spec in ("lmul:format={}", "pam:format={}", "pad:format={}", "palog2:format={}"):
        assert_rtl_equals_golden(hw.unit(spec.format(f"e3m1b{bias}f")).spec)
        for wrong in ("e3m1b0f", "e3m1b8f", "e3m1b-1f"):
            with pytest.raises(
                hw.InvalidInput, match="1 must be one of its normal numbers, of e3m1"
            ):
                hw.unit(spec.format(wrong))
