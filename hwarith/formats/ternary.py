"""Ternary numbers, -1, 0 and 1, five in a byte.

Of five the first one is the most significant digit in base 3, which is one more than the number:
bytes from 0 to 242. This order, and that other bytes stand for zeros, are this project's.
"""

from __future__ import annotations

from typing import Any

from ..exceptions import InvalidInput, shown
from ..lazily import np
from .codec import array_of, check
from .names import by_name

DIGITS = 5
"""Numbers of a byte."""


def checked(numbers: Any) -> np.ndarray:
    """The numbers, integers or floats, as int8. Raises `InvalidInput` for others."""
    array = array_of(numbers, "ternary numbers")
    if array.dtype.kind not in "iuf" or not ((array == 0) | (np.abs(array) == 1)).all():
        raise InvalidInput("ternary numbers must be -1, 0 or 1")
    return array.astype(np.int8)


def pack(numbers: Any) -> np.ndarray:
    """Bytes (..., n / 5) of numbers (..., n), integers or floats. Raises `InvalidInput` for other
    numbers, and for an n that is no multiple of 5."""
    array = checked(numbers)
    if array.ndim == 0 or array.shape[-1] % DIGITS:
        raise InvalidInput(
            f"ternary numbers are packed by {DIGITS}: their last axis must be a multiple of it, "
            f"not of shape {shown(array.shape)}"
        )
    digits = array.reshape(*array.shape[:-1], array.shape[-1] // DIGITS, DIGITS) + 1
    return (digits @ _powers()).astype(np.uint8)


def unpack(packed: Any) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (..., 5 n), int8, of bytes (..., n); and which of the bytes are none, bool (..., n):
    these stand for zeros. Raises `InvalidInput` for what are no bytes."""
    codes = check(by_name("uint8"), packed, "packed ternary numbers")
    if codes.ndim == 0:
        raise InvalidInput("packed ternary numbers must be an array of bytes, not one number")
    invalid = codes >= 3**DIGITS
    digits = codes[..., None].astype(np.int64) // _powers() % 3 - 1
    digits[invalid] = 0
    return digits.astype(np.int8).reshape(*codes.shape[:-1], codes.shape[-1] * DIGITS), invalid


def _powers() -> np.ndarray:
    return 3 ** np.arange(DIGITS)[::-1]
