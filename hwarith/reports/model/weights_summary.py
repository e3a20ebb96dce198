"""What is found out about types of weights, in sentences computed from their figures."""

from __future__ import annotations

from .finding import ACCURACY_LOSS, Finding
from .weights import WeightRow, WeightRows

_COMPARED_BITS = 4
"""Bits of a code of the types that are compared with FP16."""


def findings(rows: WeightRows) -> list[Finding]:
    """The statements on top of the report."""
    found = [finding for bits in (3, 4) for finding in _best_of(rows, bits)]
    return found + _cheapest_accurate(rows) + _beside_fp16(rows)


def _scope(rows: WeightRows, number: int) -> str:
    """What a type is the best of."""
    return f"Of {number}, weights {rows.weights.name}, groups of {rows.group}, library generic"


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
            _scope(rows, len(there)),
        )
    ]


def _cheapest_accurate(rows: WeightRows) -> list[Finding]:
    if rows.workload is None:
        return []
    least = rows.workload.baseline_accuracy - ACCURACY_LOSS
    accurate = [row for row in rows.found if (row.figures["accuracy"] or 0.0) >= least]
    good = [row for row in accurate if _cost(row)]
    if not good:
        return []
    best = min(good, key=_cost)
    return [
        Finding(
            f"Least area per throughput within one point of {rows.workload.baseline}'s accuracy",
            best.label,
            f"{rows.write('area_per_throughput', best)} GE·clock, "
            f"{rows.write('accuracy', best)} right where {rows.workload.baseline} has "
            f"{rows.columns['accuracy'].write(rows.workload.baseline_accuracy)}",
            _scope(rows, len(good)),
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
            _scope(rows, len(others)),
        )
    ]


def _cost(row: WeightRow) -> float:
    return row.figures["area_per_throughput"] or 0.0
