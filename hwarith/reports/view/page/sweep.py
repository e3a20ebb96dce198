"""What the page of a sweep says."""

from __future__ import annotations

from string import Template

from ....explore.lanes import per_clock
from ....explore.metrics import COUNTS, METRICS, SOURCES
from ....explore.point import COSTS, NETWORK
from ...model.columns import grouped
from ...model.content import Content
from ...model.partners import Comparison, comparisons
from ...model.point import Point
from ...model.summary import findings
from .changes import changes_section
from .markup import definitions, finding_box, significance, text
from .parts import PageParts, WordColumn

_DEFINITIONS = """\
<div><h3>Cost</h3><dl>$cost_definitions</dl><h3>Network</h3><dl>$network_definitions</dl>
<h3>Which operand sets count</h3><dl>$count_definitions</dl></div>
<div><h3>Error of the unit</h3>
<p>On the operand codes that met the unit in the network, $sample; of a unit that no network
runs on all codes, or random ones (its page says which). y is the unit's result and z the exact one:
the infinitely precise product, sum, multiply-add, dot product, quotient, ... of the operands'
values, not rounded to any format. Where a result has a scale, y is the number that it stands for
with it, and z the one that it is to represent. A unit's own operands are taken as given here: what
their encoding loses is in the network output error.</p>
<dl>$metric_definitions</dl></div>"""

_RUN = """\
<p>$workload</p>
<ul>$method</ul>
<p>$significance</p>"""


_LANES = (
    " A dot product does the work of n multiply-adds, and others a part of one: compare units that "
    "differ in this by what is per multiply-add or element."
)


def sweep_parts(content: Content) -> PageParts:
    """What the page says of a sweep."""
    points = content.points
    return PageParts(
        texts=_texts(content),
        labels=WordColumn("Unit", [point.label for point in points]),
        words=WordColumn("Operation", [point.operation.name for point in points], hidden=True),
        table_keys=content.summary_keys,
        facts=[facts(point) for point in points],
        details=[point.result.details for point in points],
        notes=WordColumn("Not measured, and why", [point.notes for point in points])
        if content.has_notes
        else None,
    )


def facts(point: Point) -> dict[str, str]:
    """What the page of a point says of its unit, by title."""
    unit, counts = point.unit, point.result.counts
    ports = ", ".join(
        f"{name} {f.name} ({f.bits} bits)" for name, f in (unit.inputs | unit.results).items()
    )
    operand_sets = ", ".join(
        f"{grouped(n)} {key.replace('_', ' ')}"
        for key, n in counts.items()
        if n or key == "counted"
    )
    found = {
        "What": unit.summary,
        "Contract": f"{unit.contract.kind}; {unit.contract.bound} ({unit.contract.source})",
        "Latency": str(unit.latency),
        "Ports": ports,
        "In a clock": _in_a_clock(point),
    }
    reasons = point.result.details.get("reasons", {})
    if "errors" not in reasons:
        source = point.result.details.get("operands", "workload")
        found["Operand sets"] = f"{SOURCES[source]}: {operand_sets}"
    return found | {f"No {what}": why for what, why in reasons.items()}


def _in_a_clock(point: Point) -> str:
    """What a unit does in a clock, in words."""
    amount, piece = per_clock(point.unit), point.operation.piece
    return f"{amount} {piece}{'' if amount <= 1 else 's'} at full throughput"


def _texts(content: Content) -> dict[str, str]:
    """The fields of the page's template."""
    return {
        "page_title": _title(content).lower(),
        "title": _title(content),
        "lead": _lead(content),
        "notice": _notice(content),
        "findings": "".join(map(finding_box, findings(content))),
        "changes": changes_section(content.changes),
        "families": "Units",
        "formats": "Formats",
        "caption": _caption(content),
        "comparison": _comparison(content, comparisons(content)),
        "all_rows": "All design points",
        "click": "Click a heading to sort; click a unit for its page.",
        "hint": "Coloured, or bold in print: on the front "
        f"of {content.columns[content.main_axes[0]].title.lower()} and\n"
        f"{content.columns[content.main_axes[1]].title.lower()}.",
        "definitions": _definitions(content),
        "run": Template(_RUN).substitute(
            workload=text(content.workload.summary),
            method="".join(f"<li>{text(sentence)}</li>" for sentence in content.workload.method),
            significance=significance(content.workload),
        ),
        "commands": text("\n".join(content.commands)),
        "versions": _versions(content),
    }


