"""Requantization: the definitions against fractions and published vectors, the hardware against
the definitions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus
from tests.evidence import assert_equal_on
from tests.tiers import few

MODES = ["double", "single", "dyadic"]


def half_up(x: Fraction) -> int:
    return floor(x + Fraction(1, 2))


def half_away(x: Fraction) -> int:
    return half_up(x) if x >= 0 else -half_up(-x)


def clamp(x: int, f: hw.Format) -> int:
    return min(max(x, int(f.min)), int(f.max))


def required(u: hw.Unit, a: int, m: int, e: int, z: int) -> tuple[int, int]:
    """The result and whether anything was clamped, of the integers that the codes stand for."""
    e = max(e, -31)
    scale = Fraction(2) ** e
    clipped = False
    if u.mode == "double":
        shifted = clamp(a << e if e > 0 else a, u.a)
        exact = half_up(Fraction(shifted * m, 1 << 31))
        high = clamp(exact, u.a)
        clipped = shifted != (a << e if e > 0 else a) or high != exact
        rounded = half_away(high * min(scale, Fraction(1)))
    else:
        exact_product = a * scale * m / (1 << 31)
        rounded = half_up(exact_product) if u.mode == "single" else round(exact_product)
    y = clamp(rounded + z, u.out)
    return y, int(clipped or y != rounded + z)


SPECS = [
    "flag=on",
    "flag=on,out=uint8,z=int16",
    "flag=on,a=int16,out=int32",
    "flag=on,a=int40,out=int16,z=uint4",
    "flag=on,a=int9,out=int4",
    "flag=on,out=uint32",
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("spec", SPECS)
def test_definition_is_that_of_fractions(spec: str, mode: str) -> None:
    u = hw.unit(f"requant:mode={mode},{spec}")
    operands = stimulus(u, 3000, seed=5)
    integers = [
        f.decode(x).astype(object) for f, x in zip(u.operands.values(), operands, strict=True)
    ]
    want = [required(u, *map(int, row)) for row in zip(*integers, strict=True)]
    y, sat = u(*operands)  # compiled, where it is long enough
    assert u.out.decode(y).astype(int).tolist() == [w[0] for w in want]
    assert sat.tolist() == [w[1] for w in want]
    assert {*sat.tolist()} == {0, 1}
    row = [int(x[7]) for x in operands]
    assert u.golden(*row) == (y[7], sat[7])


@pytest.mark.parametrize("mode", MODES)
def test_ends_of_ranges_in_compiled_words(mode: str) -> None:
    """The greatest products and distances, in as many rows as the compiler takes."""
    u = hw.unit(f"requant:mode={mode},out=int32,flag=on")
    ends = [-(1 << 31), -(1 << 31) + 1, -1, 0, 1, (1 << 31) - 1]
    grid = np.meshgrid(ends, ends, range(-32, 32), ends, indexing="ij")
    a, m, e, z = (x.ravel() for x in grid)
    y, sat = u(a, m, e, z)
    rows = zip(a.tolist(), m.tolist(), e.tolist(), z.tolist(), strict=True)
    want = [required(u, *row) for row in rows]
    assert u.out.decode(y).tolist() == [w[0] for w in want]
    assert sat.tolist() == [w[1] for w in want]


def test_published_halves() -> None:
    """Halves of SRDHM go up, those of RDBP away from zero (gemmlowp, fixedpoint.h)."""
    half, one = 1 << 30, (1 << 31) - 1
    a = np.array([-3, -1, 1, 3])
    found = {mode: hw.unit(f"requant:mode={mode},out=int32") for mode in MODES}
    decode = found["double"].out.decode
    assert decode(found["double"](a, half, 0, 0)).tolist() == [-1, 0, 1, 2]
    assert decode(found["double"](a, one, -1, 0)).tolist() == [-2, -1, 1, 2]
    assert decode(found["single"](a, half, 0, 0)).tolist() == [-1, 0, 1, 2]
    assert decode(found["single"](a, one, -1, 0)).tolist() == [-1, 0, 0, 1]
    assert decode(found["dyadic"](a, half, 0, 0)).tolist() == [-2, 0, 0, 2]
    least = -(1 << 31)
    assert decode(found["double"](least, least, 0, 0)) == (1 << 31) - 1


def test_double_and_single_rarely_differ() -> None:
    """In 0.28 % of the cases, by 1: |a| < 2^20, normal m, e from -11 to -6."""
    rng = np.random.default_rng(0)
    n = 1 << 20
    a, m = rng.integers(-(1 << 20) + 1, 1 << 20, n), rng.integers(1 << 30, 1 << 31, n)
    e = rng.integers(-11, -5, n)
    double, single = (hw.unit(f"requant:mode={mode},out=int32") for mode in ("double", "single"))
    x, y = (u.out.decode(u(a, m, e, 0)).astype(int) for u in (double, single))
    assert abs((x != y).mean() - 0.0028) < 0.0005
    assert abs(x - y).max() == 1


def test_constants_take_the_place_of_ports() -> None:
    u = hw.unit("requant:multiplier=1518500250,exponent=-7,zero=-3,out=int8")
    assert list(u.operands) == ["a"]
    a = np.arange(-40000, 40000, 7)
    want = hw.unit("requant")(a, 1518500250, -7, -3)
    np.testing.assert_array_equal(u(a), want)
    codes = 12345, 1518500250, -7 & 63, -3 & 255
    assert u.golden(12345) == u(12345) == hw.unit("requant").golden(*codes)
    assert u.name == "requant_int32_int8_double_multiplier1518500250_exponentm7_zerom3"
    assert hw.unit(u.spec) == u


HARDWARE = [f"mode={mode},{spec}" for spec in SPECS for mode in MODES]


@pytest.mark.parametrize("spec", few(["mode=double", *HARDWARE], 7))
def test_hardware(spec: str) -> None:
    u = hw.unit(f"requant:{spec}")
    assert_equal_on(u, *stimulus(u, 20_000, seed=3))


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_hardware_of_many(mode: str) -> None:
    for spec in (f"mode={mode},out=int8", f"mode={mode},multiplier=1518500250,exponent=-7,zero=3"):
        u = hw.unit(f"requant:{spec}")
        assert_equal_on(u, *stimulus(u, 500_000, seed=4))


# -- multipliers ---------------------------------------------------------------------------------


def test_quantize_multiplier() -> None:
    assert hw.quantize_multiplier(0.5) == (1 << 30, 0)
    assert hw.quantize_multiplier(1) == (1 << 30, 1)
    assert hw.quantize_multiplier(1 - 2.0**-40) == (1 << 30, 1)  # carried
    assert hw.quantize_multiplier(2.0**-33) == (0, 0)
    scales = np.exp2(np.random.default_rng(1).uniform(-31, 30, (20, 50)))
    m, e = hw.quantize_multiplier(scales)
    assert m.shape == e.shape == scales.shape
    assert ((m >= 1 << 30) & (m < 1 << 31)).all()
    for scale, factor, exponent in zip(scales.flat, m.flat, e.flat, strict=True):
        value = Fraction(int(factor)) * Fraction(2) ** (int(exponent) - 31)
        step = Fraction(2) ** (int(exponent) - 31)
        assert abs(value - Fraction(scale)) <= step / 2


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (0.0, "must be more than 0 and less than 2^31, not 0.0"),
        ([1.0, -2.0], "not -2.0"),
        (float("nan"), "not nan"),
        (2.0**31, "not 2147483648.0"),
        (np.nextafter(2.0**31, 0), "must be less than 2^31"),
        ("one", "must be a number or an array of them, not 'one'"),
        ([], r"must be a number or an array of them, not \[\]"),
    ],
)
def test_scales_that_are_refused(scale: object, said: str) -> None:
    with pytest.raises(hw.InvalidInput, match=said.replace("^", r"\^").replace("+", r"\+")):
        hw.quantize_multiplier(scale)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("a=uint32", "parameter a: must be signed, not uint32"),
        ("a=fp32", "parameter a: must be an integer of up to 64 bits, not fp32"),
        ("out=fix4.4", "must be an integer of up to 64 bits, not fix4.4"),
        ("zero=200", "parameter zero: must be -128 to 127 of int8, not 200"),
        ("exponent=-32", "parameter exponent: must be -31 to 31, not -32"),
        ("mode=triple", "unknown value 'triple'"),
    ],
)
def test_parameters_that_are_refused(spec: str, said: str) -> None:
    with pytest.raises(hw.InvalidInput, match=said):
        hw.unit(f"requant:{spec}")


# -- zero points ---------------------------------------------------------------------------------


@pytest.mark.parametrize("acc", ["int32", "int18", "uint32", "int64"])
def test_hoisted_zero_points(acc: str) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 256, (9, 133)), rng.integers(-128, 128, (133, 5))
    f = hw.format(acc)
    c = rng.integers(0, 1 << 18, 5)
    spec = f"fma:a=uint8,b=int8,c={acc},out={acc},overflow=wrap"
    for za, zb in (
        (0, 0),
        (128, -7),
        (rng.integers(0, 256, (9, 1)), rng.integers(-128, 128, 5)),
        (2**31 - 1, rng.integers(-(2**31), 2**31, (1, 5))),
    ):
        direct = (a.astype(object) - za) @ (b.astype(object) - zb) + c
        want = (direct % (1 << f.bits)).astype(np.uint64)
        found = hw.affine_matmul(spec, a, b, za, zb, c)
        assert found.dtype == f.dtype
        np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize(
    ("spec", "zero", "said"),
    [
        ("fma:a=bf16", 0, "must be an fma of integers of up to 64 bits, not fma:a=bf16"),
        ("mul:a=int8,b=int8,out=int16", 0, "must be an fma of integers"),
        (
            "fma:a=int8,c=int32,out=int32,overflow=saturate",
            0,
            "must wrap, not saturate: zero points are taken out",
        ),
        ("fma:a=int8,c=int32,out=int32,op=msub", 0, "negates; give one that adds"),
        ("fma:a=int8,c=int32,out=int32", 0.5, "za must be an integer or integers of shape"),
        ("fma:a=int8,c=int32,out=int32", [1, 2, 3], r"not int64 of shape \(3,\)"),
    ],
)
def test_products_that_are_refused(spec: str, zero: object, said: str) -> None:
    a = np.ones((2, 2), np.uint8)
    with pytest.raises(hw.InvalidInput, match=said):
        hw.affine_matmul(spec, a, a, zero)
