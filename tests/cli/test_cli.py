"""The command line: each command once, and what it says about every kind of mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pytest

import hwarith
from hwarith import cli
from hwarith.flow.regress import Phase, Regression
from hwarith.flow.synthesis.place_and_route import PlaceAndRoute
from hwarith.units import FAMILIES, unit
from tests.explore.fake_flow import FakeFlow
from tests.explore.fake_sweep import make_sweep

TINY = "mul:a=e2m1fn"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(hwarith.__file__).parent.parent)}


class Outcome(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Calls `main` as the installed program does, in this process."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["hwarith", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return call


# -- each command --------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_names_every_command(run: Run, arguments: tuple[str, ...]) -> None:
    outcome = run(*arguments)
    assert (outcome.status, outcome.err) == (0, "")
    for command in (
        "list",
        "show",
        "eval",
        "generate",
        "vectors",
        "regress",
        "synth",
        "energy",
        "sweep",
        "compare",
        "weights",
        "report",
    ):
        assert f"\n  {command} " in outcome.out
        assert run(command, "--help").out.startswith(f"Usage: hwarith {command} ")


def test_list(run: Run) -> None:
    outcome = run("list")
    assert (outcome.status, outcome.err) == (0, "")
    listed = run("list", "--json").json
    assert {row["unit"] for row in listed["units"]} == set(FAMILIES)
    (e4m3fn,) = (row for row in listed["formats"] if row["format"] == "e4m3fn")
    assert (e4m3fn["max"], e4m3fn["nan"], e4m3fn["inf"]) == (448, "0x7f", False)
    for name in [*FAMILIES, *(row["format"] for row in listed["formats"]), *listed["patterns"]]:
        assert name in outcome.out


@pytest.mark.parametrize("name", FAMILIES)
def test_show(run: Run, name: str) -> None:
    shown = run("show", name, "--json").json
    assert shown["spec"] == unit(name).spec
    assert [row["parameter"] for row in shown["parameters"]] == list(unit(name).parameters())
    text = run("show", name).out
    assert shown["spec"] in text
    assert shown["source"] in text


def test_eval(run: Run) -> None:
    """One row for each operand and the result; negative operands are no options."""
    rows = run("eval", "mul:a=e4m3fn", "0x3C", "-5/4", "--json").json
    assert rows == [
        {"name": "a", "format": "e4m3fn", "code": "0x3C", "value": 1.5},
        {"name": "b", "format": "e4m3fn", "code": "0xBA", "value": -1.25},
        {"name": "y (golden)", "format": "e4m3fn", "code": "0xBF", "value": -1.875},
    ]
    assert "-1.875" in run("eval", "mul:a=e4m3fn", "0b111100", "-1.25").out
    specials = run("eval", "mul:a=e5m2", "-inf", "0x80", "--json").json
    assert [row["code"] for row in specials] == ["0xFC", "0x80", "0x7E"]


def test_eval_runs_the_hardware(run: Run) -> None:
    rows = run("eval", TINY, "1.5", "-2", "--rtl", "--json").json
    assert [row["name"] for row in rows] == ["a", "b", "y (golden)", "y (RTL)"]
    assert rows[-1]["code"] == rows[-2]["code"] == "0xD"


def test_eval_of_groups_and_of_several_results(run: Run) -> None:
    rows = run("eval", "mac:a=int8", "1,2,0x3", "4,-5,6", "--rtl", "--json").json
    assert [row["name"] for row in rows] == [*"aaabbb", "y (golden)", "y (RTL)"]
    assert [row["value"] for row in rows] == [1, 2, 3, 4, -5, 6, 12, 12]
    pair = run("eval", "dfpmac:p=16", *["32767"] * 3, "-32768", "--json").json
    assert [(row["name"], row["value"]) for row in pair[4:]] == [
        ("y (golden)", -32767), ("ovf (golden)", 0),
    ]  # fmt: skip


def test_eval_says_so_if_the_hardware_differs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.simulate.simulate", lambda u: lambda *codes: 0)
    outcome = run("eval", TINY, "1", "1", "--rtl")
    assert outcome.status == 2
    assert "golden model and RTL of mul:a=e2m1fn" in outcome.err


def test_generate(run: Run, tmp_path: Path) -> None:
    outcome = run("generate", TINY, "-o", tmp_path / "new" / "folder")
    path = tmp_path / "new" / "folder" / f"{unit(TINY).name}.v"
    assert outcome == (0, f"{path}\n", "")
    assert path.read_text() == hwarith.verilog(TINY)


def test_generate_catalogue(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.units.catalogue.CATALOGUE", {"tiny": TINY})
    run("generate", "--catalogue", "lmul:format=e2m3fn", "-o", tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == {
        unit(spec).name for spec in (TINY, "lmul:format=e2m3fn")
    }


def test_vectors(run: Run, tmp_path: Path) -> None:
    text = hwarith.vectors(TINY, 50, 3)
    assert run("vectors", TINY, "-n", 50, "--seed", 3) == (0, text, "")
    file = tmp_path / "tiny.txt"
    assert run("vectors", TINY, "-n", 50, "--seed", 3, "-o", file) == (0, "", "")
    assert file.read_text() == text


def test_regress(run: Run) -> None:
    (result,) = run("regress", TINY, "--vectors", 20, "--seed", 3, "--json").json
    assert result["spec"] == unit(TINY).spec
    assert (result["passed"], result["failed"], result["seed"]) == (20, 0, 3)
    assert run("regress", TINY, "--vectors", 20) == (
        0,
        f"{unit(TINY).spec}: 20 checks passed, ok\n",
        "",
    )


def test_a_failed_regression_is_status_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(u: hwarith.Unit, vectors: int, seed: int) -> Regression:
        phase = Phase("vectors", vectors - 1, 1, "expected 1, not 2", 0.1)
        return Regression(u.spec, vectors, seed, (phase,), Path("log"))

    monkeypatch.setattr("hwarith.flow.regress.regress", fail)
    outcome = run("regress", TINY)
    assert outcome.status == 1
    assert "expected 1, not 2" in outcome.out
    assert outcome.err == f"hwarith: 1 of 1 units failed: {unit(TINY).spec}\n"


def test_synth(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.tools.versions", lambda: {"yosys": "0.70"})
    (cost,) = run("synth", TINY, "--json").json
    assert cost["spec"] == unit(TINY).spec
    assert cost["area"] > 10
    monkeypatch.setattr("hwarith.flow.synthesis.synthesize.synthesize", FakeFlow().synthesize)
    text = run("synth", TINY, "add:a=e2m1fn").out
    assert "area (GE)" in text
    assert unit("add:a=e2m1fn").spec in text
    assert "LUT" not in text


def test_synth_with_several_libraries(run: Run) -> None:
    costs = run("synth", TINY, "--library", "generic", "--library", "ice40", "--json").json
    assert [cost["library"] for cost in costs] == ["generic", "ice40"]
    lines = run("synth", TINY, "--library", "generic", "--library", "ice40").out.splitlines()
    assert [line.split()[1] for line in lines if TINY in line] == ["generic", "ice40"]
    assert lines[-1].startswith("Library generic, ice40, recipe asic, fpga; hwarith ")


def test_breakdown(run: Run) -> None:
    (found,) = run("synth", TINY, "--breakdown", "--json").json
    assert [part["name"] for part in found["parts"]][:2] == ["unpack", "product"]
    assert sum(part["area"] for part in found["parts"]) == pytest.approx(found["area"])
    text = run("synth", TINY, "add:a=e2m1fn", "--breakdown").out
    rows = [line.split() for line in text.splitlines()]
    (whole,) = (row for row in rows if row[:1] == ["all"] and float(row[2]) == found["area"])
    assert whole[3] == "100"
    assert f"area {found['flat_area']}" in text
    assert "  leading zeros" in text
    assert "area (GE)" in text


def test_place_and_route(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    routed = PlaceAndRoute(
        spec=TINY, library="ice40", recipe="fpga", seed=1, device="HX", fmax=99.5, period=10.05,
        versions={"nextpnr": "1"},
    )  # fmt: skip
    monkeypatch.setattr("hwarith.flow.synthesis.place_and_route.place_and_route", lambda *_: routed)
    text = run("synth", TINY, "--library", "ice40", "--place-and-route").out
    assert "Fmax (MHz)" in text
    assert "99.5" in text
    assert "nextpnr 1" in text


def test_energy(run: Run) -> None:
    (found,) = run("energy", TINY, "--json").json
    assert found["energy"] == pytest.approx(found["switching"] + found["internal"], rel=1e-4)
    text = run("energy", TINY, "--library", "generic", "--workload", "digits").out
    assert "energy (NAND2)" in text
    assert "leakage" not in text
    assert "clock" not in text
    (found,) = run("energy", f"{TINY},stages=2", "--workload", "digits", "--json").json
    parts = sum(found[key] for key in ("switching", "internal", "clock"))
    assert found["energy"] == pytest.approx(parts, rel=1e-4)
    assert found["clocks"] == 1
    text = run("energy", f"{TINY},stages=2", "mac:a=e2m1fn").out
    assert "clock (NAND2)" in text
    assert "clocks" in text
    rows = run("energy", TINY, "--by-type").out.splitlines()
    assert sum(" NAND2 " in row for row in rows) == 1


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
    page = (folder / "report.html").read_text()
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
    outcome = run("report", new, "--against", old)
    assert (outcome.status, outcome.err) == (0, "")
    first, only, *_, last = outcome.out.strip().splitlines()
    assert first.startswith("Against old: 3 points in both, of which 3 changed")
    assert only == "Only here: lmul:format=bf16,k=4,krnd=trunc"
    assert "lmul bf16 k=2   Area" in outcome.out
    assert last == str(new / "report.html")


def test_compare(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.energy.measure.energy", FakeFlow().energy)
    monkeypatch.setattr("hwarith.flow.synthesis.synthesize.synthesize", FakeFlow().synthesize)
    specs = ("mul:a=bf16", "lmul:format=bf16", "mul:a=e2m1fn", "mac:a=bf16")
    outcome = run("compare", *specs)
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
    assert "No errors: mac: the exact result of operation" in outcome.out
    assert "accuracy" not in outcome.out
    assert "96.8" in run("compare", "lmul:format=bf16", "--workload", "digits").out
    one, other = run("compare", *specs[:2], "--json").json
    assert (one["ratios"]["area"], other["ratios"]["area"]) == (1, 0.25)
    assert other["metrics"]["error_rate"] > 0.9


def test_weights(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.synthesis.synthesize.synthesize", FakeFlow().synthesize)
    outcome = run("weights", "int4", "flint4", "-o", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")  # no progress in a pipe
    assert "Area per throughput (GE·clock)" in outcome.out
    assert "No PE for flint4: nothing makes terms of its levels" in outcome.out
    assert outcome.out.endswith(f"{tmp_path / 'out' / 'report.html'}\n")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.html", "report.png", "report.svg", "results.csv", "results.json",
    }  # fmt: skip
    np.save(tmp_path / "own.npy", np.arange(1.0, 9))
    arguments = ("weights", "int8", "--weights", tmp_path / "own.npy", "--group", 4, "--json")
    row, other = run(*arguments).json
    assert (other["type"], other["pe"]) == ("int8", "bit-parallel")
    assert (row["type"], row["group"], row["bits"], row["pe"]) == ("int8", 4, 12, "bit-serial")
    assert row["nmse"] < 1e-4
    assert "accuracy" not in row


def test_weights_finds_a_bad_folder_before_it_works(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_: object, **__: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr("hwarith.explore.weights.measure_weights", measure)
    (tmp_path / "file").touch()
    _assert_one_line(run("weights", "-o", tmp_path / "file"), "output folder")


# -- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "mull"], "unknown unit 'mull'; did you mean 'mul'? allowed: mul, add,"),
        (["show", "zzz"], "unknown unit 'zzz'; allowed: mul, add,"),
        (["eval", "mul:a=bf61", "1", "1"],
         "mul: parameter a: unknown format 'bf61'; did you mean 'bf16'? allowed: fp64, fp32,"),
        (["eval", "mul:q=bf16", "1", "1"], "unknown parameter of mul 'q'; allowed: a, b, out,"),
        (["eval", "mul:a", "1", "1"], "mul: parameter a: give it as a=VALUE"),
        (["eval", "mul:a=bf16,round=rnd", "1", "1"],
         "mul: parameter round: unknown value 'rnd'; did you mean 'rn"),
        (["eval", "mul:stages=9", "1", "1"], "mul: parameter stages: must be 0 to 8, not 9"),
        (["eval", "lmul:format=bf16,k=99", "1", "1"],
         "lmul: parameter k: must be 1 to 7 for bf16, not 99"),
        (["eval", "mul:a=e2m1fn", "0x1F", "1"],
         "operand a: 31 is not a code of e2m1fn; allowed: 0 to 15"),
        (["eval", "mul:a=bf16", "1"], "mul takes 2 operands (a, b), not 1"),
        (["eval", "fma:a=bf16", "1", "2", "3", "4"], "fma takes 3 operands (a, b, c), not 4"),
        (["eval", "mul:a=bf16", "one", "1"],
         "operand a: 'one' is neither a code (0x...) nor a number"),
        (["eval", "mul:a=bf16", "1", "1/0"],
         "operand b: '1/0' is neither a code (0x...) nor a number"),
        (["eval", "mul:a=bf16", "1", "0x"], "operand b: '0x' is neither a code (0x...) nor"),
        (["eval", "mul:a=bf16", "", "1"], "operand a: '' is neither a code (0x...) nor a number"),
        (["eval", "mul:a=bf16", "--rlt", "1", "1"],
         "unknown option of eval '--rlt'; did you mean '--rtl'?"),
        (["eval"], "Missing argument 'SPEC'. (hwarith eval --help shows what is allowed)"),
        (["evall"], "No such command 'evall'. Did you mean 'eval'? (hwarith --help shows"),
        (["--vresion"], "No such option: --vresion"),
        (["list", "units"], "Got unexpected extra argument(s) (units) (hwarith list --help shows"),
        (["generate"], "name at least one SPEC, such as mul:a=bf16"),
        (["regress", TINY, "--vectors", "many"], "Invalid value for '--vectors': "),
        (["regress", TINY, "--vectors", "0"],
         "regress: vectors must be an integer, 1 to 1000000, not 0"),
        (["regress", TINY, "--seed", "-1"],
         "regress: seed must be an integer, 0 to 4294967295, not -1"),
        (["vectors", TINY, "-n", "0"], "vectors: n must be an integer, 1 to 10000000, not 0"),
        (["vectors", TINY, "-o", "none/tiny.txt"],
         "none/tiny.txt cannot be written: No such file or directory"),
        (["vectors", TINY, "-o", "."], ". cannot be written: "),
        (["synth", TINY, "--library", "generik"],
         "unknown library 'generik'; did you mean 'generic'? allowed: generic, xc7,"),
        (["synth", TINY, "--library", "none.lib"], "Liberty file none.lib is not there"),
        (["synth", TINY, "--recipe", "tsmc"], "unknown recipe"),
        (["synth", TINY, "--breakdown", "--library", "ice40"],
         "a breakdown needs a library of cells, not ice40"),
        (["synth", TINY, "--breakdown", "--delay-target", "3"], "--breakdown goes with neither"),
        (["synth", TINY, "--library", "xc7", "--place-and-route"],
         "unknown library to place and route on 'xc7'; allowed: ice40, ecp5"),
        (["energy", TINY, "--library", "ice40"], "energy needs a library of cells, not ice40"),
        (["energy", f"{TINY},stages=1", "--recipe", "cmos"],
         "energy needs a library of cells, not cmos"),
        (["energy", TINY, "--workload", "digit"], "unknown workload 'digit'"),
        (["energy"], "name at least one SPEC"),
        (["sweep", "none.toml"], "sweep file none.toml cannot be read: No such file"),
        (["weights", "int9", "-o", "out"], "unknown weight type 'int9'; did you mean 'int"),
        (["weights", "fp3:x"], "weight type 'fp3:x': special values are numbers, as in fp3:5/-5"),
        (["weights", "--group", "0", "-o", "out"],
         "group must be 1 to 64 (inputs of a layer), not 0"),
        (["weights", "--group", "many"], "Invalid value for '--group': "),
        (["weights", "--weights", "none.npy", "-o", "out"],
         "weights file none.npy cannot be read: No such file"),
        (["weights", "--weights", "."], "weights file . cannot be read: Is a directory"),
        (["compare"], "name at least one SPEC, such as mul:a=bf16"),
        (["compare", TINY, "mul:a=bf17"], "mul: parameter a: unknown format 'bf17'"),
        (["compare", TINY, "--workload", "digit"], "unknown workload 'digit'; did you mean"),
        (["compare", TINY, "--library", "none.lib"], "Liberty file none.lib is not there"),
        (["report", "nowhere", "--against", "."], "folder nowhere holds no sweep (sweep.json);"),
        (["report", "nowhere"], "folder nowhere holds no sweep (sweep.json); make one with:"),
    ],
)  # fmt: skip
def test_mistakes(
    run: Run,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    _assert_one_line(run(*arguments), message)
    assert list(tmp_path.iterdir()) == []


def _assert_one_line(outcome: Outcome, message: str) -> None:
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith(f"hwarith: {message}")
    assert outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err


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
    _assert_one_line(outcome, f"sweep file {file}")
    assert message in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "below", "message"),
    [
        (["generate", TINY], "", "is a file"),
        (["generate", TINY], "below", "cannot be made: Not a directory"),
        (["sweep", "mine.toml"], "", "is a file"),
        (["weights", "int4"], "", "is a file"),
        (["sweep", "mine.toml"], "below", "cannot be made: Not a directory"),
    ],
)
def test_a_file_in_place_of_the_output_folder(
    run: Run,
    arguments: list[str],
    below: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(f'points = ["{TINY}"]')
    Path("taken").write_text("precious")
    folder = Path("taken", below)
    _assert_one_line(run(*arguments, "-o", folder), f"output folder {folder} {message}")
    assert Path("taken").read_text() == "precious"


@pytest.mark.parametrize(
    "arguments", [("eval", TINY, "1", "1", "--rtl"), ("regress", TINY)], ids=["eval", "regress"]
)
def test_without_a_compiler(
    run: Run, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = run(*arguments)
    _assert_one_line(outcome, "g++ was not found on PATH; Verilator needs it. Install a C++")


# -- the process itself --------------------------------------------------------------------------


def hwarith_process(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hwarith", *arguments]
    return subprocess.run(command, env=ENVIRONMENT, text=True, **settings)


def test_a_mistake_as_the_shell_sees_it() -> None:
    done = hwarith_process("eval", "mul:a=bf61", "1", "1", capture_output=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("hwarith: mul: parameter a: unknown format 'bf61'")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [("list", "--json"), ("vectors", TINY)], ids=["long", "short"]
)
def test_a_reader_that_goes_away_hears_no_complaint(arguments: tuple[str, ...]) -> None:
    """As in ``hwarith list --json | head -1``, with output longer and shorter than a buffer."""
    reading, writing = os.pipe()
    os.close(reading)
    done = hwarith_process(*arguments, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom hwarith.cli import main\nsys.argv = ['hwarith', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n"
        "    print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert "Usage: hwarith" in done.stdout
    assert not {"numpy", "amaranth", "numba", "rich"} & set(done.stderr.split())
    assert "hwarith" in done.stderr.split()
