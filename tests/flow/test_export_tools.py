"""Each artefact of an exported block in its own tool."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

import hwarith as hw
from hwarith.flow import tools
from hwarith.flow.export import flows, folder
from hwarith.golden import golden
from hwarith.units import Contract, Unit, unit
from hwarith.units.catalogue import CATALOGUE
from hwarith.units.operations import Operation
from tests.flow.exported import FAULTS, exported, faulty, icarus, needs_icarus, verilog_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _shipped_verilog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "verilog", verilog_of)


def run(command: list[str], cwd: Path, **environment: str) -> str:
    """What a program prints, which must end well."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        command, cwd=cwd, env=env, text=True, capture_output=True, timeout=550, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


# -- the plain testbench ---------------------------------------------------------------------

SIMULATED = (
    "mul_e4m3fn",
    "fma_fp16_flags",
    "lmul_bf16_pipelined",
    "mac_bf16_fp32",
    "bsdequant",
)


@needs_icarus
@pytest.mark.parametrize("name", SIMULATED)
def test_testbench_passes(tmp_path: Path, name: str) -> None:
    module, path = exported(CATALOGUE[name], tmp_path / "block", vectors=100)
    status, said = icarus(path, module)
    rounds = 3 if unit(CATALOGUE[name]).stages else 1
    count = len((path / "vectors/y.memh").read_text().split()) if name != "bsdequant" else 100
    assert (status, said) == (0, f"PASS: {rounds * count} results of {module}\n")


@golden
def _second(a: int, b: int) -> int:
    return b


@dataclass(frozen=True, kw_only=True, repr=False)
class Awkward(Unit):
    """The second of two operands; its ports are called as things in testbenches are."""

    family: ClassVar[str] = "awkward"
    summary: ClassVar[str] = "ports with other names"
    operation: ClassVar[Operation] = Operation("second")
    word_bits = 8
    contract = Contract("exact", "exact", "none")

    @property
    def operands(self) -> dict[str, hw.Format]:
        return {"sent": hw.format("uint4"), "dut": hw.format("uint4")}

    @property
    def results(self) -> dict[str, hw.Format]:
        return {"expected": hw.format("uint4")}

    def definition(self) -> tuple:
        return _second, ()

    def datapath(self) -> list:
        return [lambda m, x: {"expected": x["dut"]}]


@needs_icarus
@pytest.mark.parametrize("stages", [0, 1])
def test_ports_of_any_name(tmp_path: Path, stages: int) -> None:
    u = Awkward(stages=stages)
    hw.export(u, tmp_path / "block")
    status, said = icarus(tmp_path / "block", u.name)
    assert (status, said[:5]) == (0, "PASS:")
    if stages:
        top = ["-s", f"{u.name}_axis", "-c", f"{u.name}.f"]
        run(["iverilog", "-g2005", "-t", "null", *top], tmp_path / "block")


@needs_icarus
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["lmul_bf16_pipelined"])
def test_testbench_finds_faults(tmp_path: Path, name: str, fault: str) -> None:
    u = unit(CATALOGUE[name])
    module, path = exported(u.spec, tmp_path / "block", vectors=60)
    (path / "rtl" / f"{module}.v").write_text(faulty(u, fault))
    status, said = icarus(path, module)
    assert status == 1
    assert re.search(rf"^FAIL: [1-9]\d* of \d+ results of {module}\n", said, re.MULTILINE)
    assert "PASS" not in said


@needs_icarus
@pytest.mark.parametrize("fault", ["wrong", "unknown"])
def test_testbench_of_a_combinational_unit_finds_faults(tmp_path: Path, fault: str) -> None:
    u = unit("mul:a=e4m3fn,b=e4m3fn,out=e4m3fn,round=rne")
    module, path = exported(u.spec, tmp_path / "block", vectors=20)
    (path / "rtl" / f"{module}.v").write_text(faulty(u, fault))
    status, said = icarus(path, module)
    assert (status, said.splitlines()[-1]) == (1, f"FAIL: 20 of 20 results of {module}")


@needs_icarus
@pytest.mark.long
@pytest.mark.parametrize("name", CATALOGUE)
def test_testbench_of_every_unit(tmp_path: Path, name: str) -> None:
    arrays = bool(unit(CATALOGUE[name]).parts)  # which an interpreting simulator takes long for
    module, path = exported(CATALOGUE[name], tmp_path / "block", vectors=5 if arrays else 200)
    status, said = icarus(path, module)
    assert (status, said[:5]) == (0, "PASS:"), said
    if unit(CATALOGUE[name]).stages:
        top = f"{module}_axis"
        run(["iverilog", "-g2005", "-t", "null", "-s", top, "-c", f"{module}.f"], path)


