"""Exception flags: the result ``flags`` of five bits, those of RISC-V's ``fflags``."""

from __future__ import annotations

from typing import Any

from ..exceptions import InvalidInput
from ..formats import Format, format
from .parameters import choice_parameter

FLAGS = ("none", "after", "before")
"""Whether there are flags, and when tininess is detected: after or before rounding."""

EXCEPTIONS = "exceptions, from the lsb up: NX, UF, OF, DZ (never), NV"
"""What the port is, of units that do not divide."""


def rounding_flags_parameter() -> Any:
    """A field for the flags of a unit that rounds."""
    return choice_parameter(
        "exception flags, with tininess detected after or before rounding",
        FLAGS,
        "none",
        quiet=True,
        in_name=lambda _, value: f"flags_{value}",
    )


def flags_parameter() -> Any:
    """A field for the flags of a unit that rounds nothing, or never beyond a range: there is no
    tininess to detect, so that there are flags or there are none."""
    return choice_parameter(
        "exception flags, bits as in RISC-V's fflags",
        ("off", "on"),
        "off",
        quiet=True,
        in_name=lambda *_: "flags",
    )


def flag_results(flags: str) -> dict[str, Format]:
    """The result that a unit with one of these parameters has beside others, if there is one."""
    return {} if flags in ("off", "none") else {"flags": format("uint5")}


def check_flags(family: str, flags: str, out: Format) -> None:
    """Refuse flags of a result that has no sign or no zero. Raises `InvalidInput`."""
    if flags != "none" and out.is_float and (not out.signed or out.hidden_always):
        raise InvalidInput(
            f"{family}: parameter flags: {out.name} has no sign or no zero; allowed: signed formats"
        )
