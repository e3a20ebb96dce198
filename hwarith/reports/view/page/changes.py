"""What the page of a sweep says of the changes against another one."""

from __future__ import annotations

from ...model.against import Changes, Move
from .markup import text

_HEADINGS = ("Unit", "Figure", "There", "Here", "Change")


def changes_section(changes: Changes | None) -> str:
    """A section of the page; nothing if there is no other sweep."""
    if changes is None:
        return ""
    lists = [
        ("Also different", changes.notes),
        ("Only here", changes.only_after),
        ("Only there", changes.only_before),
    ]
    facts = "".join(
        f"<dt>{title}</dt><dd>{text('; '.join(what))}</dd>" for title, what in lists if what
    )
    return (
        f'<section id="changes"><h2>What changed</h2><p>{text(changes.summary)}.</p>'
        f"<dl>{facts}</dl>{_table(changes)}</section>"
    )


def _table(changes: Changes) -> str:
    if not changes.moves:
        return ""
    kinds = ("text", "text", "figure", "figure", "figure")
    heads = "".join(
        f'<th class="sortable {kind}" data-kind="{kind}"><button>{heading}</button></th>'
        for heading, kind in zip(_HEADINGS, kinds, strict=True)
    )
    rows = "".join(map(_row, changes.moves))
    return (
        f'<div class="scroll tall"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(move: Move) -> str:
    values = (move.before, move.after, move.change)
    cells = "".join(
        f'<td data-value="{"" if value is None else repr(value)}">{text(written)}</td>'
        for value, written in zip(values, move.written, strict=True)
    )
    point = move.point
    return (
        f'<tr><td title="{text(point.spec)}"><a href="#{text(point.name)}">{text(point.label)}</a>'
        f'</td><td class="text">{text(move.column.title)}</td>{cells}</tr>'
    )
