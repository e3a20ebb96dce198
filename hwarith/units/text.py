"""Families and units as people read them."""

from __future__ import annotations

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
