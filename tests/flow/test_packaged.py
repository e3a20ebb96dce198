"""Programs as WebAssembly: prepared by one process at a time, and what they compiled is checked."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from hwarith import files
from hwarith.flow import packaged, processes


class Program:
    """A program that needs a while to compile itself, and counts how often it did."""

    def __init__(self, root: Path, program: str) -> None:
        self.compiled = root / f"yowasp_{program}" / "program.wasm" / "1a2b"
        self.calls: list[str] = []

    def said(self, command: list[str], what: str) -> str:
        self.calls.append("begin")
        time.sleep(0.1)
        if not self.compiled.exists():
            self.compiled.parent.mkdir(parents=True, exist_ok=True)
            self.compiled.write_bytes(b"machine code")
            self.calls.append("compiled")
        self.calls.append("end")
        return ""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "yowasp"))
    monkeypatch.setattr(packaged, "_folder", packaged._folder.__wrapped__)
    return tmp_path / "yowasp"


@pytest.fixture
def yosys(root: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    program = Program(root, "yosys")
    monkeypatch.setattr(processes, "said", program.said)
    return program


prepare = packaged.prepare.__wrapped__


@pytest.mark.parametrize("name", ["yosys", "nextpnr_ice40"])
def test_programs_are_prepared_by_one_at_a_time(
    name: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First calls at once: a packaged program must not be called by two while it compiles."""
    program = Program(root, name)
    monkeypatch.setattr(processes, "said", program.said)
    monkeypatch.setattr(packaged, "version", lambda _: "1.0")
    threads = [threading.Thread(target=prepare, args=(name,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert program.calls == ["begin", "compiled", "end"]


def test_what_is_compiled_is_checked(yosys: Program, capsys: pytest.CaptureFixture[str]) -> None:
    prepare("yosys")
    assert "Preparing yosys" in capsys.readouterr().err
    prepare("yosys")
    assert len(yosys.calls) == 3
    yosys.compiled.write_bytes(b"machine")  # cut off
    prepare("yosys")
    assert yosys.calls[3:] == ["begin", "compiled", "end"]
    assert yosys.compiled.read_bytes() == b"machine code"
    yosys.compiled.write_bytes(b"machine c0de")  # of the same length
    prepare("yosys")
    assert yosys.compiled.read_bytes() == b"machine code"
    yosys.compiled.unlink()
    prepare("yosys")
    assert yosys.compiled.read_bytes() == b"machine code"
    assert len(yosys.calls) == 12
    assert capsys.readouterr().err.count("Preparing yosys") == 3


def test_what_is_written_anew_but_the_same_is_good(yosys: Program) -> None:
    prepare("yosys")
    yosys.compiled.write_bytes(b"machine code")
    prepare("yosys")
    assert yosys.calls == ["begin", "compiled", "end"]


def test_another_version_is_prepared_too(yosys: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare("yosys")
    monkeypatch.setattr(packaged, "version", lambda _: "99")
    prepare("yosys")
    assert yosys.calls == ["begin", "compiled", "end", "begin", "end"]


def test_code_that_others_could_have_written_is_not_used(
    root: Path, yosys: Program, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    prepare("yosys")
    assert packaged.command("yosys")[-1] == str(root)
    yosys.compiled.parent.chmod(0o777)
    assert packaged.command("yosys")[-1] == str(tmp_path / "cache" / "programs")
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == (
        f"hwarith: {yosys.compiled.parent} is not used: others can write to it (mode 777)"
    )


def test_locks_exclude_each_other(tmp_path: Path) -> None:
    inside: list[int] = []

    def work() -> None:
        with files.locked(tmp_path / "lock"):
            inside.append(1)
            time.sleep(0.02)
            assert sum(inside) == 1
            inside.append(-1)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == [1, -1] * 5
