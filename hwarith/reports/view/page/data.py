"""What the page's script shows, as plain data."""

from __future__ import annotations

import base64
import gzip
from dataclasses import asdict

from ...model.columns import HIGHER_IS_BETTER, Column
from ...model.rows import Row, Rows
from ..style import front_line, marks, shapes
from .parts import PageParts

_VERILOG_ROOM = 5_000_000
"""Characters of compressed Verilog that a page may have."""


def page_data(rows: Rows, parts: PageParts) -> dict[str, object]:
    """The data of the script. Of the computing it does the fronts of what is shown."""
    verilog = _verilog(parts)
    operations = rows.operations
    return {
        "points": [
            _words(row)
            | {"text": _figures(rows, row), "facts": facts}
            | {"details": details | {"verilog": packed}}
            for row, facts, details, packed in zip(
                rows.rows, parts.facts, parts.details, verilog, strict=True
            )
        ],
        "columns": {
            key: {"title": column.title, "definition": column.definition}
            for key, column in rows.columns.items()
        },
        "axes": {key: _axis(rows, key) for key in (*rows.x_axes, *rows.y_axes)},
        "higher": HIGHER_IS_BETTER,
        "hover": [key for key in rows.summary_keys if key in rows.columns],
        "marks": {name: mark._asdict() for name, mark in marks(rows.formats).items()},
        "shapes": {family: shape.path for family, shape in shapes(rows.families).items()},
        "dashes": {operation.name: front_line(operation).dashes for operation in operations},
        "nouns": {operation.name: rows.noun(operation) for operation in operations},
        "baseline": rows.workload
        and {"name": rows.workload.baseline, "accuracy": rows.workload.baseline_accuracy},
    }


def _words(row: Row) -> dict[str, object]:
    """What a row is."""
    return {
        "name": row.name,
        "label": row.label,
        "spec": row.spec,
        "operation": row.operation.name,
        "family": row.family,
        "format": row.format,
    }


def _figures(rows: Rows, row: Row) -> dict[str, str]:
    """All figures of a row for readers, with their units."""
    return {key: _with_unit(column, rows.write(key, row)) for key, column in rows.columns.items()}


def _with_unit(column: Column, written: str) -> str:
    return f"{written} {column.unit}" if column.unit and written[0].isdigit() else written


def _axis(rows: Rows, key: str) -> dict[str, object]:
    column = rows.columns[key]
    return asdict(rows.axis(key)) | {"is_percent": not column.unit and not column.is_count}


def _verilog(parts: PageParts) -> list[str | None]:
    """Each row's Verilog, compressed: it is most of the page. Where all is too much for a page,
    the longest are left out (an empty text); None where it is not known."""
    found = [
        _compressed(details["verilog"]) if "verilog" in details else None
        for details in parts.details
    ]
    room = _VERILOG_ROOM
    for i in sorted(range(len(found)), key=lambda i: len(found[i] or "")):
        code = found[i]
        room -= len(code or "")
        if code and room < 0:
            found[i] = ""
    return found


def _compressed(verilog: str) -> str:
    return base64.b64encode(gzip.compress(verilog.encode(), mtime=0)).decode()
