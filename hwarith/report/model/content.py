"""What a sweep's report is about: its points, with all that its pages and pictures share."""

from __future__ import annotations

import datetime
import math
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import InvalidInput
from ...explore.metrics import COUNTS
from ...explore.point import Result
from ...explore.store import read_sweep_folder
from ...explore.workloads import Workload, workload
from ...units import Unit
from ...units import unit as make_unit
from .axes import value_on_axis
from .columns import X_AXES, Y_AXES, Column, columns, grouped, unit_label
from .rows import Heading, Rows

if TYPE_CHECKING:
    from .against import Changes


@dataclass(frozen=True)
class Point:
    """A finished design point with its unit."""

    result: Result
    unit: Unit

    @cached_property
    def label(self) -> str:
        return unit_label(self.unit)

    @cached_property
    def figures(self) -> dict[str, float | None]:
        return self.result.figures()

    @property
    def name(self) -> str:
        return self.result.name

    @property
    def spec(self) -> str:
        return self.result.spec

    @property
    def operation(self) -> str:
        return self.result.operation

    @property
    def family(self) -> str:
        return self.unit.family

    @property
    def format(self) -> str:
        """The first operand's format, by which points are coloured."""
        return next(iter(self.unit.operands.values())).name

    @property
    def is_approximate(self) -> bool:
        return self.unit.contract.kind == "approximate"

    @property
    def signature(self) -> tuple[str, ...]:
        """What two units must have in common to be compared: operation and formats."""
        formats = (*self.unit.operands.values(), *self.unit.results.values())
        return (self.result.operation, *(f.name for f in formats))


@dataclass(frozen=True)
class Content(Rows):
    """A sweep's manifest, its finished points by ascending area, the unfinished specs, and what
    changed against another sweep, if there is one."""

    main: ClassVar = ("area", "output_error")
    panels: ClassVar = (main, ("area", "accuracy"))
    brief: ClassVar = (
        "area", "delay", "energy", "cmos_cells", "output_error", "accuracy", "mred", "max_ulp",
        "sqnr",
    )  # fmt: skip
    hover: ClassVar = (
        "area", "delay", "energy", "cmos_cells", "output_error", "accuracy", "mred", "max_ulp",
        "sqnr",
    )  # fmt: skip
    nouns: ClassVar = {"product": "multiplier", "sum": "adder", "multiply-add": "multiply-add"}
    headings: ClassVar = (Heading("Unit"), Heading("Operation", more=True))

    folder: str
    manifest: dict[str, Any]
    points: list[Point]
    missing: list[str]
    made: str
    changes: Changes | None = None

    @property
    def rows(self) -> list[Point]:
        return self.points

    @property
    def x_axes(self) -> tuple[str, ...]:
        return tuple(key for key in X_AXES if key in self.columns)

    @property
    def y_axes(self) -> tuple[str, ...]:
        return tuple(key for key in Y_AXES if key in self.columns)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Those of which any point has a value."""
        there = {key for p in self.points for key, v in p.figures.items() if v is not None}
        there |= {*self.main, "accuracy"}
        return {k: c for k, c in columns([p.result for p in self.points]).items() if k in there}

    @property
    def workload(self) -> Workload:
        return workload(self.manifest["workload"])

    @property
    def float64_accuracy(self) -> float:
        return self.workload.float64_accuracy

    @property
    def operations(self) -> list[str]:
        """The operations of the points, products first."""
        return sorted({p.result.operation for p in self.points}, key=_operation_rank)

    @property
    def formats(self) -> list[str]:
        """The formats that points are coloured by, the widest first."""
        widths = {p.format: next(iter(p.unit.operands.values())).bits for p in self.points}
        return sorted(widths, key=lambda name: (-widths[name], name))

    @property
    def families(self) -> list[str]:
        return list(dict.fromkeys(p.unit.family for p in sorted(self.points, key=_family_rank)))

    def value(self, key: str, row: Point) -> float | None:
        """A figure as it is compared: infinite for the SQNR of no error."""
        return value_on_axis(key, row.figures.get(key), row.figures.get("error_rate"))

    def beside(self, row: Point) -> str:
        return row.operation

    def facts(self, row: Point) -> dict[str, str]:
        contract = row.unit.contract
        ports = (row.unit.inputs | row.unit.results).items()
        return {
            "What": row.unit.summary,
            "Contract": f"{contract.kind}; {contract.bound} ({contract.source})",
            "Latency": str(row.unit.latency),
            "Ports": ", ".join(f"{name} {f.name} ({f.bits} bits)" for name, f in ports),
            "Operand sets": ", ".join(
                f"{grouped(n)} {key.replace('_', ' ')}"
                for key, n in row.result.counts.items()
                if n or key == "counted"
            ),
            **({"No energy": reason} if (reason := row.result.details.get("no_energy")) else {}),
        }

    def details(self, row: Point) -> dict[str, Any]:
        return row.result.details

    def texts(self) -> dict[str, str]:
        from ..view.page.sweep import texts

        return texts(self)

    def records(self) -> list[dict[str, Any]]:
        return [
            self._identity(p) | self._figures(p) | {k: p.result.counts[k] for k in COUNTS}
            for p in self.points
        ]

    def as_dict(self) -> dict[str, Any]:
        return {
            "made": self.made,
            "versions": self.manifest["versions"],
            "library": self.manifest["library"],
            "workload": {
                "name": self.workload.name,
                "summary": self.workload.summary,
                "sha256": self.workload.digest,
                "float64_accuracy": self.float64_accuracy,
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

    def _identity(self, p: Point) -> dict[str, Any]:
        return {"spec": p.spec, "name": p.result.name, "operation": p.operation}

    def _figures(self, p: Point) -> dict[str, Any]:
        return {key: p.figures.get(key) for key in self.columns}

    def all_fp32(self, operation: str) -> Point | None:
        """The exact unit of this operation with every format fp32, if there is one."""
        exact = (p for p in self.points if not p.is_approximate)
        of_operation = (p for p in exact if p.result.operation == operation)
        return next((p for p in of_operation if set(p.signature[1:]) == {"fp32"}), None)

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
        return [sweep, f"hwarith report {folder}"]


def _operation_rank(operation: str) -> int:
    return ("product", "multiply-add", "sum").index(operation)


def _family_rank(point: Point) -> tuple[int, bool, str]:
    return _operation_rank(point.result.operation), point.is_approximate, point.unit.family


def read_content(folder: Path) -> Content:
    """The content of a sweep's folder. Raises `InvalidInput` if it holds no finished point."""
    manifest, results, missing = read_sweep_folder(folder)
    if not results:
        raise InvalidInput(f"folder {folder} holds no finished point; run its sweep first")
    points = [Point(result, make_unit(result.spec)) for result in results]
    points.sort(key=lambda p: p.figures["area"] or math.inf)
    made = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return Content(folder.resolve().name, manifest, points, missing, made)
