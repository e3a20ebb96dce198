"""The result ``flags`` of units that round nothing, or never beyond a range: there is no tininess
to detect, so that there are flags or there are none."""

from __future__ import annotations

from typing import Any

from ..formats import Format, format
from .parameters import choice_parameter


def flags_parameter() -> Any:
    """A field for whether there is a result of exception flags."""
    return choice_parameter(
        "exception flags, bits as in RISC-V's fflags",
        ("off", "on"),
        "off",
        quiet=True,
        in_name=lambda *_: "flags",
    )


def flag_results(flags: str) -> dict[str, Format]:
    """The result that a unit with such a parameter has beside others, if there is one."""
    return {"flags": format("uint5")} if flags == "on" else {}
