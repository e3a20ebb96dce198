"""The report on sums in many orders: a page with a table, a picture, and the table as a file."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from importlib import resources
from typing import Any

from matplotlib.axes import Axes

from ...explore.reproducibility import ACCUMULATORS, IN_BF16, Distinct
from ...pictures import Picture, drawing, new_figure, saved
from .page.markup import text
from .style import mark, shape

_LEAD = (
    "Each sum is of the same products, in {orders} permutations, each added one by one, as a tree "
    "(pairwise) and in 2, 4 and 8 parts (split-K). Counted are the distinct bit patterns of the "
    "results."
)

_MEANING = (
    "fp32, bf16, fp16: every step is rounded to that format. LayerCast: fp32 throughout, with "
    "activations in fp32 and weights stored in the format. Exact: an accumulator as wide as the "
    "sum needs, rounded to fp32 once. “{in_bf16}” is what is left where kernels return bf16. The "
    "spread is the greatest result less the least, over the sum of the products' magnitudes."
)


def to_csv(sums: Sequence[Distinct]) -> str:
    """A line for each accumulator, length and format."""
    file = io.StringIO()
    rows = [x.row() for x in sums]
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def to_picture(sums: Sequence[Distinct]) -> Picture:
    """Distinct results and their spread by the number of products."""
    with drawing():
        figure = new_figure(11, 4.2)
        left, right = figure.subplots(1, 2)
        _panel(left, sums, "distinct results", [x.results["all"] for x in sums])
        _panel(right, sums, "spread of results", [x.spread for x in sums])
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
        return saved(figure)


def _panel(axes: Axes, sums: Sequence[Distinct], title: str, values: Sequence[Any]) -> None:
    """A line for each accumulator and format; what is zero or not known has no point."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("products")
    axes.set_ylabel(title)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    formats = list(dict.fromkeys(x.format for x in sums))
    for name in formats:
        for accumulator in ACCUMULATORS:
            points = [
                (x.n, value)
                for x, value in zip(sums, values, strict=True)
                if (x.format, x.accumulator) == (name, accumulator) and value
            ]
            axes.plot(
                [n for n, _ in points],
                [value for _, value in points],
                marker=shape(name).matplotlib,
                color=mark(accumulator).colour,
                label=f"{name}, {accumulator}",
                linewidth=1.2,
            )


def to_html(sums: Sequence[Distinct], picture: bytes) -> str:
    """A page that loads nothing: the picture, an SVG, is in it."""
    css = (resources.files("hwarith.reports.view.page") / "page.css").read_text(encoding="utf-8")
    image = base64.b64encode(picture).decode("ascii")
    lead = _LEAD.format(orders=f"{sums[0].permutations:,}")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>hwarith: sums in many orders</title>
<style>{css}</style>
</head>
<body>
<main>
<h1>Sums in many orders</h1>
<p class="lead">{text(lead)}</p>
<img alt="Distinct results and their spread by the number of products" style="max-width:100%"
 src="data:image/svg+xml;base64,{image}">
<div class="scroll">{_table([x.row() for x in sums])}</div>
<h2>What the figures mean</h2>
<p>{text(_MEANING.format(in_bf16=IN_BF16))}</p>
</main>
</body>
</html>
"""


def _table(rows: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{text(title)}</th>" for title in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{text(_cell(x))}</td>' for x in row.values())}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(x: Any) -> str:
    return "" if x is None else f"{x:.2g}" if isinstance(x, float) else str(x)
