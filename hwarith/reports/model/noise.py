"""What figures are uncertain by where they are estimates from samples."""

from __future__ import annotations

from math import hypot, sqrt


def share_deviation(share: float, number: int) -> float:
    """The standard deviation of a share of so many items that were done right, as that of another
    sample of as many would have; a little more, and never zero (Laplace's rule of succession)."""
    p = (share * number + 1) / (number + 2)
    return sqrt(p * (1 - p) / number)


def is_more(gain: float, one: float | None, other: float | None) -> bool:
    """Whether a difference of two figures is more than their noise: more than the standard
    deviation of a difference, of figures with these (None: they are exact)."""
    return gain > hypot(one or 0.0, other or 0.0)
