"""Remainders against published digests, SoftFloat, fractions and RISC-V, and their hardware."""

from __future__ import annotations

from fractions import Fraction
from math import trunc

import numpy as np
import pytest
import softfloatpy as softfloat

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.evidence.records import SOFTFLOAT
from hwarith.flow.stimuli.families import stimulus
from tests.digests import digest, stimulus_of
from tests.evidence import assert_golden, assert_rtl_equals_golden, compared
from tests.faults import faulty
from tests.streaming import assert_streams
from tests.tiers import few

FORMATS = ("e4m3fn", "e5m2", "bf16", "fp16", "fp32")
RESULTS = {
    "rem": [
        "9fed592e86056970",
        "1e7f9cc2a8be7ddd",
        "bc10b768ea3765d0",
        "9e66a00ceab2ce02",
        "fcdc5c0dfde947b6",
    ],
    "fmod": [
        "796a9bf3ce40353b",
        "2dfd84903c92310a",
        "564a31c635709528",
        "f646526df30d1ea0",
        "780450c1e6e12f05",
    ],
}
FLAGS = [
    "f6ed6ee35fd69606",
    "5a346960668728bb",
    "d88603f84ce7049e",
    "a053e0364ea3f9bc",
    "763b4835b18e0da8",
]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("family", RESULTS)
def test_published_digests(family: str, name: str) -> None:
    u = hw.unit(f"{family}:a={name},flags=after")
    y, flags = u(*stimulus_of(u))
    place = FORMATS.index(name)
    assert digest(y) == RESULTS[family][place]
    assert digest(flags.astype(np.uint8)) == FLAGS[place]


COUNTS = {  # NaN, zeros, subnormal results, NV
    "rem:a=e4m3fn": (1528, 9628, 9412, 508),
    "fmod:a=e4m3fn": (1528, 9628, 7436, 508),
    "rem:a=e5m2": (4032, 14016, 3264, 2016),
    "fmod:a=e5m2": (4032, 14016, 2600, 2016),
}


@pytest.mark.parametrize("spec", COUNTS)
def test_how_many_results_are_special(spec: str) -> None:
    u = hw.unit(f"{spec},flags=after")
    y, flags = u(*stimulus_of(u))
    values = np.abs(u.out.decode(y))
    smallest_normal = 2.0 ** (1 - u.out.bias)
    subnormal = (values > 0) & (values < smallest_normal)
    found = (np.isnan(values).sum(), (values == 0).sum(), subnormal.sum(), (flags == 16).sum())
    assert found == COUNTS[spec]
    assert set(flags.tolist()) == {0, 16}


VECTORS = {  # operands, result, flags
    "rem:a=fp16": [
        (0x4500, 0x4200, 0xBC00, 0),
        (0xC600, 0x4200, 0x8000, 0),
        (0x4300, 0x3C00, 0xB800, 0),
        (0x3C00, 0xFC00, 0x3C00, 0),
        (0x8000, 0x4200, 0x8000, 0),
        (0x7C00, 0x4200, 0x7E00, 16),
        (0x3C00, 0x8000, 0x7E00, 16),
        (0x7E00, 0x0000, 0x7E00, 0),
        (0x7C00, 0x7D00, 0x7E00, 16),
    ],
    "fmod:a=fp16": [(0x4500, 0x4200, 0x4000, 0), (0x4300, 0x3C00, 0x3800, 0)],
    "rem:a=fp16,out=e4m3fn": [(0x3C01, 0x7BFF, 0x38, 1), (0x0001, 0x3C00, 0x00, 3)],
}


@pytest.mark.parametrize("spec", VECTORS)
def test_vectors(spec: str) -> None:
    u = hw.unit(f"{spec},flags=after")
    for *operands, y, flags in VECTORS[spec]:
        assert u(*operands) == (y, flags), [hex(x) for x in operands]


TYPES = {"fp16": softfloat.Float16, "fp32": softfloat.Float32, "fp64": softfloat.Float64}


@pytest.mark.parametrize("name", TYPES)
def test_equal_to_softfloat_up_to_nan_codes(name: str) -> None:
    u = hw.unit(f"rem:a={name}")
    number = TYPES[name]
    a, b = stimulus(u, 1_000 if name == "fp64" else 20_000, seed=3)
    size = u.out.bits // 8
    columns = [[number.from_bytes(int(c).to_bytes(size, "big")) for c in x] for x in (a, b)]
    results = map(getattr(softfloat, f"f{u.out.bits}_rem"), *columns)
    expected = np.array([int.from_bytes(y.to_bytes(), "big") for y in results], u.out.dtype)
    nan = np.isnan(u.out.decode(expected))
    found = u(a, b)
    np.testing.assert_array_equal(found[~nan], expected[~nan])
    assert (found[nan] == u.out.numbers.nan_code).all()
    assert nan.any()
    assert not nan.all()
    compared(SOFTFLOAT, a.size, u, (a, b))


@pytest.mark.parametrize("spec", ["rem:a=e4m3fn,quo=3", "fmod:a=e4m3fn,b=e5m2,out=bf16,quo=4"])
def test_quotients_beside_remainders(spec: str) -> None:
    """Low bits of the integer quotient, in two's complement; none beside a NaN."""
    u = hw.unit(spec)
    a, b = stimulus_of(u)
    y, quo = u(a, b)
    whole = round if u.family == "rem" else trunc
    expected = []
    for x, d in zip(u.a.decode(a).tolist(), u.b.decode(b).tolist(), strict=True):
        finite = abs(x) < np.inf and abs(d) < np.inf and d != 0
        n = whole(Fraction(x) / Fraction(d)) if finite else 0
        expected.append((Fraction(x) - n * Fraction(d) if finite else None, n % 2**u.quo))
    assert quo.tolist() == [n for _, n in expected]
    exact = np.array([r is not None for r, _ in expected])
    remainders = [float(r) for r, _ in expected if r is not None]
    assert u.out.decode(y)[exact].tolist() == remainders
    assert len({n for _, n in expected}) == 2**u.quo


