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
from . import binade, decay, logarithm, power, tails
from .exactly import FUNCTIONS
from .fit import AUTOMATIC, MINIMAX, NEAREST, NEIGHBOURS, SHORT, Wish

_FORMATS = ("e4m3", "e4m3fn", "e5m2", "bf16", "fp16")
"""Formats of operands and results of which tables are shipped, for rounding to nearest."""

_WIDE = tuple(f for f in FUNCTIONS if f not in decay.FACTOR_OF)
"""Functions of which tables from fp32 to fp32 are shipped."""

_FINDERS: dict[str, Any] = {
    "exp2": power,
    "exp": power,
    "log2": logarithm,
    "ln": logarithm,
    "sigmoid": tails,
}
"""Who finds the tables of a function: by default by binades; of the functions of neural networks in
formats of more than 16 bits by `decay`."""

_HERE = Path(__file__).parent
_SHIPPED = _HERE / "tables.json"


@lru_cache(maxsize=64)
def table(function: str, a: Format, out: Format, goal: str, wish: Wish = AUTOMATIC) -> Any:
    """The table of a function that keeps apart what `goal` says (`fit`): a `PowerTable`,
    `LogarithmTable`, `TailTable`, `BinadeTable` or `DecayTable`. Raises `InvalidInput` if there is
    none."""
    is_shipped = wish in (AUTOMATIC, SHORT)
    known = shipped().get(_name(function, a, out, goal, wish)) if is_shipped else None
    if known is None:
        known = json.loads(_found(function, a, out, goal, wish))
    return finder(function, goal).from_plain(known)


def finder(function: str, goal: str) -> Any:
    """The module that finds tables of a function."""
    if goal == MINIMAX and function in decay.FORMS:
        return decay
    return _FINDERS.get(function, binade)


def _found(function: str, a: Format, out: Format, goal: str, wish: Wish) -> bytes:
    own = f"{finder(function, goal).__name__.rpartition('.')[2]}.py"
    parts = (
        "exactly.py",
        "definitions.py",
        "fit.py",
        "quadratics.py",
        "minimax.py",
        "binade.py",
        own,
    )
    text = sources.digest({name: _HERE / name for name in parts})
    text += f"{function} {a.numbers} {out.numbers} {goal} {tuple(wish)}"
    name = f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    return kept(
        "functions", name, lambda: json.dumps(found_anew(function, a, out, goal, wish)).encode()
    )


def found_anew(
    function: str, a: Format, out: Format, goal: str, wish: Wish = AUTOMATIC
) -> dict[str, Any]:
    """A table as plain lists and numbers, searched for whatever is kept."""
    more = () if wish == AUTOMATIC else (wish,)
    return asdict(finder(function, goal).find(function, a, out, goal, *more))


def _name(function: str, a: Format, out: Format, goal: str, wish: Wish) -> str:
    return f"{function} {a.name} {out.name} {goal}{' delay' if wish.delay else ''}"


@cache
def shipped() -> dict[str, Any]:
    """The tables that are shipped, by function, formats and goal."""
    return json.loads(_SHIPPED.read_text(encoding="utf-8")) if _SHIPPED.exists() else {}


def _wanted() -> Iterator[tuple[str, Format, Format, str, Wish]]:
    formats = [(function, name, name) for function in FUNCTIONS for name in _FORMATS]
    for function, a, out in [*formats, ("exp2", "fix9.16", "bf16")]:
        for goal in (NEAREST, NEIGHBOURS):
            yield function, scalar_format(a), scalar_format(out), goal, AUTOMATIC
    for name in ("bf16", "fp16"):
        yield "sigmoid", scalar_format(name), scalar_format(name), NEIGHBOURS, SHORT
    for function in _WIDE:
        yield function, scalar_format("fp32"), scalar_format("fp32"), MINIMAX, AUTOMATIC


def main() -> None:
    """Find all tables that are shipped, and write them."""
    lines = [_line(*wanted) for wanted in _wanted()]
    write_text(_SHIPPED, "{\n" + ",\n".join(lines) + "\n}\n")


def _line(function: str, a: Format, out: Format, goal: str, wish: Wish) -> str:
    name = _name(function, a, out, goal, wish)
    print(name, flush=True)
    plain = json.dumps(found_anew(function, a, out, goal, wish), separators=(",", ":"))
    return f"{json.dumps(name)}:{plain}"


if __name__ == "__main__":
    main()
