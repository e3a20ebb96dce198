"""Families and units as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from ..exceptions import InvalidInput
from ..formats.text import code_of_text, note_of_text
from ..tables import Table, tables_of
from .contract import Unit
from .interface import ports, timing
from .registry import FAMILIES, family


def family_rows() -> list[dict[str, object]]:
    """A row for each family: its name and what it computes."""
    return [{"unit": name, "what": family(name).summary} for name in FAMILIES]


def unit_row(u: Unit) -> dict[str, object]:
    """What a unit is, by titles: spec, name, what it computes, its contract, when results come, and
    what becomes of what is not ordinary."""
    return {
        "spec": u.spec,
        "name": u.name,
        "what": u.summary,
        **u.contract._asdict(),
        **timing(u),
        **u.conventions,
    }


@tables_of.register(Unit)
def unit_tables(u: Unit) -> list[Table]:
    """What a unit is, its ports, and its parameters."""
    facts = [{"": key, " ": value} for key, value in unit_row(u).items()]
    return [Table(facts), Table(port_rows(u)), Table(parameter_rows(u))]


def port_rows(u: Unit) -> list[dict[str, object]]:
    """A row for each port of a unit's module, in the order in which it has them."""
    return [
        {
            "port": port.name,
            "direction": port.direction,
            "bits": port.bits,
            "format": port.format,
            "meaning": port.meaning,
        }
        for port in ports(u)
    ]


def parameter_rows(u: Unit) -> list[dict[str, object]]:
    """A row for each parameter of a unit: its value, None where it has none, and what is
    allowed."""
    values = {name: getattr(u, name) for name in u.parameters()}
    return [
        {
            "parameter": name,
            "value": None if values[name] is None else str(values[name]),
            "allowed": parameter.allowed,
            "what": parameter.help,
        }
        for name, parameter in u.parameters().items()
    ]


Codes = int | Sequence[int] | Sequence[Sequence[int]]
"""Of an operand of one call: a code, those of a block or group, or those of a matrix by rows."""


def codes_of_texts(u: Unit, texts: Sequence[str]) -> tuple[list[Codes], list[str]]:
    """The codes of each operand, as `hwarith.formats.text.code_of_text` takes them, and what became
    of values that its format does not have.

    An operand is one code, or of a unit that takes groups, blocks or matrices one for each comma
    more, and of a matrix a row for each semicolon more; codes 0 may be left out at the end of a
    block. Raises `InvalidInput`, naming the operand.
    """
    if len(texts) != len(u.operands):
        raise InvalidInput(
            f"{u.family} takes {len(u.operands)} operands ({', '.join(u.operands)}), "
            f"not {len(texts)}"
        )
    formats = u.code_formats
    operands: list[Codes] = []
    notes = []
    for text, (name, axes) in zip(texts, u.operand_axes.items(), strict=True):
        f, (_, lanes) = formats[name], u.lane_formats.get(name, (None, 0))
        lines = text.split(";") if axes == 2 else [text]
        parts = [line.split(",") if axes else [line] for line in lines]
        rows = [[code_of_text(part, f, f"operand {name}") for part in line] for line in parts]
        rows[0] += [0] * (lanes - len(rows[0]))
        operands.append(rows if axes == 2 else rows[0] if axes else rows[0][0])
        found = (note_of_text(part, f) for line in parts for part in line)
        notes += [f"operand {name}: {note}" for note in found if note]
    return operands, notes


def flat(codes: Codes) -> list[int]:
    """All codes of an operand or result, one behind the other."""
    if isinstance(codes, int):
        return [codes]
    return [x for row in codes for x in ([row] if isinstance(row, int) else row)]
