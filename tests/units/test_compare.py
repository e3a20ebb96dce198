"""Comparison, minimum, maximum and relu against numpy on decoded values."""

from __future__ import annotations

import operator
import re

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from tests import oracle
from tests.evidence import assert_rtl_equals_golden, compared
from tests.tiers import few
from tests.units.test_exact import SMALL_FORMATS
from tests.units.test_rtl import unseen_faults

PREDICATES = {
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ge": operator.ge,
    "gt": operator.gt,
    "ne": operator.ne,
    "unordered": lambda a, b: np.isnan(a) | np.isnan(b),
}

NUMPY = {
    ("min", "propagate"): np.minimum,
    ("max", "propagate"): np.maximum,
    ("min", "number"): np.fmin,
    ("max", "number"): np.fmax,
}

EIGHT_BITS = [
    *SMALL_FORMATS,
    "int8",
    "uint8",
    "int3",
    "uint1",
    "mxint8_element",
    "e8m0fnu",
    "ue4m3",
]


def pairs(u: hw.Unit, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Operands of a unit: all pairs if they are no more than `n`, else some of them equal."""
    a, b = stimulus(u, n, seed=2)
    fa, fb = u.operands.values()
    if fa == fb and 1 << (2 * fa.bits) > n:
        b[::7] = a[::7]
    return a, b


def check_predicates(a_name: str, b_name: str, n: int = 1 << 16) -> None:
    for op, expected in PREDICATES.items():
        u = hw.unit(f"cmp:a={a_name},b={b_name},op={op}")
        a, b = pairs(u, n)
        values = [f.decode(x) for f, x in zip((u.a, u.b), (a, b), strict=True)]
        np.testing.assert_array_equal(u(a, b), expected(*values), u.spec)


@pytest.mark.parametrize("name", EIGHT_BITS)
def test_every_pair_of_codes_is_compared_as_values_are(name: str) -> None:
    check_predicates(name, name)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("e5m2", "fp16"),
        ("bf16", "fp32"),
        ("int8", "uint5"),
        ("uint9", "int9"),
        ("fp64", "fp64"),
        ("fp16", "fp16"),
        ("int64", "int64"),
        ("e4m3fn", "e4m2fn"),
    ],
)
def test_other_formats_and_mixed_ones(a: str, b: str) -> None:
    check_predicates(a, b, 5000)


def check_minmax(u: hw.Unit, a: np.ndarray, b: np.ndarray) -> None:
    f = u.a
    y = u(a, b)
    x, z = f.decode(a), f.decode(b)
    with np.errstate(invalid="ignore"):
        expected = NUMPY[u.op, u.nan](x, z)
    np.testing.assert_array_equal(f.decode(y), expected, u.spec)
    choose = np.logical_or if u.op == "min" else np.logical_and
    zeros = (x == 0) & (z == 0)
    signs = choose(np.signbit(x), np.signbit(z))
    np.testing.assert_array_equal(np.signbit(f.decode(y))[zeros], signs[zeros])
    if f.nan != "none":
        assert (y[np.isnan(expected)] == oracle.nan(f)).all()
    # What is chosen is one of the operands, and no bit of it is changed.
    value_bits = f.dtype.type((1 << f.numbers.bits) - 1)
    chosen = (y == a & value_bits) | (y == b & value_bits)
    assert (chosen | np.isnan(expected)).all()
    compared(EXACT, y.size, u, (a, b))


@pytest.mark.parametrize("name", [*EIGHT_BITS, "fp16", "bf16", "fp32", "int32", "fp64"])
@pytest.mark.parametrize("op", ["min", "max"])
def test_minimum_and_maximum(name: str, op: str) -> None:
    for nan in ["propagate"] if hw.format(name).nan == "none" else ["propagate", "number"]:
        u = hw.unit(f"minmax:a={name},op={op},nan={nan}")
        check_minmax(u, *pairs(u, 1 << 16))


@pytest.mark.parametrize("name", ["e4m3fn", "e5m2", "e4m3fnuz", "e2m1fn", "int8", "fp16", "bf16"])
def test_relu_is_the_maximum_with_zero(name: str) -> None:
    f = hw.format(name)
    codes = f.codes()
    for nan in ["propagate"] if f.nan == "none" else ["propagate", "number"]:
        y = hw.unit(f"minmax:a={name},op=relu,nan={nan}")(codes)
        values = f.decode(y)
        x = f.decode(codes)
        expected = np.where(np.isnan(x) & (nan == "propagate"), np.nan, np.fmax(x, 0))
        np.testing.assert_array_equal(values, expected)
        assert not np.signbit(values[values == 0]).any()
        if f.nan != "none":
            assert (y[np.isnan(values)] == oracle.nan(f)).all()


@pytest.mark.parametrize(
    "spec",
    few(
        [
            "cmp:a=e4m3fn,op=lt",
            "cmp:a=e5m2,b=fp16,op=le",
            "cmp:a=e4m3fnuz,op=ne",
            "cmp:a=ue4m3,op=ge",
            "cmp:a=int8,b=uint5,op=gt",
            "cmp:a=bf16,op=eq,stages=1",
            "cmp:a=binary8p4se,op=unordered",
            "cmp:a=fp32,b=bf16,op=lt",
            "cmp:a=mxint8_element,op=lt",
            "minmax:a=e4m3fn",
            "minmax:a=e5m2,op=min,nan=number",
            "minmax:a=e4m3fnuz,nan=number",
            "minmax:a=ue4m3,op=min",
            "minmax:a=e8m0fnu,nan=number",
            "minmax:a=binary8p4se",
            "minmax:a=int8,op=min",
            "minmax:a=fp32,stages=2",
            "minmax:a=bf16,op=relu",
            "minmax:a=e5m2,op=relu,nan=number",
            "minmax:a=int8,op=relu,stages=1",
            "minmax:a=e2m1fn,op=min",
        ],
        3,
    ),
)
def test_hardware(spec: str) -> None:
    assert_rtl_equals_golden(spec, vectors=1 << 17)


@pytest.mark.long
@pytest.mark.parametrize("name", EIGHT_BITS)
def test_hardware_of_every_small_format(name: str) -> None:
    for op in PREDICATES:
        assert_rtl_equals_golden(f"cmp:a={name},op={op}")
    for nan in ["propagate"] if hw.format(name).nan == "none" else ["propagate", "number"]:
        for op in ("min", "max", *(["relu"] if hw.format(name).signed else [])):
            assert_rtl_equals_golden(f"minmax:a={name},op={op},nan={nan}")


@pytest.mark.parametrize("spec", few(["minmax:a=e4m3fn", "cmp:a=e5m2,op=le"], 2))
def test_injected_faults_are_found(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 1 << 16)
    assert unseen_faults(u, operands, count=4) == []


@pytest.mark.long
def test_regression() -> None:
    assert hw.regress("minmax:a=bf16,op=min,stages=1", vectors=300).failed == 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cmp:a=fp16,b=bf16", "cmp: codes of fp16 and bf16 are not ordered as their values are"),
        ("cmp:a=e4m3,b=e4m3fn", "codes of e4m3 and e4m3fn are not ordered"),
        ("cmp:a=int8,b=fp16", "codes of int8 and fp16 are not ordered"),
        ("cmp:a=int8,b=mxint8_element", "codes of int8 and mxint8_element are not ordered"),
        ("cmp:op=less", "cmp: parameter op: unknown value 'less'"),
        ("minmax:a=int8,nan=number", "minmax: parameter nan: format int8 has no NaN"),
        ("minmax:a=ue4m3,op=relu", "minmax: parameter op: relu changes no code of ue4m3"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)
