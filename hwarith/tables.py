"""Rows of results as a table: of text that fits a line, of HTML for notebooks, of pandas.

A row is a dictionary from titles to values; rows may lack titles of others. A title that ends in a
unit of the SI, such as ``energy (J)``, has values in that unit: they are shown with the prefix that
suits the column.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .extras import require

if TYPE_CHECKING:
    import pandas

Row = Mapping[str, object]
Item = TypeVar("Item")

DIGITS = 4
"""Significant digits of a number that is not whole."""

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M"}
_PREFIXES |= {9: "G", 12: "T", 15: "P"}
_TITLE = re.compile(r"(?P<what>.*) \((?P<unit>J|s|B|W|Hz)\)")
_UNIT = re.compile(r"(?P<count>\d*)(?P<prefix>[afpnuµmkMGTP]?)(?P<unit>J|s|B|W|Hz)")

_GAP = "  "
_NARROWEST = 20
"""Characters that a column of text is given at least, if it has so many."""


@dataclass(frozen=True)
class Table:
    """Rows, and how they are shown.

    Attributes
    ----------
    rows : the rows, in order.
    title : what stands above them, if anything.
    details : titles of columns that are shown only with all columns.
    exact : titles under which stand values of formats, of which no digit is left out.
    """

    rows: Sequence[Row]
    title: str = ""
    details: Collection[str] = ()
    exact: Collection[str] = ()

    @property
    def titles(self) -> list[str]:
        """Titles of columns, in the order in which rows have them."""
        return list(dict.fromkeys(key for row in self.rows for key in row))

    def without_empty(self, empty: tuple[object, ...] = (None,)) -> Table:
        """The same table without columns whose values are all ``empty``."""
        kept = [t for t in self.titles if any(row.get(t) not in empty for row in self.rows)]
        rows = [{title: row.get(title) for title in kept} for row in self.rows]
        return Table(rows, self.title, self.details, self.exact)

    def text(self, width: int | None = 80, all_columns: bool = False) -> str:
        """The table as lines of at most `width` characters, or as long as they need (None).

        Long texts are broken. Where that is not enough the last columns are left out, and named in
        a line below, as `details` are; with `all_columns` they follow in tables of their own.
        """
        columns, later = self._columns(), []
        if not all_columns:
            later = [c.title for c in columns if c.title in self.details]
            columns = [c for c in columns if c.title not in self.details] or columns
        blocks = []
        while columns:
            fitting, columns = _fitting(columns, width)
            blocks.append(_lines(fitting, len(self.rows)))
            if not all_columns:
                later = [c.title for c in columns] + later
                break
            columns = [fitting[0], *columns] if columns else []
        lines = _wrapped(self.title, width) if self.title else []
        lines += [line for i, block in enumerate(blocks) for line in (*[""] * (i > 0), *block)]
        if later:
            lines += _wrapped(f"With -v: {', '.join(later)}", width)
        return "\n".join(lines)

    def to_html(self) -> str:
        """The table without `details`, as an element of HTML that a notebook shows."""
        columns = [c for c in self._columns() if c.title not in self.details]
        head = "".join(f"<th>{html.escape(c.title)}</th>" for c in columns)
        body = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align:{"right" if c.right else "left"}">'
                f"{html.escape(c.cells[i])}</td>"
                for c in columns
            )
            + "</tr>"
            for i in range(len(self.rows))
        )
        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_pandas(self) -> pandas.DataFrame:
        """All columns as a DataFrame, numbers as they are (an empty title is ``name``).

        Raises `MissingTool` without pandas.
        """
        require("pandas", "to_pandas")
        import pandas

        return pandas.DataFrame.from_records(plain_rows(self.rows), columns=_named(self.titles))

    def _columns(self) -> list[_Column]:
        return [_column(title, [r.get(title) for r in self.rows], self) for title in self.titles]


@singledispatch
def tables_of(thing: object) -> list[Table]:
    """The tables of a `Tabled` that has none of its own: what shows units and formats is registered
    here, since it knows them, and they do not know it."""
    raise TypeError(f"nothing shows a {type(thing).__name__}")


class Tabled:
    """What shows itself as tables: in notebooks, and as a DataFrame of pandas."""

    def tables(self) -> list[Table]:
        """The tables, the one of the figures first."""
        return tables_of(self)

    def to_pandas(self) -> pandas.DataFrame:
        """The first of the result's tables as a DataFrame. Raises `MissingTool` without pandas."""
        return self.tables()[0].to_pandas()

    def _repr_html_(self) -> str:
        return "".join(table.to_html() for table in self.tables())


@dataclass(frozen=True)
class Several(Tabled, Sequence[Item]):
    """Results of one call, in order: a sequence that shows itself as one table."""

    found: tuple[Item, ...]

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        return self.found[index]

    def __len__(self) -> int:
        return len(self.found)


def plain_rows(rows: Iterable[Row]) -> list[dict[str, object]]:
    """Rows for JSON and pandas, which call an empty title ``name``."""
    return [{_named([key])[0]: value for key, value in row.items()} for row in rows]


def _named(titles: list[str]) -> list[str]:
    return [title.strip() or "name" for title in titles]


