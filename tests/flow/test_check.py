"""Other people's Verilog against golden models: what is equal, each fault found and explained."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.checking import Checked
from hwarith.flow.checking.explain import Explainer
from hwarith.flow.checking.streams import LOST, MOVED, TWICE, pair
from hwarith.flow.regression import junit
from hwarith.flow.stimuli.corner_weighted import every_vector, neighbours, some_vectors
from tests.small_units import SPECS
from tests.tiers import few

VERILOG = Path(__file__).parent / "verilog"
FMA = [VERILOG / "faults.sv", VERILOG / "fma.sv"]
TINY = {"EXP": 2, "MAN": 2}
ADDER = {"a": "x", "b": "y", "y": "sum"}
STREAM = {
    "clk": "clock",
    "rst": "~reset_n",
    "i_valid": "in_valid",
    "i_ready": "in_ready",
    "o_valid": "out_valid",
    "o_ready": "out_ready",
    "a": "left",
    "b": "right",
    "y": "sum",
}


def fma(fault: int, **settings: Any) -> Checked:
    return hw.check(FMA, "fma", "fma:a=e2m2", params=TINY | {"FAULT": fault}, **settings)


def best(result: Checked) -> str:
    """What explains most of the wrong results; it must be most of them."""
    text, count = next(iter(result.explained.items()))
    assert count > result.examined // 2, result.explained
    return text


# -- combinational -------------------------------------------------------------------------------


def test_systemverilog_that_is_right() -> None:
    result = fma(0)
    assert (result.passed, result.exhaustive, result.results) == (True, True, 1 << 15)
    assert not result.differences
    assert str(result) == (
        "fma:a=e2m2,b=e2m2,c=e2m2,out=e2m2,round=rne: 32,768 results of fma (combinational, every "
        "combination of operands) agree"
    )


@pytest.mark.long
def test_a_carry_into_the_normal_range_that_is_lost(tmp_path: Path) -> None:
    result = fma(1)
    assert not result.passed
    assert result.explained == {"carry into the normal range lost": result.examined}
    first = result.differences[0]
    assert first["class"] == "halfway, subnormal, subnormal_border, normalization"
    assert first["a"] == "0x01 = 0.25"
    assert first["exact"] == "0.875 = 0x03 + 0.5 ulp"
    assert (first["y right"], first["y got"], first["off by"]) == ("0x04 = 1", "0x00 = 0", "-4 ulp")
    assert json.loads(json.dumps(result.as_dict()))["differing"] == result.differing == 364
    suite = ElementTree.fromstring(junit([result])).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert "carry into the normal range" in (suite.findtext("testcase/failure") or "")


FAULTS = {
    2: "subnormal c taken as zero",
    3: "NaN c taken as infinity",
    4: "sticky bit lost, what is below 1/2 ulp",
    5: "tie broken wrongly",
    6: "sign of zero as with round=rdn",
    7: "truncated",
}


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_explained(fault: int) -> None:
    result = fma(fault)
    assert result.differing
    assert best(result) == FAULTS[fault]


def test_an_adder_that_is_wrong_for_small_exponents_only() -> None:
    right = {"EXP": 4, "MAN": 3}
    wrong = {"EXP": 2, "MAN": 7}
    file = VERILOG / "adder.v"
    assert hw.check(file, "adder", "add:a=e4m3", ADDER, params=right).passed
    result = hw.check(file, "adder", "add:a=e2m7", ADDER, params=wrong, vectors=1 << 16)
    assert not result.passed
    assert not result.exhaustive


def of_units(inner: str, module: str) -> str:
    """A module around the Verilog of units."""
    return "".join(hw.verilog(spec) for spec in inner.split()) + module


@pytest.mark.long
@pytest.mark.parametrize(
    "wrong", ["a == 8'h3A && b == 8'hC5", "a[7:0] == 8'h5A && b[7:0] == 8'hA5"]
)
def test_a_multiplier_that_is_wrong_for_one_pair_in_65536(tmp_path: Path, wrong: str) -> None:
    spec = "mul:a=e4m3fn" if "a ==" in wrong else "mul:a=fp16"
    u = hw.unit(spec)
    bits = u.operands["a"].bits
    module = (
        f"module top(input [{bits - 1}:0] a, b, output [{bits - 1}:0] y); wire [{bits - 1}:0] z;"
        f" {u.name} m(.a(a), .b(b), .y(z)); assign y = z ^ (({wrong}) ? 1 : 0); endmodule"
    )
    file = tmp_path / "top.v"
    file.write_text(of_units(spec, module))
    result = hw.check(file, "top", spec, vectors=1 << 20)
    assert 0 < result.differing < 2000
    assert result.exhaustive == (bits == 8)


@pytest.mark.long
def test_double_rounding_of_a_bf16_multiply_add(tmp_path: Path) -> None:
    first, then = "fma:a=bf16,b=bf16,c=bf16,out=fp32", "convert:a=fp32,out=bf16"
    inner, outer = hw.unit(first), hw.unit(then)
    module = (
        "module top(input [15:0] a, b, c, output [15:0] y); wire [31:0] z;"
        f" {inner.name} f(.a(a), .b(b), .c(c), .y(z)); {outer.name} r(.a(z), .y(y)); endmodule"
    )
    file = tmp_path / "top.v"
    file.write_text(of_units(f"{first} {then}", module))
    result = hw.check(file, "top", "fma:a=bf16", vectors=1 << 21)
    assert best(result) == "double rounding, first to 24 bits (fp32)"


def test_a_known_double_rounding_is_explained() -> None:
    u = hw.unit("fma:a=bf16")
    codes = [0x2A20, 0x51A6, 0x9359]
    right = int(u(*codes))
    assert right == 0x3C4F
    twice = int(hw.unit("convert:a=fp32,out=bf16")(hw.unit("fma:a=bf16,out=fp32")(*codes)))
    assert twice == 0x3C50
    found = Explainer(u).alternatives(codes, [right])
    assert found["double rounding, first to 24 bits (fp32)"] == [twice]


# -- alternatives --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "codes", "text", "got"),
    [
        ("fma:a=bf16", [0x0001, 0x3F80, 0x0002], "subnormal c taken as zero", 0x0001),
        ("fma:a=bf16", [0x0001, 0x3F80, 0x0002], "subnormal a taken as zero", 0x0002),
        ("fma:a=fp16", [0x0200, 0x3C00, 0x0200], "carry into the normal range lost", 0x0000),
        ("add:a=fp16", [0x3FFF, 0x1000], "carry of rounding into the exponent lost", 0x3C00),
        ("add:a=fp16", [0x7E00, 0x3C00], "NaN a taken as infinity", 0x7C00),
        ("add:a=fp16", [0x3C00, 0xBC00], "other sign of zero", 0x8000),
        ("add:a=fp16", [0x3C00, 0x1000], "tie broken wrongly", 0x3C01),
        ("mul:a=fp16", [0x7BFF, 0x7BFF], "computed as with overflow=saturate", 0x7BFF),
        ("mul:a=fp16", [0x0001, 0x3C00], "computed as with subnormals=daz", 0x0000),
        ("fma:a=fp16", [0x3C01, 0x3C01, 0xBC02], "not fused: product rounded to fp16 first", 0),
        ("fma:a=fp16,op=msub", [0x3C00, 0x3C00, 0x3C00], "sign of c inverted", 0x4000),
        ("mul:a=fp16,round=port", [0x3C01, 0x3C01, 3], "truncated", 0x3C02),
        ("mul:a=fp16,flags=after", [0x3C01, 0x3C01], "NX not raised", None),
        ("convert:a=fp32,out=fp16", [0x3F801000], "tie broken wrongly", 0x3C01),
        ("convert:a=fp32,out=bf16", [0x3F808001], "sticky bit lost, what is below 1/2 ulp", 0x3F80),
        ("cmp:a=fp16,op=lt", [0x3C00, 0x3C00], "computed as with op=le", 1),
    ],
)
def test_alternatives(spec: str, codes: list[int], text: str, got: int | None) -> None:
    u = hw.unit(spec)
    results = u.golden(*codes)
    right = [*results] if isinstance(results, tuple) else [results]
    found = Explainer(u).alternatives(codes, right)
    assert all(code != right for code in found.values())
    assert text in found
    assert got is None or found[text][0] == got


@pytest.mark.parametrize("spec", [*few(SPECS, 4), "mul:a=e8m0fnu", "fma:a=e3m3,op=port,round=port"])
def test_alternatives_of_any_unit(spec: str) -> None:
    u = hw.unit(spec)
    explainer = Explainer(u)
    if not explainer.alone:
        return
    draw = random.Random(1)
    for _ in range(30):
        codes = [draw.getrandbits(f.bits) & draw.getrandbits(f.bits) for f in u.operands.values()]
        results = u.golden(*codes)
        right = [*results] if isinstance(results, tuple) else [results]
        for got in explainer.alternatives(codes, right).values():
            assert got != right
            assert all(0 <= y >> f.bits < 1 for y, f in zip(got, u.results.values(), strict=True))
        assert explainer.facts(right, right) == []


MISUSED = [
    ({"files": None}, "check: files are named by texts or paths, not None"),
    ({"files": []}, "check: name at least one file"),
    ({"files": "x\n.v"}, r"check: 'x\\n.v' is no name of a file"),
    ({"top": 5}, "check: top must be the name of a module, not 5"),
    ({"against": 7}, "a unit is given by its spec text, not 7"),
    ({"ports": "a=x"}, "check: ports must be a dictionary of what is given to names, not 'a=x'"),
    ({"ports": {"a": 5}}, "check: names of ports are texts, not 5"),
    ({"params": {3: 5}}, "check: params must be a dictionary of what is given to names"),
    ({"params": {"EXP": None}}, "check: parameter EXP must be a number as Verilog writes it, or"),
    ({"latency": 1.5}, "check: latency must be an integer, 0 to 256, not 1.5"),
    ({"seed": -1}, "check: seed must be an integer, 0 to 4294967295, not -1"),
    ({"most": -1}, "check: most must be an integer, 0 to 1000, not -1"),
]


@pytest.mark.parametrize(("wrong", "message"), MISUSED)
def test_what_is_given_in_python(wrong: dict[str, Any], message: str) -> None:
    right = {"files": VERILOG / "adder.v", "top": "adder", "against": "add:a=fp16"}
    with pytest.raises(hw.InvalidInput, match=message):
        hw.check(**right | wrong)


# -- clocked -------------------------------------------------------------------------------------


def test_a_pipeline_without_handshake() -> None:
    file = VERILOG / "clocked.v"
    spec, settings = "mul:a=int8,out=int16", {"ties": {"enable": 1}}
    result = hw.check(file, "clocked", spec, latency=2, **settings)
    assert (result.passed, result.results, result.form) == (True, 1 << 16, "clocked")
    message = "latency 3 does not fit: results of clocked come 2 clocks after their operands"
    with pytest.raises(hw.InvalidInput, match=message):
        hw.check(file, "clocked", spec, latency=3, **settings)


# -- streams -------------------------------------------------------------------------------------


def stream(fault: int, vectors: int = 1 << 16) -> Checked:
    file = VERILOG / "stream.sv"
    spec = "add:a=uint8,overflow=wrap"
    params = {"FAULT": fault}
    return hw.check(file, "stream", spec, STREAM, stream=True, params=params, vectors=vectors)


def test_a_stream_that_drops_under_back_pressure() -> None:
    result = stream(1)
    assert not result.passed
    assert set(result.events) == {LOST}
    assert {p.name for p in result.phases if not p.failed} == {
        "stream idle=0 stall=0",
        "stream idle=0.5 stall=0",
    }
    assert [row["class"] for row in result.differences] == [LOST] * 10
    assert "no transfer in 10000 clocks" in str(result)


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "events", "message"),
    [
        (2, {TWICE}, "came after"),
        (3, {MOVED}, "out of order: result"),
        (4, set(), "no transfer in 10000 clocks, after 700 operands and 700 results"),
        (5, set(), "was withdrawn while it waited"),
        (6, set(), "results are wrong"),
    ],
)
def test_a_fault_of_a_stream(fault: int, events: set[str], message: str) -> None:
    result = stream(fault)
    assert not result.passed
    assert set(result.events) == events
    assert message in str(result)


@pytest.mark.long
def test_a_stream_that_is_right_and_units_of_our_own(tmp_path: Path) -> None:
    assert stream(0).passed
    for spec in ("mul:a=fp16,stages=2", "mac:a=e4m3fn", "blockquant:out=mxfp4,a=bf16,n=2"):
        u = hw.unit(spec)
        file = tmp_path / f"{u.name}.v"
        file.write_text(hw.verilog(u))
        result = hw.check(file, u.name, u, vectors=300)
        assert result.passed, result
        assert result.results == 300


def rows(*codes: int) -> list[np.ndarray]:
    return [np.array(codes, np.uint16)]


SENT = rows(*range(100, 200))


@pytest.mark.parametrize(
    ("came", "events"),
    [
        (range(100, 200), []),
        (range(100, 150), []),
        ([*range(100, 120), *range(123, 200)], [(LOST, 20), (LOST, 21), (LOST, 22)]),
        ([*range(100, 121), 120, *range(121, 190)], [(TWICE, 20)]),
        ([*range(100, 120), 121, 120, *range(122, 200)], [(MOVED, 20), (MOVED, 21)]),
        ([*range(100, 120), 7, *range(121, 200)], []),
        ([7, *range(101, 150), *range(151, 200)], [(LOST, 50)]),
    ],
)
def test_what_happened_in_a_stream(came: Any, events: list[tuple[str, int]]) -> None:
    places, found = pair(SENT, rows(*came))
    assert found == events
    wrong = [i for i, j in enumerate(places) if j >= 0 and list(came)[j] != 100 + i]
    assert wrong == ([i for i, x in enumerate(came) if x == 7])


# -- operands ------------------------------------------------------------------------------------


def test_vectors_in_parts() -> None:
    formats = [hw.format(name) for name in ("e2m1fn", "int3", "e3m2fn")]
    whole = every_vector(formats)
    parts = zip(some_vectors(formats, 0, 5000), some_vectors(formats, 5000, 3192), strict=True)
    for x, y in zip(whole, map(np.concatenate, parts), strict=True):
        np.testing.assert_array_equal(x, y)


def test_neighbours() -> None:
    formats = [hw.format(name) for name in ("fp16", "e5m6", "int80")]
    pool = [np.full(64, 1000, f.dtype) for f in formats]
    found = neighbours(formats, pool, 10_000, np.random.default_rng(1))
    for f, codes in zip(formats, found, strict=True):
        x = f.check(codes).astype(object)
        distance = np.minimum((x - 1000) % (1 << f.bits), (1000 - x) % (1 << f.bits))
        assert 0.01 < np.mean(distance == 0) < 0.5
        assert 0.02 < np.mean((distance > 0) & (distance < 8)) < 0.5
        assert np.mean(distance > 1 << (f.bits - 4)) > 0.02


def test_an_accumulator_without_its_highest_bit(tmp_path: Path) -> None:
    """Which only sums of the longest groups need, of the largest products."""
    spec, adder = "kulisch:a=e2m1fn,out=e4m3,k=64", "wire [15:0] piece0 = "
    text = hw.verilog(spec)
    assert adder in text
    narrow = f"wire [15:0] whole;\n{adder}{{whole[15], whole[13], whole[13:0]}};\nassign whole = "
    file = tmp_path / "mine.v"
    file.write_text(text.replace(adder, narrow))
    found = hw.check(file, hw.unit(spec).name, spec, stream=True, vectors=200)
    assert not found.passed
