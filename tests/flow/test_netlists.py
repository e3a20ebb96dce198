"""Mapped netlists with their cells: simulated, and compared with the Verilog for every input."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith.flow.synthesis import liberty
from hwarith.flow.synthesis.equivalence import REFUTED, UNDECIDED, equivalence, netlist_of
from hwarith.flow.synthesis.libraries import OPEN_CELLS, liberty_file
from hwarith.flow.synthesis.models import with_models
from tests import small_units
from tests.flow.test_liberty import GENERIC, prove_equal

MUL = "mul:a=e2m1fn"
PIPELINE = "mul:a=e2m1fn,stages=1"
CELLS = """
library (cells) {
  cell (TIE) { pin (Y) { direction : output; function : "1"; } }
  cell (ODD) {
    pin (A) { direction : input; }
    pin (wire) { direction : input; }
    pin (C) { direction : input; }
    pin (Y) { direction : output; function : "A ^ wire C' + !(A + C) * wire"; }
    pin (Z) { direction : output; function : "(A & C)'"; }
  }
  cell (FALLING) {
    ff (IQ, IQN) { next_state : "D"; clocked_on : "!CK"; }
    pin (D) { direction : input; }
    pin (CK) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; }
    pin (N) { direction : output; function : "IQN"; }
  }
  cell (ENABLED) {
    ff (IQ, IQN) { next_state : "(D E) | (IQ !E)"; clocked_on : "CK"; clear : "!R"; }
    pin (D) { direction : input; }
    pin (E) { direction : input; }
    pin (CK) { direction : input; }
    pin (R) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; }
  }
  cell (LATCH) {
    latch (IQ, IQN) { data_in : "D"; enable : "E"; }
    pin (D) { direction : input; }
    pin (E) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; }
  }
  cell (MACRO) { pin (A) { direction : input; } }
}
"""
MODELLED = ("TIE", "ODD", "FALLING", "ENABLED")


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    path = tmp_path / "cells.lib"
    path.write_text(CELLS)
    return path


def test_models_of_the_generic_cells(tmp_path: Path) -> None:
    """By their functions, and not those that are written by hand."""
    prove_equal(with_models(" ".join(GENERIC.cells), GENERIC).partition("\n")[2], tmp_path)


def models(path: Path) -> str:
    return with_models(" ".join(MODELLED), liberty.read(path)).partition("\n")[2]


def test_models_of_cells_of_all_kinds(cells: Path, tmp_path: Path) -> None:
    prove_equal(models(cells), tmp_path, cells, MODELLED)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("assign Y = 1'b1", "assign Y = 1'b0"),
        ("assign Z = (~(A & C))", "assign Z = (~(A | C))"),
        ("_clock_ = (~CK)", "_clock_ = CK"),
        ("if (_clear_)", "if (~_clear_)"),
    ],
)
def test_a_fault_in_a_model_is_found(cells: Path, right: str, wrong: str, tmp_path: Path) -> None:
    text = models(cells)
    assert right in text
    with pytest.raises(hw.ToolFailure, match=r"unproven \$equiv cells"):
        prove_equal(text.replace(right, wrong), tmp_path, cells, MODELLED)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("LATCH", "cell LATCH is no flip-flop with a state and its inverse"),
        ("MACRO", "cell MACRO: the library does not say what it does"),
    ],
)
def test_cells_without_a_model(cells: Path, name: str, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        with_models(f"{name} x (", liberty.read(cells))


# -- equal or not --------------------------------------------------------------------------------


def faulty(spec: str, library: str, right: str, wrong: str) -> str:
    """The netlist with another cell in place of the first one of a kind."""
    text, count = re.subn(
        rf"^  {right} (\w+) \(", rf"  {wrong} \1 (", netlist_of(spec, library), count=1, flags=re.M
    )
    assert count == 1
    return text


@pytest.mark.parametrize(("spec", "registers"), [(MUL, 0), (PIPELINE, 5)])
def test_a_netlist_equals_its_verilog(spec: str, registers: int) -> None:
    found = equivalence(spec)
    assert (found.verdict, found.message, found.registers) == ("proven", None, registers)
    assert found.outputs == (6 if registers else 4)
    assert "equals the Verilog: proven, for every input; " in str(found)


def test_a_fault_is_shown_with_its_operands() -> None:
    netlist = faulty(MUL, "generic", "NOR2", "NAND2")
    found = equivalence(MUL, netlist=netlist)
    at = re.fullmatch(
        r"at a=0x(\w), b=0x(\w): y must be 0x(\w), and is 0x(\w)", found.message or ""
    )
    assert at
    a, b, right, wrong = (int(code, 16) for code in at.groups())
    assert (found.verdict, right) == (REFUTED, hw.unit(MUL)(a, b))
    assert hw.simulate(MUL, netlist)(a, b) == wrong != right


@pytest.mark.long
def test_a_fault_between_registers() -> None:
    """The regression finds it as well, on the same netlist."""
    netlist = faulty(PIPELINE, "generic", "NOR2", "NAND2")
    found = hw.regress(PIPELINE, 40, verilog=netlist, library="generic")
    *simulated, last = found.phases
    assert any(phase.failed for phase in simulated)
    assert (last.name, last.passed, last.failed) == ("netlist of generic equals the Verilog", 0, 1)
    assert re.fullmatch(
        r"at rst=0x., i_valid=0x., a=0x., b=0x., o_ready=0x., if the registers ever hold 0x\w+: "
        r"(.* must be .*|register \w+(\[\d\])? gets another value)",
        last.message or "",
    )
    assert found.as_dict()["netlist"]["verdict"] == REFUTED
    assert found.properties["netlist"] == REFUTED


def test_registers_by_other_names() -> None:
    """Of those that no other name tells, as an output's, it is not decided."""
    two = "mul:a=e2m1fn,stages=2"
    found = equivalence(two, netlist=re.sub(r"_r(\d)\b", r"_of_rank_\1", netlist_of(two)))
    assert (found.verdict, found.phase.passed, found.phase.failed) == (UNDECIDED, 0, 0)
    assert re.search(
        "undecided, registers without a counterpart of the same name: .*_r1", str(found)
    )


