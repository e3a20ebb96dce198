"""The commands weights and reproducibility; cycles and transformer are tested with their models."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from tests.cli.running import Mistake, Run, assert_one_line
from tests.explore.fake_flow import FakeFlow


def test_weights(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.synthesis.synthesize.synthesize", FakeFlow().synthesize)
    outcome = run("weights", "int4", "flint4", "-o", tmp_path / "out", "-v")
    assert (outcome.status, outcome.err) == (0, "")  # no progress in a pipe
    assert "Area per throughput (GE·clock)" in outcome.out
    assert "No PE for flint4: nothing makes terms of its levels" in outcome.out
    assert outcome.out.endswith(f"{tmp_path / 'out' / 'report.html'}\n")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.html",
        "report.png",
        "report.svg",
        "results.csv",
        "results.json",
    }
    np.save(tmp_path / "own.npy", np.arange(1.0, 9))
    arguments = ("weights", "int8", "--weights", tmp_path / "own.npy", "--group", 4, "--json")
    row, other = run(*arguments).json
    assert (other["type"], other["pe"]) == ("int8", "bit-parallel")
    assert (row["type"], row["group"], row["bits"], row["pe"]) == ("int8", 4, 12, "bit-serial")
    assert row["nmse"] < 1e-4
    assert "accuracy" not in row


def test_reproducibility(run: Run, tmp_path: Path) -> None:
    arguments = ("reproducibility", "e5m2", "--n", 20, "--permutations", 6)
    outcome = run(*arguments, "-o", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    assert "Distinct bit patterns of 6 permutations" in outcome.out
    assert outcome.out.endswith(f"{tmp_path / 'out' / 'report.html'}\n")
    found = run(*arguments, "--json").json
    assert [row["accumulator"] for row in found] == ["fp32", "bf16", "fp16", "layercast", "exact"]
    assert found[-1]["results"]["all"] == 1
    assert all(row["n"] == 20 for row in found)


def test_weights_finds_a_bad_folder_before_it_works(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_: object, **__: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr("hwarith.explore.weights.measure_weights", measure)
    (tmp_path / "file").touch()
    assert_one_line(run("weights", "-o", tmp_path / "file"), "output folder")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weights", "int9", "-o", "out"], "unknown weight type 'int9'; did you mean 'int"),
        (["weights", "fp3:x"], "weight type 'fp3:x': special values are numbers, as in fp3:5/-5"),
        (
            ["weights", "--group", "0", "-o", "out"],
            "group must be 1 to 64 (inputs of a layer), not 0",
        ),
        (["weights", "--group", "many"], "Invalid value for '--group': "),
        (
            ["weights", "--weights", "none.npy", "-o", "out"],
            "weights file none.npy cannot be read: No such file",
        ),
        (["weights", "--weights", "."], "weights file . cannot be read: Is a directory"),
        (["reproducibility", "bf61", "-o", "out"], "unknown format 'bf61'"),
        (
            ["reproducibility", "fp64", "-o", "out"],
            "reproducibility takes signed floats of at most 32 bits, not fp64",
        ),
        (
            ["reproducibility", "--n", "1", "-o", "out"],
            "reproducibility: products must be 2 to 1048576, not 1",
        ),
        (["reproducibility", "--permutations", "0"], "reproducibility: permutations must be 1"),
    ],
)
def test_mistakes(mistake: Mistake, arguments: list[str], message: str) -> None:
    mistake(arguments, message)


def test_search_format(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, w=np.linspace(-1, 1, 32).reshape(4, 8))
    outcome = run("search-format", "--weights", file, "--bits", 3, "-v")
    assert (outcome.status, outcome.err) == (0, "")
    assert "e1m1b2f" in outcome.out
    assert "Of every split" in outcome.out
    (found,) = run("search-format", "--weights", file, "--per", "channel", "--json").json
    assert found["array"] == "w"
    assert len(found["shifts"]) == 4
    assert_one_line(run("search-format", "--bits", 1), "bits must be an integer from 2 to 8, not 1")
    assert_one_line(run("search-format", "--weights", tmp_path / "no.npy"), "weights file")


def test_datatypes(run: Run) -> None:
    outcome = run("datatypes", "int4", "ternary")
    assert (outcome.status, outcome.err) == (0, "")
    assert "0.01383" in outcome.out
    found, by_lookup = run("datatypes", "int4", "--json").json
    assert (found["bits"], found["block"], found["spec"]) == (4.125, 128, "fpint:w=int4,lanes=4")
    assert (by_lookup["type"], by_lookup["nmse"]) == ("int4 lookup", found["nmse"])
    assert by_lookup["spec"].startswith("lutdot:")
    assert_one_line(run("datatypes", "int9"), "unknown weight type 'int9'; did you mean 'int")


def test_options_of_block_formats(run: Run) -> None:
    outcome = run("show", "MXFP4++:nbm=floor")
    assert (outcome.status, outcome.err) == (0, "")
    assert "mxfp4++:nbm=floor" in outcome.out
    assert_one_line(run("show", "mxfp4++:nbm=up"), "unknown nbm of format mxfp4++ 'up'")
    assert_one_line(run("weights", "mxfp4:nbm=floor"), "format mxfp4 has no options")


def test_state_updates(run: Run) -> None:
    arguments = ("state-updates", "fp32", "--steps", 8, "--chunk", 4)
    outcome = run(*arguments)
    assert (outcome.status, outcome.err) == (0, "")
    assert "gated: 8 tokens, in chunks of 4" in outcome.out
    (found,) = run(*arguments, "--rule", "delta", "--json").json
    assert (found["state"], found["rule"]) == ("fp32", "delta")
    assert 0 < found["apart"] < 0.1
    assert_one_line(run("state-updates", "int8"), "states must be of a signed float, not int8")
