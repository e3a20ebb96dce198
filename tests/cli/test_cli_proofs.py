"""`hwarith prove`: its verdicts as lines, JSON and exit status."""

from __future__ import annotations

import re

import pytest

import hwarith as hw
from tests.cli.running import TINY, Run, assert_one_line


def test_proven(run: Run) -> None:
    done = run("prove", TINY, "lmul:format=e4m3fn,stages=1")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) == 2
    assert all("proven for every input" in line for line in lines)


def test_refuted(run: Run, tmp_path) -> None:
    file = tmp_path / "wrong.v"
    text = hw.verilog(TINY)
    wrong, count = re.subn(r"assign y = ", "assign y = ~", text)
    assert count == 1
    file.write_text(wrong)
    done = run("prove", TINY, "--verilog", str(file), "--json")
    assert done.status == 1
    assert done.err == "hwarith: of 1 units 1 refuted\n"
    (found,) = done.json
    assert found["verdict"] == "refuted"
    assert hw.unit(TINY).golden(*found["counterexample"].values()) == found["golden"]["y"]


def test_undecided(run: Run) -> None:
    done = run("prove", "fma:a=bf16", "--timeout", "0.5")
    assert done.status == 3
    assert "undecided after" in done.out
    assert done.err == "hwarith: of 1 units 1 undecided\n"


MEMORY = "dfpmac:p=16"


def test_catalogue(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units with a memory are left out."""
    catalogue = {"memory": MEMORY, "tiny": TINY}
    monkeypatch.setattr("hwarith.units.catalogue.CATALOGUE", catalogue)
    done = run("prove", "--catalogue", "--json")
    assert (done.status, [proof["spec"] for proof in done.json]) == (0, [hw.unit(TINY).spec])


def test_a_unit_that_is_not_taken_is_found_before_any_is_proved(run: Run) -> None:
    done = run("prove", TINY, MEMORY)
    assert (done.status, done.out) == (2, "")
    assert f"prove: {MEMORY} has a memory or parts, or takes several clocks" in done.err


def test_mistakes(run: Run, tmp_path) -> None:
    assert_one_line(run("prove", TINY, "--timeout", "-1"), "prove: timeout must be a number of")
    assert_one_line(run("prove", TINY, "--jobs", "0"), "prove: jobs must be")
    assert_one_line(run("prove", TINY, "--verilog", str(tmp_path / "none.v")), "")
    assert_one_line(
        run("prove", TINY, TINY, "--verilog", "a.v"), "--verilog is for one SPEC, not 2"
    )
    file = tmp_path / "text.v"
    file.write_text("module other; endmodule\n")
    assert_one_line(run("prove", TINY, "--verilog", str(file)), "yosys failed: ERROR")
    file.write_text(hw.verilog("mul:a=e2m3fn", name=hw.unit(TINY).name))
    assert_one_line(
        run("prove", TINY, "--verilog", str(file)),
        "prove: port 'a' of mul_e2m1fn_e2m1fn_e2m1fn_rne must be input of 4 bits, not input of 6",
    )
    assert_one_line(run("prove", "engine:pe=(mul:a=e4m3fn),rows=1,columns=1"), "")
