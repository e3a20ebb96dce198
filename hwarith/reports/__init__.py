"""Reports: a web page, pictures for papers, and the figures as CSV, JSON and Parquet.

`hwarith.reports.model` is what a report says, `hwarith.reports.view` how it looks.
"""

from .model.content import Content, read_content
from .model.rows import Rows
from .model.weights import WeightRows, weight_rows
from .studies import Report, Swept, report, sweep, weights
from .write import (
    PAGE,
    report_of,
    write_report,
    write_reproducibility_report,
    write_rows,
    write_weights_report,
)

__all__ = [
    "PAGE",
    "Content",
    "Report",
    "Rows",
    "Swept",
    "WeightRows",
    "read_content",
    "report",
    "report_of",
    "sweep",
    "weight_rows",
    "weights",
    "write_report",
    "write_reproducibility_report",
    "write_rows",
    "write_weights_report",
]