@pytest.mark.parametrize("name", ["lmul_bf16_pipelined", "bitplane_dot_4", "bsdequant"])
def test_wrapper_is_clean(tmp_path: Path, name: str) -> None:
    """No warning of Verilator in the wrapper, without any waiver."""
    module, path = exported(CATALOGUE[name], tmp_path / "block", vectors=2)
    command, env = tools.verilator()
    lint = [command, "--lint-only", "-Wall", "--top-module", f"{module}_axis", "-f", f"{module}.f"]
    assert "%Warning" not in run(lint, path, **env)
    wrapper = path / "rtl" / f"{module}_axis.v"
    wrapper.write_text(wrapper.read_text().replace("wire completes =", "wire [1:0] completes ="))
    with pytest.raises(AssertionError, match="%Warning-WIDTH"):
        run(lint, path, **env)


# -- FuseSoC ---------------------------------------------------------------------------------


def fusesoc(arguments: str, cwd: Path) -> str:
    pytest.importorskip("fusesoc")
    environment = {"XDG_CONFIG_HOME": str(cwd / "config")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    start = "import sys; from fusesoc.main import main; sys.exit(main())"
    command = [sys.executable, "-c", start, *arguments.split()]
    return run(command, cwd, **environment, PATH=path)


@needs_icarus
def test_core_simulates(tmp_path: Path) -> None:
    module, _ = exported(CATALOGUE["lmul_bf16_pipelined"], tmp_path / "block", vectors=50)
    said = fusesoc(f"--cores-root block run --target sim {module}", tmp_path)
    assert f"results of {module}" in said
    assert "PASS" in said


@pytest.mark.long
def test_every_target_of_a_core_is_set_up(tmp_path: Path) -> None:
    module, _ = exported("mac:a=int8", tmp_path / "block", vectors=50)
    for target in ("lint", "sim_verilator", "ecp5"):
        fusesoc(f"--cores-root block run --setup --target {target} {module}", tmp_path)


TOP = """\
CAPI=2:
name: me::top:1
filesets:
  top:
    depend: [hwarith:tools:generator]
    files: [top.v: {file_type: verilogSource}]
generate:
  product:
    generator: hwarith
    parameters: {spec: "SPEC", period: 4}
targets:
  default:
    filesets: [top]
    generate: [product]
    toplevel: top
    flow: sim
    flow_options: {tool: icarus, iverilog_options: [-g2005]}
"""


@needs_icarus
@pytest.mark.long
def test_a_core_names_a_spec(tmp_path: Path) -> None:
    spec = "lmul:format=bf16,k=7,krnd=trunc,stages=1"
    folder.write(tmp_path / "generator", flows.generator_core())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "top.core").write_text(TOP.replace("SPEC", spec))
    (tmp_path / "mine" / "top.v").write_text(
        f'module top; {unit(spec).name} u (); initial $display("made"); endmodule\n'
    )
    roots = "--cores-root generator --cores-root mine"
    assert "made" in fusesoc(f"{roots} run me::top", tmp_path)
    (tmp_path / "mine" / "top.core").write_text(TOP.replace("SPEC", "mull"))
    with pytest.raises(AssertionError, match="hwarith: unknown unit 'mull'; did you mean 'mul'"):
        fusesoc(f"{roots} run me::top", tmp_path)


# -- cocotb ----------------------------------------------------------------------------------


def cocotb(path: Path, simulator: str, **environment: str) -> str:
    pytest.importorskip("cocotbext.axi")
    for name in ("COCOTB_TEST_FILTER", "COCOTB_TESTCASE"):
        environment.setdefault(name, "")
    return run([sys.executable, "cocotb/run.py", simulator], path, **environment)


@needs_icarus
@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["mul_e4m3fn", "mul_fp32_pipelined", "mac_bf16_fp32", "bsdequant", "engine_anfma"]
)
def test_scoreboards_pass(tmp_path: Path, name: str) -> None:
    """Of the block, and by an independent AXI4-Stream of its wrapper."""
    _, path = exported(CATALOGUE[name], tmp_path / "block", vectors=10)
    said = cocotb(path, "icarus", VECTORS="60")
    benches = 2 if unit(CATALOGUE[name]).stages else 1
    assert len(re.findall(r"TESTS=\d PASS=\d FAIL=0 SKIP=0", said)) == benches


