"""What commands print: tables and JSON, progress, and the line that says what went wrong.

A row is a dictionary from titles to values; rows of a table may lack titles of others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn, TypeVar

Rows = Sequence[Mapping[str, object]]
Item = TypeVar("Item")


def fail(message: str, status: int) -> NoReturn:
    """End the program with one line on standard error, if that can be written."""
    with suppress(OSError):
        print(f"hwarith: {' '.join(message.split())}", file=sys.stderr, flush=True)
    sys.exit(status)


def print_json(data: object) -> None:
    """Print plain data; what JSON has no form for, as its text."""
    print(json.dumps(data, indent=2, default=str))


def print_rows(rows: Rows, as_json: bool, exact: Collection[str] = ()) -> None:
    """Print rows as a table or as JSON, which calls an empty title ``name``."""
    if as_json:
        print_json([{key or "name": value for key, value in row.items()} for row in rows])
    else:
        print_table(rows, exact)


def print_table(rows: Rows, exact: Collection[str] = ()) -> None:
    """Print a table, columns of numbers to the right; lines are not broken but in a terminal.

    Under the titles `exact` stand values of formats, of which no digit is left out.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from ..formats.text import number_text

    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=400)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    titles = _titles(rows)
    for title in titles:
        numbers = all(isinstance(row.get(title), int | float | None) for row in rows)
        table.add_column(title, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(
            *((number_text if title in exact else cell)(row.get(title)) for title in titles)
        )
    console.print(table)


def without_empty_columns(rows: Rows, empty: tuple[object, ...] = (None,)) -> Rows:
    """The rows without the columns whose values are all ``empty``."""
    kept = [key for key in _titles(rows) if any(row.get(key) not in empty for row in rows)]
    return [{key: row.get(key) for key in kept} for row in rows]


def cell(value: object) -> str:
    """A value as tables show it: None as nothing, numbers with six digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {cell(x)}" for key, x in value.items())
    return str(value)


def _titles(rows: Rows) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def progress(items: Sequence[Item], what: str) -> Iterable[Item]:
    """The items one by one, with a bar on standard error if that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, what, console=console, disable=not console.is_terminal, transient=True)


@contextmanager
def progress_to(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A bar on standard error if that is a terminal; gives what to tell of each advance."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def progress_of(what: str) -> Iterator[Callable[[int, int], None]]:
    """The same of a total that grows: gives what to tell how many are done, and of how many."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
