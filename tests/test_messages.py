"""Every message of an error shows what a user gave by the helpers that shorten it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from hwarith.sources import PACKAGE, modules

ERRORS = ("HwarithError", "InvalidInput", "MissingTool", "ToolFailure", "AtText", "unknown")
GIVEN = ("path", "folder", "dtype", "token")
"""Names that stand for what a user gave, wherever they occur."""


def unshortened(package: Path) -> Iterator[str]:
    """Expressions in messages that stand there with Python's repr, or that are named as what users
    give, and are not shortened."""
    for module, path in modules(package).items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or _last(node.func) not in ERRORS:
                continue
            for part in ast.walk(node):
                if isinstance(part, ast.FormattedValue) and (
                    part.conversion == ord("r")
                    or (_last(part.value) in GIVEN and not isinstance(part.value, ast.Call))
                ):
                    yield f"{module}: {ast.unparse(part.value)}"


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def test_messages_shorten_what_they_quote() -> None:
    assert list(unshortened(PACKAGE)) == []


def test_faults_are_found(tmp_path: Path) -> None:
    package = tmp_path / "hwarith"
    package.mkdir()
    (package / "__init__.py").write_text(
        'InvalidInput(f"{x!r}")\nerrors.InvalidInput(f"{self.path} {shown(path)} {quoted(x)} {n}")'
    )
    assert list(unshortened(package)) == ["hwarith: x", "hwarith: self.path"]