def _title(content: Content) -> str:
    return f"Area against {'delay' if content.main_axes[1] == 'delay' else 'error'}"


def _definitions(content: Content) -> str:
    c = content.columns
    return Template(_DEFINITIONS).substitute(
        cost_definitions=definitions(c[key] for key in COSTS if key in c),
        network_definitions=definitions(c[key] for key in NETWORK if key in c),
        metric_definitions=definitions(c[key] for key in METRICS if key in c),
        count_definitions="".join(
            f"<dt>{text(key.replace('_', ' '))}</dt><dd>{text(what)}</dd>"
            for key, what in COUNTS.items()
        ),
        sample=text(content.workload.sample),
    )


def _lead(content: Content) -> str:
    versions = content.manifest["versions"]
    return text(
        f"{len(content.points)} arithmetic units for machine learning. Each was generated as "
        f"Verilog and synthesized with yosys {versions['yosys']} ({content.manifest['library']} "
        f"library){_in_network(content)}. hwarith {versions['hwarith']}, {content.made}."
    )


def _in_network(content: Content) -> str:
    """What the network was, and of how many units."""
    number = sum(p.result.accuracy is not None for p in content.points)
    computed = "bit-accurate model computed every multiplication and addition of a network "
    computed += f"({content.workload.name})"
    if number == len(content.points):
        return f", and its {computed}"
    if not number:
        return ". No network runs on them"
    return f". Of {number} of them, on which it can run, the {computed}"


def _notice(content: Content) -> str:
    if not content.missing:
        return ""
    specs = ", ".join(content.missing)
    return f'<p class="notice">The sweep is not finished. Missing: {text(specs)}</p>'


def _caption(content: Content) -> str:
    operations = [f"{content.noun(operation)}s" for operation in content.compared]
    return text(
        "Every point is a unit; its colour is the format of its first operand, its shape the kind "
        "of unit. Left is cheaper; down is better for errors, up for accuracy and SQNR. The "
        "lines are the Pareto fronts, one for each "
        f"operation of several units ({', '.join(operations) or 'none here'}), because these do "
        "different work: on its front "
        "no other unit of the operation is better in one of the two figures without being worse "
        "in the other. A multiplier's area is without the adder that accumulates its products."
        + (_LANES if content.has_lanes else "")
        + _not_drawn(content)
    )


def _not_drawn(content: Content) -> str:
    """How many units the picture does not show at first."""
    x, y = content.main_axes
    number = sum(p.figures.get(x) is None or p.figures.get(y) is None for p in content.points)
    if not number:
        return ""
    title = content.columns[y].title.lower()
    return (
        f" {number} of the {len(content.points)} have no {title} and are in the table alone, "
        "which says why; other axes show them."
    )


def _comparison(content: Content, pairs: list[Comparison]) -> str:
    if not pairs:
        return ""
    pairs = sorted(pairs, key=lambda pair: (pair.exact.label, pair.approximate.figures["area"]))
    rows = "".join(_comparison_row(content, pair) for pair in pairs)
    words = ("Approximate", "Exact", "Another policy in")
    costs = ("Area against exact", "Delay against exact")
    errors = ("MRED", "Network output error", "the exact unit's", "Accuracy", "the exact unit's")
    heads = "".join(
        f'<th class="{"text" if i < len(words) else "figure"}">{heading}</th>'
        for i, heading in enumerate(words + costs + errors)
    )
    return (
        '<section class="wide"><h2>Approximate units beside exact ones</h2>'
        "<p>Each approximate unit with the exact, correctly rounded one of the same operation, "
        "formats and stages, in this sweep, "
        "whose policy (subnormals, overflow, flags, ...) is the nearest to its own; of several the "
        "smallest.</p>"
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
        f'<tr><td>{text(pair.approximate.label)}</td><td class="text">{text(pair.exact.label)}'
        f'</td><td class="text">{text("; ".join(pair.differences))}</td>'
        + "".join(f"<td>{text(cell)}</td>" for cell in cells)
        + "</tr>"
    )


def _versions(content: Content) -> str:
    versions = ", ".join(f"{name} {v}" for name, v in content.manifest["versions"].items())
    return text(
        f"Made {content.made} with {versions}; library {content.manifest['library']}; workload "
        f"{content.workload.name}, SHA-256 {content.workload.digest[:16]}."
    )
