"""Conversions against exact arithmetic, gfloat and ml_dtypes; their hardware against the golden
model."""

from __future__ import annotations

import random
import re

import gfloat
import ml_dtypes
import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence import records
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS, STOCHASTIC
from tests import oracle
from tests.evidence import assert_equal_on, assert_golden, assert_rtl_equals_golden, compared
from tests.formats.test_codec import GFLOAT, GFLOAT_MODES, same
from tests.tiers import few
from tests.units.test_exact import SMALL_FORMATS
from tests.units.test_rtl import unseen_faults

INTEGERS = ("int8", "uint8", "int4", "uint4", "int5", "uint3", "int1", "uint1", "mxint8_element")
FORMATS = SMALL_FORMATS + INTEGERS
N = 3
"""Random bits where every combination is tried."""


def values_of(name: str) -> np.ndarray:
    f = hw.format(name)
    return f.decode(f.codes()).astype(np.float64)


def expected(x: np.ndarray, out: hw.Format, mode: str, policy: str, n: int = 0, r=0) -> np.ndarray:
    if out.is_float:
        return oracle.round_values(x, out, mode, policy, np.signbit(x), n, r)
    return oracle.round_to_integers(x, out, mode, policy, n, r)


def policies(a: str, out: str) -> tuple[str, ...]:
    if hw.format(out).is_float:
        return ("saturate", "satprop", "nosat")
    return ("saturate",) if hw.format(a).is_float else ("saturate", "wrap")


@pytest.mark.parametrize("out", few(FORMATS, 3))
def test_every_pair_of_formats_in_every_mode(out: str) -> None:
    for a in FORMATS:
        x, codes = values_of(a), hw.format(a).codes()
        for policy in policies(a, out):
            for mode in ROUNDINGS:
                u = hw.unit(f"convert:a={a},out={out},round={mode},overflow={policy}")
                want = expected(x, u.out, mode, policy)
                assert_golden(u, (codes,), want)


P3109 = tuple(f"binary8p{p}{kind}" for p in (1, 4) for kind in ("se", "sf", "ue", "uf"))


@pytest.mark.parametrize("out", [*P3109, "e4m3fn", "e5m2", "e2m1fn", "e8m0fnu"])
def test_saturation_modes_of_p3109(out: str) -> None:
    """In all modes, for values around those of the format, the ends of its range and beyond."""
    codes = hw.format("bf16").codes()
    x, r = values_of("bf16"), np.arange(codes.size) % 8
    for policy in ("satprop", "p3109_satnone"):
        for mode in ROUNDINGS + STOCHASTIC:
            n = N if mode in STOCHASTIC else 0
            option = f",n={n}" if n else ""
            u = hw.unit(f"convert:a=bf16,out={out},round={mode},overflow={policy}{option}")
            operands = (codes, r) if n else (codes,)
            assert_golden(u, operands, expected(x, u.out, mode, policy, n, r))


@pytest.mark.parametrize("out", few(FORMATS, 3))
def test_every_pair_of_formats_with_all_random_bits(out: str) -> None:
    for a in FORMATS:
        codes, r = np.meshgrid(hw.format(a).codes(), np.arange(1 << N))
        x = values_of(a)[codes]
        for policy in policies(a, out):
            for mode in STOCHASTIC:
                u = hw.unit(f"convert:a={a},out={out},round={mode},overflow={policy},n={N}")
                want = expected(x, u.out, mode, policy, N, r)
                assert_golden(u, (codes, r), want)


@pytest.mark.parametrize("out", ["e2m1fn", "e4m3fn", "e5m2", "e4m3fnuz", "bf16", "int8", "uint4"])
def test_every_value_of_16_bits(out: str) -> None:
    for a in ("bf16", "fp16"):
        x, codes = values_of(a), hw.format(a).codes()
        r = np.random.default_rng(2).integers(0, 1 << 7, codes.size)
        for mode in ROUNDINGS + STOCHASTIC:
            n = 7 if mode in STOCHASTIC else 0
            option = f",n={n}" if n else ""
            u = hw.unit(f"convert:a={a},out={out},round={mode}{option}")
            operands = (codes, r) if n else (codes,)
            policy = "nosat" if u.out.is_float else "saturate"
            assert_golden(u, operands, expected(x, u.out, mode, policy, n, r))


