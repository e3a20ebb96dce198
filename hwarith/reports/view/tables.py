"""The report as data: ``results.csv``, ``results.json`` and ``results.parquet``."""

from __future__ import annotations

import csv
import io
import json

from ...extras import require
from ..model.rows import Rows


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


def to_parquet(rows: Rows) -> bytes:
    """The records of the CSV with their types; each column's definition is its metadata.

    Raises `MissingTool` without pyarrow.
    """
    require("pyarrow", "--parquet")
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist(rows.records())
    definitions = rows.definitions
    schema = pyarrow.schema(
        field.with_metadata(definitions[field.name]).with_type(pyarrow.float64())
        if field.name in definitions
        else field
        for field in table.schema
    )
    file = io.BytesIO()
    parquet.write_table(table.cast(schema), file)
    return file.getvalue()
