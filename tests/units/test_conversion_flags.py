"""Conversions with flags, modes on a port and NaN payloads, against Berkeley SoftFloat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import softfloatpy as softfloat

import hwarith as hw
from hwarith.flow.evidence.records import SOFTFLOAT
from hwarith.flow.stimuli.families import stimulus
from tests.evidence import assert_rtl_equals_golden, compared
from tests.tiers import few
from tests.units.test_options import RM
from tests.units.test_softfloat import MODES

FLOATS = {
    "fp16": softfloat.Float16,
    "bf16": softfloat.BFloat16,
    "fp32": softfloat.Float32,
    "fp64": softfloat.Float64,
}
INTEGERS = {
    "int32": softfloat.Int32,
    "uint32": softfloat.UInt32,
    "int64": softfloat.Int64,
    "uint64": softfloat.UInt64,
}
SHORT = {"fp16": "f16", "bf16": "bf16", "fp32": "f32", "fp64": "f64"} | {
    name: name.replace("uint", "ui").replace("int", "i") for name in INTEGERS
}
PAIRS = [
    (a, out)
    for a in (*FLOATS, *INTEGERS)
    for out in (*FLOATS, *INTEGERS)
    if a != out
    and {a, out} - INTEGERS.keys()
    and ("bf16" not in (a, out) or "fp32" in (a, out))  # SoftFloat has no others of bf16
]


def theirs(a: str, out: str, mode: str, codes: np.ndarray) -> tuple[list[int], list[int]]:
    """SoftFloat's codes and flags; floats to odd as truncation with the lsb set if anything was
    lost."""
    softfloat.set_rounding_mode(MODES[mode])
    number = (FLOATS | INTEGERS)[a]
    size = hw.format(a).bits // 8
    found, flags = [], []
    for code in codes.tolist():
        x: Any = number.from_bytes(code.to_bytes(size, "big"))
        softfloat.set_exception_flags(0)
        y = softfloat.BFloat16.from_f32(x) if out == "bf16" else getattr(x, f"to_{SHORT[out]}")()
        raised = int(softfloat.get_exception_flags())
        odd = mode == "rto" and raised & 1
        found.append(int.from_bytes(y.to_bytes(), "big") | odd)
        flags.append(raised)
    return found, flags


def assert_softfloat(a: str, out: str, mode: str, before: bool, n: int) -> None:
    modes = softfloat.TininessMode
    softfloat.set_tininess_mode(modes.BEFORE_ROUNDING if before else modes.AFTER_ROUNDING)
    u = hw.unit(f"convert:a={a},out={out},round=port,flags={'before' if before else 'after'}")
    (codes,) = stimulus(hw.unit(f"convert:a={a},out={out}"), n, seed=7)
    found = u(codes, RM[mode])
    expected, flags = theirs(a, out, mode, codes)
    compared(SOFTFLOAT, len(flags), u)
    codes_of = np.array(expected, u.out.dtype)
    nan = np.isnan(u.out.decode(codes_of)) if u.out.is_float else np.zeros(len(flags), bool)
    np.testing.assert_array_equal(found.y[~nan], codes_of[~nan])
    assert (found.y[nan] == u.out.numbers.nan_code).all()
    np.testing.assert_array_equal(found.flags, flags)


def modes_to(out: str) -> list[str]:
    """SoftFloat's modes, and to odd, which for integers it would have to do by itself."""
    return [mode for mode in MODES if mode != "rto" or out in FLOATS]


@pytest.mark.parametrize(("a", "out"), few(PAIRS, 6))
def test_results_and_flags_are_those_of_softfloat(a: str, out: str) -> None:
    for mode in modes_to(out):
        for before in (False, True):
            assert_softfloat(a, out, mode, before, 2_000)


@pytest.mark.long
@pytest.mark.parametrize(("a", "out"), PAIRS)
def test_many_results_with_softfloat(a: str, out: str) -> None:
    for mode in modes_to(out):
        for before in (False, True):
            assert_softfloat(a, out, mode, before, 100_000)


@pytest.mark.parametrize(
    ("spec", "code", "y", "flags"),
    [
        ("convert:a=fp32,out=fp16,nan=payload", 0xFFC02000, 0xFE01, 0),
        ("convert:a=fp32,out=fp16,nan=payload", 0xFF802000, 0xFE01, 16),
        ("convert:a=fp16,out=fp32,nan=payload", 0x7D01, 0x7FE02000, 16),
        ("convert:a=fp16,out=fp32,subnormals=daz", 0x8001, 0x80000000, 0),
        ("convert:a=fp32,out=fp16,subnormals=ftz", 0x33800000, 0x0000, 3),
        ("convert:a=fp32,out=fp16,subnormals=ftz", 0x387FF000, 0x0400, 1),
        ("convert:a=fp16,out=e4m3fn", 0x7C00, 0x7F, 1),
        ("convert:a=fp16,out=e2m1fn", 0x7E00, 0x7, 16),
        ("convert:a=int32,out=fp16", 70000, 0x7C00, 5),
        ("convert:a=int16,out=int8", 0x8000, 0x80, 16),
    ],
)
def test_vectors(spec: str, code: int, y: int, flags: int) -> None:
    assert hw.unit(f"{spec},flags=after")(code) == (y, flags)


HARDWARE = (
    "convert:a=fp32,out=fp16,nan=payload,flags=after",
    "convert:a=fp16,out=e4m3fn,round=port,flags=before",
    "convert:a=fp16,out=e5m2,subnormals=flush,flags=after",
    "convert:a=bf16,out=e3m2,round=port_sra,n=4,flags=after",
    "convert:a=fp16,out=fp32,nan=payload,subnormals=daz,flags=after",
    "convert:a=bf16,out=fp32,subnormals=ftz,flags=after",
    "convert:a=fp32,out=bf16,subnormals=ftz,round=rup,flags=before",
    "convert:a=int16,out=e5m2,round=port,flags=after,stages=2",
    "convert:a=int32,out=fp16,flags=after",
    "convert:a=int8,out=fp32,flags=after",
    "convert:a=int16,out=e4m3fn,round=srb,n=6,flags=after",
    "convert:a=fp16,out=uint8,round=port,flags=after",
    "convert:a=int16,out=ufix3.4,round=src,n=3,flags=after",
    "convert:a=fix8.8,out=fix4.4,round=port,overflow=wrap",
    "convert:a=fix4.8,out=fix4.4,round=sra,n=4,overflow=wrap",
    "convert:a=e8m0fnu,out=bf16,round=port,flags=after",
    "convert:a=binary8p3se,out=binary8p4se,flags=after",
)


@pytest.mark.parametrize("spec", few(HARDWARE, 5))
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(spec, 1 << 16)
