"""The reference of the command line, made of the application itself: docs/commands.md."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

import typer

from hwarith.cli.app import app

HEAD = """\
# Commands

Generated from `hwarith --help` by `python docs/figures.py --pages`; do not edit.

{help} [The command line](command-line.md) says what all of them have in common.

{epilog}
"""


@cache
def page() -> str:
    """All commands with their arguments and options, in the order of the application's help."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("hwarith", [], resilient_parsing=True)
    head = HEAD.format(help=group.help, epilog=group.epilog)
    return "\n".join([head, *(section(command, context) for command in group.commands.values())])


def section(command: Any, parent: Any) -> str:
    """A command: its use, what it does, a table of what it takes."""
    context = command.make_context(
        command.name, [], parent=parent, resilient_parsing=True, help_option_names=[]
    )
    records = (parameter.get_help_record(context) for parameter in command.params)
    rows = [row(*record) for record in records if record]
    usage = command.get_usage(context).removeprefix("Usage: ")
    table = ["| | |", "|---|---|", *rows, ""] if rows else []
    lines = [f"## {command.name}", "", "```text", " ".join(usage.split()), "```", ""]
    return "\n".join([*lines, linked(inspect.cleandoc(command.help)), "", *table])


def row(names: str, text: str) -> str:
    """A line of the table: how a parameter is written, and its help."""
    names, text = (" ".join(x.split()).replace("|", "\\|") for x in (names, text))
    return f"| `{names}` | {linked(text)} |"


def linked(text: str) -> str:
    """A help text whose mentions of pages are links."""
    return re.sub(r"\bdocs/([a-z-]+\.md)", r"[\1](\1)", text)
