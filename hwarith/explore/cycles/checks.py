"""Checks of numbers that a user gives; each returns its value or raises `InvalidInput`."""

from __future__ import annotations

from fractions import Fraction

from ...exceptions import InvalidInput, quoted

LARGEST = 2**31
"""No size or count may be larger."""


def whole(name: str, value: object, least: int = 1) -> int:
    """`value`, if it is an integer from `least` to `LARGEST`; otherwise `InvalidInput`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST:
        raise InvalidInput(
            f"{name} must be a whole number from {least} to {LARGEST}, not {quoted(value)}"
        )
    return value


def flag(name: str, value: object) -> bool:
    """`value`, if it is true or false; otherwise `InvalidInput`."""
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} must be true or false, not {quoted(value)}")
    return value


def exact_bits(name: str, value: object) -> Fraction:
    """Bits of a number as an exact fraction; a float means its decimal text (6.0625).

    Raises `InvalidInput` if it is not a number from 1 to 64.
    """
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
            raise ValueError
        bits = Fraction(str(value))
        if not 1 <= bits <= 64:
            raise ValueError
    except ValueError:
        raise InvalidInput(f"{name} must be a number from 1 to 64, not {quoted(value)}") from None
    return bits
