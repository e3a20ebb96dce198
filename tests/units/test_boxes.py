"""Units of boxed floats: the unit within on what is in the boxes, in software and hardware."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore.metrics import evaluate
from hwarith.flow.stimuli.families import stimulus
from hwarith.formats.boxes import boxed
from hwarith.reports.model.point import options, unit_label
from hwarith.units.boxes import Boxes
from hwarith.units.transfers import Transfers
from hwarith.units.wrapped import unwrapped
from tests.evidence import assert_equal_on, rows
from tests.small_units import SPECS
from tests.tiers import few

WIDER = [
    "mul:a=fp16,box=32,flags=after",
    "add:a=bf16,out=fp32,box=32,round=port",
    "fma:a=fp16,b=e5m2,c=fp32,out=fp32,box=64,op=port,stages=3",
    "mul:a=e4m3fn,box=32",
    "div:a=e4m3fnuz,box=32",
    "convert:a=fp16,out=int32,flags=after,box=32",
    "convert:a=int8,out=fp16,box=64,stages=1",
    "convert:a=fp16,out=bf16,nan=payload,box=32,stages=1",
    "cmp:a=fp32,b=fp64,op=lt,flags=on,box=64",
    "minmax:a=fp16,nan=number,flags=on,box=32",
    "class:a=fp16,box=64",
    "sgnj:a=fp16,op=neg,box=32",
    "scalb:a=ue4m3,by=int6,box=32",
    "lmul:format=bf16,k=7,box=32",
    "convert:a=fp32,out=e4m3fn,round=srb,n=5,box=64,stages=2",
]


def can_be_boxed(u: hw.Unit) -> bool:
    """Whether a unit takes codes, one transfer for each result, and has floats, each with a NaN."""
    floats = [f for f in (u.operands | u.results).values() if f.is_float]
    with_nan = [f for f in floats if f.kind == "float" and f.nan != "none"]
    takes_codes = u.is_pipeline and type(u.transfers) is Transfers
    return takes_codes and 0 < len(floats) == len(with_nan)


def words(box: int, *codes: int) -> np.ndarray:
    return np.array(codes, f"u{box // 8}")


def test_what_is_no_box_is_the_canonical_nan() -> None:
    u = hw.unit("sgnj:a=fp16,op=copy,box=32")
    a = words(32, 0xFFFF3C00, 0x3C00, 0xFFFE3C00, 0x7FFF3C00, 0xFFFF7D01, 0)
    y = u(a, np.full(6, 0xFFFF8000, np.uint32))
    canonical = 0xFFFFFE00
    assert y.tolist() == [0xFFFFBC00, canonical, canonical, canonical, 0xFFFFFD01, canonical]
    kinds = hw.unit("class:a=e5m2,box=64")
    assert kinds(words(64, 2**64 - 256, 0)).tolist() == [1 << 4, 1 << 9]
    zero = hw.unit("mul:a=e4m3fnuz,box=32")
    assert int(zero(words(32, 0x40), words(32, 0xFFFFFF40))[0]) == 0xFFFFFF80


def test_floats_of_other_widths_and_integers_stay() -> None:
    u = hw.unit("fma:a=fp16,c=fp32,out=fp32,round=port,flags=after,box=32")
    ports = u.operands | u.results
    assert {name: f.bits for name, f in ports.items()} == {
        "a": 32,
        "b": 32,
        "c": 32,
        "rm": 3,
        "y": 32,
        "flags": 5,
    }
    assert [name for name, f in ports.items() if f.name == "fp16 in 32 bits"] == ["a", "b"]
    assert hw.unit("mul:a=fp32,box=32") == hw.unit("mul:a=fp32")


@pytest.mark.parametrize("spec", few(WIDER, 3))
def test_it_is_the_unit_within(spec: str) -> None:
    u = hw.unit(spec)
    assert isinstance(u, Boxes)
    operands = stimulus(u, 3000)
    given = []
    for (name, f), x in zip(u.of.operands.items(), operands, strict=True):
        if name not in u.boxed:
            given.append(x)
            continue
        bits = int(u.box) - f.bits
        proper = x >> f.bits == (1 << bits) - 1
        assert 0 < (~proper).sum() < 1000
        given.append(np.where(proper, x & ((1 << f.bits) - 1), f.numbers.nan_code).astype(f.dtype))
    ports = zip(u.of.results.items(), rows(u(*operands)), rows(u.of(*given)), strict=True)
    for (name, f), y, within in ports:
        ones = (1 << int(u.box)) - (1 << f.bits) if name in u.boxed else 0
        np.testing.assert_array_equal(y, within.astype(u.results[name].dtype) | y.dtype.type(ones))
    one = rows(u.golden(*(int(x[5]) for x in operands)))
    assert [int(x) for x in one] == [int(x[5]) for x in rows(u(*operands))]
    assert hw.unit(u.spec) == u
    assert re.fullmatch(r"\w+", u.name)


@pytest.mark.parametrize("spec", few(WIDER, 4))
def test_hardware(spec: str) -> None:
    u = hw.unit(spec)
    assert_equal_on(u, *stimulus(u, 1 << 14, seed=5))


def test_every_small_unit_of_floats() -> None:
    """Or a message that says why not."""
    for spec in SPECS:
        text = f"{spec}{',' if ':' in spec else ':'}box=32"
        if can_be_boxed(hw.unit(spec)):
            u = hw.unit(text)
            assert isinstance(u, Boxes)
            assert hw.unit(u.spec) == u
        else:
            with pytest.raises(hw.InvalidInput, match=r"^\w+: parameter box: .*; allowed: "):
                hw.unit(text)


WRONG = {
    "a bit not looked at": ("&a[31:16]", "&a[31:17]"),
    "a zero above the result": ("16'hffff", "16'hfffe"),
    "another sign": ("sign = a_sign ^ b_sign", "sign = a_sign & b_sign"),
}


@pytest.mark.parametrize("stages", [0, pytest.param(2, marks=pytest.mark.long)])
def test_proof(stages: int) -> None:
    """Also of Verilog that has no word for the code in a box."""
    u = hw.unit(f"mul:a=e5m2,out=fp16,box=32,stages={stages}")
    text = hw.verilog(u)
    assert hw.prove(u, verilog=text.replace("_in_box", "_within")).verdict == "proven"
    found = hw.prove(u)
    assert found.verdict == "proven"
    assert "above results are ones" in found.lemmas[0]


@pytest.mark.parametrize("what", few(WRONG, 3))
def test_what_is_refuted(what: str) -> None:
    u = hw.unit("mul:a=fp16,box=32")
    text = hw.verilog(u)
    right, wrong = WRONG[what]
    assert right in text
    found = hw.prove(u, verilog=text.replace(right, wrong))
    assert found.verdict == "refuted"
    a, b = (found.counterexample[name] for name in "ab")
    assert found.golden == {"y": u.golden(a, b)} != found.rtl


def test_no_theory_of_boxes() -> None:
    with pytest.raises(hw.InvalidInput, match="is not in SMT-LIB's theory"):
        hw.prove("add:a=e4m3,box=32", theory=True)


@pytest.mark.long
def test_regression_of_the_stream() -> None:
    assert hw.regress("mul:a=fp16,box=32,flags=after,stages=2").failed == 0


def test_values_are_boxed() -> None:
    u = hw.unit("mul:a=bf16,box=32")
    assert u([1.5, -2.0], [2.0, 0.5], values=True).tolist() == [3, -1]
    f = boxed(hw.format("fp16"), 64)
    assert f.encode_one(1) == 0xFFFFFFFFFFFF3C00 == int(f.encode(1.0))
    assert f.decode_one(0xFFFFFFFFFFFF3C00) == 1
    assert np.isnan(f.decode(words(64, 0x3C00))[0])
    assert str(f) == "fp16 in 64 bits"


def test_stages_stand_behind_the_box() -> None:
    u = hw.unit("mul:stages=2,box=32,a=fp16")
    assert u.spec == "mul:a=fp16,b=fp16,out=fp16,round=rne,box=32,stages=2"
    assert u.name == "mul_fp16_fp16_fp16_rne_box32_l2"
    assert unwrapped(u) == hw.unit("mul:a=fp16,stages=2")
    assert replace(u, stages=3) == hw.unit("mul:a=fp16,box=32,stages=3")


def test_errors_and_labels_are_those_of_the_unit_within() -> None:
    u, one = hw.unit("mul:a=e4m3,box=32"), hw.unit("mul:a=e4m3")
    assert evaluate(u).metrics == evaluate(one).metrics
    a, b = (f.codes() for f in one.operands.values())
    assert evaluate(u, u.grouped([a, b])).metrics == evaluate(one, [a, b]).metrics
    assert unit_label(u) == f"{unit_label(one)} box=32"
    assert options(u) == options(one) | {"box": "32"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mul:a=fp16,box=16", "mul: parameter box: unknown value '16'"),
        ("mul:a=fp16,box=48", "allowed: 32, 64"),
        ("mul:a=fp16,box=", "mul: parameter box: "),
        (
            "mul:a=fp64,box=32",
            "mul: parameter box: must be at least the 64 bits of port a, fp64, not 32",
        ),
        ("mul:a=e2m1fn,box=32", "box: e2m1fn of port a is no float with a NaN; allowed: formats"),
        ("mul:a=posit16,box=32", "box: posit16 of port a is no float with a NaN"),
        ("mul:a=int8,box=32", "box: mul:a=int8,b=int8,out=int8 has no ports of floats"),
        ("mul:a=fp16,box=32,lanes=2", "mul: parameter lanes: goes not together with box"),
        ("mul:a=fp16,lanes=2,box=32", "mul: parameter box: goes not together with lanes"),
        ("mul:a=fp16,box=32,box=64", "mul: parameter box is given twice"),
        ("mac:a=fp16,box=32", "mac: parameter box: mac:.* has a memory"),
        ("div:a=fp16,clocks=4,box=32", "takes several clocks"),
        ("dot:a=fp16,n=2,box=32", "its operands in blocks"),
    ],
)
def test_boxes_that_cannot_be(spec: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.unit(spec)


@pytest.mark.parametrize(("given", "meant"), [("lane", "lanes"), ("boxes", "box"), ("bx", "box")])
def test_hints_know_what_goes_around_a_unit(given: str, meant: str) -> None:
    with pytest.raises(hw.InvalidInput, match=f"did you mean '{meant}'.*allowed: .*lanes, box$"):
        hw.unit(f"mul:{given}=32")
