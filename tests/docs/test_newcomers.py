"""The paths of newcomers in an environment of their own: from an installation to their goal.

Their commands are those of the tutorials, as they stand there. What a path took is printed
(``pytest -rP``): on two cores the designer's under a minute, the researcher's under three.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import pages

ROOT = Path(__file__).parents[2]

PATHS = {  # a tutorial; the commands of it that lead to a goal, and the files that are then there
    "docs/designer.md": (["regress", "export"], ["dot4.v", "dot4_tb.v"]),
    "docs/researcher.md": (["weights"], ["report.html"]),
}


def extra(page: str) -> str:
    """What the page says to install."""
    (command,) = (
        command
        for language, text in pages.blocks(page)
        if language == "sh"
        for command in pages.commands(text)
        if command.startswith("pip install 'hwarith[")
    )
    return command.split("'")[1].removeprefix("hwarith")


def steps(page: str) -> Iterator[tuple[str, list[str]]]:
    """Python before the first command on the way, and the first command of each name."""
    left = [*PATHS[page][0]]
    for language, text in pages.blocks(page):
        if language == "python" and left == PATHS[page][0]:
            yield text, []
        for arguments in pages.hwarith_arguments(text) if language == "sh" else []:
            if left and arguments[0] == left[0]:
                yield "", arguments
                left.pop(0)
    assert left == [], f"{page} has no hwarith {left[0]}"


@pytest.mark.parametrize("page", PATHS)
def test_tutorials_have_the_paths(page: str) -> None:
    assert [arguments[0] for _, arguments in steps(page) if arguments] == PATHS[page][0]
    assert extra(page).startswith("[")


@pytest.mark.long
@pytest.mark.parametrize("page", PATHS)
def test_from_an_installation_to_the_goal(page: str, tmp_path: Path) -> None:
    """With a cache of packages, as pip keeps it, and no other."""
    environment = {**os.environ, "HWARITH_CACHE": str(tmp_path / "cache")}
    environment.pop("PYTHONPATH", None)
    begin = time.monotonic()

    def run(*command: str) -> None:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        print(f"{time.monotonic() - begin:6.1f} s  {' '.join(command)[:80]}")

    run(sys.executable, "-m", "venv", "venv")
    here = tmp_path / "venv" / "bin"
    pip = ("-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"))
    run(str(here / "python"), *pip, f"{ROOT}{extra(page)}")
    for script, arguments in steps(page):
        if script:
            run(str(here / "python"), "-c", script)
        else:
            run(str(here / "hwarith"), *arguments)
    files = {path.name: path.stat().st_size for path in tmp_path.glob("[!v]*/**/*.*")}
    assert all(files.get(name) for name in PATHS[page][1]), sorted(files)
