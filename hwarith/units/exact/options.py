"""What there is to choose beside formats: rounding modes and random bits, flags, structure."""

from __future__ import annotations

from typing import Any

from ...exceptions import InvalidInput
from ...formats import ROUNDINGS, STOCHASTIC, Format
from ...rtl import PORT
from ..parameters import choice_parameter, integer_parameter

ROUNDING_CHOICES = (*ROUNDINGS, *STOCHASTIC, PORT, *(f"{PORT}_{x}" for x in STOCHASTIC))

MOST_RANDOM_BITS = 32
"""Width of a lane's random port that generators commonly give."""


def round_parameter(choices: tuple[str, ...] = ROUNDINGS) -> Any:
    """A field for the rounding mode, one of `choices`."""
    return choice_parameter("rounding mode", choices, "rne")


def booth_parameter() -> Any:
    """A field for how partial products are made (`hwarith.rtl.Structure`)."""
    return choice_parameter(
        "radix-4 Booth rows in the multiplier; auto: where they are smaller and soon mapped",
        ("auto", "on", "off"),
        "auto",
        quiet=True,
    )


def adder_parameter() -> Any:
    """A field for the multiplier's last adder (`hwarith.rtl.Structure`)."""
    return choice_parameter(
        "that sums up the multiplier's last two rows: ripple is smaller, blocks are faster",
        ("auto", "ripple", "blocks"),
        "auto",
        quiet=True,
    )


def optimize_parameter() -> Any:
    """A field for whether more gates may make a path shorter."""
    return choice_parameter(
        "area, or delay: more gates for shorter paths, leading zeros anticipated beside the sum",
        ("area", "delay"),
        "area",
        quiet=True,
    )


def random_bits_parameter() -> Any:
    """A field for the number of random bits; its default depends on the mode (`random_bits`)."""
    return integer_parameter(
        "random bits of stochastic rounding (default: 16, to 4-bit formats 12)",
        1,
        MOST_RANDOM_BITS,
        None,
        quiet=True,
    )


def random_bits(family: str, mode: str, n: int | None, out: Format) -> int | None:
    """The number of random bits that goes with a rounding mode. Raises `InvalidInput`."""
    stochastic = mode.removeprefix(f"{PORT}_") in STOCHASTIC
    if n is not None and not stochastic:
        raise InvalidInput(
            f"{family}: parameter n: rounding {mode} takes no random bits; "
            f"allowed with round={', '.join(STOCHASTIC)}"
        )
    return n if n or not stochastic else 12 if out.bits <= 4 else 16
