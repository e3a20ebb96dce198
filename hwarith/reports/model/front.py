"""The Pareto front: the design points that no other one beats in both respects."""

from __future__ import annotations

from collections.abc import Sequence

from .noise import is_more


def pareto_front(
    costs: Sequence[float | None],
    errors: Sequence[float | None],
    higher_is_better: bool = False,
    deviations: Sequence[float | None] | None = None,
) -> list[int]:
    """Indices of the points that are not dominated, by ascending cost.

    One point dominates another if it is no worse in both figures and better in one. Equal points
    do not dominate each other. Points without a figure (None) take no part. Lower costs are
    better, and lower errors too unless `higher_is_better`. With the standard `deviations` of the
    errors a point that costs more is on the front only if it is better than the one before by more
    than their noise (`is_more`).
    """
    sign = -1 if higher_is_better else 1
    noise = deviations or [None] * len(costs)
    points = sorted(
        (cost, sign * error, i)
        for i, (cost, error) in enumerate(zip(costs, errors, strict=True))
        if cost is not None and error is not None
    )
    front: list[tuple[float, float, int]] = []
    for point in points:
        if (
            not front
            or is_more(front[-1][1] - point[1], noise[front[-1][2]], noise[point[2]])
            or point[:2] == front[-1][:2]
        ):
            front.append(point)
    return [i for _, _, i in front]
