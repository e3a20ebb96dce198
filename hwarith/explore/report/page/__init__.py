"""The report as a self-contained web page that opens offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib import resources
from string import Template

from ..columns import Column
from ..rows import Rows
from ..style import colours, shapes
from .markup import script_safe, text

_DASHES = {"product": "solid", "multiply-add": "dash", "sum": "dot", "dot product": "solid"}


def to_html(rows: Rows) -> str:
    """The page. It loads nothing: scripts, styles and data are in it, and a policy says so."""
    from plotly.offline import get_plotlyjs

    c = rows.columns
    x, y = rows.main
    return Template(_file("page.html")).substitute(
        css=_file("page.css"),
        js=_file("page.js"),
        plotly=get_plotlyjs(),
        data=script_safe(json.dumps(_data(rows), ensure_ascii=False)),
        x_options=_options(c, rows.x_axes, x),
        y_options=_options(c, rows.y_axes, y),
        family_chips=_chips((f, s.glyph, "inherit") for f, s in shapes(rows.families).items()),
        format_chips=_chips((f, "●", colour) for f, colour in colours(rows.formats).items()),
        table=_table(rows),
        **rows.texts(),
    )


def _file(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")


def _data(rows: Rows) -> dict[str, object]:
    """What the page's script draws: everything is computed here, and only shown there."""
    return {
        "points": [
            {
                "label": p.label,
                "spec": p.spec,
                "family": p.family,
                "format": p.format,
                "text": {key: _with_unit(rows.columns[key], rows.write(key, p))
                         for key in rows.hover},
            }
            for p in rows.rows
        ],
        "axes": {key: asdict(rows.axis(key)) for key in (*rows.x_axes, *rows.y_axes)},
        "fronts": {
            x: {y: {op: rows.front(x, y, op) for op in rows.operations} for y in rows.y_axes}
            for x in rows.x_axes
        },
        "hover": rows.hover,
        "titles": {key: column.title for key, column in rows.columns.items()},
        "colours": colours(rows.formats),
        "shapes": {family: shape.plotly for family, shape in shapes(rows.families).items()},
        "dashes": {op: dash for op, dash in _DASHES.items() if op in rows.nouns},
        "nouns": rows.nouns,
        "float64_accuracy": rows.float64_accuracy,
    }  # fmt: skip


def _with_unit(column: Column, written: str) -> str:
    return f"{written} {column.unit}" if column.unit and written[0].isdigit() else written


def _options(columns: Mapping[str, Column], keys: Iterable[str], chosen: str) -> str:
    return "".join(
        f'<option value="{key}"{" selected" if key == chosen else ""}>'
        f"{text(columns[key].title)}</option>"
        for key in keys
    )


def _chips(chips: Iterable[tuple[str, str, str]]) -> str:
    return "".join(
        f'<button type="button" aria-pressed="true" data-name="{text(name)}">'
        f'<span class="mark" style="color:{colour}">{glyph}</span>'
        f"{text(name)}</button>"
        for name, glyph, colour in chips
    )


def _table(rows: Rows) -> str:
    """Every point with every figure; cells carry their values for sorting."""

    def more(key: str) -> str:
        return "" if key in rows.brief else " more"

    kinds = ["text more" if h.more else "text" for h in rows.headings]
    heads = [
        f'<th class="sortable {kind}" data-kind="text">{text(h.title)}</th>'
        for h, kind in zip(rows.headings, kinds, strict=True)
    ]
    for c in rows.columns.values():
        unit = f' <span class="unit">{text(c.shown_unit)}</span>' if c.shown_unit else ""
        heads.append(
            f'<th class="sortable figure{more(c.key)}" title="{text(c.definition)}">'
            f"{text(c.short)}{unit}</th>"
        )
    lines = []
    on_front = {i for op in rows.operations for i in rows.front(*rows.main, op)}
    values = {key: rows.values(key) for key in rows.columns}
    for i, p in enumerate(rows.rows):
        cells = "".join(
            f'<td class="{more(key).strip()}" data-value="{_sort_value(values[key][i])}">'
            f"{text(rows.write(key, p))}</td>"
            for key in rows.columns
        )
        lines.append(
            f'<tr class="{"front" if i in on_front else "behind"}">'
            f'<td title="{text(p.spec)}">{text(p.label)}</td>'
            f'<td class="{kinds[1]}">{text(rows.beside(p))}</td>{cells}</tr>'
        )
    return (
        f'<table id="points" class="brief"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _sort_value(value: float | None) -> str:
    return "" if value is None else repr(value).replace("inf", "Infinity")
