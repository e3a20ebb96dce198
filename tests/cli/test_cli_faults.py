"""Mistakes that several commands meet: no folder to write to, no compiler."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import TINY, Run, assert_one_line, hwarith_process


@pytest.mark.parametrize(
    ("arguments", "below", "message"),
    [
        (["generate", TINY], "", "is a file"),
        (["generate", TINY], "below", "cannot be made: Not a directory"),
        (["sweep", "mine.toml"], "", "is a file"),
        (["weights", "int4"], "", "is a file"),
        (["sweep", "mine.toml"], "below", "cannot be made: Not a directory"),
    ],
)
def test_a_file_in_place_of_the_output_folder(
    run: Run,
    arguments: list[str],
    below: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(f'points = ["{TINY}"]')
    Path("taken").write_text("precious")
    folder = Path("taken", below)
    assert_one_line(run(*arguments, "-o", folder), f"output folder {folder} {message}")
    assert Path("taken").read_text() == "precious"


@pytest.mark.parametrize(
    "arguments", [("eval", TINY, "1", "1", "--rtl"), ("regress", TINY)], ids=["eval", "regress"]
)
def test_without_a_compiler(
    run: Run, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = run(*arguments)
    assert_one_line(outcome, "g++ was not found on PATH; Verilator needs it. Install a C++")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("taken/below.txt", "cannot be written: Not a directory"),
        ("missing/below.txt", "cannot be written: No such file or directory"),
        ("x" * 256, "cannot be written: File name too long"),
        (".", "cannot be written: "),
    ],
)
def test_a_file_that_cannot_be_written(
    run: Run, output: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("precious")
    outcome = run("vectors", TINY, "-o", output)
    assert_one_line(outcome, output[:90])
    assert reason in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert Path("taken").read_text() == "precious"


def test_a_file_of_the_longest_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("vectors", TINY, "-n", "3", "-o", "x" * 255).status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["x" * 255]


@pytest.mark.parametrize("arguments", [("eval", TINY, "1", "1"), ("--help",)])
def test_standard_output_is_full(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        ended = hwarith_process(*arguments, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 2
    assert ended.stderr == "hwarith: standard output: No space left on device\n"


def test_standard_error_is_full() -> None:
    with open("/dev/full", "w") as full:
        ended = hwarith_process("show", "mull", stdout=subprocess.PIPE, stderr=full)
    assert (ended.returncode, ended.stdout) == (2, "")


def test_standard_output_is_closed() -> None:
    ended = hwarith_process("list", stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    ended = hwarith_process("generate", TINY, "-o", folder, capture_output=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("\\udcff/mul_e2m1fn_e2m1fn_e2m1fn_rne.v\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "x" * 5000], "Got unexpected extra argument(s) (xxx"),
        (
            ["sweep", "--jobs", "x" * 5000],
            "Invalid value for '--jobs': Input should be",
        ),
        (["eval", "x" * 5000, "1"], "unknown unit 'xxx"),
        (["eval", "mul:a=e4m3fn", "x" * 5000, "1"], "operand a: 'xxx"),
        (["eval", "mul:a=e4m3fn", "0x" + "f" * 5000, "1"], "operand a: an integer of 20,000 bits"),
        (["eval", "mul:a=e4m3fn", "--" + "x" * 5000, "1"], "unknown option of eval '--xxx"),
        (["synth", TINY, "--library", "x" * 5000], "unknown library 'xxx"),
        (["synth", TINY, "--library", "a/" + "x" * 5000], "Liberty file a/xxx"),
        (["synth", TINY, "--recipe", "x" * 5000], "unknown recipe for library 'generic' 'xxx"),
        (["report", "x" * 5000], "folder xxx"),
        (["compare", TINY, "--workload", "x" * 5000], "unknown workload 'xxx"),
        (["weights", "x" * 5000], "unknown weight type 'xxx"),
        (["weights", "--weights", "x" * 5000], "weights file xxx"),
        (["cycles", "x" * 5000, "--config", "fp16"], "unknown model 'xxx"),
        (["cycles", "phi-2", "--config", "x=" + "x" * 5000], "config 'x=xxx"),
        (["sweep", "x" * 5000], "sweep file xxx"),
    ],
)
def test_messages_show_a_part_of_long_arguments(
    run: Run, arguments: list[str], message: str
) -> None:
    outcome = run(*arguments)
    assert_one_line(outcome, message)
    assert not any(c * 250 in outcome.err for c in "xf")
    assert len(outcome.err) < 1000
