"""What changed between two sweeps: the points that only one has, and the figures that moved."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .columns import MINUS, Column, percent

if TYPE_CHECKING:
    from .content import Content, Point

SAME = 1e-9
"""Figures that differ by no more than this share are the same."""

_NONE = "\N{EN DASH}"


@dataclass(frozen=True)
class Move:
    """A figure of a point that is not what it was in the other sweep; None is no value."""

    point: Point
    column: Column
    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """The change as a share of what it was; None if that is zero or one has no value."""
        if self.before is None or self.after is None or not self.before:
            return None
        return self.after / self.before - 1

    @property
    def written(self) -> tuple[str, str, str]:
        """What it was, what it is, and the change, for readers."""
        values = (self.column.write(self.before), self.column.write(self.after))
        if self.before is None or self.after is None or self.change is None:
            return (*values, _NONE)
        unit = {"accuracy": (100, " points"), "sqnr": (1, " dB")}.get(self.column.key)
        if unit:
            difference = f"{unit[0] * (self.after - self.before):+.1f}{unit[1]}"
            return (*values, difference.replace("-", MINUS))
        return (*values, f"{'+' if self.change > 0 else ''}{percent(self.change)}")

    def row(self) -> dict[str, object]:
        """The figure of the point, what it was, what it is, and the change, for readers."""
        there, here, change = self.written
        return {
            "unit": self.point.label,
            "figure": self.column.title,
            "there": there,
            "here": here,
            "change": change,
        }


@dataclass(frozen=True)
class Changes:
    """A sweep beside another one. Points are the same if their specs are.

    ``notes`` name what else differs: library, workload, versions.
    """

    against: str
    notes: tuple[str, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    common: int
    moves: tuple[Move, ...]

    @property
    def summary(self) -> str:
        """All of it in a sentence."""
        moved = len({move.point.spec for move in self.moves})
        return (
            f"Against {self.against}: {self.common} points in both, of which {moved} changed "
            f"({len(self.moves)} figures); {len(self.only_after)} only here, "
            f"{len(self.only_before)} only there"
        )

    @property
    def lines(self) -> list[str]:
        """The summary, and a line for each kind of difference besides the `moves`."""
        kinds = (
            ("Also different", self.notes),
            ("Only here", self.only_after),
            ("Only there", self.only_before),
        )
        return [self.summary, *(f"{title}: {'; '.join(what)}" for title, what in kinds if what)]

    def table(self) -> list[dict[str, object]]:
        """A row for each of the `moves`."""
        return [move.row() for move in self.moves]

    def as_dict(self) -> dict[str, Any]:
        return {
            "against": self.against,
            "notes": list(self.notes),
            "only_here": list(self.only_after),
            "only_there": list(self.only_before),
            "moved": [
                {
                    "spec": move.point.spec,
                    "figure": move.column.key,
                    "there": move.before,
                    "here": move.after,
                    "change": move.change,
                }
                for move in self.moves
            ],
        }


def changes(after: Content, before: Content) -> Changes:
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
    return replace(after, changes=changes(after, before))


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
