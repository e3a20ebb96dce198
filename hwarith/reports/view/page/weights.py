"""What the page about types of weights says."""

from __future__ import annotations

from ....explore.weights import METHOD, Digits
from ...model.weights import NETWORK_KEYS, WeightRows
from ...model.weights_summary import findings
from .markup import definitions, finding_box, significance, text
from .parts import PageParts, WordColumn

_ERRORS = ("bits", "nmse", "nmse_normal", *NETWORK_KEYS)
_HIDDEN = ("delay", "throughput")
"""Of the columns that sum a row up those that the table does not show at first."""


def weights_parts(rows: WeightRows) -> PageParts:
    """What the page says of types of weights."""
    return PageParts(
        texts=_texts(rows),
        labels=WordColumn("Weight type", [row.label for row in rows.found]),
        words=WordColumn("PE", [row.result.pe or "none" for row in rows.found]),
        table_keys=tuple(key for key in rows.summary_keys if key not in _HIDDEN),
        facts=[{} for _ in rows.found],
        details=[{} for _ in rows.found],
    )


def _texts(rows: WeightRows) -> dict[str, str]:
    """The fields of the page's template."""
    c = rows.columns
    costs = [c[key] for key in c if key not in _ERRORS]
    return {
        "page_title": "types of weights",
        "title": "Types of weights",
        "lead": _lead(rows),
        "notice": "",
        "findings": "".join(map(finding_box, findings(rows))),
        "changes": "",
        "families": "Kinds of type",
        "formats": "Bits of a code",
        "caption": text(
            "Every point is a type of weights on a processing element; its colour is the bits of "
            "a code, its shape the kind of type. Left is cheaper; down is better for errors, up "
            "for accuracy. The line is the Pareto front: on it no other type is better in one of "
            "the two figures without being worse in the other. Types without a processing element "
            "have no cost: they are drawn where the axes are bits per weight and an error that is "
            "not the element's. Areas are without what elements share (defined below)."
        ),
        "comparison": _without_element(rows),
        "all_rows": "All types",
        "click": "Click a heading to sort; click a type for its page.",
        "hint": "Coloured, or bold in print: on the front of the picture as it is first shown.",
        "definitions": (
            "<div><h3>Storage and error</h3><dl>"
            + definitions(c[key] for key in _ERRORS if key in c)
            + f"</dl></div><div><h3>Cost</h3><dl>{definitions(costs)}</dl></div>"
        ),
        "run": _run(rows),
        "commands": text(rows.command),
        "versions": text(
            f"Made {rows.made} with "
            + ", ".join(f"{name} {version}" for name, version in rows.versions.items())
            + f"; library generic; weights {rows.weights.name}, SHA-256 {rows.weights.digest[:16]}."
        ),
    }


def _lead(rows: WeightRows) -> str:
    types = len({row.result.type for row in rows.found})
    number = sum(w.size for w in rows.weights.arrays)
    if isinstance(rows.weights, Digits):
        of = f"the {number} weights of a network that reads handwritten digits"
    else:
        of = f"the {number} weights of {rows.weights.name}"
    return text(
        f"{types} types of weights: what each takes to store, what it does to {of} in groups of "
        f"{rows.group}, and the area of the processing element that multiplies activations in "
        f"fp16 with it, synthesized with yosys {rows.versions['yosys']} (generic library). "
        f"hwarith {rows.versions['hwarith']}, {rows.made}."
    )


def _without_element(rows: WeightRows) -> str:
    if not rows.reasons:
        return ""
    lines = "".join(
        f"<dt>{text(', '.join(types))}</dt><dd>{text(reason[0].upper() + reason[1:])}.</dd>"
        for reason, types in rows.reasons.items()
    )
    return f"<section><h2>Types without a processing element here</h2><dl>{lines}</dl></section>"


def _run(rows: WeightRows) -> str:
    method = "".join(f"<li>{text(sentence)}</li>" for sentence in METHOD)
    if not isinstance(rows.weights, Digits):
        return f"<ul>{method}</ul>"
    network = rows.weights.workload
    return f"<p>{text(network.summary)}</p><ul>{method}</ul><p>{significance(network)}</p>"
