"""The command check: what it prints, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from hwarith.flow import processes
from hwarith.flow.checking import sources
from tests.cli.running import Run, assert_one_line, hwarith_process
from tests.tiers import few

VERILOG = Path(__file__).parent.parent / "flow" / "verilog"
TOP = "module top(input [3:0] a, b, output [3:0] y); assign y = a + b; endmodule"
NOISY = TOP.replace("assign", 'initial $display("noise"); assign')
SUM = "add:a=uint4,overflow=wrap"


def test_check(run: Run, tmp_path: Path) -> None:
    file, report = tmp_path / "noisy.v", tmp_path / "check.xml"
    file.write_text(NOISY)
    arguments = ["check", file, "--top", "top", "--against", SUM]
    done = hwarith_process(*map(str, arguments), capture_output=True)
    said = "add:a=uint4,b=uint4,out=uint4: 256 results of top (combinational, every combination of"
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"{said} operands) agree\n",
        "noise\n",
    )
    outcome = run(
        *arguments, "--against", "add:a=uint4,overflow=saturate", "--json", "--junit", report
    )
    assert outcome.status == 1
    assert outcome.err.startswith("hwarith: top is not add:a=uint4")
    found = outcome.json
    assert (found["results"], found["differing"], found["passed"]) == (256, 120, False)
    assert found["explained"] == {"computed as with overflow=wrap": found["examined"]}
    assert found["differences"][0] == {
        "class": "all",
        "a": "0x1 = 1",
        "b": "0xF = 15",
        "y right": "0xF = 15",
        "y got": "0x0 = 0",
        "explained by": "computed as with overflow=wrap",
    }
    (case,) = ElementTree.parse(report).findall("testsuite/testcase")
    assert (case.get("name"), case.get("assertions")) == ("all", "256")


ADDER = ("adder.v", "adder", "add:a=fp16")
NAMED = ("--ports", "a=x,b=y,y=sum")

MISTAKES = [
    (("none.v", "x", SUM), (), "check: there is no file "),
    (("", "x", SUM), (), "check: "),
    (("adder.v", "adde", SUM), (), "check: no module 'adde' in the files; there are adder"),
    (("fma.sv", "fma", SUM), (), "{}/fma.sv, line 5: Import package not found: 'faults'"),
    (ADDER, (), "check: adder has no port 'a' for a (fp16); it has x, y, sum; say which it is"),
    (ADDER, ("--ports", "a=x,b=sum,y=y"), "check: port sum of adder must be an input of 16 bits"),
    (("adder.v", "adder", "add:a=fp32"), NAMED, "check: port x of adder must be an input of 32 b"),
    (ADDER, (*NAMED, "--param", "WIDTH=3"), "check: adder has no parameter WIDTH"),
    (ADDER, (*NAMED, "--stream"), "check: adder has no port 'clk' for clk; it has x, y, sum; say"),
    (ADDER, (*NAMED, "--latency", "1"), "check: adder has no port 'clk' for clk"),
    (("clocked.v", "clocked", "mul:a=int8,out=int16"), (), "check: clk of clocked is an input of "),
    (ADDER, ("--ports", "a=x,b=x,y=sum"), "check: port x of adder is named twice"),
    (ADDER, ("--ports", "a=x,d=y"), "unknown port of add:a=fp16,b=fp16,out=fp16,round=rne (comb"),
    (ADDER, ("--ports", "a"), "--ports: give NAME=VALUE, not 'a'"),
    (ADDER, ("--ports", "a=x,a=y"), "--ports: 'a' is given twice"),
    (ADDER, (*NAMED, "--tie", "z=1"), "check: adder has no input 'z' to tie; it has x, y"),
    (ADDER, (*NAMED, "--param", "EXP=1);"), "check: parameter EXP must be a number as Verilog"),
    (ADDER, (*NAMED, "--param", "EXP=five"), "check: parameter EXP must be a number as Verilog"),
    (ADDER, (*NAMED, "--flags", "f"), "check: adder has no port 'f' for flags (uint5)"),
    (("adder.v", "adder", "cmp:a=fp16"), ("--flags", "f"), "check: cmp:a=fp16,b=fp16,op=lt has no"),
    (ADDER, ("--latency", "1", "--stream"), "check: give latency or stream, not both"),
    (ADDER, ("--latency", "999"), "check: latency must be an integer, 0 to 256, not 999"),
    (ADDER, ("--vectors", "0"), "check: vectors must be an integer, 1 to 4294967296, not 0"),
    (ADDER, ("--nan", "most"), "check: nan must be one of any, bits, not 'most'"),
    (ADDER, ("--junit", "/nowhere/x.xml"), "/nowhere/x.xml cannot be written"),
    (("adder.v", "a b", SUM), (), "check: top must be the name of a module, not 'a b'"),
]


@pytest.mark.parametrize(("what", "options", "message"), few(MISTAKES, 1))
def test_mistakes(run: Run, what: tuple[str, ...], options: tuple[str, ...], message: str) -> None:
    file, top, spec = what
    outcome = run("check", VERILOG / file, "--top", top, "--against", spec, *options)
    assert_one_line(outcome, message.format(VERILOG))


def test_what_no_reader_takes(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "top.vhd"
    file.write_text("entity top is\nend;\n")
    outcome = run("check", file, "--top", "top", "--against", SUM)
    assert_one_line(outcome, f"{file}, line 1: syntax error")


def test_a_missing_tool(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    outcome = run("check", VERILOG / "adder.v", "--top", "adder", "--against", SUM)
    assert_one_line(outcome, "g++ was not found on PATH; Verilator needs it. Install")


def test_files_that_take_too_long(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_SECONDS", 0.01)
    outcome = run("check", VERILOG / "adder.v", "--top", "adder", "--against", "add:a=fp16")
    assert_one_line(outcome, "verilator took more than 0.01 s")


def test_a_program_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    with pytest.raises(processes.ToolFailure, match="sh took more than"):
        processes.run(["sh", "-c", "sleep 60 & sleep 60"], tmp_path, seconds=0.2)
