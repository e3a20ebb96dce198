"""bf16 with fewer fraction or exponent bits, as it is emulated by masking bits and clipping.

Source: Lee et al., To FP8 and Back Again (arXiv 2405.18710). What it does not say (NaN, infinities,
subnormal numbers) is decided here.
"""

from __future__ import annotations

from typing import Any

from ..exceptions import InvalidInput, quoted, unknown
from ..lazily import np
from .scalar import format

_BF16 = format("bf16")
_FRACTION, _EXPONENT = _BF16.fraction_bits, _BF16.exponent_bits
_QUIET = 1 << (_FRACTION - 1)

MASKINGS = ("rtz", "rne")
SUBNORMALS = ("flush", "keep")


def mask_mantissa(codes: Any, bits: int, round: str = "rtz") -> np.ndarray:
    """bf16 codes with so many fraction bits, 0 to 7; the others are zero.

    ``round=rtz`` clears them, ``rne`` rounds to nearest even (to infinity, if it comes to that).
    Infinities stay, and so do NaN: one that would lose all of its fraction becomes a quiet one.
    Returns uint16 of the shape of `codes`, integers or an array of ml_dtypes' bfloat16. Raises
    `InvalidInput`.
    """
    kept = _integer("bits", bits, 0, _FRACTION)
    if round not in MASKINGS:
        raise unknown("rounding mode of a mask", round, MASKINGS)
    given = _BF16.check(codes, "mask_mantissa: codes")
    cleared = np.uint16((1 << (_FRACTION - kept)) - 1)
    is_nan = np.isnan(_BF16.decode(given))
    found = given & ~cleared
    if round == "rne" and kept < _FRACTION:
        half = np.uint16(1 << (_FRACTION - kept - 1))
        odd = (given >> np.uint16(_FRACTION - kept)) & np.uint16(1)
        rounded = (given + (half - np.uint16(1)) + odd) & ~cleared
        found = np.where(np.isfinite(_BF16.decode(given)), rounded, found)
    lost = is_nan & (found & np.uint16((1 << _FRACTION) - 1) == 0)
    return np.where(lost, found | np.uint16(_QUIET), found).astype(np.uint16)[()]


def clip_exp(codes: Any, bits: int, subnormals: str = "flush") -> np.ndarray:
    """bf16 codes in the range of as many exponent bits, 2 to 8, with all seven fraction bits.

    With the bias 2^(bits-1) - 1, magnitudes above the largest finite value of ``e{bits}m7``, also
    infinite ones, become that; those below its smallest normal one become zero with their sign,
    or with ``subnormals=keep`` the nearest of its subnormal numbers, of two the even one. NaN
    stays. Returns uint16 of the shape of `codes`, as those of `mask_mantissa`. Raises
    `InvalidInput`.
    """
    kept = _integer("bits", bits, 2, _EXPONENT)
    if subnormals not in SUBNORMALS:
        raise unknown("treatment of subnormals", subnormals, SUBNORMALS)
    given = _BF16.check(codes, "clip_exp: codes")
    x = _BF16.decode(given)
    small = format(f"e{kept}m{_FRACTION}")
    clipped = _BF16.encode(small.decode(small.encode(x, overflow="saturate")))
    if subnormals == "flush":
        is_small = np.abs(x) < float(small.smallest_normal)
        clipped = np.where(is_small, given & np.uint16(1 << (_BF16.bits - 1)), clipped)
    return np.where(np.isnan(x), given, clipped).astype(np.uint16)[()]


def _integer(what: str, value: Any, low: int, high: int) -> int:
    if (
        not isinstance(value, int | np.integer)
        or isinstance(value, bool)
        or not low <= value <= high
    ):
        raise InvalidInput(f"{what} must be an integer from {low} to {high}, not {quoted(value)}")
    return int(value)
