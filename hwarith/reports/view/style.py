"""Colours, shapes and lines that the pictures share.

The colours are those of Okabe and Ito, safe for colour-blindness.
"""

from __future__ import annotations

from typing import NamedTuple

from ...units.operations import Operation

_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#8C6D31",
    "#7F7F7F",
)


class Shape(NamedTuple):
    """A marker: its name in matplotlib, its outline as an SVG path of about radius 1."""

    matplotlib: str
    path: str


class Line(NamedTuple):
    """A line: its style in matplotlib, its dashes in SVG."""

    matplotlib: str
    dashes: str


DISC = "M-.9 0a.9 .9 0 1 0 1.8 0a.9 .9 0 1 0 -1.8 0Z"

_STAR = "M0 -1.2L.32 -.42L1.16 -.37L.5 .16L.72 .97L0 .52L-.72 .97L-.5 .16L-1.16 -.37L-.32 -.42Z"

_SHAPES = (
    Shape("o", DISC),
    Shape("D", "M0 -1.1L1.1 0L0 1.1L-1.1 0Z"),
    Shape("s", "M-.8 -.8H.8V.8H-.8Z"),
    Shape("^", "M0 -1.05L1.05 .8H-1.05Z"),
    Shape("v", "M0 1.05L1.05 -.8H-1.05Z"),
    Shape("*", _STAR),
)

_LINES = (
    Line("-", "none"),
    Line("--", "8 5"),
    Line(":", "2 4"),
    Line("-.", "8 4 2 4"),
)


def colours(formats: list[str]) -> dict[str, str]:
    """A colour for each format; they repeat after eight."""
    return {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(formats)}


def shapes(families: list[str]) -> dict[str, Shape]:
    """A marker for each family of units; they repeat after six."""
    return {name: _SHAPES[i % len(_SHAPES)] for i, name in enumerate(families)}


def front_line(operation: Operation) -> Line:
    """The line of an operation's front, by its rank; they repeat after four."""
    return _LINES[operation.rank % len(_LINES)]
