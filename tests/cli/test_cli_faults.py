"""Mistakes that several commands meet: no folder to write to, no compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import TINY, Run, assert_one_line


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
    assert_one_line(run(*arguments, "-o", folder), f"output folder {folder} {message}")
    assert Path("taken").read_text() == "precious"


@pytest.mark.parametrize(
    "arguments", [("eval", TINY, "1", "1", "--rtl"), ("regress", TINY)], ids=["eval", "regress"]
)
def test_without_a_compiler(
    run: Run, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = run(*arguments)
    assert_one_line(outcome, "g++ was not found on PATH; Verilator needs it. Install a C++")
