"""Fixtures of the tests of the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hwarith import cli, progress
from tests.cli.running import Mistake, Outcome, Run, assert_one_line


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lines of progress, however slow the machine is, and lines of 80 characters."""
    monkeypatch.setattr(progress, "EVERY", 3600)
    monkeypatch.setattr(progress, "LONG", float("inf"))
    monkeypatch.setenv("COLUMNS", "80")


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


@pytest.fixture
def mistake(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mistake:
    """Calls `main` in an empty folder: the message is one line, and nothing is written."""

    def call(arguments: list[str], message: str) -> None:
        monkeypatch.chdir(tmp_path)
        assert_one_line(run(*arguments), message)
        assert list(tmp_path.iterdir()) == []

    return call