def test_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is undecided is not kept."""
    other = netlist_of(MUL) + "// never kept"
    for _ in range(2):
        found = equivalence(MUL, netlist=other, seconds=0.01)
        assert (found.verdict, found.message) == (UNDECIDED, "yosys took more than 0.01 s")


def module(body: str, ports: str = "input [3:0] a, b, output [3:0] y") -> str:
    return f"module {hw.unit(MUL).name}({ports});\n{body}\nendmodule"


@pytest.mark.parametrize(
    ("netlist", "error", "message"),
    [
        (
            module("assign y = a[0];", "input [3:0] a, b, output y"),
            hw.InvalidInput,
            "netlist: port y must be as",
        ),
        (module("NOR7 x (.A(a));"), hw.ToolFailure, r"yosys failed: ERROR: .*NOR7"),
        (
            module("reg [3:0] y; always @* if (a[0]) y = b;"),
            hw.InvalidInput,
            "its registers must take what they get at the rising edge of clk alone",
        ),
    ],
)
def test_netlists_that_cannot_be_compared(
    netlist: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        equivalence(MUL, netlist=netlist)


@pytest.mark.parametrize("seconds", [0, -1, True, "1", float("nan"), 1e9])
def test_seconds(seconds: float) -> None:
    with pytest.raises(hw.InvalidInput, match="must be a number above 0, at most 86400, not "):
        equivalence(MUL, seconds=seconds)


def there(library: str) -> bool:
    try:
        return liberty_file(library).is_file()
    except hw.MissingTool:
        return False


LIBRARIES = ("generic", *filter(there, OPEN_CELLS))


@pytest.mark.long
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "spec", [*small_units.SPECS, *small_units.METADATA, PIPELINE, "fma:a=e4m3fn,stages=2"]
)
def test_every_family(spec: str, library: str) -> None:
    assert equivalence(spec, library, seconds=300).verdict == "proven"


@pytest.mark.long
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_the_regression_runs_on_cells(simulator: str, library: str) -> None:
    for spec in ("fma:a=e3m2", "mul:a=e4m3fn,stages=2", "mac:a=e2m1fn,acc=e4m3,stages=1"):
        found = hw.regress(spec, 200, simulator=simulator, library=library)
        assert (found.failed, found.netlist.verdict) == (0, "proven")


@pytest.mark.long
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_simulation_runs_on_cells(library: str) -> None:
    u = hw.unit("mul:a=e4m3fn")
    a, b = np.meshgrid(*2 * [np.arange(256, dtype=np.uint8)])
    assert (hw.simulate(u, netlist_of(u, library))(a, b) == u(a, b)).all()
