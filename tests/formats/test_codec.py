"""Formats against ml_dtypes and gfloat, exhaustively, and the check values of the specification."""

from __future__ import annotations

import math
from fractions import Fraction

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.formats import ROUNDINGS
from tests import oracle
from tests.evidence import compared

ML_DTYPES = (
    "float4_e2m1fn",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e4m3b11fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "bfloat16",
    "float16",
)

GFLOAT = {
    "e2m1fn": gfloat.formats.format_info_ocp_e2m1,
    "e2m3fn": gfloat.formats.format_info_ocp_e2m3,
    "e3m2fn": gfloat.formats.format_info_ocp_e3m2,
    "e4m3fn": gfloat.formats.format_info_ocp_e4m3,
    "e5m2": gfloat.formats.format_info_ocp_e5m2,
    "e8m0fnu": gfloat.formats.format_info_ocp_e8m0,
    "int8": gfloat.formats.format_info_ocp_int8,
    "bf16": gfloat.formats.format_info_bfloat16,
    "fp16": gfloat.formats.format_info_binary16,
} | {
    f"binary{f.k}p{f.precision}{f.name[-2:]}": f
    for f in (*gfloat.formats._fp8_formats, *gfloat.formats._tiny_formats)
    if f.name.startswith("p3109")
}
"""Every format of at most 16 bits that gfloat has (its int8 is MX's, with value code/64)."""

GFLOAT_MODES = {
    "rne": gfloat.RoundMode.TiesToEven,
    "rna": gfloat.RoundMode.TiesToAway,
    "rtz": gfloat.RoundMode.TowardZero,
    "rup": gfloat.RoundMode.TowardPositive,
    "rdn": gfloat.RoundMode.TowardNegative,
}


def numpy_type(name: str) -> np.dtype:
    return np.dtype(getattr(ml_dtypes, name, name))


def all_values(name: str) -> np.ndarray:
    f = hw.format(name)
    return f.decode(f.codes())


