"""Texts of exported files, with places to fill."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_PLACE = re.compile(r"@(\w+)@")


def filled(template: str, **values: object) -> str:
    """A template of this folder, each ``@name@`` replaced by the value of that name.

    A line that is nothing but a place whose value is empty goes. Raises `KeyError` for a place
    without a value.
    """
    lines = []
    for line in _text(template).splitlines():
        place = _PLACE.fullmatch(line)
        if place and values[place[1]] == "":
            continue
        lines.append(_PLACE.sub(lambda found: str(values[found[1]]), line))
    return "\n".join(lines) + "\n"


@cache
def _text(template: str) -> str:
    return resources.files(__package__).joinpath(template).read_text()
