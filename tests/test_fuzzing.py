"""Whatever a user may give, at random: an answer or one message, soon, and no file half-written.

Files that are damaged in known ways are in `test_inputs.py`; damaged entries of the cache, and
processes that share it, in `test_caching.py` (all kinds of entries), `flow/test_simulate.py`
(compiled models) and `explore/test_damaged_sweeps.py` (finished points).
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hwarith as hw
from hwarith import cli
from hwarith.cli.app import app
from hwarith.exceptions import HwarithError
from hwarith.explore.cycles.files import read_model
from hwarith.explore.operands_file import read_operands
from hwarith.explore.sweeps.schema import manifest_of
from hwarith.explore.sweeps.sweep_file import read_sweep
from hwarith.flow.synthesis import liberty
from hwarith.flow.synthesis.models import with_models
from hwarith.flow.tools import shipped
from hwarith.inputs import read_arrays, read_json
from tests import small_units
from tests.cli.running import ENVIRONMENT, TINY
from tests.test_inputs import GOOD, npy, npz

SECONDS = 30
"""No input may take longer."""

LONGER = 20
"""So many times as many inputs are tried in the long tests, and others in every run."""

Check = Callable[[Any, Path], None]


class TooLong(BaseException):
    """Not caught by what is tried."""


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    def over(*_: object) -> None:
        raise TooLong(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(SECONDS)
    start = time.monotonic()
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < SECONDS  # also of what signals do not interrupt


def only_our_errors(call: Callable[[], object]) -> bool:
    """Whether it went well; if not, with one message in one line that is not long."""
    try:
        call()
    except HwarithError as error:
        said = str(error)
        assert said.isprintable(), said
        assert 0 < len(said) < 1200
        return False
    return True


# -- what is given -------------------------------------------------------------------------------

PIECES = (
    *("", " ", ",", "=", ":", "(", ")", "-", "+", ".", "/", "%", "\0", "\n", "\u00e9", "\u2028"),
    *("none", "nan", "inf", "true", "1e999", "0x", "-1", "0", "1", "99", "9" * 30, "9" * 5000),
    *("fp32", "bf16", "e4m3", "e2m1fn", "int", "int8", "int70", "e99m99", "e0m0", "mxfp4", "nvfp4"),
    *("stages=", "stages=3", "round=", "round=port", "out=", "a=", "n=", "k=", "op=", "lanes="),
    *("mul:", "engine:pe=(", "(" * 300, "{", "}", "[", "]", "'", '"', "#", "%s", "$(x)"),
)


def edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    """A text with pieces put in, each in place of so many characters."""
    for at, length, piece in edits:
        at %= len(text) + 1
        text = text[:at] + piece + text[at + length :]
    return text


def texts(seeds: tuple[str, ...], pieces: tuple[str, ...] = PIECES) -> st.SearchStrategy[str]:
    """Texts that somebody could have meant, with some edits."""
    piece = st.sampled_from(pieces) | st.text(max_size=4)
    edit = st.tuples(st.integers(0, 9999), st.integers(0, 9), piece)
    return st.builds(edited, st.sampled_from(seeds), st.lists(edit, max_size=3))


def damaged(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Files cut short, with bytes changed, with a stretch doubled, or with one taken out."""
    noise = st.binary(max_size=4) | st.sampled_from([piece.encode() for piece in PIECES])
    change = st.tuples(st.integers(0, 99999), st.integers(0, 40), noise, st.integers(0, 3))

    def apply(content: bytes, changes: list[tuple[int, int, bytes, int]]) -> bytes:
        for at, length, by, kind in changes:
            at %= len(content) + 1
            before, stretch, behind = (
                content[:at],
                content[at : at + length],
                content[at + length :],
            )
            content = (
                before,
                before + by + behind,
                before + 2 * stretch + behind,
                before + behind,
            )[kind]
        return content

    return st.builds(apply, st.sampled_from(seeds), st.lists(change, min_size=1, max_size=3))


FORMATS = (
    *("fp64", "fp32", "tf32", "bf16", "fp16", "e4m3fn", "e5m2", "e4m3fnuz", "e8m0fnu", "e3m2"),
    *("int8", "uint4", "int70", "mxfp8_e4m3", "mxfp4", "nvfp4", "mxint8", "fp4", "b8p3", "if4"),
)
SWEEP = b"""workload = "digits"
points = ["mul:a=bf16", "lmul:format=bf16,k=3"]
[[grid]]
spec = "lmul:format={format},k={k}"
format = ["bf16", "fp16"]
k = { from = 1, to = 4, step = 2 }
where = "k <= format.fraction_bits and format != 'e4m3' or not k * 2 == 6"
[search]
budget = 5
"""
MODEL = b"layers = 24\nhidden = 2048\nffn = 8192\nheads = 32\nkv_heads = 32\nvocab = 9\ngated=true"
MANIFEST = json.dumps(
    {
        "source": None,
        "workload": "digits",
        "library": "generic",
        "versions": {"hwarith": "1", "yosys": "1"},
        "points": [{"spec": "mul:a=bf16", "file": "mul.json"}] * 2,
    }
).encode()
LIBERTY = (shipped("synth") / "generic.lib").read_bytes()
CELLS = (LIBERTY[:2500] + b"}}}", LIBERTY[:900] + LIBERTY[LIBERTY.index(b"  cell (DFFE)") :])
ARRAYS = (GOOD, npz(zipfile.ZIP_STORED, a_npy=npy(np.arange(30))), npy(np.arange(12).reshape(3, 4)))
PACKED = gzip.compress(b"library (a) { cell (b) { area : 1; } }")

