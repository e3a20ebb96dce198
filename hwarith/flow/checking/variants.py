"""The same unit with another value of one option."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...exceptions import InvalidInput
from ...units import Unit
from ...units.timed import RANKS

_HARDWARE = ("booth", "adder", "radix", *RANKS)
"""Parameters that results do not depend on."""

_MOST_WORDS = 16
"""Values of an option that are tried."""


def variants(u: Unit) -> dict[str, Unit]:
    """Units that differ from this one in one option, and have the same ports, by what differs: the
    options that have a few named values, such as ``round=rtz``."""
    found: dict[str, Unit] = {}
    for name, parameter in u.parameters().items():
        words = parameter.allowed.split()
        now = getattr(u, name)
        if name in _HARDWARE or not isinstance(now, str) or now not in words:
            continue
        for value in words[:_MOST_WORDS]:
            changed: dict[str, Any] = {name: value}
            try:
                other = replace(u, **changed)
            except InvalidInput:
                continue
            if value != now and other != u and _ports(other) == _ports(u):
                found[f"{name}={value}"] = other
    return found


def _ports(u: Unit) -> tuple[object, ...]:
    return tuple(u.inputs.items()), tuple(u.results.items())
