"""The table of a page: a line for each row, with all its figures."""

from __future__ import annotations

from ...model.columns import Column
from ...model.rows import Row, Rows
from .markup import text
from .parts import PageParts, WordColumn


def rows_table(rows: Rows, parts: PageParts) -> str:
    """The table as HTML. Cells carry their values for sorting; rows on the main front are marked,
    and so are columns that are hidden at first."""
    heads = [_word_head(parts.labels), _word_head(parts.words)]
    heads += [_figure_head(column, parts) for column in rows.columns.values()]
    heads += [_word_head(parts.notes)] if parts.notes else []
    on_front = {i for op in rows.operations for i in rows.front(*rows.main_axes, op)}
    values = {key: rows.values(key) for key in rows.columns}
    lines = []
    for i, row in enumerate(rows.rows):
        figures = "".join(
            f'<td class="{_more(key, parts).strip()}" data-value="{_sort_value(values[key][i])}"'
            f"{_why(rows.reason(key, row))}>{text(rows.write(key, row))}</td>"
            for key in rows.columns
        )
        if parts.notes:
            figures += f'<td class="{_kind(parts.notes)} note">{text(parts.notes.words[i])}</td>'
        place = "front" if i in on_front else "behind"
        lines.append(f'<tr class="{place}" {_words(row, parts, i)}{figures}</tr>')
    return (
        f'<table id="points" class="brief"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _word_head(column: WordColumn) -> str:
    return (
        f'<th class="sortable {_kind(column)}" data-kind="text">'
        f"<button>{text(column.title)}</button></th>"
    )


def _figure_head(column: Column, parts: PageParts) -> str:
    unit = f' <span class="unit">{text(column.shown_unit)}</span>' if column.shown_unit else ""
    return (
        f'<th class="sortable figure{_more(column.key, parts)}" title="{text(column.definition)}">'
        f"<button>{text(column.short)}{unit}</button></th>"
    )


def _words(row: Row, parts: PageParts, i: int) -> str:
    """The rest of the start tag of a line, and its cells of words."""
    return (
        f'data-name="{text(row.name)}"><td title="{text(row.spec)}">'
        f'<a href="#{text(row.name)}">{text(parts.labels.words[i])}</a></td>'
        f'<td class="{_kind(parts.words)}">{text(parts.words.words[i])}</td>'
    )


def _why(reason: str | None) -> str:
    """The attribute that says on a cell why it holds no value, behind a space."""
    return f' title="{text(reason)}"' if reason else ""


def _kind(column: WordColumn) -> str:
    return "text more" if column.hidden else "text"


def _more(key: str, parts: PageParts) -> str:
    """The class of cells that are hidden at first, behind a space."""
    return "" if key in parts.table_keys else " more"


def _sort_value(value: float | None) -> str:
    return "" if value is None else repr(value).replace("inf", "Infinity")
