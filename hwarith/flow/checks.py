"""Checks of numbers that a user gives."""

from __future__ import annotations

from ..errors import InvalidInput, quoted

MOST_SEED = 2**32 - 1
"""Seeds are integers from 0 to this."""


def check_integer(what: str, value: int, low: int, high: int) -> None:
    """Raise `InvalidInput` for what is no integer from `low` to `high`; `what` names it."""
    if not isinstance(value, int) or not low <= value <= high:
        raise InvalidInput(f"{what} must be an integer, {low} to {high}, not {quoted(value)}")
