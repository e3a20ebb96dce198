"""What commands print: tables and JSON, and the line that says what went wrong."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import NoReturn

from ..extras import is_installed
from ..tables import Row, Table, plain_rows


def fail(message: str, status: int) -> NoReturn:
    """End the program with one line on standard error, if that can be written."""
    with suppress(OSError):
        print(f"hwarith: {' '.join(message.split())}", file=sys.stderr, flush=True)
    sys.exit(status)


def note_missing_pictures() -> None:
    """Say that a report has no pictures for papers, if matplotlib is not installed."""
    if not is_installed("matplotlib"):
        need = "report.png and report.svg need matplotlib: pip install 'hwarith[plots]'"
        print(f"hwarith: {need}", file=sys.stderr)


def print_json(data: object) -> None:
    """Print plain data; what JSON has no form for, as its text."""
    print(json.dumps(data, indent=2, default=str))


def print_rows(
    rows: Sequence[Row], as_json: bool, verbose: bool = False, exact: Collection[str] = ()
) -> None:
    """Print rows as a table or as JSON, which calls an empty title ``name``."""
    if as_json:
        print_json(plain_rows(rows))
    else:
        print_table(Table(rows, exact=exact), verbose)


def print_prose(text: str) -> None:
    """Print paragraphs, in lines that fit as those of tables do, and an empty line. Lists and what
    is indented keep their lines."""
    width = shutil.get_terminal_size().columns
    for paragraph in text.split("\n\n"):
        as_it_is = any(line[:1] in " -*|" for line in paragraph.splitlines())
        for line in paragraph.splitlines() if as_it_is else [" ".join(paragraph.split())]:
            indent = " " * (len(line) - len(line.lstrip(" -*")))
            print(textwrap.fill(line, width, subsequent_indent=indent, break_on_hyphens=False))
        print()


def print_tables(tables: Iterable[Table], verbose: bool) -> None:
    """Print tables one after the other."""
    for table in tables:
        print_table(table, verbose)


def print_table(table: Table, verbose: bool) -> None:
    """Print a table and an empty line.

    Its lines fit the terminal (or ``COLUMNS``; 80 characters where there is neither). With
    `verbose` it has all columns: in a terminal in tables one below the other, elsewhere in lines as
    long as they need.
    """
    width = None if verbose and not sys.stdout.isatty() else shutil.get_terminal_size().columns
    print(table.text(width, all_columns=verbose), end="\n\n")
