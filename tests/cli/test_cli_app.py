"""The application: its help, mistakes that concern no command, the process itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.running import ENVIRONMENT, TINY, Mistake, Run, hwarith_process


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_names_every_command(run: Run, arguments: tuple[str, ...]) -> None:
    outcome = run(*arguments)
    assert (outcome.status, outcome.err) == (0, "")
    for command in (
        "list",
        "show",
        "eval",
        "generate",
        "vectors",
        "regress",
        "synth",
        "energy",
        "sweep",
        "compare",
        "weights",
        "report",
    ):
        assert f"\n  {command} " in outcome.out
        assert run(command, "--help").out.startswith(f"Usage: hwarith {command} ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evall"], "unknown command 'evall'; did you mean 'eval'? allowed: list, show,"),
        (["--vresion"], "No such option: --vresion"),
    ],
)
def test_mistakes(mistake: Mistake, arguments: list[str], message: str) -> None:
    mistake(arguments, message)


def test_a_mistake_as_the_shell_sees_it() -> None:
    done = hwarith_process("eval", "mul:a=bf61", "1", "1", capture_output=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("hwarith: mul: parameter a: unknown format 'bf61'")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [("list", "--json"), ("vectors", TINY)], ids=["long", "short"]
)
def test_a_reader_that_goes_away_hears_no_complaint(arguments: tuple[str, ...]) -> None:
    """As in ``hwarith list --json | head -1``, with output longer and shorter than a buffer."""
    reading, writing = os.pipe()
    os.close(reading)
    done = hwarith_process(*arguments, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom hwarith.cli import main\nsys.argv = ['hwarith', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n"
        "    print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert "Usage: hwarith" in done.stdout
    assert not {"numpy", "amaranth", "numba", "rich"} & set(done.stderr.split())
    assert "hwarith" in done.stderr.split()
