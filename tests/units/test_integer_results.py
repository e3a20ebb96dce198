"""Integers and fixed point as results of floats, rounded once, against published digests and
fractions; their flags and hardware."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats import ROUNDINGS
from tests.digests import digest, stimulus_of, words
from tests.evidence import assert_rtl_equals_golden, compared
from tests.tiers import few

NV, NX = 16, 1

CONVERSIONS = {  # digests of results and flags, to nearest and toward zero
    "a=fp16,out=int8": [
        ("860d619e62851eac", "59e5bbde4a656d9b"),
        ("43dd57e0346fd963", "6dbec1a66072a6fe"),
    ],
    "a=fp16,out=uint8": [
        ("dbe228b66c9c8f75", "096b7f86e91a96ee"),
        ("7b9e8474cdef1620", "ebfe490085917f15"),
    ],
    "a=fp16,out=int16": [
        ("94547661c5789fa6", "199d17e6bf960cc7"),
        ("07d3f0a7f71d1f3e", "199d17e6bf960cc7"),
    ],
    "a=bf16,out=int32": [
        ("714adf3dae640f5c", "7a6ef8feb12d0967"),
        ("325a62ba721eb844", "7a6ef8feb12d0967"),
    ],
    "a=fp16,out=fix4.4": [
        ("d6bbc011cbc3863c", "aad4e3c5fbcc9993"),
        ("0bdec9ea13eadbc0", "fa67ef4763c61412"),
    ],
    "a=fp16,out=ufix4.4": [
        ("3b940ea0ca6a9837", "e89c226ccbe2fbef"),
        ("6d3a17358fe7df75", "6245d5df99c26921"),
    ],
    "a=e5m2,out=int8": [
        ("4dd09a9a31754ffa", "39219d4b86eff2df"),
        ("542d6610c3fea3f6", "39219d4b86eff2df"),
    ],
    "a=e4m3fn,out=int8": [
        ("aa55dbfc60711aaf", "2c4c8028df8bf364"),
        ("ce9fe4708b0493f2", "2c4c8028df8bf364"),
    ],
    "a=fp32,out=int32": [
        ("8d0080cba2392240", "0b73cffeb21144a0"),
        ("20a5dd433ca3933d", "0b73cffeb21144a0"),
    ],
    "a=fp32,out=uint32": [
        ("0bff9487076bea8f", "48779667a8708ecf"),
        ("d0de404f7dc188c8", "81415867d2dd2471"),
    ],
}
"""NV and NX: IEEE 754-2019, 5.8, as RISC-V has it."""


@pytest.mark.parametrize("formats", CONVERSIONS)
def test_published_digests_of_conversions(formats: str) -> None:
    for mode, (results, flags) in zip(("rne", "rtz"), CONVERSIONS[formats], strict=True):
        u = hw.unit(f"convert:{formats},round={mode},flags=after")
        if u.a.bits <= 16:
            codes = u.a.codes()
        else:  # sign and exponent decide on one around the range of the result
            codes = words()[::2]
            exponent = 120 + (codes >> 23) % 48
            codes = codes & ~np.uint32(255 << 23) | (exponent << 23).astype(np.uint32)
        found = u(codes)
        assert digest(found.y) == results
        assert digest(found.flags.astype(np.uint8)) == flags


ARITHMETIC = {
    "mul:a=fp16,out=int16": ("44f098f3ce34d8b4", "e1644f1ac1be3559"),
    "div:a=fp16,out=int16": ("00d1768b933eb867", "2b55dd6215e109ef"),
    "div:a=fp16,out=int16,round=rtz": ("93faa4c467ab1cd0", "2b55dd6215e109ef"),
}


@pytest.mark.parametrize("spec", ARITHMETIC)
def test_published_digests_of_products_and_quotients(spec: str) -> None:
    u = hw.unit(f"{spec},flags=after")
    y, flags = u(*stimulus_of(u))
    assert (digest(y), digest(flags.astype(np.uint8))) == ARITHMETIC[spec]


def test_one_rounding_is_not_two() -> None:
    """Through fp32 the product would be 17.5 and then 18."""
    operands = 1169771941, 0x328081C9
    assert hw.unit("mul:a=int32,b=fp32,out=int8")(*operands) == 17
    through = hw.unit("mul:a=int32,b=fp32,out=fp32")(*operands)
    assert hw.unit("convert:a=fp32,out=int8")(through) == 18


@pytest.mark.parametrize(
    ("spec", "operands", "y", "flags"),
    [
        ("convert:a=fp32,out=int32", (0x4F000000,), 0x80000000, NV),
        ("convert:a=fp32,out=int32", (0x7FC00000,), 0x80000000, NV),
        ("convert:a=fp32,out=int32", (0xFF800000,), 0x80000000, NV),
        ("convert:a=fp32,out=int32", (0xCF000000,), 0x80000000, 0),
        ("convert:a=fp32,out=uint32", (0xBF800000,), 0xFFFFFFFF, NV),
        ("convert:a=fp32,out=uint32", (0xBE800000,), 0, NX),
        ("mul:a=fp16,out=int8", (0x7C00, 0x0000), 0x80, NV),
        ("div:a=fp16,out=int8", (0x3C00, 0x0000), 0x80, NV),
    ],
)
def test_indefinite_integer_of_x86(
    spec: str, operands: tuple[int, ...], y: int, flags: int
) -> None:
    u = hw.unit(f"{spec},overflow=indefinite,flags=after")
    assert u(*operands) == (y, flags)
    assert hw.unit(f"{spec},overflow=indefinite")(*operands) == y


# -- fractions -------------------------------------------------------------------------------------


def rounded(x: Fraction, mode: str) -> int:
    below, rest = math.floor(x), x - math.floor(x)
    half = Fraction(1, 2)
    up = {
        "rne": rest > half or (rest == half and below % 2 == 1),
        "rna": rest > half or (rest == half and x > 0),
        "rtz": x < 0,
        "rup": True,
        "rdn": False,
        "rto": below % 2 == 0,
    }[mode]
    return below + (up and rest > 0)


def exact(u: hw.Unit, x: list[Any]) -> Any:
    """The value of an operation on fractions, infinities and NaN, without a number's sign where it
    is zero; NaN if it is invalid."""
    if u.family == "div" and x[1] == 0:
        signs = [math.copysign(1, v) for v in x]
        return math.nan if x[0] == 0 or math.isnan(x[0]) else signs[0] * signs[1] * math.inf
    x = [Fraction(v) for v in x] if all(math.isfinite(v) for v in x) else [float(v) for v in x]
    if u.family == "div":
        return x[0] / x[1]
    value = x[0]
    for i, v in enumerate(x[1:], 1):
        value = value * v if i < u.operation.factors else value + v
    return value


def expected(u: hw.Unit, x: list[Any]) -> tuple[int, int]:
    low, high = (int(v / u.out.smallest) for v in (u.out.min, u.out.max))
    value = exact(u, x)
    if math.isnan(value):
        i, flags = high, NV
    elif math.isinf(value):
        i, flags = (high if value > 0 else low), NV
    else:
        value /= u.out.smallest
        i = rounded(value, u.round)
        flags = NX if i != value else 0
        if not low <= i <= high and u.overflow == "saturate":
            i, flags = min(max(i, low), high), NV
    return i % (1 << u.out.bits), flags


SPECS = (
    "mul:a=e5m2,out=int8",
    "add:a=e4m3fn,out=int8",
    "fma:a=e4m3fn,b=e5m2,c=fp16,out=int12",
    "div:a=e4m3fn,out=fix4.4",
    "convert:a=fp16,out=ufix4.4",
    "mul:a=fix4.4,b=e4m3fn,out=fix6.2",
    "add:a=fp16,b=fix4.4,out=ufix3.3",
    "fma:a=fix4.4,b=e4m3fn,c=e5m2,out=fix10.-2",
    "div:a=int8,out=int8",
    "div:a=uint6,b=e4m3fn,out=uint4",
    "mul:a=e4m3fn,b=e8m0fnu,out=int16",
    "add:a=e5m2,out=mxint8_element",
    "convert:a=int16,out=fix3.2",
)


@pytest.mark.parametrize("spec", few(SPECS, 4))
def test_results_and_flags_are_those_of_fractions(spec: str) -> None:
    for mode in ROUNDINGS:
        u = hw.unit(f"{spec},round={mode},flags=after")
        operands = stimulus(u, 600, seed=2)
        values = [f.decode(x).tolist() for x, f in zip(operands, u.terms.values(), strict=True)]
        found = zip(*(x.tolist() for x in u(*operands)), strict=True)
        for got, *x in zip(found, *values, strict=True):
            assert got == expected(u, x), (u.spec, x)
        compared(EXACT, operands[0].size, u, operands)


FIXED = (
    "mul:a=fix4.4,out=fix6.2",
    "mul:a=fix4.4,b=ufix2.4,out=fix3.7,overflow=saturate",
    "add:a=fix4.4,b=fix2.6,out=fix6.1",
    "fma:a=fix3.5,b=fix1.4,c=ufix4.2,out=fix5.3,overflow=saturate",
    "fma:a=fix4.4,out=fix4.4",
    "add:a=int8,b=fix4.4,out=fix10.-2",
    "mul:a=fix2.3,out=fix4.9",
)


@pytest.mark.parametrize("spec", few(FIXED, 4))
def test_fixed_point_is_rounded_at_its_place(spec: str) -> None:
    """It wraps, or is clamped; where nothing is rounded there is no mode to give."""
    is_exact = hw.unit(spec).is_exact
    for mode in ("rne",) if is_exact else ROUNDINGS:
        u = hw.unit(spec if is_exact else f"{spec},round={mode}")
        operands = stimulus(u, 600, seed=3)
        values = [f.decode(x).tolist() for x, f in zip(operands, u.terms.values(), strict=True)]
        for got, *x in zip(u(*operands).tolist(), *values, strict=True):
            assert got == expected(u, x)[0], (u.spec, x)
        compared(EXACT, operands[0].size, u, operands)


HARDWARE = (
    "mul:a=e5m2,out=int8,flags=after",
    "add:a=e4m3fn,out=fix4.4,round=port,flags=after",
    "convert:a=fp16,out=int8,round=port,flags=after",
    "div:a=e4m3fn,out=uint8,round=rup,flags=after",
    "fma:a=e4m3fn,b=int8,c=fp16,out=int16,flags=after",
    "fma:a=e3m2fn,b=int4,c=e5m2,out=int6,round=port,op=port",
    "mul:a=e4m3fn,b=e8m0fnu,out=fix10.-2,flags=after",
    "mul:a=fp16,out=int8,round=srb,n=5",
    "add:a=bf16,out=fix8.4,round=port_src,n=5,flags=after",
    "div:a=bf16,out=uint8,round=port_sra,n=5,flags=after",
    "add:a=fp16,b=fix4.4,out=fix6.2,round=rdn,flags=after",
    "add:a=e5m2,subnormals=daz,out=int24,stages=3",
    "convert:a=fp16,out=uint8,overflow=indefinite,flags=after",
    "add:a=e5m2,out=int8,overflow=indefinite,round=rtz",
    "sqrt:a=uint16,out=uint8,round=rtz,flags=after",
    "rsqrt:a=fp16,out=fix4.8,flags=after",
    "recip:a=int8,out=fix2.6,round=port,flags=after",
    "mul:a=fp32,out=int64,round=port,flags=after",
    "fma:a=fp32,out=int32,flags=after,stages=4",
    "mul:a=fix4.4,out=fix6.2,round=port",
    "add:a=fix4.4,b=fix2.6,out=fix6.1,round=rto",
    "fma:a=fix3.5,b=fix1.4,c=ufix4.2,out=fix5.3,overflow=saturate,round=rna",
    "add:a=int8,b=fix4.4,out=fix10.-2,round=rup",
)


@pytest.mark.parametrize("spec", few(HARDWARE, 5))
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(spec, 1 << 16)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "mul:a=bf16,out=int8,overflow=wrap",
            "overflow: must be saturate or indefinite for int8, not 'wrap'",
        ),
        ("mul:a=bf16,out=int8,subnormals=ftz", "int8 has no subnormals to flush; allowed: keep"),
        ("mul:a=fix4.4,out=fix6.2,round=srb", "takes no random bits; allowed: rne, rna, rtz"),
        ("mul:a=fix4.4,out=fix8.8,round=rtz", "exact and takes none, unless the result's step"),
        ("convert:a=int8,out=int4,overflow=wrap,flags=after", "what wraps raises none"),
        (
            "div:a=fp16,out=int8,overflow=wrap",
            "overflow: must be saturate or indefinite for int8, not 'wrap'",
        ),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


# -- dot products ----------------------------------------------------------------------------------

DOTS = (
    "dot:a=mxint8_element,n=2",
    "dot:a=e4m3fn,n=4,out=int8",
    "dot:a=fix4.4,n=2,c=fix8.8,out=fix8.8",
    "dot:a=fix4.4,n=3,c=fix1.7,out=fix6.1,round=rto",
    "dot:a=int8,b=fix4.4,n=2,c=int32,out=int12,overflow=saturate,round=rdn",
    "dot:a=e2m1fn,n=16,scale=ue4m3,c=none,out=int16,round=rtz",
    "dot:a=e4m3fn,b=int4,n=3,c=bf16,out=ufix6.2,round=rup",
)


@pytest.mark.parametrize("spec", few(DOTS, 4))
def test_dot_products_as_integers(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 400, seed=6)
    values = {
        name: np.asarray(u.lane_formats.get(name, (f,))[0].decode(x), object)
        for (name, f), x in zip(u.operands.items(), operands, strict=True)
    }
    for i, got in enumerate(u(*operands).tolist()):
        a, b = values["a"][i], values["b"][i]
        scale = values["sa"][i][0] * values["sb"][i][0] if "sa" in values else 1
        c = values["c"][i] if "c" in values else 0
        if not all(math.isfinite(x) for x in (*a, *b, scale, c)):
            continue
        total = sum((Fraction(x) * Fraction(y) for x, y in zip(a, b, strict=True)), Fraction(0))
        total = (total * Fraction(scale) + Fraction(c)) / u.out.smallest
        y = rounded(total, u.round)
        if u.overflow == "saturate":
            low, high = (int(v / u.out.smallest) for v in (u.out.min, u.out.max))
            y = min(max(y, low), high)
        assert got == y % (1 << u.out.bits), (u.spec, i)
    compared(EXACT, operands[0].shape[0], u, operands)


@pytest.mark.parametrize("spec", few(DOTS, 4))
def test_hardware_of_dot_products(spec: str) -> None:
    assert_rtl_equals_golden(spec, 1 << 12)


@pytest.mark.parametrize("family", ["mul", "mac", "dot", "convert", "div", "add"])
def test_names_are_identifiers(family: str) -> None:
    assert hw.unit(f"{family}:a=fix10.-2,out=fix20.4").name.isidentifier()
