"""Tables of hardware: those that are shipped, and others, which are found once and kept on disk.

Shipped ones are found again by ``make function-tables``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ... import sources
from ...caching import kept
from ...files import write_text
from ...formats import Format, scalar_format
from . import binade, logarithm, power
from .exactly import FUNCTIONS
from .fit import NEAREST, NEIGHBOURS

_FORMATS = ("e4m3", "e4m3fn", "e5m2", "bf16", "fp16")
"""Formats of operands and results of which tables are shipped, for rounding to nearest."""

_FINDERS: dict[str, Any] = {"exp2": power, "exp": power, "log2": logarithm, "ln": logarithm}
"""Who finds the tables of a function: by default by binades."""

_HERE = Path(__file__).parent
_SHIPPED = _HERE / "tables.json"


@lru_cache(maxsize=64)
def table(function: str, a: Format, out: Format, goal: str) -> Any:
    """The table of a function that keeps apart what `goal` says (`fit`): a `PowerTable`,
    `LogarithmTable` or `BinadeTable`. Raises `InvalidInput` if there is none."""
    finder = _FINDERS.get(function, binade)
    known = shipped().get(_name(function, a, out, goal))
    if known is None:
        known = json.loads(_found(finder, function, a, out, goal))
    return finder.from_plain(known)


def _found(finder: Any, function: str, a: Format, out: Format, goal: str) -> bytes:
    parts = ("exactly.py", "definitions.py", "fit.py", f"{finder.__name__.rpartition('.')[2]}.py")
    text = sources.digest({name: _HERE / name for name in parts})
    text += f"{function} {a.numbers} {out.numbers} {goal}"
    name = f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    return kept("functions", name, lambda: json.dumps(found_anew(function, a, out, goal)).encode())


def found_anew(function: str, a: Format, out: Format, goal: str) -> dict[str, Any]:
    """A table as plain lists and numbers, searched for whatever is kept."""
    return asdict(_FINDERS.get(function, binade).find(function, a, out, goal))


def _name(function: str, a: Format, out: Format, goal: str) -> str:
    return f"{function} {a.name} {out.name} {goal}"


@cache
def shipped() -> dict[str, Any]:
    """The tables that are shipped, by function, formats and goal."""
    return json.loads(_SHIPPED.read_text(encoding="utf-8")) if _SHIPPED.exists() else {}


def _wanted() -> Iterator[tuple[str, Format, Format, str]]:
    formats = [(function, name, name) for function in FUNCTIONS for name in _FORMATS]
    for function, a, out in [*formats, ("exp2", "fix9.16", "bf16")]:
        for goal in (NEAREST, NEIGHBOURS):
            yield function, scalar_format(a), scalar_format(out), goal


def main() -> None:
    """Find all tables that are shipped, and write them."""
    lines = []
    for function, a, out, goal in _wanted():
        name = _name(function, a, out, goal)
        print(name, flush=True)
        plain = json.dumps(found_anew(function, a, out, goal), separators=(",", ":"))
        lines.append(f"{json.dumps(name)}:{plain}")
    write_text(_SHIPPED, "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