@pytest.mark.parametrize(
    ("spec", "code", "expected"),
    [
        ("convert:a=bf16,out=fp32", 0x7F80, 0x7F800000),
        ("convert:a=bf16,out=fp32", 0xFF80, 0xFF800000),
        ("convert:a=fp32,out=fp64", 0x7F800000, 0x7FF0000000000000),
        ("convert:a=fp64,out=fp32", 0x7FEFFFFFFFFFFFFF, 0x7F800000),
        ("convert:a=fp32,out=e4m3fn", 0x7F800000, 0x7F),
        ("convert:a=fp32,out=e4m3fn,overflow=satprop", 0x7F7FFFFF, 0x7E),
        ("convert:a=fp32,out=e2m1fn", 0xFF800000, 0xF),
        ("convert:a=fp32,out=ue4m3", 0xBF800000, 0x7F),
        ("convert:a=fp32,out=ue4m3,overflow=satprop", 0xBF800000, 0),
        ("convert:a=fp32,out=ue4m3,overflow=satprop", 0xFF800000, 0x7F),
        ("convert:a=fp32,out=int8", 0xFF800000, 0x80),
    ],
)
def test_beyond_the_range(spec: str, code: int, expected: int) -> None:
    """As IEEE 754 says by default; clipping is asked for. Table T1."""
    assert hw.unit(spec)(code) == expected


def test_oracle_notices_a_wrong_variant() -> None:
    """A and C differ somewhere, and so do the other pairs."""
    codes, r = np.meshgrid(hw.format("fp16").codes(), np.arange(8))
    results = [hw.unit(f"convert:a=fp16,out=e4m3fn,round={m},n=3")(codes, r) for m in STOCHASTIC]
    x = values_of("fp16")[codes]
    for i, mode in enumerate(STOCHASTIC):
        want = expected(x, hw.format("e4m3fn"), mode, "nosat", 3, r)
        assert [(y == want).all() for y in results] == [j == i for j in range(3)]


GFLOAT_VARIANTS = {
    "sra": gfloat.RoundMode.StochasticFastest,
    "srb": gfloat.RoundMode.StochasticFast,
    "src": gfloat.RoundMode.Stochastic,
}


@pytest.mark.parametrize("mode", STOCHASTIC)
@pytest.mark.parametrize("name", ["e2m1fn", "e4m3fn", "e5m2", "binary8p4se"])
def test_stochastic_rounding_equals_gfloat(name: str, mode: str) -> None:
    info, f, n = GFLOAT[name], hw.format(name), 5
    codes = np.random.default_rng(3).integers(0, 1 << 16, 1500, dtype=np.uint16)
    x = hw.format("fp16").decode(codes)
    codes, x = codes[~np.isnan(x)], x[~np.isnan(x)]
    r = np.random.default_rng(4).integers(0, 1 << n, codes.size)
    u = hw.unit(f"convert:a=fp16,out={name},round={mode},n={n},overflow=satprop")
    ours = u(codes, r)
    variant = GFLOAT_VARIANTS[mode]
    compared(records.GFLOAT, ours.size, u, (codes, r))
    for v, bits, code in zip(x, r, ours, strict=True):
        sat = bool(np.isfinite(v)) or not f.infinity
        theirs = gfloat.round_float(info, float(v), variant, sat=sat, srbits=int(bits), srnumbits=n)
        if np.isinf(v) and f.nan != "none" and not f.infinity:
            theirs = np.nan  # table T1, satprop
        assert same(f.decode(code), np.float64(theirs))


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_chance_and_bias_over_all_random_bits(n: int) -> None:
    """P(up) = floor(nu 2^N) / 2^N for A; bias in (-2^-N, 0] for A, within 2^-(N+1) for B and C."""
    codes = np.arange(0x3C00, 0x4000, dtype=np.uint16)  # fp16 from 1 to 2: nu in steps of 2^-7
    nu = (codes & 0x7F) / 128
    grid, r = np.meshgrid(codes, np.arange(1 << n), indexing="ij")
    for mode in STOCHASTIC:
        u = hw.unit(f"convert:a=fp16,out=e4m3fn,round={mode},n={n}")
        up = u(grid, r) > hw.unit("convert:a=fp16,out=e4m3fn,round=rtz")(grid)
        chance = up.mean(axis=1)
        bias = chance - nu
        if mode == "sra":
            np.testing.assert_array_equal(chance, np.floor(nu * 2**n) / 2**n)
            assert bias.max() <= 0
            assert bias.min() > -(2.0**-n)
        else:
            assert np.abs(bias).max() <= 2.0 ** -(n + 1)


