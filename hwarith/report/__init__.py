"""Reports: a web page, pictures for papers, and the figures as CSV, JSON and Parquet."""

from __future__ import annotations

from pathlib import Path

from ..files import output_folder, write_bytes, write_text
from .model.content import Content, read_content
from .model.rows import Rows

PAGE = "report.html"


def write_report(
    folder: str | Path, against: str | Path | None = None, *, parquet: bool = False
) -> Path:
    """Write ``report.html``, ``report.png``, ``report.svg``, ``results.csv`` and ``results.json``
    to the folder of a sweep, each whole or not at all; returns the path of the page.

    A sweep that is not finished is reported as far as it is, and the page says what is missing.
    With `against`, the folder of another sweep, page and JSON say what changed (`report_of`).
    With `parquet` there is also ``results.parquet``.
    Raises `InvalidInput` for a folder that holds no finished point or cannot be written, and for
    Parquet without pyarrow.
    """
    return write_rows(report_of(folder, against), Path(folder), parquet=parquet)


def report_of(folder: str | Path, against: str | Path | None = None) -> Content:
    """What the report of a sweep's folder is about; `Content.changes` against another sweep."""
    content = read_content(Path(folder))
    if against is None:
        return content
    from .model.against import with_changes

    return with_changes(content, read_content(Path(against)))


def write_rows(rows: Rows, folder: Path, *, parquet: bool = False) -> Path:
    """Write the files of a report of any `Rows` to a folder; returns the path of the page.

    Raises `InvalidInput` for a folder that cannot be written, and for Parquet without pyarrow.
    """
    from .view.page import to_html
    from .view.picture import to_pictures
    from .view.tables import to_csv, to_json, to_parquet

    files = {"results.parquet": to_parquet(rows)} if parquet else {}
    files |= {f"report.{kind}": picture for kind, picture in to_pictures(rows).items()}
    target = output_folder(folder)
    write_text(target / "results.csv", to_csv(rows))
    write_text(target / "results.json", to_json(rows))
    for name, content in files.items():
        write_bytes(target / name, content)
    write_text(target / PAGE, to_html(rows))
    return target / PAGE
