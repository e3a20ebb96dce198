"""What a killed process leaves is removed by the next one, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hwarith import temporary
from hwarith.files import write_bytes

SOURCE = Path(temporary.__file__).parent.parent

# Makes a folder with something in it, a folder of the process and an unfinished file, says so, and
# waits.
_WORK = """
import sys
from pathlib import Path
from hwarith import files, temporary
with temporary.temporary_folder() as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text("")
    (temporary.folder_of_process() / "file").write_text("")
    temporary.partial(Path(sys.argv[1])).write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The system's temporary folder, and one for output."""
    found = tmp_path / "temporary", tmp_path / "output"
    for folder in found:
        folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(found[0]))
    monkeypatch.setattr(tempfile, "tempdir", None)
    temporary._remove_left.cache_clear()
    return found


def start(output: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _WORK, str(output)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def next_run(places: tuple[Path, Path]) -> None:
    temporary._remove_left.cache_clear()
    with temporary.temporary_folder():
        write_bytes(places[1] / "new", b"")


def left(places: tuple[Path, Path]) -> list[int]:
    return [len([path for path in folder.iterdir() if "hwarith" in path.name]) for folder in places]


@pytest.mark.parametrize("is_reaped", [True, False])
def test_what_a_killed_run_leaves_is_removed(is_reaped: bool, places: tuple[Path, Path]) -> None:
    process = start(places[1])
    assert left(places) == [2, 1]
    next_run(places)
    assert left(places) == [2, 1]  # it lives
    process.send_signal(signal.SIGKILL)
    if is_reaped:
        process.wait()
    else:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    next_run(places)
    assert left(places) == [0, 0]
    assert (places[1] / "new").exists()
    process.communicate()


def test_a_run_that_ends_leaves_nothing(places: tuple[Path, Path]) -> None:
    process = start(places[1])
    process.communicate("")
    assert left(places)[0] == 0


def gone() -> str:
    """The mark of a process that is gone."""
    return f"{temporary._machine()}-{2**22 + 1}-12345"


def test_a_number_that_another_process_has_by_now(places: tuple[Path, Path]) -> None:
    machine, process, begun = temporary._mark(os.getpid()).split("-")
    earlier = places[0] / f"hwarith-{machine}-{process}-{int(begun) - 1}-abc"
    own = places[0] / f"hwarith-{machine}-{process}-{begun}-abc"
    for folder in (earlier, own):
        folder.mkdir()
    next_run(places)
    assert not earlier.exists()
    assert own.exists()


def test_what_is_not_ours_to_judge_stays(places: tuple[Path, Path], tmp_path: Path) -> None:
    """Of another machine, of another name, and what links lead to."""
    _, rest = gone().split("-", 1)
    kept = [places[0] / f"hwarith-01234567-{rest}-abc"]
    kept += [
        places[0] / name for name in ("hwarith-notes", "hwarith-1-2-3", f"x-hwarith-{gone()}-a")
    ]
    for folder in kept:
        folder.mkdir()
        (folder / "file").write_text("")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").write_text("")
    (places[0] / f"hwarith-{gone()}-link").symlink_to(mine)
    leftover = places[0] / f"hwarith-{gone()}-abc"
    leftover.mkdir()
    (leftover / "link").symlink_to(mine)
    next_run(places)
    assert not leftover.exists()
    assert all((folder / "file").exists() for folder in [*kept, mine])


def test_what_is_of_another_user_stays(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = places[0] / f"hwarith-{gone()}-abc"
    folder.mkdir()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    next_run(places)
    assert folder.exists()
    monkeypatch.setattr(os, "geteuid", lambda: own)
    next_run(places)
    assert not folder.exists()


def test_without_times_a_living_number_is_a_living_process(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on systems without /proc."""
    machine = temporary._machine()
    living = places[0] / f"hwarith-{machine}-{os.getppid()}-0-abc"
    dead = places[0] / f"hwarith-{machine}-{2**22 + 1}-0-abc"
    for folder in (living, dead):
        folder.mkdir()
    next_run(places)
    assert living.exists()
    assert not dead.exists()