@pytest.mark.parametrize(
    ("a", "between", "out"),
    [
        ("fp16", "e5m5", "e5m2"),
        ("fp16", "e5m4", "e5m2"),
        ("bf16", "e8m5", "e4m3fn"),
        ("bf16", "e8m3", "e2m1fn"),
        ("fp16", "e5m6", "e4m3"),
        ("bf16", "e8m4", "e3m2fn"),
    ],
)
def test_rounding_to_odd_makes_a_second_rounding_harmless(a: str, between: str, out: str) -> None:
    """With at least two more bits of precision between, which one fewer would not do."""
    codes = hw.format(a).codes()
    to_odd = hw.unit(f"convert:a={a},out={between},round=rto,overflow=nosat")
    for mode in ("rne", "rna", "rtz", "rup", "rdn"):
        second = hw.unit(f"convert:a={between},out={out},round={mode}")
        at_once = hw.unit(f"convert:a={a},out={out},round={mode}")
        np.testing.assert_array_equal(second(to_odd(codes)), at_once(codes))


def test_two_roundings_to_nearest_are_not_one() -> None:
    codes = hw.format("fp16").codes()
    twice = hw.unit("convert:a=e5m4,out=e5m2")(hw.unit("convert:a=fp16,out=e5m4")(codes))
    assert (twice != hw.unit("convert:a=fp16,out=e5m2")(codes)).any()
    too_narrow = hw.unit("convert:a=fp16,out=e5m3,round=rto,overflow=nosat")(codes)
    assert (
        hw.unit("convert:a=e5m3,out=e5m2")(too_narrow) != hw.unit("convert:a=fp16,out=e5m2")(codes)
    ).any()


FLOATS = {"fp32": np.float32, "fp64": np.float64}


def wide_codes(a: str, out: str, count: int = 20_000) -> np.ndarray:
    """Codes of a wide float at and around the values of a narrow one and the middles of these."""
    rng = np.random.default_rng(5)
    source, target = hw.format(a), hw.format(out)
    top = rng.integers(0, 1 << min(target.bits, 24), count).astype(target.dtype)
    x = target.decode(top).astype(np.float64)
    near = source.encode(np.where(np.isfinite(x), x, 1.0))
    below = source.precision - target.precision
    half = rng.integers(0, 4, count).astype(near.dtype) << max(below - 2, 0)
    nudge = rng.integers(-1, 2, count).astype(near.dtype)
    mask = near.dtype.type((1 << source.bits) - 1)
    uniform = rng.integers(0, 1 << source.bits, count, dtype=near.dtype)
    return np.concatenate([(near + half + nudge) & mask, uniform])


@pytest.mark.parametrize("a", FLOATS)
@pytest.mark.parametrize("out", ["e2m1fn", "e4m3fn", "e5m2", "e8m0fnu", "bf16", "fp16", "int8"])
def test_encode_is_conversion(a: str, out: str) -> None:
    codes = wide_codes(a, out)
    values = codes.view(FLOATS[a])
    for mode in ROUNDINGS:
        for policy in policies(a, out):
            u = hw.unit(f"convert:a={a},out={out},round={mode},overflow={policy}")
            np.testing.assert_array_equal(u(codes), u.out.encode(values, mode, policy))


@pytest.mark.parametrize("out", ["e4m3fn", "e5m2", "e4m3fnuz", "e3m4"])
def test_narrowing_equals_ml_dtypes(out: str) -> None:
    codes = wide_codes("fp32", out)
    u = hw.unit(f"convert:a=fp32,out={out},overflow=nosat")
    with np.errstate(all="ignore"):
        theirs = codes.view(np.float32).astype(getattr(ml_dtypes, f"float8_{out}"))
    compared(records.ML_DTYPES, codes.size, u, (codes,))
    assert same(u.out.decode(u(codes)), theirs.astype(np.float64)).all()


