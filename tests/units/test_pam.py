"""Piecewise-affine arithmetic against published results, exact fractions and its own identities."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from tests.evidence import assert_rtl_equals_golden, compared
from tests.tiers import few
from tests.units.test_lmul import digest, every_pair, lcg_operands

BINARY, UNARY = ("pam", "pad"), ("pasqrt", "paexp2", "palog2")
SLOPES = ("mul", "div_a", "div_b", "exp2", "log2", "sqrt")
SMALL = ("e4m3fn", "e5m2", "e4m3fnuz", "e4m3b11fnuz", "e2m3fn", "e2m1fn")


# -- published results ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "e4m3fn", "bf16"),
    [
        ("pam", "269a094b538ad3d5", "a8ac1d5838cdacb6"),
        ("pad", "e6547e297edea3ec", "de44b862ffb3c6b0"),
        ("pasqrt", "0550730e7ae669fd", "0ada2cf7e20e1bd4"),
        ("paexp2", "299ef87463f65f53", "472d7989143c1782"),
        ("palog2", "fb53be0ede28c562", "70350d8e6dad7e76"),
    ],
)
def test_digests(family: str, e4m3fn: str, bf16: str) -> None:
    small, wide = (hw.unit(f"{family}:format={name}") for name in ("e4m3fn", "bf16"))
    a, b = lcg_operands(wide.format)
    if family in BINARY:
        assert digest(small(*every_pair(small.format))) == e4m3fn
        assert digest(wide(a, b)) == bf16
    else:
        assert digest(small(small.format.codes())) == e4m3fn
        assert digest(wide(a)) == bf16


@pytest.mark.parametrize(
    ("a", "b", "y"),
    [
        (1.5, 1.5, 2),
        (1.3, -1.3, np.uint32(0xBFCCCCCC).view(np.float32)),
        (4.5, 3, 13),
        (-6, 3, -16),
        (-3.5, -3.5, 12),
        (1e-30, 1e-30, 0),
        (0.37, 1, 0.37),
        (0.37, 32, 0.37 * 32),
    ],
)
@pytest.mark.parametrize("profile", ["hw", "ref"])
def test_products_of_the_published_tests(a: float, b: float, y: float, profile: str) -> None:
    u = hw.unit(f"pam:format=fp32,profile={profile}")
    codes = np.array([a, b, y], np.float32).view(np.uint32)
    assert u(codes[0], codes[1]) == codes[2]


@pytest.mark.parametrize(
    ("spec", "operands", "y"),
    [
        ("pam", (0x3FC0, 0x3FC0), 0x4000),
        ("pam", (0x4040, 0xC020), 0xC0E0),
        ("pam", (0x3FFF, 0x3FFF), 0x407E),
        ("pam", (0x3DCC, 0x3E4C), 0x3C98),
        ("pam:format=fp32", (0x40490FDB, 0x402DF854), 0x40F7082F),
        ("pasqrt:format=fp32", (0x40000000,), 0x3FC00000),
        ("pasqrt:format=fp32", (0x41200000,), 0x40500000),
        ("palog2:format=fp32", (0x41200000,), 0x40500000),
        ("paexp2:format=fp32", (0x3E800000,), 0x3FA00000),
        ("paexp2:format=fp32", (0xBF400000,), 0x3F200000),
        ("paexp2:format=fp32", (0x42FDFF7D,), 0x7F7FDF40 & ~0x3F | 0x7F7FDF40 & 0x3F),
        ("paexp2:format=fp32", (0x43000000,), 0x7F800000),
    ],
)
def test_vectors(spec: str, operands: tuple, y: int) -> None:
    u = hw.unit(spec)
    if y == 0x7F7FDF40:  # of 127.999, whatever its last place
        (code,) = np.array([127.999], np.float32).view(np.uint32)
        operands = (code,)
    assert u(*operands) == y


# -- definitions, as fractions -------------------------------------------------------------------


def parts(x: Fraction) -> tuple[int, Fraction]:
    """E and M of |x| = 2^E (1 + M)."""
    e = 0
    while abs(x) >= Fraction(2) ** (e + 1):
        e += 1
    while abs(x) < Fraction(2) ** e:
        e -= 1
    return e, abs(x) / Fraction(2) ** e - 1


def expected_product(x: Fraction, y: Fraction) -> Fraction:
    (ex, mx), (ey, my) = parts(x), parts(y)
    m = mx + my
    value = (1 + m) * 2 ** Fraction(0) if m < 1 else 2 * m
    return (1 if (x < 0) == (y < 0) else -1) * value * Fraction(2) ** (ex + ey)


def expected_quotient(x: Fraction, y: Fraction) -> Fraction:
    (ex, mx), (ey, my) = parts(x), parts(y)
    m = mx - my
    value = 1 + m if m >= 0 else (2 + m) / 2
    return (1 if (x < 0) == (y < 0) else -1) * value * Fraction(2) ** (ex - ey)


@pytest.mark.parametrize("name", few(["e4m3fn", "e5m2", "e4m3fnuz", "e2m3fn"], 3))
@pytest.mark.parametrize("family", few(BINARY, 2))
def test_products_and_quotients_are_piecewise_affine(family: str, name: str) -> None:
    """Of normal operands whose result is a normal number, every one."""
    u = hw.unit(f"{family}:format={name}")
    f = u.format
    normal = [
        c
        for c in f.codes().tolist()
        if np.isfinite(f.decode(np.array([c], f.dtype))[0])
        and abs(f.fraction(c)) >= f.smallest_normal
    ]
    a, b = np.repeat(normal, len(normal)), np.tile(normal, len(normal))
    expected = expected_product if family == "pam" else expected_quotient
    checked = 0
    for x, y, got in zip(a.tolist(), b.tolist(), u(a, b).tolist(), strict=True):
        value = expected(f.fraction(x), f.fraction(y))
        if f.smallest_normal <= abs(value) <= f.max:
            assert f.fraction(got) == value
            checked += 1
        elif abs(value) < f.smallest_normal:
            assert f.fraction(got) == 0
    assert checked > len(normal) ** 2 / 3
    compared(EXACT, checked, u)


def test_reference_profile() -> None:
    """The published kernel, by numpy's true products and quotients; and where it and the other
    profile agree."""
    f = hw.format("fp32")
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 1 << 32, (2, 200_000), dtype=np.uint32)
    a[:3], b[:3] = (0x00000001, 0x7F800000, 0x3F800000), (0x7F000000, 0x3F800000, 0x7F800000)
    x, y = f.decode(a).astype(np.float32), f.decode(b).astype(np.float32)
    normal = (np.abs(x) >= 2.0**-126) & (np.abs(y) >= 2.0**-126) & np.isfinite(x) & np.isfinite(y)
    for family, sign in (("pam", 1), ("pad", -1)):
        with np.errstate(all="ignore"):
            true = np.abs(x * y if sign > 0 else x / y)
        plain = a.astype(np.int64) + sign * (b.astype(np.int64) - 0x3F800000)
        ref = np.where(true < 1e37, (plain & 0xFFFFFFFF).astype(np.uint32), 0x7FC00000)
        ref = np.where(true.astype(float) < 1e-37, 0, ref)
        u = hw.unit(f"{family}:format=fp32,profile=ref")
        np.testing.assert_array_equal(u(a, b), ref)
        agree = normal & (true >= 1e-37) & (true < 1e37)
        assert agree.sum() > 20_000
        np.testing.assert_array_equal(hw.unit(f"{family}:format=fp32")(a, b)[agree], ref[agree])


@pytest.mark.parametrize("name", ["bf16", "fp16", "e4m3fn"])
def test_logarithm_and_power_in_fixed_point_make_products(name: str) -> None:
    log, power = (hw.unit(f"{x}:format={name},port=fixed") for x in ("palog2", "paexp2"))
    product = hw.unit(f"pam:format={name}")
    f = product.format
    a, b = (x & f.dtype.type((1 << (f.bits - 1)) - 1) for x in lcg_operands(f))
    normal = [np.isfinite(f.decode(x)) & (f.decode(x) >= float(f.smallest_normal)) for x in (a, b)]
    a, b = a[normal[0] & normal[1]], b[normal[0] & normal[1]]
    bits = log.fixed.bits
    total = log(a).astype(np.int64) + log(b)
    half = 1 << (bits - 1)
    signed = (total & ((1 << (bits + 1)) - 1)) - 0
    value = sum(
        np.where(log(x).astype(np.int64) >= half, log(x).astype(np.int64) - (1 << bits), log(x))
        for x in (a, b)
    )
    fits = (value >= -half) & (value < half)
    assert fits.mean() > 0.5
    codes = (signed[fits] & ((1 << bits) - 1)).astype(log.fixed.dtype)
    np.testing.assert_array_equal(power(codes), product(a, b)[fits])


@pytest.mark.parametrize("name", ["bf16", "fp16", "e5m2", "e4m3fn"])
def test_unary_operations(name: str) -> None:
    """Against the definitions in float64, where these are exact, with one rounding of ours."""
    f = hw.format(name)
    codes = f.codes()
    x = f.decode(codes).astype(float)
    normal = np.isfinite(x) & (x >= float(f.smallest_normal))
    e = np.floor(np.log2(x, where=normal, out=np.zeros_like(x)))
    m = x / 2.0**e - 1
    log = hw.unit(f"palog2:format={name}")(codes)
    np.testing.assert_array_equal(log[normal], f.encode((e + m)[normal] + 0.0))
    half = np.where(normal, e + m, 0) / 2
    root = 2.0 ** np.floor(half) * (1 + half - np.floor(half))
    got = f.decode(hw.unit(f"pasqrt:format={name}")(codes)).astype(float)
    ulp = 2.0 ** (np.floor(half) - f.fraction_bits)
    assert np.all((root - got)[normal] >= 0)
    assert np.all((root - got)[normal] < ulp[normal])
    finite = np.isfinite(x)
    flushed = np.where(np.abs(x) < float(f.smallest_normal), 0, x)[finite]
    rounded = np.rint(flushed * 2**f.fraction_bits) / 2**f.fraction_bits
    whole = np.floor(rounded)
    with np.errstate(over="ignore"):
        power = np.ldexp(1 + (rounded - whole), whole.clip(-3000, 3000).astype(int))
    got = hw.unit(f"paexp2:format={name}")(codes[finite])
    tiny = power < float(f.smallest_normal)
    np.testing.assert_array_equal(
        got, np.where(tiny, 0, f.encode(power, overflow="nosat" if f.infinity else "saturate"))
    )


# -- special values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "operands", "y"),
    [
        ("pam", (0x7F80, 0x0000), 0x7FC0),
        ("pam", (0x7F80, 0xBF80), 0xFF80),
        ("pam", (0x7FC1, 0x3F80), 0x7FC0),
        ("pam", (0x8001, 0x3F80), 0x8000),
        ("pam", (0x7F00, 0x7F00), 0x7F80),
        ("pam:sat=1", (0x7F00, 0xFF00), 0xFF7F),
        ("pam:format=e4m3fn", (0x7E, 0x7E), 0x7E),
        ("pam:format=e4m3fn,sat=0", (0x7E, 0x7E), 0x7F),
        ("pad", (0x0000, 0x8000), 0x7FC0),
        ("pad", (0x7F80, 0xFF80), 0x7FC0),
        ("pad", (0x3F80, 0x8000), 0xFF80),
        ("pad", (0x3F80, 0xFF80), 0x8000),
        ("pad:zero_pos=1", (0x3F80, 0xFF80), 0x0000),
        ("pad", (0x7F80, 0x3F80), 0x7F80),
        ("pad:sat=1", (0x3F80, 0x0000), 0x7F80),
        ("pad:format=e4m3fn", (0x38, 0x80), 0xFE),
        ("pasqrt", (0x8000,), 0x8000),
        ("pasqrt", (0xBF80,), 0x7FC0),
        ("pasqrt", (0x7F80,), 0x7F80),
        ("pasqrt", (0xFF80,), 0x7FC0),
        ("pasqrt", (0x0001,), 0x0000),
        ("palog2", (0x8000,), 0xFF80),
        ("palog2", (0x3F80,), 0x0000),
        ("palog2", (0x7F80,), 0x7F80),
        ("palog2", (0xBF80,), 0x7FC0),
        ("palog2:format=e4m3fn", (0x00,), 0xFE),
        ("palog2:port=fixed", (0x0000,), 0x8000),
        ("palog2:port=fixed", (0x7F80,), 0x7FFF),
        ("palog2:port=fixed", (0xBF80,), 0x8000),
        ("palog2:port=fixed", (0x3F81,), 0x0001),
        ("paexp2", (0x7F80,), 0x7F80),
        ("paexp2", (0xFF80,), 0x0000),
        ("paexp2", (0x0001,), 0x3F80),
        ("paexp2", (0x7F00,), 0x7F80),
        ("paexp2", (0xFF00,), 0x0000),
        ("paexp2", (0x7FC1,), 0x7FC0),
        ("paexp2:format=e4m3fn", (0x7E,), 0x7E),
        ("paexp2:port=fixed", (0x8000,), 0x0000),
    ],
)
def test_special_values(spec: str, operands: tuple, y: int) -> None:
    assert hw.unit(spec)(*operands) == y


# -- hardware ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", few(SMALL, 3))
@pytest.mark.parametrize("family", [*BINARY, *UNARY])
def test_rtl_of_small_formats(family: str, name: str) -> None:
    assert_rtl_equals_golden(f"{family}:format={name}", 1 << 16)


@pytest.mark.parametrize("name", ["bf16", "fp16"])
@pytest.mark.parametrize("spec", few([*UNARY, "palog2:port=fixed", "paexp2:port=fixed"], 3))
def test_rtl_of_every_16_bit_code(spec: str, name: str) -> None:
    family, _, options = spec.partition(":")
    assert_rtl_equals_golden(f"{family}:format={name},{options}", 1 << 16)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "pam:format=bf16",
            "pam:format=fp32",
            "pam:format=fp16,ofs=57,sat=1",
            "pad:format=bf16",
            "pad:format=fp32",
            "pad:format=fp16,ofs=57,zero_pos=1",
            "pam:format=e4m3fn,sat=0",
            "pad:format=e5m2,sat=1",
            "pasqrt:format=fp32",
            "palog2:format=fp32",
            "paexp2:format=fp32",
            "palog2:format=fp32,port=fixed",
            "paexp2:format=fp32,port=fixed",
            "pam:format=bf16,stages=2",
            "pad:format=fp32,stages=3",
            "paexp2:format=bf16,stages=1",
            "palog2:format=fp16,stages=2",
            "paslope:format=bf16,op=div_b,stages=3",
        ],
        4,
    ),
)
def test_rtl_equals_golden(spec: str) -> None:
    assert_rtl_equals_golden(spec)


@pytest.mark.long
@pytest.mark.parametrize("name", ["bf16", "fp16", "fp32"])
@pytest.mark.parametrize("family", ["lmul", *BINARY])
def test_ten_million_pairs(family: str, name: str) -> None:
    assert_rtl_equals_golden(f"{family}:format={name}", 10_000_000)


# -- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("pam:format=uint8", "pam: parameter format: must be a signed float with a fraction"),
        (
            "pam:format=bf16,profile=ref",
            "parameter format: must be fp32 with profile=ref, not bf16",
        ),
        ("pam:format=fp32,profile=ref,sat=1", "profile=ref has no sat, zero_pos or stages"),
        ("pad:format=e5m2,ofs=128", "pad: parameter ofs: must be 0 to 127 for e5m2, not 128"),
        ("pasqrt:ofs=1", "pasqrt: parameter ofs: must be 0, not 1"),
        ("palog2:port=int", "palog2: parameter port: unknown value 'int'"),
        ("paslope:op=add", "paslope: parameter op: unknown value 'add'"),
    ],
)
def test_wrong_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


def test_the_reference_profile_is_software() -> None:
    with pytest.raises(hw.InvalidInput, match="profile=ref is software only"):
        hw.verilog("pam:format=fp32,profile=ref")
