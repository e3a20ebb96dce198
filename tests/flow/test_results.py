"""What kept results depend on: content, tools, and all of the code that reads figures."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from hwarith.flow import tools
from hwarith.flow.synthesis import results

PACKAGE = Path(results.__file__).parent


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, which digests are made of."""
    folder = tmp_path / "synthesis"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    found = results.source_of_figures
    monkeypatch.setattr(results, "source_of_figures", lambda: found(folder))
    return folder


def test_a_change_of_any_module_is_another_result(copy: Path) -> None:
    before = results.digest(["content"])
    modules = sorted(copy.glob("*.py"))
    assert {"liberty.py", "liberty_text.py", "cells.py", "timing.py"} < {m.name for m in modules}
    for module in modules:
        text = module.read_text()
        module.write_text(text + "\n")
        assert results.digest(["content"]) != before, module.name
        module.write_text(text)
    assert results.digest(["content"]) == before


def test_figures_depend_on_no_code_in_folders_below() -> None:
    assert not [path for path in PACKAGE.iterdir() if path.is_dir() and path.name[0] != "_"]


def test_the_readers_of_figures_import_nothing_else_that_could_change_them() -> None:
    """Beside this package: tools (whose versions count), errors, and what reads files."""
    for name in ("figures", "liberty", "liberty_text", "cells", "timing"):
        tree = ast.parse((PACKAGE / f"{name}.py").read_text())
        imported: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level > 1:
                imported |= {node.module} if node.module else {a.name for a in node.names}
        assert imported <= {"errors", "inputs", "tools"}, name


def test_content_and_tools_make_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {results.digest(content) for content in (["a"], ["b"], ["a", "b"], [b"ab"])}
    assert len(found) == 4
    assert results.digest(["a"]) == results.digest([b"a"])
    monkeypatch.setattr(tools, "versions", lambda: {"yosys": "9.9"})
    assert results.digest(["a"]) not in found


def test_found_once_and_again_if_the_file_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path))
    runs = iter(range(9))

    def find() -> dict[str, int]:
        return {"run": next(runs)}

    assert results.kept("some", ["x"], find) == results.kept("some", ["x"], find) == {"run": 0}
    (entry,) = tmp_path.glob("some/*")
    entry.write_text("{")
    assert results.kept("some", ["x"], find) == {"run": 1}
    assert results.kept("some", ["y"], find) == {"run": 2}
