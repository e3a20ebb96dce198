"""The report as a self-contained web page that opens offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import singledispatch
from importlib import resources
from string import Template

from ...model.columns import Column
from ...model.content import Content
from ...model.rows import Rows
from ...model.weights import WeightRows
from ..style import DISC, Mark, front_line, marks, shapes
from .data import page_data
from .markup import script_safe, text
from .parts import PageParts
from .sweep import sweep_parts
from .table import rows_table
from .weights import weights_parts

_SCRIPTS = ("page.js", "plot.js", "table.js", "point.js")


@singledispatch
def parts_of(rows: Rows) -> PageParts:
    """What the page says of these rows, by their kind. Another kind of rows registers its own
    function here. Raises `TypeError` for a kind that has none."""
    raise TypeError(f"no page is known for rows of the kind {type(rows).__name__}")


parts_of.register(Content, sweep_parts)
parts_of.register(WeightRows, weights_parts)


def to_html(rows: Rows) -> str:
    """The page. It loads nothing: scripts, styles and data are in it, and a policy says so.

    Raises `TypeError` for a kind of rows that `parts_of` does not know.
    """
    parts = parts_of(rows)
    data = json.dumps(page_data(rows, parts), ensure_ascii=False, separators=(",", ":"))
    x, y = rows.main_axes
    families = ((f, s.path, Mark("currentColor")) for f, s in shapes(rows.families).items())
    formats = ((f, DISC, mark) for f, mark in marks(rows.formats).items())
    texts = dict(parts.texts)
    if rows.title:
        texts["title"] = texts["page_title"] = text(rows.title)
    return Template(_file("page.html")).substitute(
        css=_file("page.css"),
        js="\n".join(map(_file, _SCRIPTS)),
        data=script_safe(data),
        x_options=_options(rows.columns, rows.x_axes, x),
        y_options=_options(rows.columns, rows.y_axes, y),
        family_chips=_chips("family", families),
        format_chips=_chips("format", formats),
        legend=_legend(rows),
        table=rows_table(rows, parts),
        **texts,
    )


def _file(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")


def _options(columns: Mapping[str, Column], keys: Iterable[str], chosen: str) -> str:
    """The choices of an axis."""
    return "".join(
        f'<option value="{key}"{" selected" if key == chosen else ""}>'
        f"{text(columns[key].title)}</option>"
        for key in keys
    )


def _chips(kind: str, chips: Iterable[tuple[str, str, Mark]]) -> str:
    """Buttons that show and hide rows: of each its name, the outline of its marker, its mark."""
    return "".join(
        f'<button type="button" aria-pressed="true" data-name="{kind} {text(name)}">'
        f'<svg class="mark" viewBox="-1 -1 2 2">{_marker(path, mark)}</svg>{text(name)}</button>'
        for name, path, mark in chips
    )


def _marker(path: str, mark: Mark) -> str:
    """A marker as SVG: its outline in colour, and what lies in it."""
    sizes = (1.0, *mark.holes)
    fills = (mark.colour if i % 2 == 0 else "var(--paper)" for i in range(len(sizes)))
    return "".join(
        f'<path d="{path}" fill="{fill}" transform="scale({size:g})"/>'
        for size, fill in zip(sizes, fills, strict=True)
    )


def _legend(rows: Rows) -> str:
    """The lines of the fronts and what they are fronts of."""
    return "".join(
        f'<span data-operation="{text(operation.name)}"><svg><line x1="0" x2="34" y1="4" y2="4" '
        f'stroke-dasharray="{front_line(operation).dashes}"/>'
        f"</svg>front of {text(rows.noun(operation))}s</span>"
        for operation in rows.compared
    )
