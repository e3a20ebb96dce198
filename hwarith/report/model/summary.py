"""What a sweep says, in sentences computed from its figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ...units.operations import Operation
from .columns import grouped, percent
from .content import Content
from .finding import ACCURACY_LOSS, Finding
from .point import Point

OUTPUT_ERROR = 0.01
"""Up to which a network output error is called small."""


@dataclass(frozen=True)
class Comparison:
    """An approximate unit beside the exact one of the same operation and formats."""

    approximate: Point
    exact: Point

    def ratio(self, key: str) -> float | None:
        """The approximate unit's cost as a share of the exact one's."""
        cost, base = self.approximate.figures[key], self.exact.figures[key]
        return cost / base if cost is not None and base else None

    @property
    def accuracy_change(self) -> float:
        """The approximate unit's accuracy in the network less the exact one's."""
        return self.approximate.result.accuracy - self.exact.result.accuracy


def comparisons(content: Content) -> list[Comparison]:
    """Every approximate unit that has its exact counterpart in the sweep."""
    exact = {p.signature: p for p in content.points if not p.is_approximate}
    pairs = [(p, exact.get(p.signature)) for p in content.points if p.is_approximate]
    return [Comparison(p, base) for p, base in pairs if base is not None]


def findings(content: Content) -> list[Finding]:
    """The statements on top of the report."""
    found = []
    for operation in content.operations:
        found += _smallest_for_accuracy(content, operation)
        found += _smallest_for_error(content, operation)
    return found + _approximate_units(comparisons(content))


def _smallest(
    content: Content, operation: Operation, good_enough: Callable[[Point], bool]
) -> Point | None:
    points = [p for p in content.points if p.operation == operation and good_enough(p)]
    return min(points, key=lambda p: p.figures["area"] or math.inf, default=None)


def _smallest_for_accuracy(content: Content, operation: Operation) -> list[Finding]:
    best = _smallest(
        content, operation, lambda p: p.result.accuracy >= content.float64_accuracy - ACCURACY_LOSS
    )
    if best is None:
        return []
    return [
        Finding(
            f"Smallest {operation.noun} within one point of float64's accuracy",
            best.label,
            f"{content.write('area', best)} {content.columns['area'].unit}, "
            f"{content.write('accuracy', best)} right where float64 has "
            f"{content.columns['accuracy'].write(content.float64_accuracy)}"
            + _times_smaller(content, operation, best),
        )
    ]


def _times_smaller(content: Content, operation: Operation, best: Point) -> str:
    """How a unit compares in area with the fp32 one, if the sweep has that."""
    reference = content.all_fp32(operation)
    if reference is None or reference is best:
        return ""
    times = (reference.figures["area"] or 0) / (best.figures["area"] or math.inf)
    return f"; {reference.label} is {times:.{0 if times >= 10 else 1}f} times as large"


def _smallest_for_error(content: Content, operation: Operation) -> list[Finding]:
    def good_enough(point: Point) -> bool:
        error = point.result.output_error
        return error is not None and error <= OUTPUT_ERROR

    best = _smallest(content, operation, good_enough)
    if best is None:
        return []
    return [
        Finding(
            f"Smallest {operation.noun} with a network output error up to "
            f"{percent(OUTPUT_ERROR).replace('.00', '')}",
            best.label,
            f"{content.write('area', best)} {content.columns['area'].unit}, output error "
            f"{content.write('output_error', best)}",
        )
    ]


def _approximate_units(pairs: list[Comparison]) -> list[Finding]:
    areas = [ratio for pair in pairs if (ratio := pair.ratio("area"))]
    delays = [ratio for pair in pairs if (ratio := pair.ratio("delay"))]
    if not areas or not delays:
        return []
    changes = [100 * pair.accuracy_change for pair in pairs]
    families = sorted({pair.approximate.unit.family for pair in pairs})
    return [
        Finding(
            f"Approximate units ({', '.join(families)}) beside the exact one of the same formats",
            f"{_range(areas)} of the area",
            f"{_range(delays)} of the delay; accuracy changes by {min(changes):+.1f} to "
            f"{max(changes):+.1f} points".replace("-", "\N{MINUS SIGN}"),
        )
    ]


def _range(ratios: list[float]) -> str:
    low, high = (grouped(100 * r) for r in (min(ratios), max(ratios)))
    return f"{low} %" if low == high else f"{low} to {high} %"
