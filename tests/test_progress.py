"""How far long work is, in a log and on a terminal."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from hwarith import progress
from tests.cli.running import ENVIRONMENT


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min"), (130, "2 min 10 s"), (11100, "3 h 5 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text


def test_short_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.progress([1, 2], "work", each=29.0)) == [1, 2]
    with progress.counted("work", 10) as count:
        count.advance(5)
    assert capsys.readouterr() == ("", "")


def test_lines_of_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.02)
    for _ in progress.progress(range(4), "work"):
        time.sleep(0.03)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 4
    assert lines[0] == "hwarith: work: 0 of 4, 0 s"
    assert "hwarith: work: 2 of 4, 0 s, about 0 s left" in lines


def test_a_line_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rate is that of this run: what was done before it began took it no time."""
    monkeypatch.setattr(progress.time, "monotonic", lambda: 160.0)
    count = progress.Count("sweep", 32, done=12, began=100.0)
    assert count.line() == "sweep: 12 of 32, 1 min"
    count.update(22, 32)
    assert count.line() == "sweep: 22 of 32, 1 min, about 1 min left"
    assert progress.Count("proof", began=100.0).line() == "proof: 1 min"


def test_long_work_says_so_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.progress([1, 2], "work", each=61.0)) == [1, 2]
    progress.say_first("proof", 3600.0, "at most")
    assert (
        capsys.readouterr().err == "hwarith: work (2): about 2 min\nhwarith: proof: at most 1 h\n"
    )


def test_an_error_ends_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    before = progress.threading.active_count()
    with pytest.raises(KeyError), progress.counted("work"):
        raise KeyError
    assert progress.threading.active_count() == before


def test_without_standard_error() -> None:
    script = (
        "import sys; sys.stderr = None\nfrom hwarith.progress import progress\n"
        "print(list(progress([1], 'work', each=100)))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[1]\n")
