"""Families and units as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from ..exceptions import InvalidInput
from ..formats import Format
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


def of_one(u: Unit, name: str) -> Format:
    """The format of one code of an operand or result: of a block, that of its elements."""
    return u.lane_formats[name][0] if name in u.lane_formats else (u.operands | u.results)[name]


def codes_of_texts(u: Unit, texts: Sequence[str]) -> tuple[list[list[int]], list[str]]:
    """The codes of each operand, as `hwarith.formats.text.code_of_text` takes them, and what became
    of values that its format does not have.

    An operand is one code, or of a unit that takes groups or blocks one for each comma more; codes
    0 may be left out at the end of a block. Raises `InvalidInput`, naming the operand.
    """
    if len(texts) != len(u.operands):
        raise InvalidInput(
            f"{u.family} takes {len(u.operands)} operands ({', '.join(u.operands)}), "
            f"not {len(texts)}"
        )
    groups, notes = [], []
    for text, name in zip(texts, u.operands, strict=True):
        f, (_, lanes) = of_one(u, name), u.lane_formats.get(name, (None, 0))
        parts = text.split(",") if u.transfers.controls or lanes else [text]
        codes = [code_of_text(part, f, f"operand {name}") for part in parts]
        groups.append(codes + [0] * (lanes - len(codes)))
        found = (note_of_text(part, f) for part in parts)
        notes += [f"operand {name}: {note}" for note in found if note]
    return groups, notes
