"""What a report of types of weights is about: each on the processing elements that run it."""

from __future__ import annotations

import datetime
import re
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ...explore.weights import FAMILIES, WEIGHT_FIGURES, Digits, WeightResult
from .. import write_rows
from .columns import Column
from .rows import Heading, Rows

if TYPE_CHECKING:
    from ...explore.weights import Arrays

OPERATION = "dot product"
NETWORK_KEYS = ("output_error", "pe_output_error", "accuracy")


@dataclass(frozen=True)
class WeightRow:
    """A result and its name, which tells it from others of the same type."""

    result: WeightResult
    label: str
    operation: ClassVar = OPERATION

    @property
    def name(self) -> str:
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", self.label)

    @property
    def spec(self) -> str:
        return self.result.spec or f"no PE: {self.result.reason}"

    @property
    def family(self) -> str:
        return self.result.family

    @property
    def format(self) -> str:
        return f"{self.result.bits} bits"

    @property
    def figures(self) -> dict[str, float | None]:
        return self.result.figures


@dataclass(frozen=True)
class WeightRows(Rows):
    """Results of `measure_weights`, of which weights they are, and what was asked for.

    ``types`` as the user named them, none for all; ``folder`` is the name of the report's.
    """

    found: list[WeightRow]
    weights: Digits | Arrays
    group: int
    types: tuple[str, ...]
    folder: str
    made: str
    versions: dict[str, str]

    brief: ClassVar = (
        "bits", "nmse", "nmse_normal", "accuracy", "output_error", "pe_output_error",
        "area_per_throughput", "area",
    )  # fmt: skip
    nouns: ClassVar = {OPERATION: "weight type"}
    operations: ClassVar = [OPERATION]
    headings: ClassVar = (Heading("Weight type"), Heading("PE"))

    @property
    def rows(self) -> list[WeightRow]:
        return self.found

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Those of a network only if the weights are its."""
        keys = [k for k in WEIGHT_FIGURES if self.has_network or k not in NETWORK_KEYS]
        return {key: Column(*WEIGHT_FIGURES[key]) for key in keys}

    @property
    def has_network(self) -> bool:
        return isinstance(self.weights, Digits)

    @property
    def x_axes(self) -> tuple[str, ...]:
        return ("area_per_throughput", "bits", "area_time", "area", "delay")

    @property
    def y_axes(self) -> tuple[str, ...]:
        return tuple(k for k in ("nmse", "nmse_normal", *NETWORK_KEYS) if k in self.columns)

    @property
    def main(self) -> tuple[str, str]:
        """Bits against error if no type has a processing element."""
        if not any(row.result.pe for row in self.found):
            return "bits", "nmse"
        return "area_per_throughput", "pe_output_error" if self.has_network else "nmse"

    @property
    def panels(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return self.main, ("bits", "nmse")

    @property
    def hover(self) -> tuple[str, ...]:
        return tuple(k for k in (*self.brief, "delay", "throughput") if k in self.columns)

    @property
    def families(self) -> list[str]:
        there = {row.family for row in self.found}
        return [name for name in FAMILIES if name in there]

    @property
    def formats(self) -> list[str]:
        bits = sorted({row.result.bits for row in self.found}, reverse=True)
        return [f"{b} bits" for b in bits]

    @property
    def float64_accuracy(self) -> float | None:
        return self.weights.workload.float64_accuracy if isinstance(self.weights, Digits) else None

    def value(self, key: str, row: WeightRow) -> float | None:
        return row.figures.get(key)

    def beside(self, row: WeightRow) -> str:
        return row.result.pe or "none"

    def texts(self) -> dict[str, str]:
        from ..view.page.weights import texts

        return texts(self)

    def records(self) -> list[dict[str, Any]]:
        names = ("type", "family", "group", "pe", "spec", "reason")
        return [
            {name: getattr(row.result, name) for name in names}
            | {key: self.value(key, row) for key in self.columns}
            for row in self.found
        ]

    def as_dict(self) -> dict[str, Any]:
        return {
            "made": self.made,
            "versions": self.versions,
            "library": "generic",
            "weights": {
                "name": self.weights.name,
                "sha256": self.weights.digest,
                "number": sum(w.size for w in self.weights.arrays),
                "group": self.group,
                "float64_accuracy": self.float64_accuracy,
            },
            "figures": self.definitions,
            "rows": self.records(),
        }

    @property
    def reasons(self) -> dict[str, list[str]]:
        """Why types have no processing element here, and which."""
        found: dict[str, list[str]] = {}
        for row in self.found:
            if row.result.reason:
                found.setdefault(row.result.reason, []).append(row.label)
        return found

    @property
    def command(self) -> str:
        """What to type to make the report again."""
        words = ["hwarith", "weights", *self.types]
        if not isinstance(self.weights, Digits):
            words += ["--weights", self.weights.name]
        return shlex.join([*words, "--group", str(self.group), "-o", self.folder])


def weight_rows(
    results: list[WeightResult],
    weights: Digits | Arrays,
    group: int,
    types: Iterable[Any] = (),
    folder: str = "",
) -> WeightRows:
    """What `measure_weights` gave, for tables and reports."""
    from ...flow.tools import versions

    several = Counter(result.type for result in results)
    rows = [WeightRow(r, f"{r.type}, {r.pe}" if several[r.type] > 1 else r.type) for r in results]
    made = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return WeightRows(rows, weights, group, tuple(map(str, types)), folder, made, versions())


def write_weights_report(rows: WeightRows, folder: str | Path) -> Path:
    """Write ``report.html``, ``report.png``, ``results.csv`` and ``results.json`` to a folder;
    returns the path of the page. Raises `InvalidInput` for a folder that cannot be written."""
    return write_rows(replace(rows, folder=Path(folder).resolve().name), Path(folder))
