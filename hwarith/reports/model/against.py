"""What changed between two sweeps: the points that only one has, and the figures that moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .columns import MINUS, Column, percent
from .rows import Row

_NONE = "\N{EN DASH}"


@dataclass(frozen=True)
class Move:
    """A figure of a point that is not what it was in the other sweep; None is no value."""

    point: Row
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
    """What is different in a sweep from another one. Points are the same if their specs are.

    Attributes
    ----------
    against : name of the other sweep's folder.
    notes : what else differs, a sentence each: library, workload, versions.
    only_before, only_after : specs of the points that only the other sweep has, or only this one.
    common : the number of points that both have.
    moves : the figures of those that differ.
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
        """All of it as plain data, for JSON: this sweep is ``here``, the other one ``there``."""
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
