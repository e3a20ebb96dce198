"""The contract that every unit keeps: spec, name, parameters, arrays, messages."""

from __future__ import annotations

import re

import ml_dtypes
import numpy as np
import pytest

import hwarith as hw
from hwarith.units import FAMILIES, family

SPECS = (
    "mul:a=e4m3fn",
    "mul:a=bf16,round=rtz,overflow=saturate",
    "mul:a=int8,out=int16",
    "add:a=fp32,stages=2",
    "fma:a=bf16,b=bf16,c=fp32,out=fp32,round=rne,stages=3",
    "fma:a=int8,b=int8,c=int32,out=int32,overflow=saturate",
    "lmul:format=fp16,k=4,krnd=rne,sat=1",
    "lmul:format=bf16,ofs=3,zero_pos=1,stages=1",
)


@pytest.mark.parametrize("spec", SPECS)
def test_spec_makes_the_unit_again(spec: str) -> None:
    u = hw.unit(spec)
    again = hw.unit(u.spec)
    assert again == u
    assert again.spec == u.spec
    assert hash(again) == hash(u)
    assert repr(u) == f"hwarith.unit({u.spec!r})"
    assert re.fullmatch(r"[a-z]\w*", u.name)


def test_names_and_specs_as_documented() -> None:
    u = hw.unit("fma:a=bf16,b=bf16,c=fp32,out=fp32,stages=3")
    assert u.name == "fma_bf16_bf16_fp32_fp32_rne_l3"
    assert u.spec == "fma:a=bf16,b=bf16,c=fp32,out=fp32,round=rne,stages=3"
    assert hw.unit("mul:a=int8,out=int16").name == "mul_int8_int8_int16"


def test_names_tell_units_apart() -> None:
    units = [hw.unit(spec) for spec in SPECS]
    assert len({u.name for u in units}) == len(units)


def test_defaults_follow_the_first_operand() -> None:
    u = hw.unit("fma:a=bf16,out=fp32")
    assert [f.name for f in u.operands.values()] == ["bf16", "bf16", "fp32"]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_described(name: str) -> None:
    cls = family(name)
    u = hw.unit(name)
    assert cls.family == name
    assert cls.summary
    assert cls.__doc__
    assert "Source:" in cls.__doc__
    kinds = ("correctly rounded", "faithful", "exact", "exact integer", "approximate")
    assert u.contract.kind in kinds
    assert u.contract.source
    assert cls.operation
    assert all(parameter.help for parameter in u.parameters().values())


def test_arrays_and_scalars_agree() -> None:
    u = hw.unit("mul:a=e4m3fn")
    a, b = np.arange(256, dtype=np.uint8), np.uint8(0x3C)
    table = u(a, b)  # by table
    assert table.dtype == np.uint8
    assert [int(u(int(x), int(b))) for x in a] == table.tolist()
    assert [u.golden(int(x), int(b)) for x in a] == table.tolist()


def test_large_arrays_agree_with_the_definition() -> None:
    """More elements than one chunk of the compiled kernel, of a unit without a table."""
    u = hw.unit("add:a=fp16")
    rng = np.random.default_rng(7)
    a, b = rng.integers(0, 1 << 16, (2, 600_001), dtype=np.uint16)
    y = u(a, b)
    for i in (0, 1, 262_143, 262_144, 600_000):
        assert y[i] == u.golden(int(a[i]), int(b[i]))


def test_broadcasting_and_empty_arrays() -> None:
    u = hw.unit("mul:a=bf16")
    assert u(np.zeros((3, 1), np.uint16), np.zeros((1, 5), np.uint16)).shape == (3, 5)
    assert u(np.zeros(0, np.uint16), 0).shape == (0,)
    assert isinstance(u(0x3F80, 0x3F80), np.uint16)


def test_ml_dtypes_arrays_are_codes() -> None:
    u = hw.unit("mul:a=e4m3fn")
    x = np.linspace(-3, 3, 100).astype(ml_dtypes.float8_e4m3fn)
    np.testing.assert_array_equal(u(x, x), (x * x).view(np.uint8))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mull:a=bf16", "unknown unit 'mull'; did you mean 'mul'"),
        ("mul:a=bf61", "mul: parameter a: unknown format 'bf61'; did you mean 'bf16'"),
        ("mul:rond=rne", "unknown parameter of mul 'rond'; did you mean 'round'"),
        ("mul:round=up", "mul: parameter round: unknown value 'up'"),
        ("mul:round", "mul: parameter round: give it as round=VALUE"),
        ("mul:a=bf16,a=fp16", "mul: parameter a is given twice"),
        ("mul:stages=9", "mul: parameter stages: must be 0 to 8, not 9"),
        ("mul:stages=two", "mul: parameter stages: must be an integer"),
        ("mul:a=int8,overflow=nosat", "must be wrap or saturate for int8, not 'nosat'"),
        (
            "mul:a=bf16,overflow=wrap",
            "must be nosat or nan or satprop or saturate or p3109_satnone or toinf for bf16",
        ),
        ("mul:a=int8,round=rtz", "integer arithmetic is exact and takes none"),
        (3, "a unit is given by its spec text, not 3"),
        ("", "unknown unit ''"),
    ],
)
def test_wrong_specs(spec: object, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        hw.unit(spec)


@pytest.mark.parametrize(
    ("operands", "message"),
    [
        ((1,), "mul takes 2 operands (a, b), not 1"),
        ((256, 0), "operand a of mul: 256 is not a code of e4m3fn; allowed: 0 to 255"),
        ((np.zeros(3), 0), "operand a of mul must be codes of e4m3fn"),
        (
            ([0, 1], [0, 1, 2]),
            "operands of mul must be of one shape or broadcast to one, not a (2,)",
        ),
        ((0, [0, -1]), "operand b of mul: -1 is not a code of e4m3fn"),
        ((0, "x"), "operand b of mul must be codes of e4m3fn"),
        ((np.zeros(2, ml_dtypes.bfloat16), 0), "must be codes of e4m3fn, not bfloat16 values"),
    ],
)
def test_wrong_operands(operands: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        hw.unit("mul:a=e4m3fn")(*operands)
