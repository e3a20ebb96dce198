"""The notebooks run from their first cell to their last, and what they show can be shown."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))

FAST = ("formats", "tensor_core")


def cells(path: Path, kind: str) -> list[str]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(x["source"]) for x in notebook["cells"] if x["cell_type"] == kind]


def run(code: list[str]) -> list[str]:
    """Cells one after the other; the page of what the last line of each gives, if it has one."""
    namespace: dict[str, Any] = {"__name__": "notebook"}
    pages = []
    for text in code:
        tree = ast.parse(text)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)
            if hasattr(value, "_repr_html_"):
                pages.append(value._repr_html_())
    return pages


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(p, id=p.stem, marks=[] if p.stem in FAST else pytest.mark.long)
        for p in NOTEBOOKS
    ],
)
def test_notebooks(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert all("<" in page for page in run(cells(path, "code")))


def test_a_cell_that_fails_is_found() -> None:
    with pytest.raises(AssertionError):
        run(["x = 1", "assert x == 2"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_they_are_kept_without_what_they_gave(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert not any(x.get("outputs") for x in notebook["cells"])
    assert cells(path, "markdown")[0].startswith("# ")
