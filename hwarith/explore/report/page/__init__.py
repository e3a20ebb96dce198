"""The report as a self-contained web page that opens offline."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib import resources
from string import Template

from ...metrics import COUNTS, METRICS
from ...point import COSTS, NETWORK
from ..columns import X_AXES, Y_AXES, Column, grouped
from ..content import Content
from ..style import colours, shapes
from ..summary import NOUN, Comparison, Finding, comparisons, findings

_BRIEF = (
    "area", "delay", "cmos_cells", "cmos_path", "output_error", "accuracy", "mred",
    "max_ulp", "sqnr",
)  # fmt: skip
"""Columns that the table shows at first."""

_HOVER = ("area", "delay", "cmos_cells", "output_error", "accuracy", "mred", "max_ulp", "sqnr")
_ERROR = "output_error"
_DASHES = {"product": "solid", "multiply-add": "dash", "sum": "dot"}


def to_html(content: Content) -> str:
    """The page. It loads nothing: scripts, styles and data are in it, and a policy says so."""
    from plotly.offline import get_plotlyjs

    c = content.columns
    return Template(_file("page.html")).substitute(
        css=_file("page.css"),
        js=_file("page.js"),
        plotly=get_plotlyjs(),
        data=_script_safe(json.dumps(_data(content), ensure_ascii=False)),
        lead=_lead(content),
        notice=_notice(content),
        findings="".join(map(_finding, findings(content))),
        x_options=_options(c, X_AXES, "area"),
        y_options=_options(c, Y_AXES, _ERROR),
        family_chips=_chips((f, s.glyph, "inherit") for f, s in shapes(content.families).items()),
        format_chips=_chips((f, "●", colour) for f, colour in colours(content.formats).items()),
        caption=_caption(content),
        comparison=_comparison(content, comparisons(content)),
        table=_table(content),
        cost_definitions=_definitions(c[key] for key in COSTS),
        network_definitions=_definitions(c[key] for key in NETWORK),
        metric_definitions=_definitions(c[key] for key in METRICS),
        count_definitions="".join(
            f"<dt>{_text(key.replace('_', ' '))}</dt><dd>{_text(what)}</dd>"
            for key, what in COUNTS.items()
        ),
        sample=_text(content.workload.sample),
        workload=_text(content.workload.summary),
        method="".join(f"<li>{_text(sentence)}</li>" for sentence in content.workload.method),
        significance=_significance(content),
        commands=_text("\n".join(content.commands)),
        versions=_versions(content),
    )


def _file(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")


def _text(text: str) -> str:
    return html.escape(text)


def _script_safe(text: str) -> str:
    return text.replace("</", "<\\/")


def _data(content: Content) -> dict[str, object]:
    """What the page's script draws: everything is computed here, and only shown there."""
    return {
        "points": [
            {
                "label": p.label,
                "spec": p.result.spec,
                "family": p.unit.family,
                "format": p.format,
                "text": {key: _with_unit(content.columns[key], content.write(key, p))
                         for key in _HOVER},
            }
            for p in content.points
        ],
        "axes": {key: asdict(content.axis(key)) for key in (*X_AXES, *Y_AXES)},
        "fronts": {
            x: {y: {op: content.front(x, y, op) for op in content.operations} for y in Y_AXES}
            for x in X_AXES
        },
        "hover": _HOVER,
        "titles": {key: column.title for key, column in content.columns.items()},
        "colours": colours(content.formats),
        "shapes": {family: shape.plotly for family, shape in shapes(content.families).items()},
        "dashes": _DASHES,
        "nouns": NOUN,
        "float64_accuracy": content.float64_accuracy,
    }  # fmt: skip


def _with_unit(column: Column, written: str) -> str:
    return f"{written} {column.unit}" if column.unit and written[0].isdigit() else written


def _lead(content: Content) -> str:
    versions = content.manifest["versions"]
    return _text(
        f"{len(content.points)} arithmetic units for machine learning. Each was generated as "
        f"Verilog and synthesized with yosys {versions['yosys']} ({content.manifest['library']} "
        "library), and its bit-accurate model computed every multiplication and addition of a "
        f"network that reads handwritten digits. hwarith {versions['hwarith']}, {content.made}."
    )


def _notice(content: Content) -> str:
    if not content.missing:
        return ""
    specs = ", ".join(content.missing)
    return f'<p class="notice">The sweep is not finished. Missing: {_text(specs)}</p>'


def _finding(finding: Finding) -> str:
    return (
        f'<div class="finding"><div class="question">{_text(finding.question)}</div>'
        f'<div class="answer">{_text(finding.answer)}</div>'
        f'<div class="detail">{_text(finding.detail)}</div></div>'
    )


def _options(columns: Mapping[str, Column], keys: Iterable[str], chosen: str) -> str:
    return "".join(
        f'<option value="{key}"{" selected" if key == chosen else ""}>'
        f"{_text(columns[key].title)}</option>"
        for key in keys
    )


