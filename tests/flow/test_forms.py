"""The forms of Verilog: each computes what the unit does, is clean, and has its ports."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput, ToolFailure
from hwarith.flow import tools

SPEC = "fma:a=e4m3fn,stages=2"
FORMS: dict[str, dict[str, Any]] = {
    "prefix": {"prefix": "my_"},
    "sv": {"sv": True},
    "dsp": {"dsp": True},
    "async": {"reset": "async"},
    "async_low": {"reset": "async", "active_low": True},
    "sync_low": {"active_low": True},
    "none": {"reset": "none"},
    "enable": {"enable": True},
    "registered": {"registered": True},
    "tag": {"tag": 8},
    "all": {
        "name": "all_of_it",
        "prefix": "p_",
        "sv": True,
        "dsp": True,
        "reset": "async",
        "active_low": True,
        "enable": True,
        "registered": True,
        "tag": 5,
    },
}

GROUPS = (
    "mac:a=int8,acc=int18",
    "fpint:w=int4,lanes=2",
    "bitplane_dot:n=2,m=3,lanes=12,k=100",
    "bspe:type=fp4",
    "bsdequant",
)
ARRAYS = ("bstile:rows=2,columns=2", "engine:pe=(fma:a=e4m3fn),rows=2,columns=3")


def in_standard_ports(u: hw.Unit, form: dict[str, Any]) -> str:
    """A module with the unit's own name and ports around one of this form."""
    text = hw.verilog(u, **form)
    inner = re.findall(r"^module (\w+)", text, re.MULTILINE)[0]
    if inner == u.name:
        text = text.replace(f"module {inner} (", f"module {inner}_inner (", 1)
        inner = f"{inner}_inner"
    names = ["clk", "i_valid", "i_ready", "o_valid", "o_ready", *u.inputs]
    ports = {name: name for name in names} | {name: f"{name}_i" for name in u.results}
    if form.get("reset") != "none":
        ports["rst_n" if form.get("active_low") else "rst"] = (
            "~rst" if form.get("active_low") else "rst"
        )
    if form.get("enable"):
        ports["en"] = "1'b1"
    if form.get("tag"):
        ports |= {"i_tag": f"{next(iter(u.inputs))}[{form['tag'] - 1}:0]", "o_tag": "tag"}
    connections = ", ".join(f".{port}({x})" for port, x in ports.items())
    inputs = "".join(f"input wire [{f.bits - 1}:0] {x}, " for x, f in u.inputs.items())
    outputs = ", ".join(f"output wire [{f.bits - 1}:0] {x}" for x, f in u.results.items())
    wires = "".join(f"  wire [{f.bits - 1}:0] {x}_i;\n" for x, f in u.results.items())
    assigns = "".join(f"  assign {x} = {x}_i;\n" for x in u.results)
    return text + (
        f"module {u.name} (input wire clk, input wire rst, input wire i_valid, "
        f"output wire i_ready, {inputs}output wire o_valid, input wire o_ready, {outputs});\n"
        f"{wires}  wire [63:0] tag;\n  {inner} inner ({connections});\n{assigns}endmodule\n"
    )


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, id=name, marks=() if name in ("none", "all") else pytest.mark.long)
        for name, form in FORMS.items()
    ],
)
def test_a_form_computes_the_same(form: dict[str, Any]) -> None:
    u = hw.unit(SPEC)
    simulation = hw.simulate(u, in_standard_ports(u, form))
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 256, (3, 20_000), dtype=np.uint8)
    expected = u(*codes)
    assert np.array_equal(simulation(*codes), expected)
    assert simulation.clocks == 20_000 + u.stages
    few = codes[:, :3000]
    for pauses in ({"idle": 0.4}, {"stall": 0.4}, {"idle": 0.5, "stall": 0.5, "seed": 3}):
        assert np.array_equal(simulation.stream(*few, **pauses), expected[:3000])


