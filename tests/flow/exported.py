"""Exported blocks for tests, and faulty ones."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

import hwarith as hw
from hwarith.units import Unit, unit
from hwarith.units.interface import ports

ROOT = Path(__file__).parents[2]

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None,
    reason="Icarus Verilog is not on PATH (Debian: apt install iverilog)",
)


@cache
def verilog_of(u: Unit) -> str:
    """The Verilog of a unit: what is shipped of the catalogue's, without any tool."""
    shipped = ROOT / "rtl" / f"{u.name}.v"
    return shipped.read_text() if shipped.exists() else hw.verilog(u)


def icarus(folder: Path, name: str) -> tuple[int, str]:
    """Run the testbench of an exported folder: exit status, and what it prints."""
    build = ["iverilog", "-g2005", "-o", "tb.vvp", "-s", f"{name}_tb", "-c", f"{name}_tb.f"]
    said = subprocess.run(build, cwd=folder, capture_output=True, text=True, timeout=120)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")
    run = subprocess.run(
        ["vvp", "-N", "tb.vvp"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    return run.returncode, run.stdout


FAULTS = {
    "wrong": ("assign y = good_y ^ (count == 5);", "assign o_valid = good_valid;"),
    "unknown": ("assign y = count == 5 ? 'bx : good_y;", "assign o_valid = good_valid;"),
    "unsteady": ("assign y = good_y ^ ~o_ready;", "assign o_valid = good_valid;"),
    "withdrawn": ("assign y = good_y;", "assign o_valid = good_valid & o_ready;"),
    "lost": ("assign y = good_y;", "assign o_valid = good_valid & count != 5;"),
    "stuck": ("assign y = good_y;", "assign o_valid = good_valid & count < 5;"),
    "doubled": ("assign y = good_y;", "assign o_valid = good_valid | count == 31;"),
}
"""What a wrapper of this name does wrong with results (of a port y) and their valid."""


def faulty(u: Unit, fault: str) -> str:
    """Verilog of a unit with a port y that has a fault: the good one, and one around it."""
    good = re.sub(rf"\bmodule {u.name}\b", f"module {u.name}_good", verilog_of(u), count=1)
    listed = ports(u)
    inside = {"y": "good_y", "o_valid": "good_valid"}
    result, valid = FAULTS[fault]
    counts = "if (rst) count <= 0; else if (good_valid & o_ready) count <= count + 1;"
    return "\n".join(
        [
            good,
            f"module {u.name} (",
            ",\n".join(f"  {p.direction} wire [{p.bits - 1}:0] {p.name}" for p in listed),
            ");",
            f"  wire [{u.results['y'].bits - 1}:0] good_y;",
            "  wire good_valid;",
            "  reg [9:0] count;",
            f"  always @(posedge clk) {counts}" if u.stages else "  initial count = 5;",
            f"  {result}",
            f"  {valid}" if u.stages else "",
            f"  {u.name}_good good (",
            ",\n".join(f"    .{p.name}({inside.get(p.name, p.name)})" for p in listed),
            "  );",
            "endmodule",
            "",
        ]
    )


def exported(spec: str, folder: Path, **settings: object) -> tuple[str, Path]:
    """The name of a block and its folder."""
    hw.export(spec, folder, **settings)  # type: ignore[arg-type]
    return unit(spec).name, folder
