"""Which exact unit an approximate one is compared with, where a sweep has several."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ...units import Unit
from .content import Content
from .point import Point, options, unusual_options


@dataclass(frozen=True)
class Comparison:
    """An approximate unit beside the exact one of the same operation, formats and stages whose
    policy is the nearest to its own."""

    approximate: Point
    exact: Point

    def ratio(self, key: str) -> float | None:
        """The approximate unit's cost as a share of the exact one's."""
        cost, base = self.approximate.figures[key], self.exact.figures[key]
        return cost / base if cost is not None and base else None

    @property
    def accuracy_change(self) -> float | None:
        """The approximate unit's accuracy in the network less the exact one's, if both have one."""
        mine, other = self.approximate.result.accuracy, self.exact.result.accuracy
        return None if mine is None or other is None else mine - other

    @property
    def differences(self) -> list[str]:
        """The options in which the exact unit's policy is another, as `policy_differences`."""
        return policy_differences(self.approximate.unit, self.exact.unit)


def comparisons(content: Content) -> list[Comparison]:
    """Every approximate unit that has its exact counterpart in the sweep."""
    exact = [p for p in content.points if not p.is_approximate]
    pairs = [
        (p, nearest(p, (e for e in exact if e.signature == p.signature)))
        for p in content.points
        if p.is_approximate
    ]
    return [Comparison(p, base) for p, base in pairs if base is not None]


def nearest(point: Point, others: Iterable[Point]) -> Point | None:
    """Of units with as many stages the one whose policy differs in the fewest options from the
    point's; of several the smallest. None if there is none."""

    def distance(other: Point) -> tuple[int, float]:
        area = other.figures["area"]
        return len(policy_differences(point.unit, other.unit)), math.inf if area is None else area

    alike = (p for p in others if p.unit.stages == point.unit.stages)
    return min(alike, key=distance, default=None)


def policy_differences(unit: Unit, other: Unit) -> list[str]:
    """The options of another unit that are not this one's: ``overflow=saturate, not nosat``.

    An option that this unit neither has nor says by its `Unit.policy` is to be what it usually is.
    """
    wanted = options(unit) | unit.policy
    unusual = unusual_options(other)
    found = []
    for name, value in options(other).items():
        if name in wanted:
            if value != wanted[name]:
                found.append(f"{name}={value}, not {wanted[name]}")
        elif name in unusual:
            found.append(f"{name}={value}")
    return found
