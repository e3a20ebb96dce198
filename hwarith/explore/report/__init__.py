"""The report of a sweep: a web page, a picture for papers, and the figures as CSV and JSON."""

from __future__ import annotations

from pathlib import Path

from ...files import output_folder, write_bytes, write_text
from .content import read_content

PAGE = "report.html"


def write_report(folder: str | Path) -> Path:
    """Write ``report.html``, ``report.png``, ``results.csv`` and ``results.json`` to the folder
    of a sweep, each whole or not at all; returns the path of the page.

    A sweep that is not finished is reported as far as it is, and the page says what is missing.
    Raises `InvalidInput` for a folder that holds no finished point or cannot be written.
    """
    from .page import to_html
    from .picture import to_png
    from .tables import to_csv, to_json

    content = read_content(Path(folder))
    target = output_folder(Path(folder))
    write_text(target / "results.csv", to_csv(content))
    write_text(target / "results.json", to_json(content))
    write_bytes(target / "report.png", to_png(content))
    write_text(target / PAGE, to_html(content))
    return target / PAGE