@pytest.mark.parametrize("mode", GFLOAT_MODES)
def test_integers_to_floats_equal_numpy(mode: str) -> None:
    """Wide integers, in the one mode that numpy has, and every mode against fractions."""
    rng = np.random.default_rng(6)
    x = rng.integers(-(2**31), 2**31, 500) >> rng.integers(0, 31, 500)
    u = hw.unit(f"convert:a=int32,out=fp32,round={mode}")
    ours = u(x)
    if mode == "rne":
        np.testing.assert_array_equal(ours, x.astype(np.float32).view(np.uint32))
    for value, code in zip(x, ours, strict=True):
        assert code == oracle.round_exact(oracle.Fraction(int(value)), u.out, mode, "saturate")
    compared(records.EXACT, ours.size, u, (x,))


def test_floats_to_integers_equal_numpy() -> None:
    codes = wide_codes("fp32", "fp16")
    x = codes.view(np.float32)
    x = x[np.abs(x) < 2**31]
    ours = hw.unit("convert:a=fp32,out=int32,round=rtz")(x.view(np.uint32))
    np.testing.assert_array_equal(ours.view(np.int32), x.astype(np.int32))
    ours = hw.unit("convert:a=fp32,out=int32")(x.view(np.uint32))
    np.testing.assert_array_equal(ours.view(np.int32), np.rint(x).astype(np.int32))


def test_arrays_and_the_scalar_definition_agree() -> None:
    """Whatever engine answers, and also where words are wider than the machine's."""
    for spec in (
        "convert:a=fp32,out=e2m1fn,round=rup",
        "convert:a=fp64,out=e4m3fn,round=sra,n=32",
        "convert:a=uint64,out=bf16",
        "convert:a=fp32,out=int80",
        "convert:a=e11m60,out=fp16",
        "convert:a=fp32,out=e3m4,round=src",
    ):
        u = hw.unit(spec)
        operands = stimulus(u, 300, seed=7)
        ours = u(*operands)
        rows = zip(*operands, strict=True)
        assert [u.golden(*map(int, row)) for row in rows] == ours.tolist()


RTL = (
    "convert:a=fp32,out=e4m3fn",
    "convert:a=fp32,out=e4m3fn,overflow=saturate",
    "convert:a=fp32,out=e2m1fn,round=sra",
    "convert:a=fp32,out=bf16,stages=1",
    "convert:a=bf16,out=fp32",
    "convert:a=fp16,out=e5m2,round=src,n=6",
    "convert:a=bf16,out=e4m3fnuz,round=rto,overflow=saturate,stages=8",
    "convert:a=bf16,out=ue4m3,overflow=satprop",
    "convert:a=fp16,out=binary8p4se,round=rto",
    "convert:a=bf16,out=binary8p4ue,round=rup,overflow=p3109_satnone",
    "convert:a=fp16,out=bf16,round=rup",
    "convert:a=bf16,out=e8m0fnu,round=srb,n=5",
    "convert:a=fp32,out=int8",
    "convert:a=fp16,out=uint4,round=sra,n=4",
    "convert:a=int32,out=fp32,stages=3",
    "convert:a=uint16,out=e5m2,round=rdn",
    "convert:a=bf16,out=mxint8_element,round=rna",
    "convert:a=mxint8_element,out=e2m1fn",
    "convert:a=mxint8_element,out=int4,round=rto,overflow=wrap",
    "convert:a=int8,out=uint4",
    "convert:a=e4m3fn,out=e4m3fnuz",
    "convert:a=ue4m3,out=fp16",
    "convert:a=e4m3,out=bf16,round=sra,n=3",
    "convert:a=int4,out=int8,round=src,n=2",
)


