"""Pieces of HTML that pages are made of."""

from __future__ import annotations

import html
from collections.abc import Iterable

from ....explore.workloads import Workload
from ...model.columns import Column
from ...model.finding import Finding
from ...model.noise import share_deviation


def text(plain: str) -> str:
    """Plain text as HTML."""
    return html.escape(plain)


def script_safe(json: str) -> str:
    """JSON as it may stand in a script element: of ``<!--<script``, the browser would take what
    follows, the end of the element too, as part of it (HTML, "restrictions for contents of
    script elements"). In JSON a ``<`` stands in texts alone."""
    return json.replace("<", "\\u003c")


def finding_box(finding: Finding) -> str:
    """A box with a statement of the report."""
    return (
        f'<div class="finding"><div class="question">{text(finding.question)}</div>'
        f'<div class="answer">{text(finding.answer)}</div>'
        f'<div class="detail">{text(finding.detail)}</div>'
        f'<div class="scope">{text(finding.scope)}</div></div>'
    )


def definitions(columns: Iterable[Column]) -> str:
    """The entries of a list that says what columns mean."""
    return "".join(
        f"<dt>{text(c.title)}"
        + (f' <span class="unit">in {text(c.shown_unit)}</span>' if c.shown_unit else "")
        + f"</dt><dd>{text(c.definition)}</dd>"
        for c in columns
    )


def significance(network: Workload) -> str:
    """What a difference of accuracy means, as HTML."""
    p, n, item = network.baseline_accuracy, network.count, network.item
    deviation = 100 * share_deviation(p, n)
    return text(
        f"One {item} more or less is {100 / n:.1f} points of accuracy, and the standard deviation "
        f"of an accuracy of {100 * p:.1f} % on {n} {item}s is {deviation:.1f} points: smaller "
        "differences of accuracy say little, and the network output error says more. Error bars "
        "are one standard deviation, and the front of accuracies has no unit that is better than a "
        "cheaper one by less than that of their difference. "
        f"{network.baseline} arithmetic gets {100 * p:.1f} % right."
    )
