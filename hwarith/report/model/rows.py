"""What any report is about: rows with figures, of which pages, pictures and tables are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from .axes import Axis, axis
from .columns import HIGHER_IS_BETTER, Column
from .front import pareto_front


class Row(Protocol):
    """A row of the table and point of the pictures.

    ``label`` names it, ``spec`` says more, ``name`` is the fragment that addresses its page.
    ``operation``: only rows of one operation are compared
    by a front. ``family`` and ``format`` give its shape and colour. ``figures`` by column.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def spec(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def figures(self) -> dict[str, float | None]: ...


@dataclass(frozen=True)
class Heading:
    """A column of the table that holds text; ``more``: it is not shown at first."""

    title: str
    more: bool = False


class Rows(ABC):
    """Rows, their columns, and what is drawn of them.

    Attributes
    ----------
    x_axes, y_axes : columns that the page's picture can show.
    main : the two of these that it shows at first; their front is coloured in the table.
    panels : pairs of columns that the picture for papers shows.
    brief, hover : columns of the table at first, and of what is shown of a point.
    nouns : what does an operation, to name its front.
    headings : of the label, and of the text of `beside`.
    """

    brief: ClassVar[tuple[str, ...]]
    nouns: ClassVar[dict[str, str]]
    headings: ClassVar[tuple[Heading, Heading]]

    @property
    @abstractmethod
    def x_axes(self) -> tuple[str, ...]: ...

    @property
    @abstractmethod
    def y_axes(self) -> tuple[str, ...]: ...

    @property
    @abstractmethod
    def main(self) -> tuple[str, str]: ...

    @property
    @abstractmethod
    def panels(self) -> tuple[tuple[str, str], tuple[str, str]]: ...

    @property
    @abstractmethod
    def hover(self) -> tuple[str, ...]: ...

    @property
    @abstractmethod
    def rows(self) -> Sequence[Row]: ...

    @property
    @abstractmethod
    def columns(self) -> dict[str, Column]: ...

    @property
    @abstractmethod
    def operations(self) -> list[str]:
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
    def float64_accuracy(self) -> float | None:
        """The network's accuracy in float64, drawn as a line; None without a network."""

    @abstractmethod
    def beside(self, row: Any) -> str:
        """The text of the second column."""

    def facts(self, row: Any) -> dict[str, str]:
        """What a row's page says of it, by title."""
        return {}

    def details(self, row: Any) -> dict[str, Any]:
        """What else is known for a row's page: the keys of `Result.details`, or some of them."""
        return {}

    @abstractmethod
    def texts(self) -> dict[str, str]:
        """What the page's template says of these rows, as HTML."""

    @abstractmethod
    def records(self) -> list[dict[str, Any]]:
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

    def value(self, key: str, row: Any) -> float | None:
        """A row's figure as it is compared and drawn."""
        return row.figures[key]

    def write(self, key: str, row: Any) -> str:
        """A row's figure for readers."""
        return self.columns[key].write(self.value(key, row))

    def values(self, key: str) -> list[float | None]:
        """A column's values as they are compared."""
        return [self.value(key, row) for row in self.rows]

    def axis(self, key: str) -> Axis:
        line = self.float64_accuracy if key == "accuracy" else None
        return axis(self.columns[key], self.values(key), () if line is None else (line,))

    def front(self, x: str, y: str, operation: str) -> list[int]:
        """Indices of the rows of one operation that no other such row beats in both."""
        of_operation = [row.operation == operation for row in self.rows]
        costs, errors = (
            [v if use else None for v, use in zip(self.values(key), of_operation, strict=True)]
            for key in (x, y)
        )
        return pareto_front(costs, errors, y in HIGHER_IS_BETTER)
