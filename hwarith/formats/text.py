"""Formats and codes as people read and type them."""

from __future__ import annotations

from fractions import Fraction

from ..errors import HwarithError, InvalidInput
from .scalar import Format

_CODE = ("0x", "0b")
_NOT_FINITE = ("inf", "infinity", "nan")


def format_row(f: Format) -> dict[str, object]:
    """What a format is, by titles: its widths, its range as floats, and its special codes.

    ``exponent``, ``fraction`` and ``bias`` are None of an integer, ``nan`` where there is none.
    """
    nan = f.numbers.nan_code
    return {
        "format": f.name,
        "bits": f.bits,
        "exponent": f.exponent_bits if f.is_float else None,
        "fraction": f.fraction_bits if f.is_float else None,
        "bias": f.bias if f.is_float else None,
        "max": float(f.max),
        "min normal": float(f.smallest_normal),
        "min": float(f.smallest),
        "inf": f.infinity,
        "nan": f"{nan:#x}" if nan >= 0 else None,
        "-0": f.has_negative_zero,
    }


def code_row(f: Format, code: int) -> dict[str, object]:
    """A code by titles: its format, the code in hexadecimal, and its value (a Python number, or
    text where none holds it)."""
    value = f.decode(code)
    return {
        "format": f.name,
        "code": f"0x{code:0{(f.bits + 3) // 4}X}",
        "value": value.item() if hasattr(value, "item") else str(value),
    }


def code_of_text(text: str, f: Format, what: str = "code") -> int:
    """The code that a text stands for.

    With 0x or 0b in front it is a code; any other text is a value (``1.5``, ``-3``, ``1/3``,
    ``inf``, ``nan``), which is rounded to nearest. What is finite and too large is clipped,
    infinities stay infinities where the format has them.

    Raises `InvalidInput`, naming `what`, for a text that is neither and for a code that is none of
    the format's.
    """
    try:
        if text.lower().startswith(_CODE):
            return int(f.check(int(text, 0), what))
        return int(_encode(text, f))
    except (ValueError, ZeroDivisionError) as error:
        if isinstance(error, HwarithError):
            raise
        raise InvalidInput(f"{what}: {text!r} is neither a code (0x...) nor a number") from None


def _encode(text: str, f: Format) -> int:
    """A text of a zero goes through float, which has the sign of it; all others are exact."""
    if text.lower().lstrip("+-") in _NOT_FINITE or set(text) <= set("+-0."):
        return int(f.encode(float(text), overflow="satprop"))
    return int(f.encode(Fraction(text)))
