"""Lines of Verilog: comments, and statements that are not too long."""

from __future__ import annotations

import re
import textwrap

COLUMNS = 100
"""What a line of Verilog has at most, if no word is longer."""

INDENT = "  "

_ORDERS = re.compile(r"(verilator|synopsys|synthesis|pragma|cadence|translate_o)", re.IGNORECASE)
"""Words that tools take for an order where a comment begins with them."""


def comment(text: str, indent: str = "", hang: str = "") -> list[str]:
    """The lines of a comment, those behind the first with `hang` in front."""
    width = COLUMNS - len(indent) - len("// * ")
    lines = textwrap.wrap(text, width, subsequent_indent=hang, break_long_words=False) or [""]
    marked = (f"* {line}" if _ORDERS.match(line.lstrip()) else line for line in lines)
    return [f"{indent}// {line}".rstrip() for line in marked]


def wrapped(text: str, depth: int = 1) -> list[str]:
    """A statement in lines that are not too long."""
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=INDENT * depth,
        subsequent_indent=INDENT * (depth + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
