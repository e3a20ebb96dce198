"""The report as a self-contained web page that opens offline."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib import resources
from string import Template

from ...model.columns import HIGHER_IS_BETTER, Column
from ...model.rows import Rows
from ..style import DISC, colours, shapes
from .markup import script_safe, text

_DASHES = {"product": "none", "multiply-add": "8 5", "sum": "2 4", "dot product": "none"}
_VERILOG_ROOM = 5_000_000
_SCRIPTS = ("page.js", "plot.js", "table.js", "point.js")


def to_html(rows: Rows) -> str:
    """The page. It loads nothing: scripts, styles and data are in it, and a policy says so."""
    c = rows.columns
    x, y = rows.main
    return Template(_file("page.html")).substitute(
        css=_file("page.css"),
        js="\n".join(map(_file, _SCRIPTS)),
        data=script_safe(json.dumps(_data(rows), ensure_ascii=False, separators=(",", ":"))),
        x_options=_options(c, rows.x_axes, x),
        y_options=_options(c, rows.y_axes, y),
        family_chips=_chips(
            "family", ((f, s.path, "currentColor") for f, s in shapes(rows.families).items())
        ),
        format_chips=_chips(
            "format", ((f, DISC, colour) for f, colour in colours(rows.formats).items())
        ),
        legend="".join(
            f'<span><svg><line x1="0" x2="34" y1="4" y2="4" stroke-dasharray="{_DASHES[op]}"/>'
            f"</svg>front of {text(rows.nouns[op])}s</span>"
            for op in rows.operations
        ),
        table=_table(rows),
        **({"changes": ""} | rows.texts()),
    )


def _file(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")


def _data(rows: Rows) -> dict[str, object]:
    """What the page's script shows; of the computing it does the fronts of what is shown."""
    verilog = _verilog(rows)
    return {
        "points": [
            {
                "name": p.name,
                "label": p.label,
                "spec": p.spec,
                "operation": p.operation,
                "family": p.family,
                "format": p.format,
                "text": {k: _with_unit(c, rows.write(k, p)) for k, c in rows.columns.items()},
                "facts": rows.facts(p),
                "details": rows.details(p) | {"verilog": verilog[p.name]},
            }
            for p in rows.rows
        ],
        "columns": {
            key: {"title": column.title, "definition": column.definition}
            for key, column in rows.columns.items()
        },
        "axes": {key: _axis(rows, key) for key in (*rows.x_axes, *rows.y_axes)},
        "higher": HIGHER_IS_BETTER,
        "hover": [key for key in rows.hover if key in rows.columns],
        "colours": colours(rows.formats),
        "shapes": {family: shape.path for family, shape in shapes(rows.families).items()},
        "dashes": {op: _DASHES[op] for op in rows.operations},
        "nouns": {op: rows.nouns[op] for op in rows.operations},
        "float64_accuracy": rows.float64_accuracy,
    }


def _axis(rows: Rows, key: str) -> dict[str, object]:
    column = rows.columns[key]
    return asdict(rows.axis(key)) | {"is_percent": not column.unit and not column.is_count}


def _verilog(rows: Rows) -> dict[str, str | None]:
    """Each row's Verilog, compressed: it is most of the page. Where all is too much for a page,
    the longest are left out (an empty text); None where it is not known."""
    found: dict[str, str | None] = dict.fromkeys(row.name for row in rows.rows)
    for row in rows.rows:
        if "verilog" in (details := rows.details(row)):
            packed = gzip.compress(details["verilog"].encode(), mtime=0)
            found[row.name] = base64.b64encode(packed).decode()
    room = _VERILOG_ROOM
    for name, code in sorted(found.items(), key=lambda item: len(item[1] or "")):
        room -= len(code or "")
        if code and room < 0:
            found[name] = ""
    return found


def _with_unit(column: Column, written: str) -> str:
    return f"{written} {column.unit}" if column.unit and written[0].isdigit() else written


def _options(columns: Mapping[str, Column], keys: Iterable[str], chosen: str) -> str:
    return "".join(
        f'<option value="{key}"{" selected" if key == chosen else ""}>'
        f"{text(columns[key].title)}</option>"
        for key in keys
    )


def _chips(kind: str, chips: Iterable[tuple[str, str, str]]) -> str:
    return "".join(
        f'<button type="button" aria-pressed="true" data-name="{kind} {text(name)}">'
        f'<svg class="mark" viewBox="-1 -1 2 2"><path d="{path}" fill="{colour}"/></svg>'
        f"{text(name)}</button>"
        for name, path, colour in chips
    )


def _table(rows: Rows) -> str:
    """Every point with every figure; cells carry their values for sorting."""

    def more(key: str) -> str:
        return "" if key in rows.brief else " more"

    kinds = ["text more" if h.more else "text" for h in rows.headings]
    heads = [
        f'<th class="sortable {kind}" data-kind="text"><button>{text(h.title)}</button></th>'
        for h, kind in zip(rows.headings, kinds, strict=True)
    ]
    for c in rows.columns.values():
        unit = f' <span class="unit">{text(c.shown_unit)}</span>' if c.shown_unit else ""
        heads.append(
            f'<th class="sortable figure{more(c.key)}" title="{text(c.definition)}">'
            f"<button>{text(c.short)}{unit}</button></th>"
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
            f'<tr class="{"front" if i in on_front else "behind"}" data-name="{text(p.name)}">'
            f'<td title="{text(p.spec)}"><a href="#{text(p.name)}">{text(p.label)}</a></td>'
            f'<td class="{kinds[1]}">{text(rows.beside(p))}</td>{cells}</tr>'
        )
    return (
        f'<table id="points" class="brief"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _sort_value(value: float | None) -> str:
    return "" if value is None else repr(value).replace("inf", "Infinity")
