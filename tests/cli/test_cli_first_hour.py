"""What a newcomer types first: --version, -h, Tab, other people's names, a format."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hwarith
from hwarith.cli.app import EXIT_STATUSES
from hwarith.exceptions import unknown
from hwarith.formats import BLOCKS, NAMED, PATTERNS
from hwarith.synonyms import SYNONYMS
from hwarith.units import FAMILIES, unit
from tests.cli.running import ENVIRONMENT, Mistake, Run

DOCS = Path(__file__).parents[2] / "docs"


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"hwarith {hwarith.__version__}\n", "")


def test_h_is_help(run: Run) -> None:
    assert run("-h") == run("--help")
    assert run("synth", "-h") == run("synth", "--help")
    assert run("eval", "-h").out.startswith("Usage: hwarith eval")


def test_exit_statuses_are_documented(run: Run) -> None:
    said = " ".join(run("--help").out.split())
    page = (DOCS / "command-line.md").read_text()
    for status, what in EXIT_STATUSES.items():
        assert f"{status} {what}" in said
        assert f"| {status} | {what}" in page


def test_help_fits_a_terminal(run: Run) -> None:
    assert max(map(len, run("--help").out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gen", "mul"], "unknown command 'gen'; did you mean 'generate'? allowed: list, show"),
        (["errors", "mul"], "unknown command 'errors'; did you mean 'metrics'? allowed"),
        (["show", "fp8"], "unknown unit or format 'fp8'; did you mean 'e4m3fn' or 'e5m2'? "),
        (["show", "dot4"], "unknown unit or format 'dot4'; did you mean 'dot'? "),
        (["show", "mul:format=bf16"], "unknown parameter of mul 'format'; did you mean 'a'? "),
        (["show", "lmul:a=bf16"], "unknown parameter of lmul 'a'; did you mean 'format'? "),
        (
            ["show", "mul:round=nearest"],
            "mul: parameter round: unknown value 'nearest'; did you mean 'rne'? ",
        ),
        (
            ["eval", "mul:a=fp8", "1", "1"],
            "mul: parameter a: unknown format 'fp8'; did you mean 'e4m3fn' or 'e5m2'? ",
        ),
        (["show", "e99m1"], "format 'e99m1': exponent bits must be 2 to 15"),
        (["show", "int0"], "format 'int0': the width must be 1 to 1024, not 0"),
    ],
)
def test_hints(mistake: Mistake, arguments: list[str], message: str) -> None:
    mistake(arguments, message)


def test_synonyms_are_names_that_there_are(run: Run) -> None:
    """And no word stands for what it already is."""
    commands = re.findall(r"^  ([a-z-]+)  ", run("--help").out.partition("Commands:")[2], re.M)
    parameters = {name for family in FAMILIES for name in unit(family).parameters()}
    choices = {
        word
        for family in FAMILIES
        for parameter in unit(family).parameters().values()
        for word in parameter.allowed.split()
    }
    known = {*FAMILIES, *NAMED, *BLOCKS, *PATTERNS, *parameters, *choices, *commands, "bitmod4"}
    known |= {"int8"}
    assert {name for names in SYNONYMS.values() for name in names} <= known
    for word, names in SYNONYMS.items():
        assert word not in names
        assert f"did you mean {names[0]!r}" in str(unknown("thing", word.upper(), names))


def test_only_allowed_names_are_suggested() -> None:
    assert "did you mean" not in str(unknown("thing", "fp8", ["mul", "add"]))
    assert "did you mean 'e5m2'?" in str(unknown("thing", "fp8", ["mul", "e5m2"]))


def test_show_a_format(run: Run) -> None:
    text = run("show", "e4m3").out
    assert "sign 1, exponent 4, fraction 3" in text
    assert re.search(r"^bias +7$", text, re.M)
    assert re.search(r"^largest +240$", text, re.M)
    assert "The OCP's E4M3, that of GPUs, is e4m3fn" in " ".join(text.split())
    found = run("show", "E4M3FN", "--json").json
    assert (found["largest"], found["smallest"], found["infinities"]) == (448, 2**-9, "none")
    assert found["NaN"] == "0x7f, 0xff"
    assert (found["in ml_dtypes"], found["in CUDA C++"]) == ("float8_e4m3fn", "__nv_fp8_e4m3")
    assert "values" not in found


def test_show_a_format_with_its_values(run: Run) -> None:
    text = run("show", "e2m1fn", "-v").out
    pairs = re.findall(r"0x([0-9A-F])  +(-?[\d.]+)", text)
    values = {int(code, 16): float(value) for code, value in pairs}
    assert values == {i: float(hwarith.format("e2m1fn").decode(i)) for i in range(16)}
    assert len(run("show", "e5m2", "-v", "--json").json["values"]) == 256
    assert "Values of" not in run("show", "fp16", "-v").out


@pytest.mark.parametrize("name", [*NAMED, *BLOCKS, "int4", "uint8", "int128", "binary8p4se"])
def test_every_format_can_be_shown(run: Run, name: str) -> None:
    outcome = run("show", name)
    assert (outcome.status, outcome.err) == (0, "")
    assert re.search(rf"^format +{re.escape(name)}$", outcome.out, re.M)
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.parametrize("name", ["fma", "engine", "dot"])
def test_tables_fit_80_columns(run: Run, name: str) -> None:
    assert max(map(len, run("show", name).out.splitlines())) <= 80
    assert max(map(len, run("list").out.splitlines())) <= 80
    assert max(map(len, run("show", name, "-v").out.splitlines())) > 80


def completions(shell: str, line: str) -> list[str]:
    """What the shell is offered where the cursor stands at the end of this line."""
    words = re.findall(r"[:=]|[^\s:=]+|(?<=\s)$", line) if shell == "bash" else line.split(" ")
    environment = ENVIRONMENT | {
        "_HWARITH_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
    }
    if shell != "bash":
        del environment["COMP_WORDS"], environment["COMP_CWORD"]
    command = [sys.executable, "-m", "hwarith"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_completion_in_bash() -> None:
    """bash replaces what is behind the last ``:`` or ``=`` alone."""
    assert completions("bash", "hwarith eval lm") == ["lmul"]
    assert completions("bash", "hwarith eval mul:st") == ["stages="]
    assert completions("bash", "hwarith eval mul:a=e4m3f") == ["e4m3fn", "e4m3fnuz"]
    assert completions("bash", "hwarith synth mul:a=bf16 fma:round=rn") == ["rne", "rna"]
    assert completions("bash", "hwarith weights int4 mxint") == ["mxint8", "mxint6", "mxint4"]


def test_completion_is_silent_about_mistakes() -> None:
    assert completions("bash", "hwarith eval nothing:a=") == []
    assert completions("bash", "hwarith eval mul:nothing=") == []


def test_completion_in_zsh() -> None:
    found = " ".join(completions("zsh", "hwarith show mxfp4"))
    assert re.findall(r"mxfp4[+]*", found) == ["mxfp4", "mxfp4+", "mxfp4++"]
    assert r"mul\\:stages=" in " ".join(completions("zsh", "hwarith eval mul:st"))


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="bash is missing")
def test_bash_takes_the_completion_script() -> None:
    environment = ENVIRONMENT | {"_HWARITH_COMPLETE": "source_bash"}
    command = [sys.executable, "-m", "hwarith"]
    script = subprocess.run(command, env=environment, capture_output=True, text=True).stdout
    assert "_HWARITH_COMPLETE=complete_bash" in script
    done = subprocess.run(["/bin/bash", "-n"], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
