"""Axes along which blocks run."""

from __future__ import annotations

from typing import Any

from ...exceptions import InvalidInput, quoted
from ...lazily import np


def is_integer(x: Any) -> bool:
    """Whether this is an integer of Python or numpy, and no bool."""
    return isinstance(x, int | np.integer) and not isinstance(x, bool)


def checked_axis(axis: Any, dimensions: int) -> int:
    """An axis of an array of so many dimensions, counted from the end: -1 is the last one. Raises
    `InvalidInput` if there is none of this number."""
    if not is_integer(axis) or not -dimensions <= axis < dimensions:
        allowed = f"from {-dimensions} to {dimensions - 1}" if dimensions else "of an array"
        raise InvalidInput(f"axis must be an integer {allowed}, not {quoted(axis)}")
    return int(axis) % dimensions - dimensions
