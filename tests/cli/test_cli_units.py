"""The commands list, show and eval."""

from __future__ import annotations

import re

import pytest

from hwarith.units import FAMILIES, unit
from tests.cli.running import TINY, Mistake, Run


def test_list(run: Run) -> None:
    outcome = run("list")
    assert (outcome.status, outcome.err) == (0, "")
    listed = run("list", "--json").json
    assert {row["unit"] for row in listed["units"]} == set(FAMILIES)
    (e4m3fn,) = (row for row in listed["formats"] if row["format"] == "e4m3fn")
    assert (e4m3fn["max"], e4m3fn["nan"], e4m3fn["inf"]) == (448, "0x7f", False)
    for name in [*FAMILIES, *(row["format"] for row in listed["formats"]), *listed["patterns"]]:
        assert name in outcome.out


@pytest.mark.parametrize("name", FAMILIES)
def test_show(run: Run, name: str) -> None:
    shown = run("show", name, "--json").json
    assert shown["spec"] == unit(name).spec
    assert [row["parameter"] for row in shown["parameters"]] == list(unit(name).parameters())
    text = run("show", name, "-v").out
    assert shown["spec"] in text
    assert shown["source"] in text
    assert " ".join(shown["about"].split()) in " ".join(text.split())


def test_show_has_every_port_from_clk_to_the_results(run: Run) -> None:
    shown = run("show", "mac:a=int8", "--json").json
    ports = "clk rst i_valid i_ready a b first last o_valid o_ready y"
    assert " ".join(row["port"] for row in shown["ports"]) == ports
    text = run("show", "mac:a=int8", "-v").out
    assert " ".join(re.findall(r"^(\w+) +(?:input|output) ", text, re.MULTILINE)) == ports
    assert "1: a group ends with this transfer, its result follows" in text
    assert "Each step is the fused multiply-add" in text


def test_eval(run: Run) -> None:
    """One row for each operand and the result; negative operands are no options."""
    rows = run("eval", "mul:a=e4m3fn", "0x3C", "-5/4", "--json").json
    assert rows == [
        {"name": "a", "format": "e4m3fn", "code": "0x3C", "value": 1.5},
        {"name": "b", "format": "e4m3fn", "code": "0xBA", "value": -1.25},
        {"name": "y (golden)", "format": "e4m3fn", "code": "0xBF", "value": -1.875},
    ]
    assert "-1.875" in run("eval", "mul:a=e4m3fn", "0b111100", "-1.25").out
    specials = run("eval", "mul:a=e5m2", "-inf", "0x80", "--json").json
    assert [row["code"] for row in specials] == ["0xFC", "0x80", "0x7E"]


@pytest.mark.parametrize(
    ("spec", "operand", "shown"),
    [
        ("convert:a=e15m112,out=fp32", "0x1", "6e-4966"),
        ("convert:a=fp32,out=fp64", "0x3F800001", "1.0000001192092896"),
        ("convert:a=fp64,out=fp64", "0x407AFFFFFFFFFFFF", "431.99999999999994"),
        ("convert:a=int128,out=fp32", "-1", "-1"),
        ("convert:a=e4m3fn,out=fp32", "1e999999999", "448"),
        ("convert:a=fp16,out=fp32", "0x1.8p3", "12"),
    ],
)
def test_eval_shows_values_whole(run: Run, spec: str, operand: str, shown: str) -> None:
    outcome = run("eval", spec, operand)
    assert outcome.out.splitlines()[2].split()[3] == shown
    assert str(run("eval", spec, operand, "--json").json[0]["value"]).removesuffix(".0") == shown


def test_eval_says_what_became_of_operands(run: Run) -> None:
    outcome = run("eval", "fma:a=e4m3fn,c=bf16,out=bf16", "500", "1.5", "0.1", "--json")
    assert outcome.err.splitlines() == [
        "operand a: 500 → 448, clipped to the largest e4m3fn",
        "operand c: 0.1 → 0.10009765625, rounded to bf16",
    ]
    assert [row["value"] for row in outcome.json][:2] == [448, 1.5]
    exact = run("eval", "mul:a=bf16", "inf", "0x7F80")
    assert exact.err == ""


def test_eval_runs_the_hardware(run: Run) -> None:
    rows = run("eval", TINY, "1.5", "-2", "--rtl", "--json").json
    assert [row["name"] for row in rows] == ["a", "b", "y (golden)", "y (RTL)"]
    assert rows[-1]["code"] == rows[-2]["code"] == "0xD"


