"""Colours and shapes that the pictures share. Colours: Okabe and Ito, safe for colour-blindness."""

from __future__ import annotations

from typing import NamedTuple

_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C6D31", "#7F7F7F",
)  # fmt: skip


class Shape(NamedTuple):
    """A marker by its names in plotly and matplotlib, and as a character."""

    plotly: str
    matplotlib: str
    glyph: str


_SHAPES = (
    Shape("circle", "o", "●"), Shape("diamond", "D", "◆"), Shape("square", "s", "■"),
    Shape("triangle-up", "^", "▲"), Shape("triangle-down", "v", "▼"), Shape("star", "*", "★"),
)  # fmt: skip


def colours(formats: list[str]) -> dict[str, str]:
    """A colour for each format; they repeat after eight."""
    return {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(formats)}


def shapes(families: list[str]) -> dict[str, Shape]:
    """A marker for each family of units; they repeat after six."""
    return {name: _SHAPES[i % len(_SHAPES)] for i, name in enumerate(families)}
