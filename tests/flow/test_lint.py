"""The Verilog of the catalogue is clean in the tools that people have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import hwarith as hw
from hwarith.exceptions import ToolFailure
from hwarith.flow import tools
from hwarith.temporary import temporary_folder
from hwarith.units.catalogue import CATALOGUE

RTL = Path(__file__).parents[2] / "rtl"
SPECS = list(CATALOGUE.values())


def said(command: list[str], env: dict[str, str] | None = None) -> str:
    """What a tool says of a file; nothing if it has nothing to say."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    # Verilator 5.04 on reports what it did, in lines that begin so
    lines = (done.stdout + done.stderr).splitlines()
    return "\n".join(x for x in lines if not x.startswith("- ")).strip()


def verilator(path: Path) -> str:
    command, env = tools.verilator()
    return said([command, "--lint-only", "-Wall", "--top-module", path.stem, str(path)], env)


def old_verilator(path: Path) -> str:
    """The one of the system, such as 5.006 of Debian 12."""
    found = shutil.which("verilator")
    if found is None or found == tools.verilator()[0]:
        pytest.skip("no Verilator of the system: apt-get install verilator")
    env = {name: x for name, x in os.environ.items() if name != "VERILATOR_ROOT"}
    return said([found, "--lint-only", "-Wall", "--top-module", path.stem, str(path)], env)


def icarus(path: Path) -> str:
    if shutil.which("iverilog") is None:
        pytest.skip("no Icarus Verilog: apt-get install iverilog")
    return said(["iverilog", "-g2005", "-Wall", "-t", "null", str(path)])


def slang(path: Path) -> str:
    """With every warning there is, but for those of names that are not used."""
    driver_module = pytest.importorskip("pyslang.driver", reason="no pyslang")
    driver = driver_module.Driver()
    driver.addStandardArgs()
    assert driver.parseCommandLine(f"slang -Weverything {path}")
    assert driver.processOptions()
    assert driver.parseAllSources()
    found = [str(x.code) for x in driver.createCompilation().getAllDiagnostics()]
    return "\n".join(x for x in found if "Unused" not in x)


LINTERS = [verilator, old_verilator, icarus, slang]


@pytest.mark.parametrize("linter", LINTERS, ids=lambda linter: linter.__name__)
@pytest.mark.parametrize(
    "spec",
    [x if i % 4 == 0 else pytest.param(x, marks=pytest.mark.long) for i, x in enumerate(SPECS)],
)
def test_nothing_is_said(linter: Callable[[Path], str], spec: str) -> None:
    assert linter(RTL / f"{hw.unit(spec).name}.v") == ""


@pytest.mark.parametrize("linter", LINTERS, ids=lambda linter: linter.__name__)
def test_a_fault_is_found(linter: Callable[[Path], str], tmp_path: Path) -> None:
    u = hw.unit(CATALOGUE["mul_e4m3fn"])
    text = (RTL / f"{u.name}.v").read_text()
    path = tmp_path / f"{u.name}.v"
    path.write_text(text.replace("input  wire [7:0] b", "input  wire [5:0] b"))
    assert path.read_text() != text
    assert linter(path) != ""


STYLE = """
read_verilog {name}.v
hierarchy -check -top {name}
proc
check -assert
select -assert-none t:$dlatch t:$adlatch t:$dlatchsr
select -assert-none a:init
design -reset
"""


def style(paths: list[Path]) -> None:
    """Raises `ToolFailure` if yosys finds a latch, a loop, several drivers, or initial values."""
    with temporary_folder() as folder:
        for path in paths:
            (folder / path.name).write_text(path.read_text())
        tools.run_yosys("".join(STYLE.format(name=path.stem) for path in paths), folder)


def test_no_file_has_latches_loops_or_initial_values() -> None:
    style([RTL / f"{hw.unit(spec).name}.v" for spec in SPECS])
    for path in RTL.glob("*.v"):
        assert not re.search(r"\binitial\b|always @\s*\(?\*", path.read_text()), path.name


@pytest.mark.parametrize(
    "fault",
    [
        "reg q; always @* if (c) q = d; assign y = q;",
        "reg q = 1'b0; always @(posedge c) q <= d; assign y = q;",
        "wire q = ~q; assign y = q;",
    ],
)
def test_latches_initial_values_and_loops_are_found(fault: str, tmp_path: Path) -> None:
    path = tmp_path / "faulty.v"
    path.write_text(f"module faulty (input c, input d, output y);\n{fault}\nendmodule\n")
    with pytest.raises(ToolFailure):
        style([path])


def test_a_file_behind_a_generated_one_is_linted(tmp_path: Path) -> None:
    path = tmp_path / "mine.v"
    mine = "module mine (input wire [3:0] a);\nendmodule\n"
    path.write_text(hw.verilog(CATALOGUE["mul_e4m3fn"]) + mine)
    assert "UNUSEDSIGNAL" in verilator(path)
