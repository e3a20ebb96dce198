"""The report as data: ``results.csv`` and ``results.json``."""

from __future__ import annotations

import csv
import io
import json

from .rows import Rows


def to_csv(rows: Rows) -> str:
    """A line for each row; figures that have no value are empty."""
    text = io.StringIO()
    records = rows.records()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def to_json(rows: Rows) -> str:
    """All of it: rows, definitions, and where they come from."""
    return json.dumps(rows.as_dict(), indent=1, ensure_ascii=False) + "\n"
