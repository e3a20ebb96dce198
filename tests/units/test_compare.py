"""Comparison, minimum, maximum and relu against numpy on decoded values."""

from __future__ import annotations

import operator
import re

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.evidence.records import EXACT
from hwarith.flow.stimuli.families import stimulus
from hwarith.flow.vectors.conformance import function_of
from tests import oracle
from tests.digests import digest, stimulus_of
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
            "minmax:a=e5m2,op=min,nan=2008,flags=on",
            "minmax:a=e5m2,nan=number,by=magnitude,flags=on",
            "minmax:a=e4m3fnuz,op=min,by=magnitude",
            "minmax:a=e5m2,op=relu,nan=2008,flags=on,stages=1",
            "cmp:a=e5m2,op=le,signaling=on,flags=on",
            "cmp:a=e5m2,b=fp16,op=ne,flags=on",
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


PUBLISHED = {  # minimum, maximum, how many are NaN, how many raise NV
    "minmax:a=e5m2": ("36f196f52ce25369", "db39550d8b37989b", 3036, 1020),
    "minmax:a=e5m2,nan=number": ("617f28dcd70ecdd1", "9a12eddf0950895c", 36, 1020),
    "minmax:a=e5m2,by=magnitude": ("c4d933d91d0870bb", "6e171a8317d743c4", 3036, 1020),
    "minmax:a=e5m2,nan=number,by=magnitude": ("e4c8730dc877fd00", "3711fd18f0c2edc4", 36, 1020),
    "minmax:a=e5m2,nan=2008": ("9d43a27cf91d5339", "bb3204f7b4f1e293", 1036, 1020),
    "minmax:a=e4m3fn": ("1a25304832856394", "7c44922b611d44df", 1020, 0),
    "minmax:a=e4m3fn,nan=number": ("1764098a35edb071", "c2afef3368b4f8e6", 4, 0),
    "minmax:a=e4m3fn,by=magnitude": ("c0095835ca8e8885", "3452c059c96a8e18", 1020, 0),
    "minmax:a=e4m3fn,nan=number,by=magnitude": ("0b718f29048a7032", "74c4b4dce59d9ff4", 4, 0),
    "minmax:a=e4m3fn,nan=2008": ("1764098a35edb071", "c2afef3368b4f8e6", 4, 0),
}


@pytest.mark.parametrize("spec", PUBLISHED)
def test_published_digests(spec: str) -> None:
    *digests, nan, invalid = PUBLISHED[spec]
    for op, expected in zip(("min", "max"), digests, strict=True):
        u = hw.unit(f"{spec},op={op},flags=on")
        y, flags = u(*stimulus_of(u))
        assert digest(y) == expected
        assert [np.isnan(u.a.decode(y)).sum(), (flags == 16).sum()] == [nan, invalid]


@pytest.mark.parametrize("op", ["lt", "eq", "ne", "ge"])
def test_flags_of_predicates(op: str) -> None:
    """Quiet ones raise NV for a signaling NaN, signaling ones for any, and for nothing else."""
    f = hw.format("e5m2")
    signaling = f.codes() & 0x7F == 0x7D
    any_nan = np.isnan(f.decode(f.codes()))
    for name, raises in (("off", signaling), ("on", any_nan)):
        u = hw.unit(f"cmp:a=e5m2,op={op},signaling={name},flags=on")
        a, b = stimulus_of(u)
        y, flags = u(a, b)
        assert (flags == np.where(raises[a] | raises[b], 16, 0)).all()
        assert (y == hw.unit(f"cmp:a=e5m2,op={op}")(a, b)).all()


def test_predicates_as_testfloat_names_them() -> None:
    names = {"lt": "f16_lt", "le,flags=on": "f16_le_quiet", "eq,flags=on": "f16_eq"}
    names |= {"lt,flags=on,signaling=on": "f16_lt", "eq,flags=on,signaling=on": "f16_eq_signaling"}
    assert {op: function_of(hw.unit(f"cmp:a=fp16,op={op}")) for op in names} == names


