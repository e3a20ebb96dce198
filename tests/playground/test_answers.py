"""What the playground's page is told, in this process: no browser is needed."""

from __future__ import annotations

import importlib.util
import json
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.units import FAMILIES

ROOT = Path(__file__).parents[2]


def loaded(name: str) -> ModuleType:
    """A module of the page's folder."""
    spec = importlib.util.spec_from_file_location(
        f"playground_{name}", ROOT / "docs/playground" / f"{name}.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


answers = loaded("answers")


def ask(*question: Any) -> Any:
    found = json.loads(answers.answer(json.dumps(question)))
    return found.get("is", found)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_begins_with_something(family: str) -> None:
    row = next(row for row in ask("start")["units"] if row["unit"] == family)
    unit = ask("unit", row["spec"])
    found = ask("evaluate", row["spec"], [port["example"] for port in unit["operands"]])
    assert found["results"].keys() == hw.unit(row["spec"]).results.keys()


ENGINE = "engine:pe=(fma:a=int4,c=int16,out=int16),rows=2,columns=1"
TILE = "bstile:pe=(bspe:type=fp4,lanes=4),rows=1,columns=1"
MIXED = "bstile:pe=(bspe:lanes=1),rows=1,columns=1"


def test_results_are_those_of_the_unit() -> None:
    u, f = hw.unit("mul:a=e4m3fn"), hw.format("e4m3fn")
    found = ask("evaluate", u.spec, ["1.1", "0x43"])
    y = int(u(f.encode(1.1), 0x43))
    assert found["results"]["y"][0] == {
        "code": f"0x{y:02X}",
        "value": "3",
        "bits": [["sign", "0"], ["exponent", "1000"], ["fraction", "100"]],
    }
    assert found["notes"] == ["operand a: 1.1 → 1.125, rounded to e4m3fn"]
    exact = Fraction(9, 8) * Fraction(11, 4)
    assert Fraction(found["error"]["exact"]) == Fraction(found["error"]["fraction"]) == exact
    assert float(found["error"]["ulps"]) == (3 - exact) / Fraction(1, 4)


def test_flags_are_named() -> None:
    found = ask("evaluate", "mul:a=fp16,flags=after", ["65504", "2"])
    assert found["flags"] == ["inexact", "overflow"]
    assert found["results"]["y"][0]["value"] == "inf"
    assert found["error"]["ulps"] is None


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (["unit", "mull"], "unknown unit 'mull'"),
        (["unit", "mul:a=fp1"], "mul: parameter a: "),
        (["evaluate", "mul", ["1"]], "mul takes 2 operands (a, b), not 1"),
        (["evaluate", "mul", ["1", "x"]], "operand b: 'x' is neither a code (0x...) nor a number"),
        (["evaluate", "mul:a=e5m2", ["1", "0x100"]], "operand b: 256 is not a code of e5m2"),
        (["evaluate", "mac", ["1,2", "1"]], "operands of mac must be groups of one length"),
        (
            ["evaluate", ENGINE, ["1,2;3", "1;2", "0"]],
            "operand a of engine: rows must be of one length",
        ),
        (["evaluate", ENGINE, ["1;3", "1;2", "0"]], "operand a of engine must be of shape"),
        (
            ["evaluate", ENGINE, ["1,2", "1;2", "0;0"]],
            "operands of engine must fit together: a (1, 2)",
        ),
        (["evaluate", TILE, ["1,1", "1,1", "1", "1"]], "operands of bstile are a (..., 1, k)"),
        (["evaluate", TILE, ["1,1;1", "1", "1", "1"]], "operand a of bstile: rows must be of one"),
        (
            ["evaluate", MIXED, ["1", "1", "1", "1", "0"]],
            "operand mode of bstile must be one of [1, ",
        ),
        (["format", "e4m4x", "1", "satprop"], "unknown format 'e4m4x'"),
        (["format", "e4m3", "one", "satprop"], "value: 'one' is not a number"),
        (["format", "e4m3", "1", "wrap"], "overflow 'wrap' is for integer formats, not e4m3"),
    ],
)
def test_mistakes_are_told_in_a_line(question: list[Any], message: str) -> None:
    found = ask(*question)
    assert found["wrong"].startswith(message)
    assert "\n" not in found["wrong"]


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (Fraction(99, 32), "3.09375"),
        (Fraction(-1, 2**10), "-0.0009765625"),
        (Fraction(0), "0"),
        (Fraction(1, 3), "0.33333333333333333…"),
        (Fraction(2, 3) * 10**30, "6.6666666666666666…e+29"),
        (Fraction(1, 2**200), "6.2230152778611417…e-61"),
    ],
)
def test_exact_results_as_text(x: Fraction, text: str) -> None:
    assert answers.exact_text(x) == text


@pytest.mark.parametrize("name", ["e4m3fn", "e2m1fn", "int5", "ue4m3", "e8m0fnu", "bf16", "fp64"])
def test_a_format_beside_its_codes(name: str) -> None:
    f = hw.format(name)
    found = ask("format", name, "0.3", "satprop")
    for row in found["rounded"]:
        assert int(row["code"], 16) == f.encode_one(Fraction(3, 10), round=row["mode"])
        assert "".join(bits for _, bits in row["bits"]) == f"{int(row['code'], 16):0{f.bits}b}"
    assert found["linear"] == sorted(found["linear"])
    assert (found["log"][0][0], found["log"][-1][0]) == (0, 1)
    if f.bits <= 8:
        values = np.asarray(f.decode(f.codes()), float)
        finite = np.unique(values[np.isfinite(values)])
        assert len(found["linear"]) == len(finite)
        assert len(found["log"]) == (finite > 0).sum()
    values = [float(text) for _, text in found["near"]]
    assert values == sorted(values)
    assert {f.encode(x) for x in values} >= {int(row["code"], 16) for row in found["rounded"]}


def test_parameters_say_what_is_allowed() -> None:
    parameters = {p["name"]: p for p in ask("unit", "fma:a=bf16,round=rtz,stages=2")["parameters"]}
    assert parameters["round"]["value"] == "rtz"
    assert parameters["round"]["choices"][:2] == ["rne", "rna"]
    assert parameters["stages"]["choices"] == [str(i) for i in range(9)]
    assert (parameters["a"]["format"], parameters["a"]["choices"]) == (True, [])
    assert parameters["stages"]["quiet"]
    assert not {"target_period", "library"} & parameters.keys()  # there is no yosys
