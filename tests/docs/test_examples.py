"""Every code block of the README and of the documentation is run, or read, as it stands."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import hwarith as hw
from hwarith.cli.app import app
from hwarith.exceptions import HwarithError
from hwarith.explore.sweeps.sweep_file import read_sweep
from hwarith.explore.workloads.minilm import model
from tests.docs import pages

LANGUAGES = {"python", "sh", "toml", "yaml", "text"}
"""Of blocks; ``text`` is what commands print and pictures, and the others are tried here."""

SHELL = [page for page in pages.PAGES if any(x == "sh" for x, _ in pages.blocks(page))]


MAPPING = {"docs/llm-int8.md"}
"""Pages whose Python maps circuits as large as a divider of fp32, which takes half a minute."""


def test_blocks_say_what_they_are() -> None:
    found = {(page, language) for page in pages.PAGES for language, _ in pages.blocks(page)}
    assert {x for x in found if x[1] not in LANGUAGES} == set()


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.long] * (page in MAPPING))
        for page in pages.PAGES
        if pages.python(page)
    ],
)
def test_examples(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "example.py"
    script.write_text("\n".join(pages.python(page)))
    runpy.run_path(str(script), run_name="example")


def of_language(language: str) -> list[Any]:
    return [
        pytest.param(text, id=page)
        for page in pages.PAGES
        for found, text in pages.blocks(page)
        if found == language
    ]


@pytest.mark.parametrize("text", of_language("toml"))
def test_sweep_files(text: str, tmp_path: Path) -> None:
    """A part of one is read as the end of one."""
    file = tmp_path / "points.toml"
    whole = re.search("^points", text, re.MULTILINE)
    file.write_text(text if whole else f'points = ["mul:a=e4m3"]\n{text}')
    assert read_sweep(file).points


@pytest.mark.parametrize("text", of_language("yaml"))
def test_cores(text: str) -> None:
    """What a FuseSoC core says to the generator is a unit; test_export_tools.py runs one."""
    [call] = yaml.safe_load(text)["generate"].values()
    assert call["generator"] == "hwarith"
    assert hw.unit(call["parameters"]["spec"]).stages


# -- shell ---------------------------------------------------------------------------------------


COMMANDS: dict[str, Any] = vars(typer.main.get_command(app))["commands"]

USAGE_ERROR: Any = typer.BadParameter.__mro__[1]


def mistakes(arguments: list[str]) -> str:
    """What is wrong with a call of hwarith, found without running it; empty if nothing is."""
    name, *rest = arguments
    if name not in COMMANDS:
        return f"no command {name}"
    try:
        values = COMMANDS[name].make_context(name, rest).params
        specs = [values.get("spec"), values.get("against"), *(values.get("specs") or ())]
        for spec in specs:
            if isinstance(spec, str) and ":" in spec:
                hw.unit(spec)
    except (USAGE_ERROR, HwarithError) as error:
        return str(error)
    return ""


PAPERS = pages.table_commands("docs/papers.md")
"""What measures again what the papers' table says."""


def calls(page: str) -> list[list[str]]:
    """The arguments of each call of hwarith in the blocks of a page."""
    texts = [text for language, text in pages.blocks(page) if language == "sh"]
    return [arguments for text in texts for arguments in pages.hwarith_arguments(text)]


@pytest.mark.parametrize(
    "calls",
    [pytest.param(calls(page), id=page) for page in SHELL]
    + [pytest.param(pages.hwarith_arguments("\n".join(PAPERS)), id="docs/papers.md")],
)
def test_commands_are_what_the_application_takes(calls: list[list[str]]) -> None:
    found = {" ".join(arguments): mistakes(arguments) for arguments in calls}
    assert {call: mistake for call, mistake in found.items() if mistake} == {}


@pytest.mark.parametrize(
    "call",
    ["synt mul:a=bf16", "synth --recip cmos", "synth mul:a=bf61", "eval mul:format=bf16 1 1"],
)
def test_mistakes_in_commands_are_found(call: str) -> None:
    assert mistakes(call.split())


@pytest.mark.long
@pytest.mark.parametrize("page", SHELL)
def test_pages_in_order(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All Python and all commands of a page, one behind the other in one folder."""
    monkeypatch.chdir(tmp_path)
    pages.prepare(tmp_path, page)
    namespace: dict[str, Any] = {"__name__": "example"}
    for language, text in pages.blocks(page):
        if language == "python":
            exec(compile(text, page, "exec"), namespace)
        if language == "sh":
            run(text)


@pytest.mark.long
@pytest.mark.parametrize("command", PAPERS)
def test_commands_of_the_papers(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_here(command):
        pytest.skip(f"what it needs is not installed: {command}")
    monkeypatch.chdir(tmp_path)
    pages.prepare(tmp_path, "docs/papers.md")
    run(command)


NEEDED: dict[str, Callable[[], object]] = {
    "testfloat_gen|hwarith conform": lambda: shutil.which("testfloat_gen"),
    "hwarith transformer": model.is_installed,
}
"""Commands that need more than the packages of the tests, and whether it is there."""


def is_here(command: str) -> bool:
    return all(there() for start, there in NEEDED.items() if re.match(start, command))


def run(text: str) -> None:
    """Run a block in a shell as a reader has it, where hwarith is installed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(pages.ROOT)}
    command = ["bash", "-c", script(text)]
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]


def script(text: str) -> str:
    """A script that ends at the first command of a block whose exit status is not the one that
    its comment says (0 if it says none). Commands whose tools are not here are left out."""
    lines = []
    for command in filter(is_here, filter(pages.runs, pages.commands(text))):
        expected = re.search(r"# exit status (\d)", command)
        said = shlex.quote(command.splitlines()[0])
        lines += [command, f"check $? {expected[1] if expected else 0} {said}"]
    return "\n".join([CHECK, *lines])


CHECK = 'check() { [ $1 = $2 ] || { echo "exit status $1: $3" >&2; exit 9; }; }'


def test_a_command_that_fails_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def status(text: str) -> int:
        return subprocess.run(["bash", "-c", script(text)], capture_output=True).returncode

    assert status("true\nfalse  # exit status 1\ncat <<'EOF'\nfalse\nEOF\npip install nothing") == 0
    monkeypatch.setitem(NEEDED, "nothing", lambda: False)
    assert status("nothing\nnothing --again") == 0
    assert status("false\ntrue") == status("true  # exit status 1") == 9
