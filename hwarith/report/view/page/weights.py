"""What the page about types of weights says."""

from __future__ import annotations

from ....explore.weights import METHOD, Digits
from ...model.summary import Finding
from ...model.weights import NETWORK_KEYS, WeightRow, WeightRows
from .markup import definitions, finding_box, significance, text

ACCURACY_LOSS = 0.01
_COMPARED_BITS = 4
_ERRORS = ("bits", "nmse", "nmse_normal", *NETWORK_KEYS)


def texts(rows: WeightRows) -> dict[str, str]:
    """The fields of the page's template."""
    c = rows.columns
    costs = [c[key] for key in c if key not in _ERRORS]
    return {
        "page_title": "types of weights",
        "title": "Types of weights",
        "lead": _lead(rows),
        "notice": "",
        "findings": "".join(map(finding_box, findings(rows))),
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
        "hint": "Click a heading to sort; click a type for its page. "
        "Coloured: on the front of the picture as it is first shown.",
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


def findings(rows: WeightRows) -> list[Finding]:
    """The statements on top of the report."""
    found = [finding for bits in (3, 4) for finding in _best_of(rows, bits)]
    return found + _cheapest_accurate(rows) + _beside_fp16(rows)


def _best_of(rows: WeightRows, bits: int) -> list[Finding]:
    """The type of the least error with codes of so many bits."""
    key = "nmse"
    there = {
        row.result.type: row
        for row in rows.found
        if row.result.bits == bits and row.figures[key] is not None
    }
    if len(there) < 2:
        return []
    first, second, *_ = sorted(there.values(), key=lambda row: row.figures[key] or 0.0)
    return [
        Finding(
            f"Least weight error with codes of {bits} bits",
            first.result.type,
            f"{rows.write(key, first)} at {rows.write('bits', first)} bits per weight; next "
            f"{second.result.type}, {rows.write(key, second)}",
        )
    ]


def _cheapest_accurate(rows: WeightRows) -> list[Finding]:
    if rows.float64_accuracy is None:
        return []
    least = rows.float64_accuracy - ACCURACY_LOSS
    good = [
        row for row in rows.found if (row.figures["accuracy"] or 0.0) >= least and _cost(row)
    ]  # fmt: skip
    if not good:
        return []
    best = min(good, key=_cost)
    return [
        Finding(
            "Least area per throughput within one point of float64's accuracy",
            best.label,
            f"{rows.write('area_per_throughput', best)} GE·clock, "
            f"{rows.write('accuracy', best)} right where float64 has "
            f"{rows.columns['accuracy'].write(rows.float64_accuracy)}",
        )
    ]


def _beside_fp16(rows: WeightRows) -> list[Finding]:
    """The cheapest element of 4-bit weights beside the FP16 MACs."""
    macs = [row for row in rows.found if row.result.type == "fp16"]
    others = [row for row in rows.found if _cost(row) and row.result.bits == _COMPARED_BITS]
    if not macs or not others:
        return []
    best = min(others, key=_cost)
    shares = " and ".join(
        f"{100 * _cost(best) / _cost(mac):.0f} % of that of a {mac.result.pe}" for mac in macs
    )
    return [
        Finding(
            f"Least area per throughput with codes of {_COMPARED_BITS} bits, beside FP16 MACs",
            best.label,
            f"{rows.write('area_per_throughput', best)} GE·clock, without what PEs share: {shares}",
        )
    ]


def _cost(row: WeightRow) -> float:
    return row.figures["area_per_throughput"] or 0.0


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
