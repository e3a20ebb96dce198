"""The commands sweep, compare and report; errors is tested with the metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwarith.units import unit
from tests.cli.running import TINY, Mistake, Run, assert_one_line
from tests.explore.fake_flow import FakeFlow
from tests.explore.fake_sweep import make_sweep


def test_sweep_and_report(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep, folder = tmp_path / "mine.toml", tmp_path / "out"
    sweep.write_text(f'points = ["{TINY}"]')
    first = run("sweep", sweep, "-o", folder, "--jobs", 1)
    assert first.status == 0
    assert first.out == f"1 points in {folder}; make the report: hwarith report {folder}\n"
    (point,) = run("sweep", sweep, "-o", folder, "--json").json
    assert point["spec"] == unit(TINY).spec
    outcome = run("report", folder)
    assert (outcome.status, outcome.out) == (0, f"{folder / 'report.html'}\n")
    assert run("report", folder, "--title", "Ours").status == 0
    page = (folder / "report.html").read_text()
    assert "<h1>Ours</h1>" in page
    assert '"verilog":"H4sI' in page
    (kept,) = json.loads((folder / "results.json").read_text())["points"]
    assert kept["details"] == point["details"]
    areas = (
        n * kept["details"]["cell_areas"][cell] for cell, n in kept["details"]["cells"].items()
    )
    assert sum(areas) == pytest.approx(kept["area"])
    assert [end[:1] for end in kept["details"]["path"]] in (["a", "y"], ["b", "y"])
    assert "verilog" not in kept["details"]


def test_report_against_another(run: Run, tmp_path: Path) -> None:
    new, old = make_sweep(tmp_path / "new", 4), make_sweep(tmp_path / "old", 3, seed=2)
    outcome = run("report", new, "--against", old, "-v")
    assert (outcome.status, outcome.err) == (0, "")
    first, only, *_, last = outcome.out.strip().splitlines()
    assert first.startswith("Against old: 3 points in both, of which 3 changed")
    assert only == "Only here: lmul:format=bf16,k=4,krnd=trunc"
    assert "lmul bf16 k=2  Area" in outcome.out
    assert last == str(new / "report.html")


def test_compare(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.energy.measure.energy", FakeFlow().energy)
    monkeypatch.setattr("hwarith.flow.synthesis.synthesize.synthesize", FakeFlow().synthesize)
    specs = ("mul:a=bf16", "lmul:format=bf16", "mul:a=e2m1fn", "cmp:a=bf16")
    outcome = run("compare", *specs, "-v")
    assert (outcome.status, outcome.err) == (0, "")  # no progress in a pipe
    head, _, first, second, *_ = outcome.out.strip().splitlines()
    for title in (
        "area (GE)",
        "delay (NAND2)",
        "energy (NAND2)",
        "area/1st",
        "energy/1st",
        "ER",
        "MRED",
    ):
        assert title in head
    assert first.split()[:1] == ["mul:a=bf16"]
    assert second.split()[:4] == ["lmul:format=bf16", "384", "80", "32"]
    assert "0.25" in second
    assert "standard deviation 1 (of" in outcome.out
    assert "Errors on all operand codes: mul:a=e2m1fn\n" in outcome.out
    assert "No errors: cmp: exact by contract\n" in outcome.out
    assert "accuracy" not in outcome.out
    assert "0.968" in run("compare", "lmul:format=bf16", "--workload", "digits", "-v").out
    one, other = run("compare", *specs[:2], "--json").json
    assert (one["ratios"]["area"], other["ratios"]["area"]) == (1, 0.25)
    assert other["metrics"]["error_rate"] > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", "none.toml"], "sweep file none.toml cannot be read: No such file"),
        (["compare"], "name at least one SPEC, such as mul:a=bf16"),
        (["compare", TINY, "mul:a=bf17"], "mul: parameter a: unknown format 'bf17'"),
        (["compare", TINY, "--workload", "digit"], "unknown workload 'digit'; did you mean"),
        (["compare", TINY, "--library", "none.lib"], "Liberty file none.lib is not there"),
        (["report", "nowhere", "--against", "."], "folder nowhere holds no sweep (sweep.json);"),
        (["report", "nowhere"], "folder nowhere holds no sweep (sweep.json); make one with:"),
    ],
)
def test_mistakes(mistake: Mistake, arguments: list[str], message: str) -> None:
    mistake(arguments, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('points = [\n"mul:a=bf16",\n"mul:a=bf16" "add"]', "at line 3, column"),
        ('\npoint = ["mul:a=bf16"]', ", line 2: unknown key 'point'; did you mean 'points'"),
        ('points = ["mul:a=bf61"]', ", line 1: points[0]: mul: parameter a: unknown format"),
    ],
)
def test_mistakes_in_a_sweep_file(run: Run, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    outcome = run("sweep", file, "-o", tmp_path / "out")
    assert_one_line(outcome, f"sweep file {file}")
    assert message in outcome.err
    assert not (tmp_path / "out").exists()
