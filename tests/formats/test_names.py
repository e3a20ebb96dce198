"""Formats by name, and what is said of wrong names and wrong codes."""

from __future__ import annotations

import re

import ml_dtypes
import numpy as np
import pytest

import hwarith as hw
from hwarith.formats import NAMED
from hwarith.units.catalogue import CATALOGUE
from tests.small_units import SPECS

FIXED = (
    "convert:a=fix10.-2,out=ufix-2.6",
    "add:a=fix4.4,b=fp16,out=fp16",
    "dot:a=fp16,n=2,c=none,out=exact",
)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("float8_e4m3fn", "e4m3fn"),
        ("bfloat16", "bf16"),
        ("binary32", "fp32"),
        ("e5m10", "fp16"),
        ("FP16", "fp16"),
        ("e2m1", "e2m1fn"),
        ("float4_e2m1fn", "e2m1fn"),
    ],
)
def test_other_names(alias: str, name: str) -> None:
    assert hw.format(alias) is hw.format(name)


def test_types_and_formats_are_accepted() -> None:
    assert hw.format(np.float16) is hw.format("fp16")
    assert hw.format(ml_dtypes.bfloat16) is hw.format("bf16")
    assert hw.format(hw.format("int4")) is hw.format("int4")


def test_any_exponent_and_fraction() -> None:
    f = hw.format("e6m9")
    assert (f.bits, f.bias, f.infinity, f.nan) == (16, 31, True, "ieee")
    assert not hw.format("e6m9fn").infinity
    assert not hw.format("e6m9fnuz").has_negative_zero


def test_repr_makes_the_format_again() -> None:
    for name in NAMED:
        assert repr(hw.format(name)) == f"hwarith.format({name!r})"


@pytest.mark.parametrize(
    ("name", "bits", "low", "high", "step"),
    [
        ("fix4.4", 8, -8, 7.9375, 0.0625),
        ("ufix4.4", 8, 0, 15.9375, 0.0625),
        ("fix1.15", 16, -1, 1 - 2**-15, 2**-15),
        ("fix10.-2", 8, -512, 508, 4),
        ("ufix-2.6", 4, 0, 15 / 64, 1 / 64),
        ("FIX8.0", 8, -128, 127, 1),
    ],
)
def test_fixed_point(name: str, bits: int, low: float, high: float, step: float) -> None:
    f = hw.format(name)
    assert (f.bits, f.min, f.max, f.smallest) == (bits, low, high, step)
    codes = f.codes()
    np.testing.assert_array_equal(f.encode(f.decode(codes)), codes)
    assert hw.format(f.name) is f


def test_fixed_point_without_a_fraction_is_an_integer() -> None:
    assert hw.format("fix8.0") is hw.format("int8")
    assert hw.format("ufix16.0") is hw.format("uint16")


@pytest.mark.parametrize("spec", [*SPECS, *map(str, CATALOGUE.values()), *FIXED])
def test_specs_and_the_formats_of_ports_are_read_back(spec: str) -> None:
    """Names of formats, as headers of Verilog have them too."""
    u = hw.unit(spec)
    assert hw.unit(u.spec) == u
    assert u.name.isidentifier()
    assert u.name.isascii()
    for f in (u.operands | u.results).values():
        of_several = " x " in f.name or f.name.startswith(("tilus", "sm", "e8m0fnu_m"))
        if not of_several:  # codes side by side, a scale and metadata among them
            assert hw.format(f.name) == f


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fix0.0", "0 integer bits (with the sign) and 0 of fraction"),
        ("ufix4.-5", "both together 1 to 1024"),
        ("fix2000.-1990", "each must be -1024 to 1024"),
        ("fix4", "did you mean 'fixI.F'"),
        ("ap_fixed", "did you mean 'fixI.F'"),
        ("e4m3fm", "unknown format 'e4m3fm'; did you mean 'e4m3fn'"),
        ("e1m3", "exponent bits must be 2 to 15"),
        ("e4m113", "fraction bits 1 to 112"),
        ("int0", "width must be 1 to 1024, not 0"),
        ("binary8p9se", "P3109 has 3 to 16 bits"),
        (3.5, "a format is given by its name, not 3.5"),
    ],
)
def test_wrong_names(name: object, message: str) -> None:
    with pytest.raises(hw.HwarithError, match=re.escape(message)):
        hw.format(name)


@pytest.mark.parametrize(
    ("name", "codes", "message"),
    [
        ("e2m1fn", [16], "16 is not a code of e2m1fn; allowed: 0 to 15"),
        ("e4m3fn", [-1], "-1 is not a code of e4m3fn; allowed: 0 to 255"),
        ("int4", [-9], "-9 is not a code of int4; allowed: -8 to 15"),
        ("fp64", [1 << 64], "is not a code of fp64"),
        ("fp32", [1.0], "must be codes of fp32"),
        ("fp32", ["1"], "must be codes of fp32"),
        ("fp32", [True], "must be codes of fp32"),
        ("e5m2", np.zeros(2, ml_dtypes.float8_e4m3fn), "must be codes of e5m2, not float8_e4m3fn"),
    ],
)
def test_wrong_codes(name: str, codes: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hw.format(name).decode(codes)


def test_negative_integers_are_twos_complement() -> None:
    f = hw.format("int4")
    np.testing.assert_array_equal(f.check([-8, -1, 15]), [8, 15, 15])
    np.testing.assert_array_equal(f.decode([8, 15, 7]), [-8, -1, 7])


def test_wide_formats_are_exact() -> None:
    f = hw.format("int100")
    assert f.decode(f.encode(-(2**99))) == -(2**99)
    wide = hw.format("e15m112")
    assert wide.decode(wide.encode(0.1)) == wide.fraction(int(wide.encode(0.1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"round": "rnx"}, "unknown rounding mode 'rnx'; did you mean 'rne'"),
        ({"overflow": "clip"}, "unknown overflow policy 'clip'"),
        ({"overflow": "wrap"}, "is for integer formats, not e4m3fn"),
    ],
)
def test_wrong_encode_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.format("e4m3fn").encode(1.0, **arguments)


@pytest.mark.parametrize("value", ["abc", object(), None])
def test_values_that_are_no_numbers(value: object) -> None:
    with pytest.raises(hw.InvalidInput, match="cannot encode"):
        hw.format("e4m3fn").encode(value)


def test_empty_arrays_stay_empty() -> None:
    f = hw.format("bf16")
    assert f.encode(np.zeros((0, 3))).shape == (0, 3)
    assert f.decode(np.zeros((0, 3), np.uint16)).shape == (0, 3)