@needs_icarus
@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{s_axis_tuser, s_axis_tlast}", "{s_axis_tuser, 1'b0}"),
        ("= beside[head]", "= beside[tail]"),
        ("given = m_axis_tvalid & m_axis_tready", "given = m_axis_tvalid"),
        ("first <= s_axis_tlast", "first <= 1'b0"),
        (".b(s_axis_tdata[15:8])", ".b(s_axis_tdata[14:7])"),
    ],
)
def test_scoreboard_finds_faults_of_the_wrapper(tmp_path: Path, old: str, new: str) -> None:
    of_first = "first" in old or "tdata" in old
    spec = "mac:a=int8" if of_first else "bitplane_dot:n=2,m=2,lanes=8,pi=2,pj=2,k=64,stages=2"
    module, path = exported(spec, tmp_path / "block", vectors=10)
    wrapper = path / "rtl" / f"{module}_axis.v"
    assert old in wrapper.read_text()
    wrapper.write_text(wrapper.read_text().replace(old, new))
    with pytest.raises(AssertionError, match=r"FAIL=[1-9]"):
        cocotb(path, "icarus", VECTORS="60")


# -- layout ----------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["mul:a=e2m1fn", "mul:a=e2m1fn,stages=1"])
def test_librelane_knows_every_variable(tmp_path: Path, spec: str) -> None:
    pytest.importorskip("librelane", reason="pip install librelane")
    from librelane.config.flow import flow_common_variables
    from librelane.flows import Flow

    _, path = exported(spec, tmp_path / "block")
    flow = Flow.factory.get("Classic")
    known = {v.name for v in [*flow_common_variables, *flow.config_vars]}
    known |= {v.name for step in flow.Steps for v in step.get_all_config_variables()}
    config = json.loads((path / "librelane/config.json").read_text())
    assert set(config) - known == {"meta"}


def test_siliconcompiler_takes_the_script(tmp_path: Path) -> None:
    pytest.importorskip("siliconcompiler", reason="pip install siliconcompiler")
    module, path = exported("mul:a=e2m1fn,stages=1", tmp_path / "block")
    file = path / "siliconcompiler/build.py"
    found = importlib.util.spec_from_file_location("build_by_siliconcompiler", file)
    assert found
    assert found.loader
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)
    assert script.project().check_manifest()
    assert script.project().design.get_topmodule("rtl") == module


# -- the commands of the README --------------------------------------------------------------


@needs_icarus
@pytest.mark.long
@pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA (sta) is not on PATH")
@pytest.mark.parametrize("spec", ["mul:a=e4m3fn,stages=2", "mac:a=int8", "add:a=e4m3fn"])
def test_commands_of_the_readme(tmp_path: Path, spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Icarus, Verilator, yosys for ECP5 and for cells, and OpenSTA, from the folder alone."""
    monkeypatch.undo()
    module, path = exported(spec, tmp_path / "block", vectors=200, period=100)
    moved = tmp_path / "elsewhere"
    path.rename(moved)
    _, env = tools.verilator()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    tools.versions()  # yosys is prepared
    yosys = bin_folder / "yosys"
    yosys.write_text(f'#!/bin/sh\nexec {shlex.join(tools.yosys())} "$@"\n')
    yosys.chmod(0o755)
    readme = (moved / "README.md").read_text()
    commands = "".join(re.findall(r"^```sh\n(.*?)^```", readme, re.DOTALL | re.MULTILINE))
    said = {}
    for command in commands.splitlines():
        said[command] = run(
            ["sh", "-ec", command],
            moved,
            **(env | {"PYTHONPATH": "", "PATH": f"{bin_folder}{os.pathsep}{env['PATH']}"}),
        )
    by_tool = {re.split(r"[ /]", command)[0]: text for command, text in said.items()}
    assert f"results of {module}" in by_tool["vvp"]
    assert "PASS" in by_tool["vvp"]
    assert "PASS" in by_tool["obj_dir"]
    assert (moved / f"{module}_ecp5.json").exists()
    assert (moved / f"{module}_netlist.v").exists()
    slack = re.search(r"worst slack (-?[\d.]+)", by_tool["sta"])
    assert slack
    assert "Error" not in by_tool["sta"]
    assert 0 < float(slack[1]) < 100