def cell(value: object) -> str:
    """A value as tables show it: None as nothing, numbers as `number` writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {cell(x)}" for key, x in value.items())
    return str(value)


def number(value: float) -> str:
    """A number with four significant digits; a whole one below a million whole, its thousands set
    apart; millions and beyond as ``1.235 M``, ``G`` or ``T``."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) < 10**6 and value == int(value):
        return f"{int(value):,}"
    rounded = float(f"{value:.{DIGITS}g}")
    if 1e6 <= abs(rounded) < 1e15:
        power = 3 * int(math.log10(abs(rounded)) // 3)
        return f"{rounded / 10**power:.{DIGITS}g} {_PREFIXES[power]}"
    if rounded == 0 or 1e-4 <= abs(rounded) < 1e6:
        return f"{rounded:,.10g}"
    return f"{value:.{DIGITS}g}"


def number_text(value: object) -> str:
    """A number as the shortest decimal that gives it back: of a float that of Python, but 448 and
    not 448.0. What is no number is its text, and None nothing."""
    if value is None or isinstance(value, bool):
        return cell(value)
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def quantity(what: str, value: Any, unit: str | None) -> dict[str, object]:
    """A figure under its title: in the SI's own unit where `unit` is one of its, such as ``fJ``,
    ``MHz`` or a Liberty file's ``10ps``; else in the unit that it has."""
    match = _UNIT.fullmatch(unit or "")
    if match is None:
        return {f"{what} ({unit})": value}
    prefix = match["prefix"].replace("u", "µ")
    power = next(power for power, sign in _PREFIXES.items() if sign == prefix)
    scale = float(f"{match['count'] or 1}e{power}")
    return {f"{what} ({match['unit']})": None if value is None else value * scale}


def _power(values: Iterable[object], unit: str) -> int:
    """The power of ten of the prefix that suits the largest of these (of seconds none above 1)."""
    sizes = [abs(x) for x in values if isinstance(x, int | float) and x and math.isfinite(x)]
    if not sizes:
        return 0
    power = 3 * math.floor(math.log10(float(f"{max(sizes):.{DIGITS}g}")) / 3)
    return max(min(_PREFIXES), min(0 if unit == "s" else max(_PREFIXES), power))


@dataclass
class _Column:
    """The texts of a column, and its width: at first what it needs, then what it is given."""

    title: str
    cells: list[str]
    right: bool
    width: int = field(init=False)
    least: int = field(init=False)

    def __post_init__(self) -> None:
        lengths = [len(text) for text in self.cells]
        word = max((len(word) for word in self.title.split()), default=0)
        self.width = max([len(self.title), *lengths])
        most = max(lengths, default=0)
        self.least = max(word, most if self.right else min(most, _NARROWEST))

    def lines(self, text: str) -> list[str]:
        """A text in lines of its width."""
        align = str.rjust if self.right else str.ljust
        return [align(part, self.width) for part in _wrapped(text, self.width)]


def _column(title: str, values: list[object], table: Table) -> _Column:
    numbers = all(isinstance(value, int | float | None) for value in values)
    if title in table.exact:
        return _Column(title, [number_text(value) for value in values], numbers)
    unit = _TITLE.fullmatch(title)
    if unit and numbers and (power := _power(values, unit["unit"])):
        values = [x / 10.0**power if isinstance(x, int | float) else x for x in values]
        title = f"{unit['what']} ({_PREFIXES[power]}{unit['unit']})"
    return _Column(title, [cell(value) for value in values], numbers)


def _fitting(columns: list[_Column], width: int | None) -> tuple[list[_Column], list[_Column]]:
    """Columns that lines of this width have room for, at the widths that they get; and the rest."""
    if width is None:
        return columns, []
    count = len(columns)
    while count > 2 and _total(c.least for c in columns[:count]) > width:
        count -= 1
    fitting, rest = [replace(c) for c in columns[:count]], columns[count:]
    excess = _total(c.width for c in fitting) - width
    for column in sorted(fitting, key=lambda c: not c.right):  # titles of numbers are broken first
        if column.right and excess > 0:
            given = min(excess, column.width - column.least)
            column.width, excess = column.width - given, excess - given
    while excess > 0 and (wide := [c for c in fitting if c.width > c.least]):
        max(wide, key=lambda c: c.width).width -= 1
        excess -= 1
    return fitting, rest


def _total(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + len(_GAP) * (len(found) - 1)


def _lines(columns: list[_Column], rows: int) -> list[str]:
    """Lines of the head and a rule, where there is a title, and of the rows."""
    lines = []
    if any(column.title.strip() for column in columns):
        lines += _record([c.lines(c.title) for c in columns], columns)
        lines.append("─" * _total(c.width for c in columns))
    for i in range(rows):
        lines += _record([c.lines(c.cells[i]) for c in columns], columns)
    return lines


def _record(cells: list[list[str]], columns: list[_Column]) -> list[str]:
    """The lines of the cells of a row, each of which has some."""
    return [
        _GAP.join(
            cell[i] if i < len(cell) else " " * column.width
            for cell, column in zip(cells, columns, strict=True)
        ).rstrip()
        for i in range(max(map(len, cells)))
    ]


def _wrapped(text: str, width: int | None) -> list[str]:
    """A text in lines of at most this width, broken behind blanks and commas, or where it must."""
    if width is None or len(text) <= width:
        return [text]
    lines, line = [], ""
    for piece in re.findall(r"[^\s,]*[\s,]*", text):
        if line and len(line) + len(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
        while len(line.rstrip()) > width:
            lines.append(line[:width])
            line = line[width:]
    return [*lines, line.rstrip()] if line.strip() else lines
