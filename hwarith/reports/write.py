"""Writes the files of a report to a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..explore.reproducibility import Distinct
from ..extras import is_installed, require
from ..files import output_folder, write_bytes, write_text
from .model.content import Content, read_content
from .model.difference import with_changes
from .model.rows import Rows
from .model.weights import WeightRows
from .view.page import to_html
from .view.tables import to_csv, to_json, to_parquet

PAGE = "report.html"


def write_report(
    folder: str | Path,
    against: str | Path | None = None,
    *,
    parquet: bool = False,
    title: str | None = None,
) -> Path:
    """Write ``report.html``, ``report.png``, ``report.svg``, ``results.csv`` and ``results.json``
    to the folder of a sweep, each whole or not at all; returns the path of the page.

    A sweep that is not finished is reported as far as it is, and the page says what is missing.
    With `against`, the folder of another sweep, page and JSON say what changed (`report_of`).
    With `parquet` there is also ``results.parquet``. A `title` is the heading of page and pictures.
    Raises `InvalidInput` for a folder that holds no finished point or cannot be written, and
    `MissingTool` for Parquet without pyarrow.
    """
    return write_rows(report_of(folder, against, title), Path(folder), parquet=parquet)


def report_of(
    folder: str | Path, against: str | Path | None = None, title: str | None = None
) -> Content:
    """What the report of a sweep's folder says; with `against`, the folder of another sweep, also
    what changed (`Content.changes`); with a `title`, under that heading.

    Raises `InvalidInput` for a folder that holds no finished point, and for a title that is no line
    of text.
    """
    content = replace(read_content(Path(folder)), name=title)
    return content if against is None else with_changes(content, read_content(Path(against)))


def write_weights_report(rows: WeightRows, folder: str | Path) -> Path:
    """Write ``report.html``, ``report.png``, ``report.svg``, ``results.csv`` and ``results.json``
    on types of weights to a folder; returns the path of the page.

    Raises `InvalidInput` for a folder that cannot be written.
    """
    return write_rows(replace(rows, folder=Path(folder).resolve().name), Path(folder))


def write_reproducibility_report(sums: Sequence[Distinct], folder: str | Path) -> Path:
    """Write ``report.html``, ``report.png``, ``report.svg``, ``results.csv`` and ``results.json``
    on sums in many orders to a folder; returns the path of the page.

    Raises `InvalidInput` for a folder that cannot be written, `MissingTool` without matplotlib.
    """
    require("matplotlib", "this report")
    from .view import reproducibility  # here: matplotlib is slow to load

    target = output_folder(Path(folder))
    picture = reproducibility.to_picture(sums)
    write_text(target / "results.csv", reproducibility.to_csv(sums))
    write_text(target / "results.json", json.dumps([x.as_dict() for x in sums], indent=1) + "\n")
    write_bytes(target / "report.png", picture.png)
    write_bytes(target / "report.svg", picture.svg)
    write_text(target / PAGE, reproducibility.to_html(sums, picture.svg))
    return target / PAGE


def write_rows(rows: Rows, folder: Path, *, parquet: bool = False) -> Path:
    """Write the files of a report of any `Rows` to a folder; returns the path of the page.

    Without matplotlib (extra ``plots``) there are no ``report.png`` and ``report.svg``; the page
    draws its own. Raises `InvalidInput` for a folder that cannot be written, and `MissingTool` for
    Parquet without pyarrow.
    """
    files = {"results.parquet": to_parquet(rows)} if parquet else {}
    if is_installed("matplotlib"):
        from .view.picture import to_picture  # here: matplotlib is slow to load

        picture = to_picture(rows)
        files |= {"report.png": picture.png, "report.svg": picture.svg}
    target = output_folder(folder)
    write_text(target / "results.csv", to_csv(rows))
    write_text(target / "results.json", to_json(rows))
    for name, content in files.items():
        write_bytes(target / name, content)
    write_text(target / PAGE, to_html(rows))
    return target / PAGE
