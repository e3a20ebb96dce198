"""What a page shows beside the figures of its rows; each kind of rows has its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WordColumn:
    """A column of the table that holds words, one for each row, in the order of the rows.

    A `hidden` column is shown when the reader asks for all figures.
    """

    title: str
    words: list[str]
    hidden: bool = False


@dataclass(frozen=True)
class PageParts:
    """The parts of a page that are different for each kind of rows.

    Attributes
    ----------
    texts : what the fields of ``page.html`` say that `to_html` does not fill itself, as HTML.
    labels : the table's first column, of the rows' labels.
    words : the column behind it.
    notes : the table's last column; None if there is nothing to be noted.
    table_keys : the figures that the table shows before the reader asks for all.
    facts : for each row, in their order, what its own page says of it, by title.
    details : for each row what its own page draws: keys of `hwarith.explore.point.Result.details`.
    """

    texts: dict[str, str]
    labels: WordColumn
    words: WordColumn
    table_keys: tuple[str, ...]
    facts: list[dict[str, str]]
    details: list[dict[str, Any]]
    notes: WordColumn | None = None
