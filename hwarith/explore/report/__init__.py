"""Reports: a web page, a picture for papers, and the figures as CSV and JSON."""

from __future__ import annotations

from pathlib import Path

from ...files import output_folder, write_bytes, write_text
from .content import read_content
from .rows import Rows

PAGE = "report.html"


def write_report(folder: str | Path) -> Path:
    """Write ``report.html``, ``report.png``, ``results.csv`` and ``results.json`` to the folder
    of a sweep, each whole or not at all; returns the path of the page.

    A sweep that is not finished is reported as far as it is, and the page says what is missing.
    Raises `InvalidInput` for a folder that holds no finished point or cannot be written.
    """
    return write_rows(read_content(Path(folder)), Path(folder))


def write_rows(rows: Rows, folder: Path) -> Path:
    """Write the four files of a report of any `Rows` to a folder; returns the path of the page.

    Raises `InvalidInput` for a folder that cannot be written.
    """
    from .page import to_html
    from .picture import to_png
    from .tables import to_csv, to_json

    target = output_folder(folder)
    write_text(target / "results.csv", to_csv(rows))
    write_text(target / "results.json", to_json(rows))
    write_bytes(target / "report.png", to_png(rows))
    write_text(target / PAGE, to_html(rows))
    return target / PAGE
