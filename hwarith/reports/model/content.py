"""What a sweep's report is about: its points, with all that its pages and pictures share."""

from __future__ import annotations

import datetime
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

from ...exceptions import InvalidInput, quoted, shown
from ...explore.lanes import per_clock
from ...explore.metrics import COUNTS
from ...explore.sweeps.store import read_sweep_folder
from ...explore.workloads import Workload, workload
from ...units import unit as make_unit
from ...units.operations import Operation
from .against import Changes
from .axes import value_on_axis
from .columns import PER_LANE, X_AXES, Y_AXES, Column, columns
from .point import Point
from .rows import Record, Row, Rows

_ERRORS = ("output_error", "mred", "error_rate", "delay")
"""What a sweep is about before its reader chooses otherwise (`Content._first_of`)."""

_SECOND = ("accuracy", "delay", "depth")
"""The same of the picture's other panel."""


@dataclass(frozen=True)
class Content(Rows):
    """A sweep, as far as it is finished.

    Attributes
    ----------
    folder : the name of the sweep's folder, without its path.
    manifest : what ``sweep.json`` says of the sweep (`hwarith.explore.sweeps.store`).
    points : the finished points, by ascending area.
    missing : the specs of the others.
    made : when the report was made, for readers.
    changes : what changed against another sweep, if it is compared with one.
    name : what the user calls the report, its `title`.
    """

    summary_keys: ClassVar = (
        "bits",
        "area",
        "lane_area",
        "delay",
        "energy",
        "lane_energy",
        "cmos_cells",
        "output_error",
        "accuracy",
        "mred",
        "max_ulp",
        "sqnr",
    )

    folder: str
    manifest: dict[str, Any]
    points: list[Point]
    missing: list[str]
    made: str
    changes: Changes | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None and not (self.name.isprintable() and len(self.name.strip()) > 0):
            raise InvalidInput(
                f"the title of a report must be a line of text, not {quoted(self.name)}"
            )

    @property
    def title(self) -> str | None:
        return self.name

    @property
    def rows(self) -> list[Point]:
        return self.points

    @property
    def main_axes(self) -> tuple[str, str]:
        """Area against error, the network's if it is known of many units; where units do more or
        less than one piece of their operation in a clock, area for each of them."""
        return "lane_area" if self.has_lanes else "area", self._first_of(_ERRORS)

    @property
    def panels(self) -> tuple[tuple[str, str], tuple[str, str]]:
        x, y = self.main_axes
        return (x, y), (x, self._first_of([key for key in _SECOND if key != y]))

    def _first_of(self, keys: Sequence[str]) -> str:
        """The first of these figures that at least half as many points have as any other of them;
        the last one only if no point has another."""
        known = {k: sum(p.figures.get(k) is not None for p in self.points) for k in keys[:-1]}
        most = max(known.values())
        return next((k for k in known if 2 * known[k] >= most > 0), keys[-1])

    @cached_property
    def has_lanes(self) -> bool:
        """Whether a unit does more or less than one piece of its operation in a clock."""
        return any(per_clock(p.unit) != 1 for p in self.points)

    @cached_property
    def has_notes(self) -> bool:
        """Whether something was not measured of a point."""
        return any(p.notes for p in self.points)

    @property
    def x_axes(self) -> tuple[str, ...]:
        return tuple(key for key in X_AXES if key in self.columns)

    @property
    def y_axes(self) -> tuple[str, ...]:
        return tuple(key for key in Y_AXES if key in self.columns)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns of which any point has a value, and those of the pictures."""
        there = {key for p in self.points for key, v in p.figures.items() if v is not None}
        there |= {key for panel in self.panels for key in panel}
        if not self.has_lanes:
            there -= {*PER_LANE}
        return {k: c for k, c in columns([p.result for p in self.points]).items() if k in there}

    @property
    def workload(self) -> Workload:
        return workload(self.manifest["workload"])

    @property
    def operations(self) -> list[Operation]:
        """The operations of the points, products first."""
        return sorted(dict.fromkeys(p.operation for p in self.points), key=attrgetter("rank"))

    @property
    def formats(self) -> list[str]:
        """The formats that points are coloured by, the widest first."""
        widths = {p.format: p.first_operand.bits for p in self.points}
        return sorted(widths, key=lambda name: (-widths[name], name))

    @property
    def families(self) -> list[str]:
        return list(dict.fromkeys(p.family for p in sorted(self.points, key=_family_rank)))

    def value(self, key: str, row: Row) -> float | None:
        """A figure as it is compared: infinite for the SQNR of no error."""
        return value_on_axis(key, row.figures.get(key), row.figures.get("error_rate"))

    def deviation(self, key: str, row: Row) -> float | None:
        """Of an accuracy, and of an error on random operands."""
        assert isinstance(row, Point)
        found = row.result.details.get("deviations", {}).get(key)
        return super().deviation(key, row) if found is None else found

    def reason(self, key: str, row: Row) -> str | None:
        assert isinstance(row, Point)
        return row.reason(key)

    def records(self) -> list[Record]:
        return [
            self._identity(p) | self._figures(p) | {k: p.result.counts[k] for k in COUNTS}
            for p in self.points
        ]

    def as_dict(self) -> dict[str, Any]:
        return {
            **({"title": self.title} if self.title else {}),
            "made": self.made,
            "versions": self.manifest["versions"],
            "library": self.manifest["library"],
            "workload": {
                "name": self.workload.name,
                "summary": self.workload.summary,
                "sha256": self.workload.digest,
                "baseline": self.workload.baseline,
                "baseline_accuracy": self.workload.baseline_accuracy,
            },
            "figures": self.definitions,
            "counts": COUNTS,
            "points": [
                self._identity(p)
                | self._figures(p)
                | {key: p.result.brief()[key] for key in ("counts", "details")}
                for p in self.points
            ],
            "unfinished": self.missing,
        } | ({"changes": self.changes.as_dict()} if self.changes else {})

    def _identity(self, p: Point) -> Record:
        found: Record = {"spec": p.spec, "name": p.result.name, "operation": p.operation.name}
        return found | ({"notes": p.notes} if self.has_notes else {})

    def _figures(self, p: Point) -> Record:
        return {key: p.figures.get(key) for key in self.columns}

    def all_fp32(self, operation: Operation) -> list[Point]:
        """The exact units of this operation with every format fp32."""
        exact = (p for p in self.points if not p.is_approximate)
        of_operation = (p for p in exact if p.operation == operation)
        return [p for p in of_operation if set(p.formats) == {"fp32"}]

    @property
    def commands(self) -> list[str]:
        """What to type to make the report again."""
        source, folder = self.manifest["source"], shlex.quote(self.folder)
        if source is None:
            sweep = f"hwarith.explore.run_sweep([...], {self.folder!r})  # in Python"
        elif source == "default.toml":
            sweep = f"hwarith sweep -o {folder}"
        else:
            sweep = f"hwarith sweep {shlex.quote(source)} -o {folder}"
        if source is not None and (budget := self.manifest.get("budget")):
            sweep += f" --budget {budget}"
        title = f" --title {shlex.quote(self.title)}" if self.title else ""
        return [sweep, f"hwarith report {folder}{title}"]


def _family_rank(point: Point) -> tuple[int, bool, str]:
    return point.operation.rank, point.is_approximate, point.family


def read_content(folder: Path) -> Content:
    """The content of a sweep's folder. Raises `InvalidInput` if it holds no finished point."""
    manifest, results, missing = read_sweep_folder(folder)
    if not results:
        raise InvalidInput(f"folder {shown(folder)} holds no finished point; run its sweep first")
    points = [Point(result, make_unit(result.spec)) for result in results]
    points.sort(key=lambda p: p.figures["area"] or math.inf)
    made = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return Content(folder.resolve().name, manifest, points, missing, made)
