"""Regressions in either simulator: what they cover, waves, JUnit's XML."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

import hwarith as hw
from hwarith.flow.regression import Phase, Regression, junit
from tests.flow.test_vector_files import changed

MUL = "mul:a=e4m3fn"
PIPELINE = "mul:a=e4m3fn,stages=2"
NO_ICARUS = "Icarus Verilog (iverilog) is not on PATH (Debian: apt install iverilog)"

LONG = (MUL, "mac:a=bf16", "engine:pe=(fma:a=e4m3fn),rows=2,columns=2", "bstile:rows=2,columns=2")

icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason=NO_ICARUS)


@pytest.fixture(scope="module")
def pipeline() -> Regression:
    return hw.regress(PIPELINE, 300)


def checks(result: Regression) -> list[tuple]:
    return [(phase.name, phase.passed, phase.failed, phase.seen) for phase in result.phases]


@icarus
def test_both_simulators_see_the_same(pipeline: Regression) -> None:
    """Phase by phase the same checks, and the same clocks, pauses, stalls and resets."""
    other = hw.regress(PIPELINE, 300, simulator="icarus")
    assert [pipeline.simulator, other.simulator] == ["verilator", "icarus"]
    assert pipeline.failed == 0
    assert checks(pipeline) == checks(other)


@icarus
@pytest.mark.long
@pytest.mark.parametrize("spec", LONG)
def test_both_simulators_see_the_same_of_other_units(spec: str) -> None:
    found = [hw.regress(spec, 60, simulator=name) for name in ("icarus", "verilator")]
    assert [result.failed for result in found] == [0, 0]
    assert checks(found[0]) == checks(found[1])


@icarus
def test_icarus_finds_a_wrong_result(tmp_path: Path) -> None:
    """And its waves are kept, though the regression fails."""
    fault = changed(MUL, "right ^ {a[7] & b[7], 7'h0}")
    file = tmp_path / "waves.vcd"
    result = hw.regress(MUL, 200, verilog=fault, simulator="icarus", waves=file)
    assert 0 < result.failed < 200
    assert re.match(
        r"vectors: vector \d+: a=\w+ b=\w+ must give \w+, gave \w+", result.message or ""
    )
    assert "$var" in file.read_text()


@icarus
def test_icarus_finds_what_verilator_cannot_a_register_that_starts_unknown() -> None:
    """An output that is not known until something has happened."""
    unknown = "reg [7:0] ever; always @(posedge a[0]) ever <= 8'h0; "
    text = changed(MUL, "right | ever").replace("wire [7:0] right;", f"wire [7:0] right; {unknown}")
    assert hw.regress(MUL, 50, verilog=text, simulator="icarus").failed


@icarus
def test_icarus_without_the_ports() -> None:
    text = f"module {hw.unit(MUL).name}(input [7:0] a, output [7:0] y); assign y = a; endmodule"
    with pytest.raises(hw.InvalidInput, match="port b must be an input of 8 bits, not absent"):
        hw.regress(MUL, verilog=text, simulator="icarus")


@icarus
def test_waves_of_icarus(tmp_path: Path) -> None:
    """As VCD; of groups of every class, as FST."""
    file = tmp_path / "waves.vcd"
    assert hw.regress(PIPELINE, 20, simulator="icarus", waves=file).failed == 0
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert_has_the_ports(file.read_text())
    file = tmp_path / "waves.fst"
    result = hw.regress("mac:a=int8,acc=int18", 30, simulator="icarus", waves=file)
    content = file.read_bytes()
    assert content[0] == 0  # a header block, and the name of its writer
    assert b"Icarus Verilog" in content
    assert result.failed == 0
    assert result.classes.keys() == {"single", "longest", "random"}
    assert sum(result.classes.values()) == 2 * 30 // 9


@pytest.mark.long
def test_waves_of_verilator(tmp_path: Path) -> None:
    file = tmp_path / "waves.vcd"
    assert hw.regress(PIPELINE, 20, waves=file).failed == 0
    assert_has_the_ports(file.read_text())


def assert_has_the_ports(vcd: str) -> None:
    names = re.findall(r"\$var \w+ +(\d+) \S+ (\w+)", vcd)
    wanted = {("8", "a"), ("8", "b"), ("8", "y"), ("1", "i_valid"), ("1", "o_ready"), ("1", "clk")}
    assert wanted <= set(names)
    assert vcd.count("\n#") > 100


# -- what was covered ----------------------------------------------------------------------------


def test_operands_are_of_every_class(pipeline: Regression) -> None:
    assert pipeline.classes == hw.vectors(PIPELINE, 300).counts
    assert {"special", "halfway", "overflow", "subnormal"} <= pipeline.classes.keys()
    assert sum(pipeline.classes.values()) == pipeline.vectors == 300


def test_events_are_counted(pipeline: Regression) -> None:
    seen = {phase.name: phase.seen for phase in pipeline.phases}
    free, idle, stalled = (
        seen[f"stream idle={idle} stall={stall}"] for idle, stall in ((0, 0), (0.3, 0), (0, 0.5))
    )
    assert (free["idle"], free["stalls"], free["waits"], free["resets"]) == (0, 0, 0, 1)
    assert free["clocks"] >= 300 + 2
    assert 50 < idle["idle"] < 200  # a pause in 0.3 of the clocks
    assert idle["stalls"] == 0
    assert 200 < stalled["stalls"] < 450  # a stall before about one half of the results
    assert stalled["waits"] > 150
    assert seen["reset in flight"]["resets"] == 21
    assert seen["held in reset"]["resets"] == 2
    assert pipeline.seen["resets"] == 21 + 2 + len(seen) - 2
    assert pipeline.seen["stalls"] == sum(x["stalls"] for x in seen.values())


def test_what_was_covered_in_a_line(pipeline: Regression) -> None:
    classes, events = pipeline.covered.split("; ")
    assert classes.startswith("results: 26 special, 26 ends, 26 halfway, ")
    assert re.fullmatch(
        r"[\d,]+ clocks, \d+ idle, [\d,]+ with operands not taken, [\d,]+ with results not taken, "
        r"33 resets",
        events,
    )
    facts = pipeline.as_dict()
    assert facts["classes"] == pipeline.classes
    assert facts["seen"] == pipeline.seen


def test_a_seed_changes_operands_and_pauses(pipeline: Regression) -> None:
    other = hw.regress(PIPELINE, 300, seed=2)
    assert [phase.seen for phase in pipeline.phases] != [phase.seen for phase in other.phases]
    assert (other.seed, other.failed) == (2, 0)


# -- JUnit ---------------------------------------------------------------------------------------


def test_junit(pipeline: Regression) -> None:
    wrong = Phase("vectors", 9, 3, 'a "b" <c> & d', 1.5)
    failed = Regression("mul:a=bf16", 12, 7, (wrong,), Path("a.log"), "icarus", {"ends": 12})
    root = ElementTree.fromstring(junit([pipeline, failed]))
    tests = len(pipeline.phases) + 1
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == (str(tests), "1", "0")
    first, second = root.findall("testsuite")
    assert first.get("name") == pipeline.spec
    assert [case.get("name") for case in first.findall("testcase")] == [
        phase.name for phase in pipeline.phases
    ]
    assert first.findall("testcase/failure") == []
    properties = {x.get("name"): x.get("value") for x in second.findall("properties/property")}
    assert properties == {"simulator": "icarus", "seed": "7", "vectors": "12", "class.ends": "12"}
    (case,) = second.findall("testcase")
    assert (case.get("classname"), case.get("time"), case.get("assertions")) == (
        "mul:a=bf16",
        "1.500",
        "12",
    )
    (failure,) = case.findall("failure")
    assert failure.get("message") == 'a "b" <c> & d'
    assert failure.text == "3 checks failed; log: a.log"


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"simulator": "verilatr"}, "unknown simulator 'verilatr'; did you mean 'verilator'"),
        ({"waves": "x.fst"}, r"waves: the name must end in \.vcd, what verilator records, not x"),
        (
            {"waves": "waves", "simulator": "icarus"},
            r"waves: the name must end in \.vcd or \.fst, what icarus records, not waves",
        ),
        ({"waves": "none/x.vcd"}, r"none/x\.vcd cannot be written: there is no such folder"),
    ],
)
def test_mistakes(settings: dict, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.regress(MUL, **settings)


@pytest.mark.parametrize("there", [False, True])
def test_without_icarus(there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its compiler, and the program that runs what it compiled."""
    if there:
        (tmp_path / "iverilog").write_text("#!/bin/sh\n")
        (tmp_path / "iverilog").chmod(0o755)
    hw.verilog(MUL)
    monkeypatch.setenv("PATH", str(tmp_path))
    program = "vvp" if there else "iverilog"
    message = f"{program} was not found on PATH; simulator=icarus needs it. Install Icarus Verilog"
    with pytest.raises(hw.MissingTool, match=message):
        hw.regress(MUL, simulator="icarus")
