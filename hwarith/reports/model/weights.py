"""What a report of types of weights is about: each on the processing elements that run it."""

from __future__ import annotations

import datetime
import re
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from ...explore.weights import FAMILIES, WEIGHT_FIGURES, Arrays, Digits, WeightResult
from ...explore.workloads import Workload
from ...flow.tools import versions
from ...tables import Table, Tabled
from ...units.operations import DOT_PRODUCT, Operation
from .columns import Column
from .rows import Record, Row, Rows

NETWORK_KEYS = ("output_error", "pe_output_error", "accuracy")
"""The columns that only weights of a known network have."""


_SUMMARY = (
    "bits",
    "nmse",
    "nmse_normal",
    "accuracy",
    "output_error",
    "pe_output_error",
    "area_per_throughput",
    "area",
    "delay",
    "throughput",
)


@dataclass(frozen=True)
class WeightRow:
    """A type of weights on a processing element.

    ``label`` is its name, which tells it from other rows of the same type.
    """

    result: WeightResult
    label: str
    operation: ClassVar[Operation] = DOT_PRODUCT

    @property
    def name(self) -> str:
        """The label, spelt so that it can be the fragment of an address."""
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", self.label.replace("+", "_plus"))

    @property
    def spec(self) -> str:
        """The text that makes the processing element, or why there is none."""
        return self.result.spec or f"no PE: {self.result.reason}"

    @property
    def family(self) -> str:
        """The kind of type, by which rows are shaped."""
        return self.result.family

    @property
    def format(self) -> str:
        """The size of a code, by which rows are coloured."""
        return f"{self.result.bits} bits"

    @property
    def figures(self) -> dict[str, float | None]:
        """Its numbers by the keys of `WEIGHT_FIGURES`, None where it has no value."""
        return self.result.figures


_DETAILS = ("normal NMSE", "Network output error", "Multiply-adds per clock")
"""The titles that few ask for."""


@dataclass(frozen=True)
class WeightRows(Rows, Tabled):
    """Results of `hwarith.explore.weights.measure_weights`, and what was asked for.

    Attributes
    ----------
    found : the results, a row each.
    weights : the weights that were quantized.
    group : how many weights share a scale.
    types : the types of weights as the user named them; empty: all that there are.
    folder : the name of the folder that the report is written to, without its path.
    made : when that was, for readers.
    versions : of hwarith and its tools, by name.
    """

    found: list[WeightRow]
    weights: Digits | Arrays
    group: int
    types: tuple[str, ...]
    folder: str
    made: str
    versions: dict[str, str]

    operations: ClassVar = [DOT_PRODUCT]

    @property
    def rows(self) -> list[WeightRow]:
        return self.found

    @cached_property
    def columns(self) -> dict[str, Column]:
        """All columns; those of a network only if the weights are its."""
        keys = [k for k in WEIGHT_FIGURES if self.has_network or k not in NETWORK_KEYS]
        return {key: Column(*WEIGHT_FIGURES[key]) for key in keys}

    @property
    def has_network(self) -> bool:
        """Whether the weights are those of a network that can be run with them."""
        return isinstance(self.weights, Digits)

    @property
    def x_axes(self) -> tuple[str, ...]:
        return ("area_per_throughput", "bits", "area_time", "area", "delay")

    @property
    def y_axes(self) -> tuple[str, ...]:
        return tuple(k for k in ("nmse", "nmse_normal", *NETWORK_KEYS) if k in self.columns)

    @property
    def main_axes(self) -> tuple[str, str]:
        """Area against error; bits against error if no type has a processing element."""
        if not any(row.result.pe for row in self.found):
            return "bits", "nmse"
        return "area_per_throughput", "pe_output_error" if self.has_network else "nmse"

    @property
    def panels(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return self.main_axes, ("bits", "nmse")

    @property
    def summary_keys(self) -> tuple[str, ...]:
        return tuple(k for k in _SUMMARY if k in self.columns)

    @property
    def families(self) -> list[str]:
        there = {row.family for row in self.found}
        return [name for name in FAMILIES if name in there]

    @property
    def formats(self) -> list[str]:
        bits = sorted({row.result.bits for row in self.found}, reverse=True)
        return [f"{b} bits" for b in bits]

    @property
    def workload(self) -> Workload | None:
        return self.weights.workload if isinstance(self.weights, Digits) else None

    def value(self, key: str, row: Row) -> float | None:
        return row.figures.get(key)

    def noun(self, operation: Operation) -> str:
        """What is compared here is the type, whatever the operation."""
        return "weight type"

    def records(self) -> list[Record]:
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
                "baseline": self.workload and self.workload.baseline,
                "baseline_accuracy": self.workload and self.workload.baseline_accuracy,
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

    def tables(self) -> list[Table]:
        """The results."""
        return [Table(self.table(), details=_DETAILS)]

    def table(self) -> list[dict[str, object]]:
        """A row for each result: its figures to four digits, by short titles with units."""
        return [self._table_row(row) for row in self.found]

    def _table_row(self, row: WeightRow) -> dict[str, object]:
        figures: dict[str, object] = {"type": row.result.type}
        for key in self.summary_keys:
            if key == "area":
                figures["PE"] = row.result.pe
            column = self.columns[key]
            value = self.value(key, row)
            unit = f" ({column.shown_unit})" if column.shown_unit else ""
            figures[column.short + unit] = None if value is None else float(f"{value:.4g}")
        return figures

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
    types: Iterable[object] = (),
    folder: str = "",
) -> WeightRows:
    """The rows of a report on the `results` of `measure_weights`.

    `weights`, `group` and `types` are what these were measured with (`types` as the user named
    them), `folder` is the name of the folder that a report goes to.
    """
    several = Counter(result.type for result in results)
    rows = [WeightRow(r, f"{r.type}, {r.pe}" if several[r.type] > 1 else r.type) for r in results]
    made = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return WeightRows(rows, weights, group, tuple(map(str, types)), folder, made, versions())