def test_a_fault_in_a_form_is_found() -> None:
    u = hw.unit(SPEC)
    text = in_standard_ports(u, {"registered": True})
    faulty = text.replace("y_offered = waits ? y_waiting : ", "y_offered = waits ? ~y_waiting : ")
    assert faulty != text
    codes = np.random.default_rng(1).integers(0, 256, (3, 3000), dtype=np.uint8)
    with pytest.raises(ToolFailure, match="was changed while it waited"):
        hw.simulate(u, faulty).stream(*codes, stall=0.4)


BENCH = """
module bench;
  reg clk = 0, rst = 1, en = 1, i_valid = 0, o_ready = 0;
  reg [7:0] a = 0, b = 0;
  wire [7:0] y;
  wire [3:0] o_tag;
  wire i_ready, o_valid;
  reg earlier;
  {module} dut (.clk(clk), {reset}.en(en), .i_valid(i_valid), .i_ready(i_ready), .a(a), .b(b),
    .i_tag(a[3:0]), .o_valid(o_valid), .o_ready(o_ready), .y(y), .o_tag(o_tag));
  task tick; begin #1 clk = 1; #1 clk = 0; #1; end endtask
  task check(input ok, input [8*40:1] what); if (!ok) $display("FAIL %0s", what); endtask
  initial begin
{body}
    $display("done");
    $finish;
  end
endmodule
"""