NUMBERS = st.sampled_from([0, 1, 3, -1, 15, 16, 255, 2**31, 2**63, 2**64, 10**30, 0.5, -0.0])
DTYPES = ("?", "i1", "u1", "i2", "u2", "i8", "u8", "f2", "f4", "f8", "c8", "U3", "M8[s]", "V3", "O")


def of_type(shape: list[int], dtype: str, fill: object) -> object:
    with contextlib.suppress(TypeError, ValueError, OverflowError), np.errstate(all="ignore"):
        return np.full(shape, fill).astype(dtype)
    return np.zeros(shape, dtype)


OPERANDS = st.one_of(
    NUMBERS,
    st.builds(of_type, st.lists(st.integers(0, 3), max_size=3), st.sampled_from(DTYPES), NUMBERS),
    st.lists(NUMBERS | st.lists(NUMBERS, max_size=2), max_size=3),
    st.sampled_from([None, "", "1", b"1", {}, float("nan"), float("inf"), 1j, object, ...]),
)
WIDE = ("mul:a=int70", "mul:a=e15m112", "cmp:a=int70", "mac:a=int70,acc=int200")
CALLED = (*small_units.SPECS, *WIDE)

LIGHT = ("list", "show", "eval", "generate", "vectors", "run", "cycles", "gpu", "check")
"""Commands that take any unit."""

HEAVY = tuple(command.name for command in app.registered_commands if command.name not in LIGHT)
"""Commands that take a while, given what is right: they get nothing that is."""

OPTIONS = (
    *("--json", "-o", "--output", "-n", "--seed", "--round", "--library", "--top", "--against"),
    *(
        "--format",
        "--vectors",
        "--stages",
        "--help",
        "--prefix",
        "--name",
        "--catalog",
        "--x",
        "--",
    ),
)
WRONG = ("mul:a=nothing", "mull", "mul:a=bf16,stages=-1", "missing.toml", "", "int999999", "-1")
VALUES = (*WRONG, "0", "3", "1.5", "nan", "0x3f", "out", "out/below", ".", "/", "\u00e9", "digits")


def command_lines() -> st.SearchStrategy[list[str]]:
    wrong = texts(VALUES)
    any_of_it = wrong | st.sampled_from(OPTIONS) | texts(OPTIONS)
    light = st.tuples(
        st.sampled_from(LIGHT),
        st.lists(st.sampled_from((TINY, "fma:a=e3m2,stages=1", "e4m3fn")) | any_of_it, max_size=5),
    )
    heavy = st.tuples(
        st.sampled_from(HEAVY), st.sampled_from(WRONG), st.lists(any_of_it, max_size=4)
    )
    return st.one_of(
        light.map(lambda x: [x[0], *x[1]]),
        heavy.map(lambda x: [x[0], x[1], *x[2]]),
        st.lists(any_of_it, max_size=3),
    ).filter(lambda words: not any("\0" in word for word in words))  # no shell hands these on


# -- what is done with it ------------------------------------------------------------------------


def make_unit(text: str, _: Path) -> None:
    """A spec that is taken is made again of the one that it has."""
    found: list[hw.Unit] = []
    if only_our_errors(lambda: found.append(hw.unit(text))):
        assert hw.unit(found[0].spec) == found[0]


def make_format(text: str, _: Path) -> None:
    only_our_errors(lambda: hw.format(text))
    only_our_errors(lambda: hw.weight_type(text))


def call_unit(given: tuple[str, list[Any]], _: Path) -> None:
    spec, operands = given
    only_our_errors(lambda: hw.unit(spec)(*operands))


def reads(*readers: Callable[[Path], object]) -> Check:
    def check(content: bytes, folder: Path) -> None:
        path = folder / "given"
        path.write_bytes(content)
        for read in readers:
            only_our_errors(lambda read=read: read(path))

    return check


def manifest(path: Path) -> object:
    return manifest_of(read_json(path, "the sweep"))


def arrays(path: Path) -> object:
    return read_arrays(path, "operands")


def operands(path: Path) -> object:
    return read_operands(hw.unit("mul:a=e4m3"), path)


