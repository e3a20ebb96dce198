"""Static timing with tables, against OpenSTA."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import hwarith as hw
from hwarith.flow import liberty
from tests.flow.tabled import library

pytestmark = pytest.mark.skipif(
    shutil.which("sta") is None, reason="OpenSTA (sta) is not on PATH (Debian: opensta)"
)

UNITS = [
    "add:a=e4m3fn", "mul:a=e2m1fn", "mul:a=e4m3fn", "mul:a=int8,out=int16", "lmul:format=bf16",
    "add:a=fp16", "fma:a=e4m3fn", "cmp:a=bf16", "mul:a=e4m3fn,stages=2", "fma:a=e5m2,stages=1",
]  # fmt: skip

LIBRARIES = ["tabled", *filter(None, os.environ.get("HWARITH_TEST_LIBERTY", "").split(":"))]
"""The tests' own library, and others whose paths the environment gives."""


def scalar_verilog(module: dict) -> str:
    """A netlist with ports of one bit, which any reader takes."""
    ports, lines = [], []
    for name, port in module["ports"].items():
        for i, net in enumerate(port["bits"]):
            ports.append(f"{name}_{i}")
            lines.append(f"{port['direction']} {name}_{i};")
            value = net if isinstance(net, str) else f"n{net}"
            if port["direction"] == "input":
                lines.append(f"assign {value} = {name}_{i};")
            else:
                lines.append(f"assign {name}_{i} = {constant(net)};")
    for i, (kind, nets) in enumerate(module["cells"]):
        pins = ", ".join(f".{pin}({constant(net)})" for pin, net in nets.items())
        lines.append(f"{kind} u{i} ({pins});")
    return f"module top ({', '.join(ports)});\n" + "\n".join(lines) + "\nendmodule\n"


def constant(net: int | str) -> str:
    return f"n{net}" if isinstance(net, int) else f"1'b{0 if net == 'x' else net}"


def opensta(module: dict, source: Path, folder: Path) -> float:
    """The longest path by OpenSTA, under what `longest_path_by_load` states, without wires."""
    cells = liberty.read(source)
    text = re.sub(r"(?m)^\s*default_wire_load\s*:.*$", "", source.read_text())
    (folder / "cells.lib").write_text(text)
    (folder / "top.v").write_text(scalar_verilog(module))
    clock = "[get_ports clk_0]" if "clk" in module["ports"] else ""
    inputs = [
        f"{name}_{i}"
        for name, port in module["ports"].items()
        for i in range(len(port["bits"]))
        if port["direction"] == "input" and name != "clk"
    ]
    (folder / "run.tcl").write_text(f"""
read_liberty cells.lib
read_verilog top.v
link_design top
create_clock -name clk -period 100 {clock}
set inputs [get_ports {{{" ".join(inputs)}}}]
set_driving_cell -lib_cell {cells.driver.name} $inputs
set_load {cells.output_load} [all_outputs]
set_input_delay 0 -clock clk $inputs
set_output_delay 0 -clock clk [all_outputs]
report_checks -digits 6
exit
""")
    done = subprocess.run(["sta", "-no_splash", "run.tcl"], cwd=folder, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=True)  # fmt: skip
    slack = re.search(r"(-?[\d.]+) +slack", done.stdout)
    assert slack, done.stdout + done.stderr
    return 100 - float(slack[1])


@pytest.mark.parametrize("spec", UNITS)
@pytest.mark.parametrize("name", LIBRARIES)
def test_the_longest_path_is_that_of_opensta(name, spec, tmp_path):
    source = tmp_path / "own.lib"
    source.write_text(library() if name == "tabled" else Path(name).read_text())
    result = hw.synthesize(spec, source)
    assert result.delay == pytest.approx(opensta(result.module, source, tmp_path), rel=1e-3)