@pytest.mark.parametrize("name", ["int8", "uint8"])
def test_integers_that_wrap_have_the_remainders_of_riscv(name: str) -> None:
    """REM and REMU of its M extension: with the dividend's sign, the lowest over -1 is 0, and what
    is over zero is left as it is."""
    u = hw.unit(f"fmod:a={name},overflow=wrap")
    operands = stimulus(u, 1 << 16, seed=5)
    a, b = (x.astype(int) for x in map(u.a.decode, operands))
    quotients = np.trunc(a / np.where(b == 0, 1, b)).astype(int)
    assert_golden(u, operands, np.where(b == 0, a, a - quotients * b) % 256)


def test_integers_of_risc_v() -> None:
    u = hw.unit("fmod:a=int32,overflow=wrap,by_zero=riscv")
    assert u.spec == "fmod:a=int32,b=int32,out=int32,round=rne,overflow=wrap"
    assert u(0xFFFFFFF9, 2) == 0xFFFFFFFF  # -7 rem 2 = -1
    assert u(0x80000000, 0xFFFFFFFF) == 0
    assert u(0x80000001, 0) == 0x80000001


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "fmod:a=int8,overflow=wrap",
            "rem:a=e4m3fn,flags=after",
            "rem:a=e5m2,b=e4m3fn,out=e3m2fn,round=port,flags=before",
            "fmod:a=e5m2,flags=after,stages=2",
            "rem:a=fix4.4,b=int4,out=fix2.6,quo=4",
            "rem:a=e4m3,subnormals=flush,flags=after",
            "rem:a=binary8p4se,flags=after,quo=2",
            "fmod:a=ue4m3",
            "rem:a=e5m2,nan=payload,flags=after",
            "rem:a=posit8",
            "fmod:a=e4m3fn,out=int8,quo=1,flags=after",
            "fmod:a=uint8,overflow=wrap,stages=2",
            "rem:a=int8,b=e4m3fn,out=bf16",
            "fmod:a=int8,b=fix2.6,overflow=wrap,round=rtz",
            "fmod:a=int32,overflow=wrap",
        ],
        8,
    ),
)
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(spec)


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "rem:a=fp16",
            "rem:a=fp16,quo=3,flags=after",
            "rem:a=e4m3fn,clocks=20,flags=after",
            "fmod:a=e4m3fn,clocks=6",
            "fmod:a=fp16",
            "rem:a=e5m2,clocks=9,quo=1",
            "fmod:a=int8,overflow=wrap,clocks=4",
            "rem:a=e8m0fnu",
            "fmod:a=uint8,clocks=8,overflow=wrap,quo=8",
            "rem:a=fp16,clocks=14,round=rdn",
            "fmod:a=bf16,clocks=87",
            "rem:a=bf16,b=fp16,out=fp32,flags=after",
            "rem:a=fp16,b=bf16,out=bf16,flags=after",
            "rem:a=fp32",
            "fmod:a=posit16",
            "fmod:a=int32,overflow=wrap,clocks=32",
        ],
        8,
    ),
)
def test_hardware_in_several_clocks(spec: str) -> None:
    u = hw.unit(spec)
    assert_streams(u, stimulus(u, 1 << 14, seed=5))


@pytest.mark.parametrize(
    ("spec", "sound", "broken"),
    few(
        [
            ("rem:a=fp16", r"row0_due = ", r"row0_due = 1'b0 & "),
            ("rem:a=fp16", r"row0_sign = sign_held \^", r"row0_sign = sign_held |"),
            ("fmod:a=fp16", r"position_held == 6'd1\b", r"position_held == 6'd2"),
        ],
        3,
    ),
)
def test_faults_are_found(spec: str, sound: str, broken: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 1 << 12, seed=5)
    found = hw.simulate(u, verilog=faulty(u, sound, broken))(*operands)
    assert (found != u(*operands)).any()


def test_rows_are_those_of_the_worst_case() -> None:
    """From the highest binade to the lowest one, and the dividend's bits; two to correct."""
    rows = {name: hw.unit(f"fmod:a={name}").clocks for name in ("fp16", "bf16", "fp32")}
    assert rows == {"fp16": 40, "bf16": 261, "fp32": 277}
    assert hw.unit("rem:a=fp16").clocks == 42
    assert hw.unit("rem:a=fp16").latency == "44 clocks, one result every 43 clocks"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rem:a=fp16,by_zero=riscv", "by_zero: must be nan with overflow=nosat, not riscv"),
        ("rem:a=int8,overflow=wrap,by_zero=nan", "by_zero: must be riscv with overflow=wrap"),
        ("fmod:a=int8,overflow=wrap,flags=after", "flags: there are none with overflow=wrap"),
        ("fmod:a=fp16,by_zero=inf", "by_zero: unknown value 'inf'"),
        ("rem:a=fp16,quo=33", "rem: parameter quo: must be 0 to 32, not 33"),
        ("rem:a=fp16,stages=2", "rem: parameter stages: must be 0, not 2: remainders of floats of"),
        ("rem:a=fp16,clocks=41", "clocks: must be 0, or for 42 digits one of 1, 2, 3, 4, 5, 6, 7"),
        ("rem:a=fp16,round=sra", "round: sra is for div and sqrt only"),
    ],
)
def test_what_cannot_be_is_refused(spec: str, message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        hw.unit(spec)
    assert message in str(raised.value)