def test_eval_of_groups_and_of_several_results(run: Run) -> None:
    rows = run("eval", "mac:a=int8", "1,2,0x3", "4,-5,6", "--rtl", "--json").json
    assert [row["name"] for row in rows] == [*"aaabbb", "y (golden)", "y (RTL)"]
    assert [row["value"] for row in rows] == [1, 2, 3, 4, -5, 6, 12, 12]
    pair = run("eval", "dfpmac:p=16", *["32767"] * 3, "-32768", "--json").json
    assert [(row["name"], row["value"]) for row in pair[4:]] == [
        ("y (golden)", -32767),
        ("ovf (golden)", 0),
    ]


def test_eval_of_matrices(run: Run) -> None:
    spec = "engine:pe=(fma:a=int4,c=int16,out=int16),rows=2,columns=2"
    a, b, c = "1,2;3,4", "5,6;7,-8", "0,0;100,0x10"
    rows = run("eval", spec, a, b, c, "--rtl", "--json").json
    assert [row["value"] for row in rows if row["name"] == "a"] == [1, 2, 3, 4]
    assert [row["value"] for row in rows if row["name"] == "y (golden)"] == [19, -10, 143, 2]
    assert [row["value"] for row in rows if row["name"] == "y (RTL)"] == [19, -10, 143, 2]
    ragged = run("eval", spec, "1,2;3", b, c)
    assert (ragged.status, ragged.out) == (2, "")
    assert "operand a of engine must be an array of one shape" in ragged.err


def test_eval_says_so_if_the_hardware_differs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.simulate.simulate", lambda u: lambda *codes: 0)
    outcome = run("eval", TINY, "1", "1", "--rtl")
    assert outcome.status == 2
    assert "golden model and RTL of mul:a=e2m1fn" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "mull"], "unknown unit or format 'mull'; did you mean 'mul'? allowed: mul, add,"),
        (["show", "zzz"], "unknown unit or format 'zzz'; allowed: mul, add,"),
        (
            ["eval", "mul:a=bf61", "1", "1"],
            "mul: parameter a: unknown format 'bf61'; did you mean 'bf16'? allowed: fp64, fp32,",
        ),
        (["eval", "mul:q=bf16", "1", "1"], "unknown parameter of mul 'q'; allowed: a, b, out,"),
        (["eval", "mul:a", "1", "1"], "mul: parameter a: give it as a=VALUE"),
        (
            ["eval", "mul:a=bf16,round=rnd", "1", "1"],
            "mul: parameter round: unknown value 'rnd'; did you mean 'rn",
        ),
        (["eval", "mul:stages=9", "1", "1"], "mul: parameter stages: must be 0 to 8, not 9"),
        (
            ["eval", "lmul:format=bf16,k=99", "1", "1"],
            "lmul: parameter k: must be 1 to 7 for bf16, not 99",
        ),
        (
            ["eval", "mul:a=e2m1fn", "0x1F", "1"],
            "operand a: 31 is not a code of e2m1fn; allowed: 0 to 15",
        ),
        (["eval", "mul:a=bf16", "1"], "mul takes 2 operands (a, b), not 1"),
        (["eval", "fma:a=bf16", "1", "2", "3", "4"], "fma takes 3 operands (a, b, c), not 4"),
        (
            ["eval", "mul:a=bf16", "one", "1"],
            "operand a: 'one' is neither a code (0x...) nor a number",
        ),
        (
            ["eval", "mul:a=bf16", "1", "1/0"],
            "operand b: '1/0' is neither a code (0x...) nor a number",
        ),
        (["eval", "mul:a=bf16", "1", "0x"], "operand b: '0x' is neither a code (0x...) nor"),
        (["eval", "mul:a=bf16", "", "1"], "operand a: '' is neither a code (0x...) nor a number"),
        (
            ["eval", "mul:a=bf16", "--rlt", "1", "1"],
            "unknown option of eval '--rlt'; did you mean '--rtl'?",
        ),
        (["eval"], "Missing argument 'SPEC'. (hwarith eval --help shows what is allowed)"),
        (["list", "units"], "Got unexpected extra argument(s) (units) (hwarith list --help shows"),
    ],
)
def test_mistakes(mistake: Mistake, arguments: list[str], message: str) -> None:
    mistake(arguments, message)