# -- operands of different formats ---------------------------------------------------------------

ORDERS = {  # of all pairs, how many are less, equal, greater and unordered
    "a=e4m3fn,b=e5m2": (31681, 138, 31681, 2036),
    "a=e4m3fn": (32130, 256, 32130, 1020),
    "a=e5m2": (31124, 252, 31124, 3036),
    "a=int8,b=e4m3fn": (32584, 81, 32359, 512),
    "a=int8,b=e5m2": (32064, 49, 31887, 1536),
}


@pytest.mark.parametrize("formats", ORDERS)
def test_published_counts_of_orders(formats: str) -> None:
    units = [hw.unit(f"cmp:{formats},op={op}") for op in ("lt", "eq", "gt", "unordered")]
    assert tuple(int(u(*stimulus_of(u)).sum()) for u in units) == ORDERS[formats]


@pytest.mark.parametrize(
    ("spec", "a", "b", "y"),
    [
        ("cmp:a=int32,b=fp32,op=gt", 16777217, 0x4B800000, 1),
        ("cmp:a=int32,b=fp32,op=eq", 16777216, 0x4B800000, 1),
        ("cmp:a=uint64,b=fp64,op=lt", 2**64 - 1, 0x43F0000000000000, 1),
        ("cmp:a=uint64,b=fp64,op=gt", 2**53 + 1, 0x4340000000000000, 1),
        ("cmp:a=int8,b=fp16,op=lt", 0x7F, 0x7C00, 1),
        ("cmp:a=int8,b=fp16,op=eq", 0x00, 0x8000, 1),
        ("cmp:a=fix4.4,b=e5m2,op=eq", 0xE8, 0xBE, 1),
    ],
)
def test_neither_is_rounded_to_the_other(spec: str, a: int, b: int, y: int) -> None:
    u = hw.unit(spec)
    assert u(a, b) == y
    assert hw.simulate(u)(a, b) == y


MIXED = (
    "cmp:a=e4m3fn,b=e5m2",
    "cmp:a=int8,b=e4m3fn,op=eq",
    "cmp:a=binary8p3se,b=binary8p4se,op=ge",
    "cmp:a=e4m3,b=e4m3fn,op=le,flags=on",
    "cmp:a=fp16,b=bf16,op=le,flags=on,signaling=on",
    "cmp:a=int8,b=mxint8_element,op=gt",
    "cmp:a=fix4.4,b=e5m2,op=ne",
    "cmp:a=e8m0fnu,b=int4,op=gt",
    "cmp:a=ue4m3,b=e2m1fn,op=eq",
    "cmp:a=int32,b=fp32",
    "cmp:a=uint64,b=fp64,op=ge,stages=2",
)


@pytest.mark.parametrize("spec", few(MIXED, 4))
def test_hardware_of_different_formats(spec: str) -> None:
    assert_rtl_equals_golden(spec, 1 << 16)


@pytest.mark.long
def test_regression() -> None:
    assert hw.regress("minmax:a=bf16,op=min,stages=1", vectors=300).failed == 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cmp:op=less", "cmp: parameter op: unknown value 'less'"),
        ("minmax:a=int8,nan=number", "minmax: parameter nan: format int8 has no NaN"),
        ("minmax:a=int8,flags=on", "minmax: parameter flags: format int8 has no NaN"),
        ("minmax:a=int8,by=magnitude", "signed floats, not for max of int8"),
        ("cmp:a=int8,b=e2m1fn,flags=on", "parameter flags: there is no NaN in int8 and e2m1fn"),
        ("cmp:a=fp16,signaling=on", "cmp: parameter signaling: it is about flag NV"),
        ("minmax:a=ue4m3,op=relu", "minmax: parameter op: relu changes no code of ue4m3"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)
