"""What a sweep says, in sentences computed from its figures."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...units.operations import Operation
from .columns import MINUS, grouped, percent
from .content import Content
from .finding import ACCURACY_LOSS, Finding
from .partners import Comparison, comparisons, nearest
from .point import Point

OUTPUT_ERROR = 0.01
"""Up to which a network output error is called small."""


def findings(content: Content) -> list[Finding]:
    """The statements on top of the report."""
    found = []
    for operation in content.operations:
        found += _smallest_for_accuracy(content, operation)
        found += _smallest_for_error(content, operation)
        found += _smallest_without_network(content, operation)
    return found + _approximate_units(content, comparisons(content))


def _smallest(
    content: Content, operation: Operation, good_enough: Callable[[Point], bool]
) -> Point | None:
    points = [p for p in content.points if p.operation == operation and good_enough(p)]
    cost, _ = content.main_axes
    return min(points, key=lambda p: p.figures.get(cost) or math.inf, default=None)


def _cost(content: Content, point: Point) -> str:
    """A point's area for readers, as the report compares it."""
    cost, _ = content.main_axes
    per = f" per {point.operation.piece} and clock" if content.has_lanes else ""
    return f"{content.write(cost, point)} {content.columns[cost].unit}{per}"


def _smallest_for_accuracy(content: Content, operation: Operation) -> list[Finding]:
    baseline, accuracy = content.workload.baseline, content.workload.baseline_accuracy

    def good_enough(point: Point) -> bool:
        found = point.result.accuracy
        return found is not None and found >= accuracy - ACCURACY_LOSS

    best = _smallest(content, operation, good_enough)
    if best is None:
        return []
    return [
        Finding(
            f"Smallest {content.noun(operation)} within one point of {baseline}'s accuracy",
            best.label,
            f"{_cost(content, best)}, {content.write('accuracy', best)} right where {baseline} has "
            f"{content.columns['accuracy'].write(accuracy)}"
            + _times_smaller(content, operation, best),
            _scope(content, operation, best, network=True),
        )
    ]


def _times_smaller(content: Content, operation: Operation, best: Point) -> str:
    """How a unit compares in area with the fp32 one of its stages, if the sweep has that."""
    reference = nearest(best, content.all_fp32(operation))
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
            f"Smallest {content.noun(operation)} with a network output error up to "
            f"{percent(OUTPUT_ERROR).replace('.00', '')}",
            best.label,
            f"{_cost(content, best)}, output error {content.write('output_error', best)}",
            _scope(content, operation, best, network=True),
        )
    ]


def _smallest_without_network(content: Content, operation: Operation) -> list[Finding]:
    """Of several units of an operation on which no network runs."""
    points = [p for p in content.points if p.operation == operation]
    best = _smallest(content, operation, lambda _: True)
    if best is None or len(points) < 2 or any(p.result.accuracy is not None for p in points):
        return []
    question = f"Smallest {content.noun(operation)}"
    scope = _scope(content, operation, best, network=False)
    return [Finding(question, best.label, _cost(content, best), scope)]


def _scope(content: Content, operation: Operation, best: Point, *, network: bool) -> str:
    """What a unit is the smallest of, and which it is."""
    number = sum(p.operation == operation for p in content.points)
    others = f"Of {number} {content.noun(operation)}s" if number > 1 else "The only one"
    return f"{others}, {_setting(content, network=network)}: {best.spec}"


def _setting(content: Content, *, network: bool) -> str:
    """What all figures of the sweep were measured with."""
    library = f"library {content.manifest['library']}"
    return f"workload {content.workload.name}, {library}" if network else library


def _approximate_units(content: Content, pairs: list[Comparison]) -> list[Finding]:
    areas = [ratio for pair in pairs if (ratio := pair.ratio("area"))]
    delays = [ratio for pair in pairs if (ratio := pair.ratio("delay"))]
    if not areas or not delays:
        return []
    changes = [100 * x for pair in pairs if (x := pair.accuracy_change) is not None]
    families = sorted({pair.approximate.unit.family for pair in pairs})
    partners = list(dict.fromkeys(pair.exact.label for pair in pairs))
    named = " and ".join(partners) if len(partners) <= 2 else "the units named in the table below"
    return [
        Finding(
            f"Approximate units ({', '.join(families)}) beside the exact one of the same formats "
            "and stages and the nearest policy",
            f"{_range(areas)} of the area",
            f"{_range(delays)} of the delay{_points(changes)}; compared with {named}",
            f"Pairs: {len(pairs)}, {_setting(content, network=bool(changes))}",
        )
    ]


def _points(changes: list[float]) -> str:
    if not changes:
        return ""
    low, high = (f"{x:+.1f}".replace("-", MINUS) for x in (min(changes), max(changes)))
    return f"; accuracy changes by {low} to {high} points"


def _range(ratios: list[float]) -> str:
    low, high = (grouped(100 * r) for r in (min(ratios), max(ratios)))
    return f"{low} %" if low == high else f"{low} to {high} %"
