"""The report as data: ``results.csv`` and ``results.json``."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from ..metrics import COUNTS
from .content import Content


def to_csv(content: Content) -> str:
    """A row for each point; figures that have no value are empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["spec", "name", "operation", *content.columns, *COUNTS])
    for p in content.points:
        r = p.result
        figures = [p.figures[key] for key in content.columns]
        writer.writerow([r.spec, r.name, r.operation, *figures, *(r.counts[k] for k in COUNTS)])
    return text.getvalue()


def to_json(content: Content) -> str:
    """All of it: points, definitions, workload, library and versions."""
    workload = content.workload
    data: dict[str, Any] = {
        "made": content.made,
        "versions": content.manifest["versions"],
        "library": content.manifest["library"],
        "workload": {
            "name": workload.name,
            "summary": workload.summary,
            "sha256": workload.digest,
            "float64_accuracy": content.float64_accuracy,
        },
        "figures": {
            c.key: {"title": c.title, "unit": c.unit, "definition": c.definition}
            for c in content.columns.values()
        },
        "counts": COUNTS,
        "points": [
            {
                "spec": p.result.spec,
                "name": p.result.name,
                "operation": p.result.operation,
                **{key: p.figures[key] for key in content.columns},
                "counts": p.result.counts,
            }
            for p in content.points
        ],
        "unfinished": content.missing,
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
