"""The commands generate, vectors and regress."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

import hwarith
from hwarith.flow.regress import Phase, Regression
from hwarith.flow.synthesis.equivalence import Equivalence
from hwarith.units import unit
from tests.cli.running import TINY, Mistake, Run
from tests.flow.test_regression import NO_ICARUS


def test_generate(run: Run, tmp_path: Path) -> None:
    outcome = run("generate", TINY, "-o", tmp_path / "new" / "folder")
    path = tmp_path / "new" / "folder" / f"{unit(TINY).name}.v"
    assert outcome == (0, f"{path}\n", "")
    assert path.read_text() == hwarith.verilog(TINY)


def test_generate_in_a_form(run: Run, tmp_path: Path) -> None:
    spec = f"{TINY},stages=1"
    options = ["--name", "product", "--sv", "--reset", "async", "--reset-active", "low"]
    options += ["--tag", "3", "--registered", "--enable", "--dsp", "--prefix", "my_"]
    path = tmp_path / "my_product.sv"
    assert run("generate", spec, *options, "-o", tmp_path) == (0, f"{path}\n", "")
    form = {"name": "product", "sv": True, "reset": "async", "active_low": True, "tag": 3}
    form |= {"registered": True, "enable": True, "dsp": True, "prefix": "my_"}
    assert path.read_text() == hwarith.verilog(spec, **form)


def test_generate_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / f"{unit(TINY).name}.v"
    mine.write_text("mine")
    other = "mul:a=e3m2fn"
    status, out, err = run("generate", other, TINY, "-o", tmp_path)
    assert (status, out) == (2, "")
    assert err == f"hwarith: {mine} is there and differs; --force overwrites it\n"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    assert run("generate", other, TINY, "-o", tmp_path, "--force")[0] == 0
    assert mine.read_text() == hwarith.verilog(TINY)
    assert run("generate", other, TINY, "-o", tmp_path)[0] == 0


def test_generate_catalogue(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.units.catalogue.CATALOGUE", {"tiny": TINY})
    run("generate", "--catalogue", "lmul:format=e2m3fn", "-o", tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == {
        unit(spec).name for spec in (TINY, "lmul:format=e2m3fn")
    }


def test_vectors(run: Run, tmp_path: Path) -> None:
    text = str(hwarith.vectors(TINY, 50, 3))
    assert run("vectors", TINY, "-n", 50, "--seed", 3) == (0, text, "")
    file = tmp_path / "tiny.txt"
    assert run("vectors", TINY, "-n", 50, "--seed", 3, "-o", file) == (0, "", "")
    assert file.read_text() == text


@pytest.mark.parametrize("form", ["hex", "testfloat", "memh", "csv", "npz"])
def test_vectors_in_a_format(run: Run, tmp_path: Path, form: str) -> None:
    file = tmp_path / "tiny"
    spec = "mul:a=e4m3fn"
    assert run("vectors", spec, "-n", 30, "--format", form, "-o", file) == (0, "", "")
    assert file.read_bytes() == hwarith.vectors(spec, 30).content(form)


def test_run(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tiny.txt"
    run("vectors", TINY, "-o", file)
    spec = unit(TINY).spec
    said = f"{spec}: 256 results of tiny.txt (vectors of hwarith) agree with the golden model"
    assert run("run", TINY, file) == (0, f"{said}\n", "")
    outcome = run("run", TINY, file, "--rtl", "--json")
    assert outcome.status == 0
    assert outcome.json["differing"] == {"golden model": 0, "RTL": 0}
    assert outcome.json["passed"]


def test_results_that_differ_are_status_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("2 2 2\n2 2 3\n4 2 5\n")
    outcome = run("run", TINY, file, "--most", 1)
    assert outcome.status == 1
    assert re.search(r"2 +0x2 +0x2 +0x3 +0x2", outcome.out)
    assert "0x5" not in outcome.out
    spec = unit(TINY).spec
    assert outcome.err == f"hwarith: {spec}: results of mine.txt differ: 2 from the golden model\n"
    outcome = run("run", TINY, file, "--json")
    assert outcome.status == 1
    assert [row["line"] for row in outcome.json["differences"]] == ["2", "3"]


def test_nan_by_its_bits(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("7E00 7C00 FE01\n")
    assert run("run", "mul:a=fp16", file).status == 0
    assert run("run", "mul:a=fp16", file, "--nan", "bits").status == 1


def test_export(run: Run, tmp_path: Path) -> None:
    spec = f"{TINY},stages=1"
    outcome = run("export", spec, "-o", tmp_path / "block", "--period", 2.5, "--vectors", 9)
    name = unit(spec).name
    printed = outcome.out.splitlines()
    assert (outcome.status, outcome.err) == (0, "")
    assert {Path(line) for line in printed} == {
        path for path in (tmp_path / "block").rglob("*") if path.is_file()
    }
    assert "set period 2.5" in (tmp_path / "block" / f"constraints/{name}.sdc").read_text()
    assert len((tmp_path / "block/vectors/a.memh").read_text().split()) == 9
    assert (tmp_path / "block" / f"rtl/{name}_axis.v").exists()


def test_export_of_the_generator(run: Run, tmp_path: Path) -> None:
    outcome = run("export", "--fusesoc-generator", "-o", tmp_path / "generator")
    assert outcome.status == 0
    assert len(outcome.out.splitlines()) == len(list((tmp_path / "generator").iterdir())) == 2


def test_regress(run: Run, tmp_path: Path) -> None:
    (result,) = run("regress", TINY, "--vectors", 20, "--seed", 3, "--json").json
    assert result["spec"] == unit(TINY).spec
    assert (result["passed"], result["failed"], result["seed"]) == (20, 0, 3)
    assert (result["simulator"], sum(result["classes"].values())) == ("verilator", 20)
    file = tmp_path / "report.xml"
    outcome = run("regress", TINY, "--vectors", 20, "--junit", file)
    assert (outcome.status, outcome.err) == (0, "")
    first, second = outcome.out.splitlines()
    assert first == f"{unit(TINY).spec}: 20 checks passed, ok"
    assert second.startswith("  results: 1 special, 1 ends, 1 halfway, ")
    (case,) = ElementTree.parse(file).findall("testsuite/testcase")
    assert (case.get("name"), case.get("assertions")) == ("vectors", "20")


@pytest.mark.skipif(shutil.which("iverilog") is None, reason=NO_ICARUS)
def test_regress_in_icarus(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "waves.vcd"
    arguments = ["--simulator", "icarus", "--waves", file, "--vectors", 20, "--json"]
    outcome = run("regress", TINY, *arguments)
    assert outcome.status == 0
    assert outcome.json[0]["simulator"] == "icarus"
    assert "$var" in file.read_text()


def test_a_failed_regression_is_status_1(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(u: hwarith.Unit, vectors: int, seed: int, **settings: object) -> Regression:
        gates = {"library": None, "seconds": 60}
        assert settings == gates | {"simulator": "icarus", "waves": None}
        phase = Phase("vectors", vectors - 1, 1, "expected 1, not 2", 0.1)
        return Regression(u.spec, vectors, seed, (phase,), Path("log"))

    monkeypatch.setattr("hwarith.flow.regress.regress", fail)
    file = tmp_path / "report.xml"
    outcome = run("regress", TINY, "--simulator", "icarus", "--junit", file)
    assert outcome.status == 1
    assert "expected 1, not 2" in outcome.out
    assert outcome.err == f"hwarith: 1 of 1 units failed: {unit(TINY).spec}\n"
    assert 'failures="1"' in file.read_text()


@pytest.mark.parametrize(
    ("verdict", "status", "said"),
    [
        ("proven", 0, ""),
        ("refuted", 1, f"hwarith: 1 of 1 units failed: {unit(TINY).spec}\n"),
        ("undecided", 3, f"hwarith: undecided whether netlists are equal: {unit(TINY).spec}\n"),
    ],
)
def test_verdicts_on_netlists(
    run: Run, verdict: str, status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decided(u: hwarith.Unit, vectors: int, seed: int, **settings: object) -> Regression:
        assert (settings["library"], settings["seconds"]) == ("osu018", 2.5)
        message = None if verdict == "proven" else "for some reason"
        found = Equivalence(u.spec, "osu018", verdict, 4, 0, 0.1, message)
        phases = (Phase("vectors", vectors, 0, None, 0.1), found.phase)
        return Regression(u.spec, vectors, seed, phases, Path("log"), netlist=found)

    monkeypatch.setattr("hwarith.flow.regress.regress", decided)
    gates = ("--netlist", "--library", "osu018", "--timeout", "2.5")
    outcome = run("regress", TINY, *gates)
    assert (outcome.status, outcome.err) == (status, said)
    assert f"netlist of osu018 equals the Verilog: {verdict}, for " in outcome.out
    (found,) = run("regress", TINY, *gates, "--json").json
    assert (found["netlist"]["verdict"], found["failed"]) == (verdict, verdict == "refuted")
    assert found["passed"] == 1000 + (verdict == "proven")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate"], "name at least one SPEC, such as mul:a=bf16"),
        (
            ["generate", TINY, "lmul:format=e2m3fn", "--name", "x"],
            "--name is for one SPEC, not 2; --prefix is for many",
        ),
        (["generate", TINY, "--name", "reg"], "name 'reg' must be letters, digits and under"),
        (
            ["generate", TINY, "--registered"],
            f"{unit(TINY).spec} is combinational; registered is for units with stages",
        ),
        (
            ["generate", TINY, "--reset-active", "lo"],
            "unknown active level of the reset 'lo'; did you mean 'low'? allowed: high, low",
        ),
        (["generate", TINY, "--reset", "asink"], "unknown reset 'asink'; did you mean 'async'?"),
        (["regress", TINY, "--vectors", "many"], "Invalid value for '--vectors': "),
        (
            ["regress", TINY, "--vectors", "0"],
            "regress: vectors must be an integer, 1 to 1000000, not 0",
        ),
        (
            ["regress", TINY, "--seed", "-1"],
            "regress: seed must be an integer, 0 to 4294967295, not -1",
        ),
        (["export", TINY], "export: give a folder, -o FOLDER"),
        (["export", "-o", "x"], "export: give either SPEC or --fusesoc-generator, and not both"),
        (
            ["export", TINY, "--fusesoc-generator", "-o", "x"],
            "export: give either SPEC or --fusesoc-generator, and not both",
        ),
        (
            ["export", "--fusesoc-generator", "--axi-stream", "-o", "x"],
            "export: --axi-stream is for a SPEC; --fusesoc-generator has no unit",
        ),
        (
            ["export", TINY, "--axi-stream", "-o", "x"],
            "export: mul:a=e2m1fn,b=e2m1fn,out=e2m1fn,round=rne is combinational and has no",
        ),
        (["export", TINY, "--period", "-1", "-o", "x"], "export: period must be above 0 and up to"),
        (["export", "mull", "-o", "x"], "unknown unit 'mull'; did you mean 'mul'?"),
        (["regress", TINY, "--simulator", "vcs"], "unknown simulator 'vcs'; allowed: verilator, "),
        (["regress", TINY, "--library", "osu018"], "--library goes with --netlist"),
        (
            ["regress", TINY, "--netlist", "--library", "ice40"],
            "a netlist to be simulated is of cells, not of the look-up tables of 'ice40'; allowed",
        ),
        (
            ["regress", TINY, "--netlist", "--library", "osu"],
            "unknown library 'osu'; did you mean 'osu050'? allowed: generic, ",
        ),
        (
            ["regress", TINY, "--netlist", "--library", "none.lib"],
            "Liberty file none.lib is not there, or is no file",
        ),
        (
            ["regress", TINY, "--netlist", "--timeout", "0"],
            "seconds for a comparison of a netlist must be a number above 0, at most 86400, not",
        ),
        (["regress", TINY, "--waves", "x.txt"], "waves: the name must end in .vcd, "),
        (["regress", TINY, TINY, "--waves", "x.vcd"], "--waves records one unit; 2 were named"),
        (
            ["regress", TINY, "--junit", "none/x.xml"],
            "none/x.xml cannot be written: there is no such folder",
        ),
        (["vectors", TINY, "-n", "0"], "vectors: n must be an integer, 1 to 10000000, not 0"),
        (
            ["vectors", TINY, "-o", "none/tiny.txt"],
            "none/tiny.txt cannot be written: No such file or directory",
        ),
        (["vectors", TINY, "-o", "."], ". cannot be written: "),
        (["vectors", TINY, "--format", "npz"], "npz is no text: name a file with -o"),
        (
            ["vectors", TINY, "--format", "txt", "-o", "x"],
            "unknown format of vectors 'txt'; allowed: hex, testfloat, memh, csv, npz",
        ),
        (
            ["vectors", "mac", "--format", "testfloat", "-o", "x"],
            "format testfloat: mac:a=bf16,b=bf16,acc=fp32,out=fp32,round=rne has no exception",
        ),
        (["run", TINY, "none.txt"], "vectors none.txt cannot be read: No such file or directory"),
        (["run", TINY, "none.txt", "--nan", "no"], "unknown comparison of NaN 'no'; "),
        (["run", TINY, "none.txt", "--most", "-1"], "run: most must be an integer, 0 to 1000000"),
    ],
)
def test_mistakes(mistake: Mistake, arguments: list[str], message: str) -> None:
    mistake(arguments, message)
