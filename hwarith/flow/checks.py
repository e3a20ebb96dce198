"""Checks of numbers that a user gives."""

from __future__ import annotations

import os

from ..exceptions import InvalidInput, quoted

MOST_SEED = 2**32 - 1
"""Seeds are integers from 0 to this."""

MOST_SECONDS = 86400
"""A day, after which at the latest something is given up."""

_MOST_JOBS = 1024


def check_integer(what: str, value: int, low: int, high: int) -> None:
    """Raise `InvalidInput` for what is no integer from `low` to `high`; `what` names it."""
    if not isinstance(value, int) or not low <= value <= high:
        raise InvalidInput(f"{what} must be an integer, {low} to {high}, not {quoted(value)}")


def is_time(seconds: object) -> bool:
    """Whether this is a number of seconds after which something can be given up."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return False
    return 0 < seconds <= MOST_SECONDS


def check_timeout(what: str, timeout: object) -> None:
    """Raise `InvalidInput` for what is no number of seconds, above 0, up to a day."""
    if not is_time(timeout):
        raise InvalidInput(f"{what}: timeout must be a number of seconds, not {quoted(timeout)}")


def solver_jobs(what: str, jobs: int | None) -> int:
    """How many solvers run at a time: one for each processor, if None is given. Raises
    `InvalidInput`."""
    if jobs is None:
        return os.cpu_count() or 1
    check_integer(f"{what}: jobs", jobs, 1, _MOST_JOBS)
    return jobs
