"""Families and units as people read them."""

from __future__ import annotations

from .contract import Unit
from .registry import FAMILIES, family


def family_rows() -> list[dict[str, object]]:
    """A row for each family: its name and what it computes."""
    return [{"unit": name, "what": family(name).summary} for name in FAMILIES]


def unit_row(u: Unit) -> dict[str, object]:
    """What a unit is, by titles: spec, name, the formats of its ``ports``, and its contract."""
    ports = {name: f.name for name, f in (u.operands | u.results).items()}
    return {
        "spec": u.spec,
        "name": u.name,
        "what": u.summary,
        "ports": ports,
        **u.contract._asdict(),
    }


def parameter_rows(u: Unit) -> list[dict[str, object]]:
    """A row for each parameter of a unit: its value, and what is allowed."""
    return [
        {
            "parameter": name,
            "value": str(getattr(u, name)),
            "allowed": parameter.allowed,
            "what": parameter.help,
        }
        for name, parameter in u.parameters().items()
    ]
