"""What a module with valid and ready did with its transfers: lost, doubled, out of order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LOST, TWICE, MOVED = "lost", "twice", "out of order"

_ALIKE = 40
"""Bits of results in a row that must be the expected ones for a stream to be in step again."""

_FURTHEST = 64
"""How many results may be lost, or be passed by others, at once."""

_MOST = 1000
"""Events, or wrong results, after which the rest is not looked at."""


class Event(NamedTuple):
    """What happened to a result: `LOST`, `TWICE` or `MOVED`; and its place among those expected."""

    what: str
    place: int


def pair(expected: list[np.ndarray], got: list[np.ndarray]) -> tuple[np.ndarray, list[Event]]:
    """Which result that came is which of those that were expected.

    Returns for each expected result the place of the one that came for it, -1 if none did, and what
    happened on the way. If what came is what was expected but for some, these are lost; if some of
    it came again at once, twice. Otherwise results that are wrong stay in their places: one
    counts as lost, doubled or moved only if those behind it are the expected ones again.
    """
    places = np.full(len(expected[0]), -1)
    wanted, came = (list(zip(*(x.tolist() for x in xs), strict=True)) for xs in (expected, got))
    if (at := _embedded(came, wanted)) is not None:
        places[at] = np.arange(len(came))
        reached = at[-1] + 1 if at else 0
        return places, [Event(LOST, i) for i in range(reached) if places[i] < 0]
    if (repeats := _repeats(came, wanted)) is not None:
        kept = np.setdiff1d(np.arange(len(came)), list(repeats))
        places[: len(kept)] = kept
        return places, [Event(TWICE, i) for i in repeats.values()]
    return places, _in_steps(expected, got, places)


def _embedded(few: list[tuple], many: list[tuple]) -> list[int] | None:
    """The places among many at which a few are, in their order; None if one is not there."""
    places = []
    i = -1
    for result in few:
        try:
            i = many.index(result, i + 1)
        except ValueError:
            return None
        places.append(i)
    return places


def _repeats(came: list[tuple], wanted: list[tuple]) -> dict[int, int] | None:
    """The places of results that came again, and of which of those wanted each is; None if what
    came is anything else but the first of those wanted."""
    found: dict[int, int] = {}
    i = 0
    for j, result in enumerate(came):
        if i < len(wanted) and result == wanted[i]:
            i += 1
        elif i and result == wanted[i - 1]:
            found[j] = i - 1
        else:
            return None
    return found


def _in_steps(expected: list[np.ndarray], got: list[np.ndarray], places: np.ndarray) -> list[Event]:
    """Find the places one after the other, and what happened."""
    events: list[Event] = []
    i = j = wrong = 0  # the next result expected, and the next one that came
    total, came = len(expected[0]), len(got[0])
    while i < total and j < came and len(events) + wrong < _MOST:
        same = _same(expected, got, i, j)
        run = len(same) if same.all() else int(np.argmin(same))
        places[i : i + run] = np.arange(j, j + run)
        i, j = i + run, j + run
        if i >= total or j >= came:
            break
        lost = next((n for n in range(1, _FURTHEST) if _in_step(expected, got, i + n, j)), 0)
        again = next((n for n in range(1, _FURTHEST) if _in_step(expected, got, i, j + n)), 0)
        passed = next((n for n in range(2, _FURTHEST) if _permuted(expected, got, i, j, n)), 0)
        if passed:
            events += [Event(MOVED, i + n) for n in range(passed)]
            ours, theirs = _order(expected, i, passed), _order(got, j, passed)
            places[i + ours] = j + theirs
            i, j = i + passed, j + passed
        elif lost and (not again or lost <= again):
            events += [Event(LOST, i + n) for n in range(lost)]
            i += lost
        elif again:
            events += [Event(TWICE, max(0, i - 1))] * again
            j += again
        else:
            places[i] = j
            i, j, wrong = i + 1, j + 1, wrong + 1
    return events


def _same(expected: list[np.ndarray], got: list[np.ndarray], i: int, j: int) -> np.ndarray:
    """Which results are the expected ones, from these places on."""
    n = min(len(expected[0]) - i, len(got[0]) - j)
    pairs = zip(expected, got, strict=True)
    return np.logical_and.reduce([x[i : i + n] == y[j : j + n] for x, y in pairs])


def _in_step(expected: list[np.ndarray], got: list[np.ndarray], i: int, j: int) -> bool:
    """Whether the next results are the expected ones, as far as there are any."""
    bits = sum(x.dtype.itemsize * 8 for x in expected if not x.dtype.hasobject) or _ALIKE
    n = min(-(-_ALIKE // bits) + 2, len(expected[0]) - i, len(got[0]) - j)
    pairs = zip(expected, got, strict=True)
    return n > 0 and all(bool((x[i : i + n] == y[j : j + n]).all()) for x, y in pairs)


def _permuted(expected: list[np.ndarray], got: list[np.ndarray], i: int, j: int, n: int) -> bool:
    """Whether the next n results are n expected ones in another order."""
    if not _in_step(expected, got, i + n, j + n):
        return False
    ours, theirs = i + _order(expected, i, n), j + _order(got, j, n)
    pairs = zip(expected, got, strict=True)
    return all(bool((x[ours] == y[theirs]).all()) for x, y in pairs)


def _order(results: list[np.ndarray], i: int, n: int) -> np.ndarray:
    """An order of the next n results that depends on nothing but what they are."""
    return np.lexsort([x[i : i + n] for x in results])