@pytest.mark.parametrize("spec", few(RTL, 4))
def test_hardware(spec: str) -> None:
    """Sources of 16 bits exhaustively, wider ones also around the values of the result."""
    assert_rtl_equals_golden(spec)
    u = hw.unit(spec)
    if u.a.name == "fp32" and u.out.is_float:
        codes = wide_codes("fp32", u.out.name)
        rng = np.random.default_rng(8)
        operands = [codes]
        if u.n:
            operands.append(rng.integers(0, 1 << u.n, codes.size))
        assert_equal_on(u, *operands)


def random_spec(rng: random.Random) -> str:
    names = [*FORMATS, "fp64", "fp32", "tf32", "fp16", "bf16", "e6m9", "int32", "uint16", "int11"]
    a, out = rng.choice(names), rng.choice(names)
    mode = rng.choice(ROUNDINGS + STOCHASTIC)
    width = f",n={rng.randint(1, 20)}" if mode in STOCHASTIC else ""
    policy, stages = rng.choice(policies(a, out)), rng.choice([0, 0, 1, 4])
    return f"convert:a={a},out={out},round={mode},overflow={policy}{width},stages={stages}"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200))
def test_hardware_of_random_formats(seed: int) -> None:
    assert_rtl_equals_golden(random_spec(random.Random(seed)))


@pytest.mark.parametrize("spec", few(["convert:a=bf16,out=e4m3fn,round=sra,n=2", RTL[12]], 2))
def test_injected_faults_are_found(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 1 << 18, seed=1)
    assert unseen_faults(u, operands) == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("convert:round=srd", "convert: parameter round: unknown value 'srd'"),
        ("convert:n=4", "convert: parameter n: rounding rne takes no random bits"),
        ("convert:round=sra,n=33", "convert: parameter n: must be 1 to 32, not 33"),
        ("convert:out=int8,overflow=nosat", "must be saturate or indefinite for int8, not 'nosat'"),
        (
            "convert:overflow=wrap",
            "must be nosat or nan or satprop or saturate or p3109_satnone or toinf for e4m3fn",
        ),
        ("convert:overflow=inf", "for e4m3fn, not 'inf'"),
        (
            "convert:a=int8,out=int4,overflow=satprop",
            "must be saturate or wrap for int4, not 'satprop'",
        ),
    ],
)
def test_wrong_parameters(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


def test_specs_and_names() -> None:
    u = hw.unit("convert:a=fp32,out=e2m1fn,round=sra")
    assert u.spec == "convert:a=fp32,out=e2m1fn,round=sra,n=12"
    assert u.name == "convert_fp32_e2m1fn_sra_n12"
    assert hw.unit(u.spec) == u
    assert list(u.operands) == ["a", "r"]
    assert hw.unit("convert").spec == "convert:a=fp32,out=e4m3fn,round=rne"
    assert hw.unit("convert:a=int8,out=int4").spec == "convert:a=int8,out=int4,round=rne"


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("convert:overflow=nosat", "convert_fp32_e4m3fn_rne"),
        ("convert:out=fp16,overflow=inf", "convert_fp32_fp16_rne"),
        ("convert:overflow=saturate", "convert_fp32_e4m3fn_rne_saturate"),
        ("convert:overflow=satprop,round=sra", "convert_fp32_e4m3fn_sra_satprop_n16"),
        ("convert:a=int8,out=int4,overflow=saturate", "convert_int8_int4_rne"),
        ("convert:a=int8,out=int4,overflow=wrap", "convert_int8_int4_rne_wrap"),
    ],
)
def test_a_policy_that_is_not_the_default_stands_in_the_name(spec: str, name: str) -> None:
    u = hw.unit(spec)
    assert u.name == name
    assert hw.unit(u.spec) == u


@pytest.mark.parametrize(
    ("out", "value", "code"),
    [
        ("fp16", 1e6, 0x7BFF),
        ("e4m3fn", 500.0, 0x7E),
        ("binary8p4se,overflow=p3109_satnone", 300.0, 0x7F),
        ("e5m2", -520192.0, 0xFB),
    ],
)
def test_to_odd_beyond_the_range(out: str, value: float, code: int) -> None:
    """The largest value; of P3109's SatNone infinity, where the largest value is even."""
    assert hw.unit(f"convert:a=fp32,out={out},round=rto")(np.float32(value)) == code