def cells(path: Path) -> object:
    library = liberty.read(path)
    return with_models(" ".join(library.cells), library)


def run_command(words: list[str], folder: Path) -> None:
    """Status 0 to 3; a mistake in one line and without a file."""
    shutil.rmtree(folder / "here", ignore_errors=True)
    (folder / "here").mkdir()
    with (
        (folder / "out").open("w+") as out,
        (folder / "err").open("w+") as err,
        contextlib.chdir(folder / "here"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["hwarith", *words]),
        pytest.raises(SystemExit) as ended,
    ):
        cli.main()
    said = (folder / "err").read_text(errors="replace")
    assert ended.value.code in (None, 0, 1, 2, 3), said
    assert "Traceback" not in said
    if ended.value.code == 2:
        assert re.fullmatch(r"hwarith: [^\n]+\n", said), said
        assert not [path for path in (folder / "here").rglob("*") if path.is_file()]


TARGETS: dict[str, tuple[st.SearchStrategy, Check, int]] = {
    "specs": (texts(small_units.SPECS), make_unit, 110),
    "formats": (texts(FORMATS), make_format, 80),
    "calls": (
        st.tuples(st.sampled_from(CALLED), st.lists(OPERANDS, max_size=4)),
        call_unit,
        80,
    ),
    "sweeps": (damaged((SWEEP,)), reads(read_sweep), 40),
    "models": (damaged((MODEL,)), reads(read_model), 20),
    "manifests": (damaged((MANIFEST,)), reads(manifest), 20),
    "arrays": (damaged(ARRAYS), reads(arrays, operands), 60),
    "liberty": (damaged((*CELLS, PACKED)), reads(cells), 40),
    "commands": (command_lines(), run_command, 60),
}


def fuzz(target: str, times: int, folder: Path) -> None:
    """Try so many times the inputs of a target: the same ones each time if it is once."""
    strategy, check, count = TARGETS[target]
    tried = 0

    @settings(
        max_examples=count * times,
        derandomize=times == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(given: Any) -> None:
        nonlocal tried
        tried += 1
        with in_time():
            check(given, folder)

    one()
    assert tried >= count * times


@pytest.mark.parametrize(
    ("target", "times"),
    [
        *((target, 1) for target in TARGETS),
        *(pytest.param(target, LONGER, marks=pytest.mark.long) for target in TARGETS),
    ],
)
def test_any_input(target: str, times: int, tmp_path: Path) -> None:
    fuzz(target, times, tmp_path)


def test_so_many_inputs() -> None:
    total = sum(count for _, _, count in TARGETS.values())
    assert total >= 500
    assert total * LONGER >= 10_000


def raise_key_error() -> None:
    raise KeyError("x")


def raise_two_lines() -> None:
    raise hw.InvalidInput("one\ntwo")


@pytest.mark.parametrize("wrong", [raise_key_error, raise_two_lines, lambda: time.sleep(9)])
def test_what_is_looked_for_is_found(
    wrong: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another exception, a message of two lines, and what takes too long."""
    monkeypatch.setitem(globals(), "SECONDS", 1)
    check = (st.just(""), lambda *_: only_our_errors(wrong), 1)
    monkeypatch.setitem(TARGETS, "wrong", check)
    with pytest.raises((KeyError, AssertionError, TooLong)):
        fuzz("wrong", 1, tmp_path)


def test_a_half_written_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half() -> None:
        Path("half").write_text("written")
        print("hwarith: no", file=sys.stderr)
        sys.exit(2)

    monkeypatch.setattr(cli, "main", half)
    with pytest.raises(AssertionError):
        run_command(["list"], tmp_path)


# -- two processes on one cache, and what becomes of it ------------------------------------------


def damage(path: Path, kind: str, other: bytes) -> None:
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[:-9], "flipped": bytes(flipped), "replaced": other}[kind])


@pytest.mark.long
def test_two_processes_on_one_cache_that_is_damaged(tmp_path: Path) -> None:
    """All that compiling leaves: made at once by both, then made again where it is damaged."""
    environment = ENVIRONMENT | {"HWARITH_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "hwarith", "eval", TINY, "1.5", "2", "--rtl", "--json"]

    def both() -> set[tuple[int, str, str]]:
        several = [
            subprocess.Popen(
                command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=300) for process in several]
        return {(process.returncode, *one) for process, one in zip(several, said, strict=True)}

    (first,) = both()
    assert (first[0], first[2]) == (0, "")
    entries = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert len(entries) >= 3
    for kind in ("cut", "flipped", "replaced"):
        contents = [path.read_bytes() for path in entries]
        for path, other in zip(entries, contents[1:] + contents[:1], strict=True):
            damage(path, kind, other)
        assert both() == {first}
        assert os.listdir(tmp_path) == ["cache"]
