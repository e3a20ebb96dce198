"""The cache: entries come back whole or not at all, and only from folders that are safe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hwarith import caching, temporary


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("HWARITH_CACHE", str(folder))
    monkeypatch.setattr(caching, "_with_own", set())
    temporary._folder_of.cache_clear()
    caching._say_once.cache_clear()
    return folder


def test_what_is_kept_is_made_once(root: Path) -> None:
    made = []

    def make() -> bytes:
        made.append(1)
        return b"content"

    assert caching.kept("some", "entry", make) == caching.kept("some", "entry", make) == b"content"
    assert len(made) == 1
    path = caching.kept_file("some", "entry", make)
    assert path == root / "some" / "entry"
    assert path.read_bytes().startswith(b"content\n")
    assert len(made) == 1
    assert caching.load("some", "other") is None
    assert caching.kept("some", "empty", lambda: b"") == b""
    assert caching.load("some", "empty") == b""


def test_every_damage_is_noticed(root: Path) -> None:
    path = caching.save("some", "entry", b"content")
    whole = path.read_bytes()
    for i in (*range(0, len(whole), 5), len(whole) - 1):
        for damaged in (whole[:i], whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :], whole[i:-1]):
            path.write_bytes(damaged)
            assert caching.load("some", "entry") is None, damaged
    path.write_bytes(whole + b"\n")
    assert caching.load("some", "entry") is None
    assert caching.kept_file("some", "entry", lambda: b"content").read_bytes() == whole
    assert caching.load("some", "entry") == b"content"


def test_an_entry_is_of_its_name_and_kind(root: Path) -> None:
    whole = caching.save("some", "entry", b"content").read_bytes()
    for kind, name in (("some", "other"), ("others", "entry")):
        (root / kind).mkdir(exist_ok=True)
        (root / kind / name).write_bytes(whole)
        assert caching.load(kind, name) is None


def test_what_is_no_file_is_no_entry(root: Path) -> None:
    path = caching.save("some", "entry", b"content")
    path.unlink()
    os.mkfifo(path)
    assert caching.load("some", "entry") is None
    assert caching.kept_file("some", "entry", lambda: b"new") == path
    path.unlink()
    path.mkdir()
    assert caching.load("some", "entry") is None
    assert caching.kept("some", "entry", lambda: b"newer") == b"newer"


def test_folders_and_files_are_the_users_alone(root: Path) -> None:
    before = os.umask(0)
    try:
        path = caching.save("some", "entry", b"content")
    finally:
        os.umask(before)
    modes = [p.stat().st_mode & 0o777 for p in (root, path.parent, path)]
    assert modes == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o720])
@pytest.mark.parametrize("part", [".", "some"])
def test_a_folder_that_others_can_write_to_is_not_used(
    part: str, mode: int, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    caching.save("some", "entry", b"planted")
    (root / part).chmod(mode)
    assert caching.load("some", "entry") is None
    path = caching.kept_file("some", "entry", lambda: b"good")
    assert root not in path.parents
    assert path.parent.stat().st_mode & 0o022 == 0
    assert caching.kept("some", "entry", lambda: b"again") == b"good"
    said = capsys.readouterr().err
    assert said == (f"hwarith: {root / part} is not used: others can write to it (mode {mode:o})\n")


def test_a_file_that_others_can_write_to_is_not_used(root: Path) -> None:
    path = caching.save("some", "entry", b"content")
    path.chmod(0o620)
    assert caching.load("some", "entry") is None
    caching.save("some", "entry", b"content")
    assert caching.load("some", "entry") == b"content"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_of_another_user_is_not_used(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    caching.save("some", "entry", b"planted")
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    assert caching.load("some", "entry") is None
    assert caching.save("some", "entry", b"good").parent != root / "some"
    assert capsys.readouterr().err == f"hwarith: {root} is not used: it belongs to another user\n"


def test_a_folder_that_cannot_be_made(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root.write_text("a file")
    assert caching.kept("some", "entry", lambda: b"content") == b"content"
    assert caching.kept("some", "entry", lambda: b"again") == b"content"
    assert capsys.readouterr().err == f"hwarith: {root} is not used: it is no folder\n"


def test_a_folder_that_cannot_be_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it holds is used; the rest lasts as long as the process."""
    caching.save("some", "entry", b"content")
    write = caching.write_bytes

    def full(path: Path, content: bytes, mode: int) -> None:
        if root in path.parents:
            raise caching.InvalidInput(f"{path} cannot be written: No space left on device")
        write(path, content, mode)

    monkeypatch.setattr(caching, "write_bytes", full)
    assert caching.load("some", "entry") == b"content"
    assert caching.kept("some", "new", lambda: b"new") == b"new"
    assert caching.kept("some", "new", lambda: b"again") == b"new"
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "No space left on device; it is not kept" in said


_RACE = """
import sys
from hwarith import caching
for i in range(200):
    name = f"entry{i % 7}"
    content = caching.kept("race", name, lambda: name.encode() * 9999)
    assert content == name.encode() * 9999
    path = caching.kept_file("race", name, lambda: name.encode() * 9999)
    if i % int(sys.argv[1]) == 0:  # damage it as a full disk would, in place of the file
        caching.write_bytes(path, path.read_bytes()[:-9])
"""


def test_processes_may_do_it_at_once(root: Path) -> None:
    source = Path(caching.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(source)}
    several = [
        subprocess.Popen([sys.executable, "-P", "-c", _RACE, str(3 + i)], env=environment)
        for i in range(3)
    ]
    assert [process.wait(60) for process in several] == [0, 0, 0]