def same(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Equal with the sign of zero, or both NaN."""
    equal = (x == y) & (np.signbit(x) == np.signbit(y))
    return equal | (np.isnan(x) & np.isnan(y))


@pytest.mark.parametrize("name", ML_DTYPES)
def test_decode_equals_ml_dtypes(name: str) -> None:
    f = hw.format(name)
    with np.errstate(invalid="ignore"):
        theirs = f.codes().view(numpy_type(name)).astype(np.float64)
    assert same(f.decode(f.codes()), theirs).all()


@pytest.mark.parametrize("name", [n for n in ML_DTYPES if n != "float8_e8m0fnu"])
@pytest.mark.parametrize("source", ["fp16", "bf16"])
def test_encode_equals_ml_dtypes(name: str, source: str) -> None:
    """All values of a 16-bit format, rounded to nearest even without saturation."""
    f = hw.format(name)
    x = all_values(source)
    if f.nan == "none":
        x = x[~np.isnan(x)]  # where ml_dtypes gives -0 and table T1 the largest value
    with np.errstate(over="ignore"):
        theirs = x.astype(numpy_type(name))
    ours = f.encode(x, overflow="nosat")
    assert same(f.decode(ours), theirs.astype(np.float64)).all()


@pytest.mark.parametrize("name", GFLOAT)
def test_decode_equals_gfloat(name: str) -> None:
    info = GFLOAT[name]
    f = hw.format("mxint8_element" if name == "int8" else name)
    scale = 1.0
    if name == "int8":
        scale = gfloat.decode_float(info, 1).fval * 64
    theirs = np.array([gfloat.decode_float(info, c).fval for c in range(1 << info.k)]) / scale
    assert same(f.decode(f.codes()).astype(np.float64), theirs).all()


@pytest.mark.parametrize("mode", GFLOAT_MODES)
@pytest.mark.parametrize("name", [n for n in GFLOAT if n not in ("int8", "bf16", "fp16")])
def test_encode_equals_gfloat(name: str, mode: str) -> None:
    """Every value of the format, every midpoint, and values a little off both."""
    info, f = GFLOAT[name], hw.format(name)
    finite = np.unique(f.decode(f.codes())[np.isfinite(f.decode(f.codes()))])
    if f.signed:
        finite = np.append(finite, -0.0)
    middles = (finite[1:] + finite[:-1]) / 2
    exact = np.concatenate([finite, middles])
    with np.errstate(over="ignore", under="ignore"):
        x = np.concatenate([exact, exact * (1 + 2**-30), exact * (1 - 2**-30), finite[-1:] * 2])
    if name == "e8m0fnu":
        x = x[x >= 2.0**-127]  # gfloat has no rule below
    for saturate in (True, False):
        if not saturate and f.nan == "none":
            x = x[np.abs(x) <= float(f.max)]  # gfloat refuses what table T1 clamps
        theirs = [
            gfloat.encode_float(
                info, gfloat.round_float(info, float(v), GFLOAT_MODES[mode], sat=saturate)
            )
            for v in x
        ]
        ours = f.encode(x, mode, "satprop" if saturate else "nosat")
        expected = f.decode(np.array(theirs, f.dtype)).astype(np.float64)
        assert same(f.decode(ours).astype(np.float64), expected).all()


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("name", ["e2m1fn", "e3m2fn", "e4m3fn", "e5m2", "e4m3", "e5m2fnuz", "fp16"])
def test_encode_equals_oracle(name: str, mode: str) -> None:
    """All values of bf16 in all modes and policies, round-to-odd included."""
    f = hw.format(name)
    x = all_values("bf16")
    for policy in ("saturate", "satprop", "nosat"):
        expected = oracle.round_values(x, f, mode, policy, np.signbit(x))
        np.testing.assert_array_equal(f.encode(x, mode, policy), expected)
        compared(EXACT, x.size)


def test_encode_of_fractions_equals_encode_of_floats() -> None:
    f = hw.format("e4m3fn")
    x = all_values("e5m2")
    x = x[np.isfinite(x)]
    exact = np.array([Fraction(v) for v in x], object)
    ours = f.encode(exact)
    expected = f.encode(np.where(x == 0, 0.0, x))  # a fraction has no negative zero
    np.testing.assert_array_equal(ours, expected)


def test_oracle_notices_a_wrong_rounding() -> None:
    f = hw.format("e4m3fn")
    x = all_values("bf16")
    wrong = f.encode(x, "rna")
    assert (wrong != oracle.round_values(x, f, "rne", "saturate", np.signbit(x))).any()


@pytest.mark.parametrize(
    ("name", "value", "policy", "code"),
    [
        ("e4m3fn", 0.3, "saturate", 0x2A),
        ("e4m3fn", 464, "nosat", 0x7E),
        ("e4m3fn", 465, "nosat", 0x7F),
        ("e4m3fn", 465, "saturate", 0x7E),
        ("e4m3fn", 2.0**-10, "nosat", 0x00),
        ("e4m3fn", 1.01 * 2.0**-10, "nosat", 0x01),
        ("e5m2", 61439, "nosat", 0x7B),
        ("e5m2", 61440, "nosat", 0x7C),
        ("e4m3fnuz", 250, "nosat", 0x80),
        ("e4m3fnuz", 250, "saturate", 0x7F),
        ("e4m3fnuz", -0.0, "nosat", 0x00),
        ("binary8p4se", 2.0, "nosat", 0x48),
        ("int8", -200, "saturate", 0x80),
        ("mxint8_element", -3.0, "saturate", 0x81),
        ("int8", -200, "wrap", 56),
        ("e2m1fn", math.nan, "saturate", 0x7),
        ("e8m0fnu", 1.5, "saturate", 0x80),
        ("e8m0fnu", 3.0, "saturate", 0x80),
        ("e8m0fnu", 0.0, "saturate", 0x00),
        ("ue4m3", 448.0, "saturate", 0x7E),
    ],
)
def test_check_values(name: str, value: float, policy: str, code: int) -> None:
    assert hw.format(name).encode(value, overflow=policy) == code


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("fp32", math.inf, 0x7F800000),
        ("bf16", -math.inf, 0xFF80),
        ("bf16", 1e300, 0x7F7F),
        ("e5m2", -1e9, 0xFB),
        ("e4m3fn", math.inf, 0x7F),
        ("e4m3fn", 500.0, 0x7E),
        ("e2m1fn", -math.inf, 0xF),
        ("int8", math.inf, 0x7F),
        ("ue4m3", -1.0, 0),
        ("ue4m3", -math.inf, 0x7F),
        ("binary8p4ue", -1.0, 0),
    ],
)
def test_finite_values_are_clipped_and_infinities_kept(name: str, value: float, code: int) -> None:
    """Without a policy, of floats and of exact fractions alike."""
    f = hw.format(name)
    assert f.encode(value) == f.encode(np.float32(value) if value != 1e300 else value) == code
    if math.isfinite(value):
        assert f.encode(Fraction(value)) == code


def test_e2m1_midpoints() -> None:
    midpoints = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, 7.0]
    f = hw.format("e2m1fn")
    np.testing.assert_array_equal(f.decode(f.encode(midpoints)), [0, 1, 1, 2, 2, 4, 4, 6])


@pytest.mark.parametrize(
    ("name", "code", "value"),
    [
        ("binary8p4se", 0x01, 2.0**-10),
        ("binary8p4se", 0x7E, 224.0),
        ("binary8p4se", 0xFF, -math.inf),
        ("binary8p3se", 0x01, 2.0**-17),
        ("binary8p3se", 0x7E, 49152.0),
        ("binary8p1uf", 0x01, 2.0**-127),
        ("binary8p1uf", 0xFE, 2.0**126),
        ("binary8p4sf", 0x7F, 240.0),
        ("fp32", 0x7F7FFFFF, (2 - 2.0**-23) * 2.0**127),
        ("fp16", 0x7BFF, 65504.0),
        ("tf32", 1, 2.0**-136),
        ("e4m3b11fnuz", 0x7F, 30.0),
        ("e3m2fn", 0x1F, 28.0),
        ("ue4m3", 0xFE, 448.0),
        ("mxint8_element", 0x7F, 127 / 64),
    ],
)
def test_decode_check_values(name: str, code: int, value: float) -> None:
    assert hw.format(name).decode(code) == value


@pytest.mark.parametrize("name", ["fp32", "fp64"])
def test_numpy_floats_decode_to_themselves(name: str) -> None:
    rng = np.random.default_rng(1)
    bits = {"fp32": 32, "fp64": 64}[name]
    codes = rng.integers(0, 1 << bits, 100_000, dtype=f"uint{bits}")
    with np.errstate(invalid="ignore"):
        theirs = codes.view(f"float{bits}").astype(np.float64)
    f = hw.format(name)
    assert same(f.decode(codes), theirs).all()
    finite = ~np.isnan(theirs)
    np.testing.assert_array_equal(f.encode(theirs[finite], overflow="satprop"), codes[finite])


def test_empty_and_ragged_lists() -> None:
    f = hw.format("bf16")
    assert f.check([]).shape == (0,)
    assert f.check([[], []]).dtype == np.uint16
    with pytest.raises(hw.InvalidInput, match="rows that differ"):
        f.check([[1], [2, 3]], "operand a")
