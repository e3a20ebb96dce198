"""The code blocks of the pages, and what readers are assumed to have of their own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

import hwarith as hw
from hwarith.cli.app import app

ROOT = Path(__file__).parents[2]

PAGES = (
    "README.md",
    "synth/README.md",
    *(f"docs/{p.name}" for p in sorted(ROOT.glob("docs/*.md"))),
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[tuple[str, str]]:
    """The code blocks of a page, each with its language."""
    return _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def table_commands(page: str) -> list[str]:
    """The commands in the tables of a page, each once."""
    text = re.sub(r"<!--.*?-->", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    rows = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    return list(dict.fromkeys(re.findall(r"`((?:hwarith|python) [^`]+)`", rows)))


def python(page: str) -> list[str]:
    """The Python of a page."""
    return [text for language, text in blocks(page) if language == "python"]


INSTALLED = ("pip", "make", "dask")
"""Programs that tests do not run: they install, run these very tests, or serve forever."""


def commands(text: str) -> list[str]:
    """The commands of a block for the shell; one with a document in it (``<<``) is one."""
    found: list[str] = []
    end = ""
    for line in text.splitlines():
        if end or (found and found[-1].endswith("\\")):
            found[-1] += f"\n{line}"
            end = "" if line == end else end
        elif line.strip():
            found.append(line)
            end = re.sub(r".*<<'(\w+)'.*", r"\1", line) if "<<'" in line else ""
    return found


def runs(command: str) -> bool:
    """Whether tests run a command."""
    return command.split()[0] not in INSTALLED and "--dask" not in command


def hwarith_arguments(text: str) -> list[list[str]]:
    """The arguments of each call of hwarith in a block."""
    calls = []
    for command in commands(text):
        for part in re.split(r"&&|\|", command.split("\n")[0]):
            words = shlex.split(part, comments=True)
            if words and words[0] == "hwarith":
                calls.append(words[1:])
    return calls


# -- what readers have ---------------------------------------------------------------------------


def _arrays(path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(path, a=rng.standard_normal((64, 256)), b=rng.standard_normal((64, 256)))


def _recordings(path: Path) -> None:
    u = hw.unit("dot:preset=h100-fp16-fp32")
    rng = np.random.default_rng(0)
    a, b = (u.a.encode(rng.standard_normal((100, 16))) for _ in "ab")
    c = u.c.encode(rng.standard_normal(100))
    np.savez(path, a=a, b=b, c=c, d=u.dot(a, b, c))


def _older(path: Path) -> None:
    file = path.with_name("older.toml")
    file.write_text('points = ["mul:a=e4m3", "lmul:format=e4m3"]')
    assert CliRunner().invoke(app, ["sweep", str(file), "-o", str(path)]).exit_code == 0


def _text(text: str | Callable[[], str]) -> Callable[[Path], None]:
    return lambda path: path.write_text(text if isinstance(text, str) else text()) and None


FPTEST = """\
Floating point tests
b32+ =0 +1.000000P0 +1.000000P0 -> +1.000000P1
b32+ 0 i +1.7FFFFFP127 +1.7FFFFFP127 -> +1.7FFFFFP127 xo
"""

OWN: dict[str, Callable[[Path], None]] = {
    "mine.sv": _text(lambda: hw.verilog("mul:a=bf16", name="mine")),
    "mine.v": _text(lambda: hw.verilog("mul:a=bf16")),
    "mine.npz": _arrays,
    "FILE.npz": _recordings,
    "Rounding.fptest": _text(FPTEST),
    "older": _older,
}
"""Files and folders that pages name and readers have: how each is made."""


def prepare(folder: Path, page: str) -> None:
    """Make a folder what a reader's is who has a checkout there: its folders, and files of one's
    own that the page names; points.toml is what the page shows of a sweep."""
    for name in ("bench", "docs", "tests"):
        (folder / name).symlink_to(ROOT / name)
    text = "\n".join(block for language, block in blocks(page) if language == "sh")
    for name, make in OWN.items():
        if re.search(rf"(?<![\w/.]){re.escape(name)}\b", text):
            make(folder / name)
    sweeps = [block for language, block in blocks(page) if language == "toml"]
    if sweeps:
        (folder / "points.toml").write_text(sweeps[0])
