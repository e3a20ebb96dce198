"""The commands generate, vectors and regress."""

from __future__ import annotations

from pathlib import Path

import pytest

import hwarith
from hwarith.flow.regress import Phase, Regression
from hwarith.units import unit
from tests.cli.running import TINY, Mistake, Run


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate"], "name at least one SPEC, such as mul:a=bf16"),
        (["regress", TINY, "--vectors", "many"], "Invalid value for '--vectors': "),
        (
            ["regress", TINY, "--vectors", "0"],
            "regress: vectors must be an integer, 1 to 1000000, not 0",
        ),
        (
            ["regress", TINY, "--seed", "-1"],
            "regress: seed must be an integer, 0 to 4294967295, not -1",
        ),
        (["vectors", TINY, "-n", "0"], "vectors: n must be an integer, 1 to 10000000, not 0"),
        (
            ["vectors", TINY, "-o", "none/tiny.txt"],
            "none/tiny.txt cannot be written: No such file or directory",
        ),
        (["vectors", TINY, "-o", "."], ". cannot be written: "),
    ],
)
def test_mistakes(mistake: Mistake, arguments: list[str], message: str) -> None:
    mistake(arguments, message)
