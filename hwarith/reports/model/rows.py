"""What any report is about: rows with figures, of which pages, pictures and tables are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from ...explore.workloads import Workload
from ...units.operations import Operation
from .axes import Axis, axis
from .columns import HIGHER_IS_BETTER, Column
from .front import pareto_front
from .noise import share_deviation

Record = dict[str, str | float | None]
"""A row as a table in a file has it, by column."""


class Row(Protocol):
    """What stands in a line of the table and at a point of the pictures.

    Attributes
    ----------
    name : addresses the row's page as a fragment; no other row has it.
    label : what readers see of it.
    spec : says more, such as the text that makes the unit again.
    operation : a front compares only rows of one operation.
    family, format : give its shape and its colour in the pictures.
    figures : its numbers by their column's key, None where it has no value.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def spec(self) -> str: ...
    @property
    def operation(self) -> Operation: ...
    @property
    def family(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def figures(self) -> dict[str, float | None]: ...


class Rows(ABC):
    """Rows, their columns, and which of these are compared. Columns are named by their keys."""

    @property
    def title(self) -> str | None:
        """What the user calls the report; None if he does not."""
        return None

    @property
    @abstractmethod
    def rows(self) -> Sequence[Row]:
        """The rows, in the order of the table."""

    @property
    @abstractmethod
    def columns(self) -> dict[str, Column]:
        """The columns by key, in the order of the table."""

    @property
    @abstractmethod
    def summary_keys(self) -> tuple[str, ...]:
        """The columns that sum a row up where there is no room for all of them."""

    @property
    @abstractmethod
    def x_axes(self) -> tuple[str, ...]:
        """The columns that can be the horizontal axis of a picture: costs."""

    @property
    @abstractmethod
    def y_axes(self) -> tuple[str, ...]:
        """The columns that can be the vertical axis of a picture: errors and accuracies."""

    @property
    @abstractmethod
    def main_axes(self) -> tuple[str, str]:
        """The cost and the error that the report is about before its reader chooses others."""

    @property
    @abstractmethod
    def panels(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The axes, x and y, of the two panels of the picture for papers."""

    @property
    @abstractmethod
    def operations(self) -> list[Operation]:
        """The operations of the rows, in the order of their fronts."""

    @property
    @abstractmethod
    def families(self) -> list[str]:
        """The families, in the order of their shapes."""

    @property
    @abstractmethod
    def formats(self) -> list[str]:
        """The formats, in the order of their colours."""

    @property
    @abstractmethod
    def workload(self) -> Workload | None:
        """What ran on every row's unit, the accuracy of whose baseline is drawn as a line; None
        if nothing did."""

    @abstractmethod
    def records(self) -> list[Record]:
        """A flat record for each row, for CSV."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""

    @property
    def definitions(self) -> dict[str, dict[str, str]]:
        """What each column means, as plain data."""
        return {
            c.key: {"title": c.title, "unit": c.unit, "definition": c.definition}
            for c in self.columns.values()
        }

    @property
    def compared(self) -> list[Operation]:
        """The operations of several rows, whose fronts are lines."""
        number = Counter(row.operation for row in self.rows)
        return [operation for operation in self.operations if number[operation] > 1]

    def reason(self, key: str, row: Row) -> str | None:
        """Why a row has no figure of a column; None if it has one, or if that is not known."""
        return None

    def noun(self, operation: Operation) -> str:
        """What readers call a row of an operation, such as ``multiplier``."""
        return operation.noun or operation.name

    def value(self, key: str, row: Row) -> float | None:
        """A row's figure as it is compared and drawn."""
        return row.figures[key]

    def write(self, key: str, row: Row) -> str:
        """A row's figure for readers."""
        return self.columns[key].write(self.value(key, row))

    def values(self, key: str) -> list[float | None]:
        """A column's values as they are compared."""
        return [self.value(key, row) for row in self.rows]

    def axis(self, key: str) -> Axis:
        """The axis on which a column is drawn, with a position for each row."""
        return self._axis_of(key, [True] * len(self.rows))

    def deviation(self, key: str, row: Row) -> float | None:
        """The standard deviation of a row's figure where it is an estimate from samples, as an
        accuracy is; None for what is exact or not known."""
        share = self.value(key, row)
        if key != "accuracy" or self.workload is None or share is None:
            return None
        return share_deviation(share, self.workload.count)

    def deviations(self, key: str) -> list[float | None]:
        """The deviations of a column's values."""
        return [self.deviation(key, row) for row in self.rows]

    def drawn(self, x: str, y: str) -> tuple[Axis, Axis]:
        """The axes of a picture of two columns, which go no farther than the rows that have both
        figures."""
        there = [None not in pair for pair in zip(self.values(x), self.values(y), strict=True)]
        if all(there) or not any(there):
            return self.axis(x), self.axis(y)
        return self._axis_of(x, there), self._axis_of(y, there)

    def _axis_of(self, key: str, there: list[bool]) -> Axis:
        """The axis of the values of some of the rows."""
        values = [v if use else None for v, use in zip(self.values(key), there, strict=True)]
        lines = [self.workload.baseline_accuracy] if self.workload and key == "accuracy" else []
        deviations = self.deviations(key)
        ends = [
            v + sign * d
            for v, d in zip(values, deviations, strict=True)
            if v and d
            for sign in (-1, 1)
        ]
        return axis(self.columns[key], values, [*lines, *ends], deviations)

    def front(self, x: str, y: str, operation: Operation) -> list[int]:
        """Indices of the rows of one operation that no other such row beats in both columns, by
        more than the noise of the second one."""
        of_operation = [row.operation == operation for row in self.rows]
        costs, errors = (
            [v if use else None for v, use in zip(self.values(key), of_operation, strict=True)]
            for key in (x, y)
        )
        return pareto_front(costs, errors, y in HIGHER_IS_BETTER, self.deviations(y))
