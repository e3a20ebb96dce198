"""Finds what changed between two sweeps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from .against import Changes, Move
from .content import Content

SAME = 1e-9
"""Figures that differ by no more than this share are the same."""


def changes_between(after: Content, before: Content) -> Changes:
    """What is in `after` that was not so in `before`; the largest changes of a figure first."""
    there = {p.spec: p for p in before.points}
    here = {p.spec: p for p in after.points}
    columns = before.columns | after.columns
    moves = [
        Move(here[spec], column, old, new)
        for key, column in columns.items()
        for spec in here.keys() & there.keys()
        if _differ(old := there[spec].figures.get(key), new := here[spec].figures.get(key))
    ]
    order = list(columns)
    moves.sort(key=lambda m: (order.index(m.column.key), -_size(m), m.point.spec))
    return Changes(
        against=before.folder,
        notes=tuple(_notes(after.manifest, before.manifest)),
        only_before=tuple(spec for spec in there if spec not in here),
        only_after=tuple(spec for spec in here if spec not in there),
        common=len(here.keys() & there.keys()),
        moves=tuple(moves),
    )


def with_changes(after: Content, before: Content) -> Content:
    """The first content, whose report also says what changed against the second."""
    return replace(after, changes=changes_between(after, before))


def _differ(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is not new
    return not math.isclose(old, new, rel_tol=SAME)


def _size(move: Move) -> float:
    return math.inf if move.change is None else abs(move.change)


def _notes(after: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """What differs between two manifests besides the points."""
    pairs = [(key, after.get(key), before.get(key)) for key in ("library", "workload")]
    new, old = after["versions"], before["versions"]
    pairs += [(name, new.get(name), old.get(name)) for name in sorted(new.keys() | old.keys())]
    return [f"{name}: {there} there, {here} here" for name, here, there in pairs if here != there]