def _chips(chips: Iterable[tuple[str, str, str]]) -> str:
    return "".join(
        f'<button type="button" aria-pressed="true" data-name="{_text(name)}">'
        f'<span class="mark" style="color:{colour}">{glyph}</span>'
        f"{_text(name)}</button>"
        for name, glyph, colour in chips
    )


def _caption(content: Content) -> str:
    operations = [NOUN[op] + "s" for op in content.operations]
    return _text(
        "Every point is a unit; its colour is the format of its first operand, its shape the kind "
        "of unit. Left is cheaper; down is better for errors, up for accuracy and SQNR. The "
        "lines are the Pareto fronts, one for each "
        f"operation ({', '.join(operations)}), because these do different work: on its front "
        "no other unit of the operation is better in one of the two figures without being worse "
        "in the other. A multiplier's area is without the adder that accumulates its products."
    )


def _comparison(content: Content, pairs: list[Comparison]) -> str:
    if not pairs:
        return ""
    pairs = sorted(pairs, key=lambda pair: (pair.exact.label, pair.approximate.figures["area"]))
    rows = "".join(_comparison_row(content, pair) for pair in pairs)
    headings = (
        "Approximate", "Exact", "Area against exact", "Delay against exact", "MRED",
        "Network output error", "the exact unit's", "Accuracy", "the exact unit's",
    )  # fmt: skip
    heads = "".join(
        f'<th class="{"text" if i < 2 else "figure"}">{heading}</th>'
        for i, heading in enumerate(headings)
    )
    return (
        "<section><h2>Approximate units beside exact ones</h2><p>Each approximate unit with the "
        "exact, correctly rounded one of the same operation and formats.</p>"
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        "</div></section>"
    )


def _comparison_row(content: Content, pair: Comparison) -> str:
    ratios = (pair.ratio("area"), pair.ratio("delay"))
    cells = [
        *("" if r is None else f"{grouped(100 * r)} %" for r in ratios),
        content.write("mred", pair.approximate),
        *(
            content.write(key, point)
            for key in ("output_error", "accuracy")
            for point in (pair.approximate, pair.exact)
        ),
    ]
    return (
        f'<tr><td>{_text(pair.approximate.label)}</td><td class="text">{_text(pair.exact.label)}'
        "</td>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"
    )


def _table(content: Content) -> str:
    """Every point with every figure; cells carry their values for sorting."""
    heads = ['<th class="sortable text" data-kind="text">Unit</th>',
             '<th class="sortable text more" data-kind="text">Operation</th>']  # fmt: skip
    for c in content.columns.values():
        unit = f' <span class="unit">{_text(c.shown_unit)}</span>' if c.shown_unit else ""
        heads.append(
            f'<th class="sortable figure{_more(c.key)}" title="{_text(c.definition)}">'
            f"{_text(c.short)}{unit}</th>"
        )
    rows = []
    on_front = {i for op in content.operations for i in content.front("area", _ERROR, op)}
    values = {key: content.values(key) for key in content.columns}
    for i, p in enumerate(content.points):
        cells = "".join(
            f'<td class="{_more(key).strip()}" data-value="{_sort_value(values[key][i])}">'
            f"{_text(content.write(key, p))}</td>"
            for key in content.columns
        )
        rows.append(
            f'<tr class="{"front" if i in on_front else "behind"}">'
            f'<td title="{_text(p.result.spec)}">{_text(p.label)}</td>'
            f'<td class="text more">{_text(p.result.operation)}</td>{cells}</tr>'
        )
    return (
        f'<table id="points" class="brief"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _more(key: str) -> str:
    return "" if key in _BRIEF else " more"


def _sort_value(value: float | None) -> str:
    return "" if value is None else repr(value).replace("inf", "Infinity")


def _definitions(columns: Iterable[Column]) -> str:
    return "".join(
        f"<dt>{_text(c.title)}"
        + (f' <span class="unit">in {_text(c.shown_unit)}</span>' if c.shown_unit else "")
        + f"</dt><dd>{_text(c.definition)}</dd>"
        for c in columns
    )


def _significance(content: Content) -> str:
    p, n, item = content.float64_accuracy, content.workload.count, content.workload.item
    deviation = 100 * (p * (1 - p) / n) ** 0.5
    return _text(
        f"One {item} more or less is {100 / n:.1f} points of accuracy, and the standard deviation "
        f"of an accuracy of {100 * p:.1f} % on {n} {item}s is {deviation:.1f} points: smaller "
        "differences of accuracy say little, and the network output error says more. float64 "
        f"arithmetic gets {100 * p:.1f} % right."
    )


def _versions(content: Content) -> str:
    versions = ", ".join(f"{name} {v}" for name, v in content.manifest["versions"].items())
    return _text(
        f"Made {content.made} with {versions}; library {content.manifest['library']}; workload "
        f"{content.workload.name}, SHA-256 {content.workload.digest[:16]}."
    )