def icarus(text: str, body: str, folder: Path, module: str = "dut", reset: str = "rst") -> str:
    """What a plain-Verilog bench says of a module with tag and enable."""
    if not (found := shutil.which("iverilog")):
        pytest.skip("no Icarus Verilog: apt-get install iverilog")
    value = {"rst": ".rst(rst), ", "rst_n": ".rst_n(~rst), ", "": ""}[reset]
    bench = BENCH.format(module=module, reset=value, body=body)
    (folder / "t.v").write_text(text + bench)
    subprocess.run([found, "-g2012", "-o", "t", "t.v"], cwd=folder, check=True)
    return subprocess.run(
        ["vvp", "-N", "t"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


TAGS_AND_ENABLE = """
    tick; rst = 0; i_valid = 1; a = 8'h38; b = 8'h38; o_ready = 1;
    tick; a = 8'h41; tick; i_valid = 0;
    check(o_valid && y == 8'h38 && o_tag == 4'h8, "first result and its tag");
    en = 0; tick; tick;
    check(o_valid && y == 8'h38 && o_tag == 4'h8, "nothing moves without the enable");
    en = 1; tick;
    check(o_valid && y == 8'h41 && o_tag == 4'h1, "second result and its tag");
    tick; check(!o_valid, "nothing is left");
"""
REGISTERED = """
    tick; rst = 0; o_ready = 1; #1 earlier = i_ready;
    o_ready = 0; #1 check(earlier && i_ready, "ready does not see o_ready");
    i_valid = 1; a = 8'h38; b = 8'h38; tick; tick; tick; #1
    check(!i_ready && o_valid, "full after a result in each of two ranks and the buffer");
    o_ready = 1; #1 check(!i_ready, "ready does not see o_ready when full");
    tick; check(i_ready, "a clock later it does");
"""
ASYNCHRONOUS = """
    tick; rst = 0; i_valid = 1; o_ready = 0; tick; tick;
    check(o_valid, "a result");
    rst = 1; #1 check(!o_valid, "gone without a clock");
"""


@pytest.mark.parametrize(
    ("form", "body", "fault"),
    [
        ({}, TAGS_AND_ENABLE, ("i_tag_r2 <= i_tag_r1", "i_tag_r2 <= ~i_tag_r1")),
        ({"registered": True}, REGISTERED, ("~valid_2 | ~waits", "~valid_2 | o_ready")),
        ({"reset": "async"}, ASYNCHRONOUS, (" or posedge rst", "")),
        ({"reset": "async", "active_low": True}, ASYNCHRONOUS, (" or negedge rst_n", "")),
    ],
)
def test_what_a_form_promises(
    form: dict[str, Any], body: str, fault: tuple[str, str], tmp_path: Path
) -> None:
    reset = "rst_n" if form.get("active_low") else "rst"
    text = hw.verilog("mul:a=e4m3fn,stages=2", name="dut", enable=True, tag=4, **form)
    assert icarus(text, body, tmp_path, reset=reset) == "done\n"
    faulty = text.replace(*fault)
    assert faulty != text
    assert "FAIL" in icarus(faulty, body, tmp_path, reset=reset)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_form_is_clean(form: dict[str, Any], tmp_path: Path) -> None:
    from tests.flow.test_lint import slang, verilator

    text = hw.verilog(SPEC, **form)
    name = re.findall(r"^module (\w+)", text, re.MULTILINE)[0]
    path = tmp_path / f"{name}{'.sv' if form.get('sv') else '.v'}"
    path.write_text(text)
    assert verilator(path) == ""
    assert slang(path) == ""


@pytest.mark.long
@pytest.mark.parametrize(
    ("spec", "option"),
    [
        *product((*GROUPS, *ARRAYS), ("registered", "active_low")),
        *product(GROUPS, ("enable",)),
    ],
)
def test_other_streams_keep_the_rules_in_a_form(spec: str, option: str) -> None:
    u = hw.unit(spec)
    assert hw.regress(u, vectors=60, verilog=in_standard_ports(u, {option: True})).failed == 0


def test_names_of_an_array() -> None:
    spec = "engine:pe=(fma:a=int8,b=int8,c=int32,out=int32),rows=2,columns=2"
    text = hw.verilog(spec, name="grid", prefix="x_")
    modules = set(re.findall(r"^module (\w+)", text, re.MULTILINE))
    assert "x_grid" in modules
    assert all(name.startswith("x_grid") for name in modules)
    instances = set(re.findall(r"^  (x_grid\w*) \w+ \($", text, re.MULTILINE))
    assert instances == modules - {"x_grid"}


def test_constants_and_structures_in_a_package() -> None:
    text = hw.verilog("fma:a=bf16,c=fp32,out=fp32", sv=True)
    assert "  localparam int BF16_BIAS = 127;\n" in text
    assert "  localparam logic [31:0] FP32_NAN = 32'h7fc00000;\n" in text
    assert "    logic [7:0] exponent;\n    logic [6:0] fraction;\n  } bf16_t;\n" in text
    assert not re.search(r"\breg\b", text.partition("endpackage")[2])


@pytest.mark.parametrize(
    ("spec", "form", "message"),
    [
        (SPEC, {"name": "wire"}, "name 'wire' must be letters"),
        (SPEC, {"name": "1x"}, "name '1x' must be letters"),
        (SPEC, {"prefix": "a-b"}, "prefix 'a-b' must be letters"),
        (SPEC, {"reset": "asink"}, "unknown reset 'asink'; did you mean 'async'"),
        (SPEC, {"reset": "none", "active_low": True}, "reset none has no level"),
        (SPEC, {"tag": 65}, "tag must be 0 to 64 bits, not 65"),
        (SPEC, {"tag": -1}, "tag must be 0 to 64 bits, not -1"),
        (SPEC, {"regs": True}, "unknown option of Verilog 'regs'"),
        ("mul:a=bf16", {"registered": True}, "is combinational; registered is for units with"),
        ("mul:a=bf16", {"reset": "async"}, "is combinational; reset is for units with"),
        ("mac:a=int8", {"tag": 2}, "is no pipeline with a result for each transfer"),
        (
            "engine:pe=(fma:a=int8,b=int8,c=int32,out=int32),rows=2,columns=2",
            {"enable": True},
            "there are none with a clock enable",
        ),
    ],
)
def test_what_is_refused(spec: str, form: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        hw.verilog(spec, **form)


def test_yosys_reads_every_form(tmp_path: Path) -> None:
    for i, form in enumerate(FORMS.values()):
        sv = "-sv " if form.get("sv") else ""
        (tmp_path / f"f{i}.v").write_text(hw.verilog(SPEC, **form))
        tools.run_yosys(
            f"read_verilog {sv}f{i}.v\nhierarchy -auto-top\nproc\ncheck -assert", tmp_path
        )
    with pytest.raises(ToolFailure):
        tools.run_yosys("read_verilog f0.v\nhierarchy -top nothing", tmp_path)
