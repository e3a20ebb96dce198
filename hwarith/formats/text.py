"""Formats and codes as people read and type them."""

from __future__ import annotations

import re
from bisect import bisect_left
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import count

from ..exceptions import MOST_SHOWN, InvalidInput, quoted, shown
from ..tables import number_text
from .blocks import BlockFormat
from .codec import FURTHEST, check_one
from .rounding import FINITE, unpack
from .scalar import Format

MOST_CHARACTERS = 20_000
"""Of the text of a number: more than the 11,564 digits of the longest number that lies halfway
between two codes."""

_CODE = re.compile(r"0x[0-9a-f]+|0b[01]+", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:"
    r"(?P<special>inf|infinity|nan)"
    r"|(?P<numerator>\d+)/(?P<denominator>\d+)"
    r"|0x(?=[0-9a-f]*[.p])(?=\.?[0-9a-f])(?P<hexadecimal>[0-9a-f]*\.?[0-9a-f]*)(?:p(?P<two>[+-]?\d+))?"
    r"|(?=\.?\d)(?P<decimal>\d*\.?\d*)(?:e(?P<ten>[+-]?\d+))?"
    r")",
    re.ASCII | re.IGNORECASE,
)


def format_row(f: Format) -> dict[str, object]:
    """What a format is, by titles: its widths, its range, and its special codes.

    ``exponent``, ``fraction`` and ``bias`` are None of an integer, ``nan`` where there is none.
    The ends of the range are values as in `code_row`.
    """
    nan = f.numbers.nan_code
    return {
        "format": f.name,
        "bits": f.bits,
        "exponent": f.exponent_bits if f.is_float else None,
        "fraction": f.fraction_bits if f.is_float else None,
        "bias": f.bias if f.kind == "float" else None,
        "max": _plain(f.max, f),
        "min normal": _plain(f.smallest_normal, f),
        "min": _plain(f.smallest, f),
        "inf": f.infinity,
        "nan": f"{nan:#x}" if nan >= 0 else None,
        "-0": f.has_negative_zero,
    }


RANGE = ("max", "min normal", "min")
"""The titles of `format_row` and `block_row` under which values stand."""


def block_row(f: BlockFormat) -> dict[str, object]:
    """What a format of blocks is, by titles. ``max`` is the largest element."""
    return {
        "block format": f.name,
        "element": f.element.name,
        "max": _plain(f.largest, f.element),
        "block": f.block,
        "scale": f.scale.name,
        "tensor scale": "fp32" if f.tensor_scale else None,
        "metadata": _metadata_bits(f),
        "bits per element": float(f.bits_per_element),
    }


def _metadata_bits(f: BlockFormat) -> str | None:
    """How many bits a block keeps besides: ``2 per 8`` elements, ``8 per block``."""
    more = f.metadata
    return f"{more.bits} per {more.span or 'block'}" if more else None


def code_row(f: Format, code: int) -> dict[str, object]:
    """A code by titles: its format, the code in hexadecimal, and its value (a Python number, or
    text where none holds it)."""
    return {
        "format": f.name,
        "code": f"0x{code:0{(f.bits + 3) // 4}X}",
        "value": _plain(f.decode_one(code), f),
    }


def _plain(value: Fraction | float, f: Format) -> object:
    """A decoded value as a number of Python, or as text where none holds it."""
    if not isinstance(value, Fraction):
        return value
    if not f.is_float and value.denominator == 1 and f.exponent == 0:
        return int(value) if f.bits <= 64 else str(int(value))
    return float(value) if f.in_float64 else _shortest(value, f)


def _shortest(value: Fraction, f: Format) -> str:
    """The decimal of the fewest digits that rounds to this value in its format; among several
    that which is nearest to it."""
    if value == 0:
        return "0"
    code = f.encode_one(value)

    def decimals(digits: int) -> list[Decimal]:
        numerator, denominator = Decimal(value.numerator), Decimal(value.denominator)
        ends = [
            Context(prec=digits, rounding=rounding).divide(numerator, denominator)
            for rounding in (ROUND_FLOOR, ROUND_CEILING)
        ]
        ends.sort(key=lambda end: abs(Fraction(end) - value))
        return [end for end in ends if f.encode_one(Fraction(end), overflow="nosat") == code]

    enough = f.precision * 30103 // 100000 + 2
    digits = bisect_left(range(1, enough), True, key=lambda n: bool(decimals(n))) + 1
    return _decimal_text(decimals(digits)[0])


def _decimal_text(decimal: Decimal) -> str:
    """A decimal in the form that Python gives a float: with an exponent where it is far from 1."""
    sign, digits, exponent = decimal.as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    point = len(digits) + int(exponent)  # digits in front of the decimal point
    minus = "-" if sign else ""
    if not -4 < point <= 16:
        return f"{minus}{text[0]}{'.' if text[1:] else ''}{text[1:]}e{point - 1:+03d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    whole, rest = text[:point].ljust(point, "0"), text[point:]
    return f"{minus}{whole}{'.' if rest else ''}{rest}"


def code_of_text(text: str, f: Format, what: str = "code") -> int:
    """The code that a text stands for.

    With 0x or 0b in front it is a code; any other text is a value as in `number_of_text`, which is
    rounded to nearest. What is finite and too large is clipped, infinities stay infinities where
    the format has them; `note_of_text` says if it was so.

    Raises `InvalidInput`, naming `what`, for a text that is neither and for a code that is none of
    the format's.
    """
    if _CODE.fullmatch(text.strip()):
        return check_one(f, int(text, 0), what)
    number = number_of_text(text)
    if number is None:
        raise InvalidInput(f"{what}: {quoted(text)} is neither a code (0x...) nor a number")
    return f.encode_one(number)


def note_of_text(text: str, f: Format) -> str | None:
    """What became of a value that the format does not have: ``500 → 448, clipped to the largest
    e4m3fn``; None for a code, and for a value that it has."""
    typed = None if _CODE.fullmatch(text.strip()) else number_of_text(text)
    if typed is None:
        return None
    code = code_of_text(text, f)
    kind = unpack(code, f.numbers)[0]
    got = f.fraction(code) if kind == FINITE else f.decode_one(code)
    is_nan = typed != typed
    if got == typed or (is_nan and got != got):
        return None
    if isinstance(got, float):
        why = f"as {f.name} has no such infinity"
    elif is_nan:
        why = f"as {f.name} has no NaN"
    elif f.min <= typed <= f.max:
        why = f"rounded to {f.name}"
    else:
        why = f"clipped to the {'largest' if typed > 0 else 'lowest'} {f.name}"
    return f"{shown(text.strip(), MOST_SHOWN)} → {_digits_that_differ(got, f, typed)}, {why}"


def _digits_that_differ(x: Fraction | float, f: Format, typed: Fraction | float) -> str:
    """A value with 17 digits, with more in wider formats, and with as many as tell it from the
    number that was typed, so that what rounding did is seen."""
    if x == 0 or isinstance(x, float):
        return number_text(float(x))
    for digits in count(max(17, f.precision * 3 // 10 + 2)):
        printed = Context(prec=digits).divide(Decimal(x.numerator), Decimal(x.denominator))
        if Fraction(printed) != typed:
            return _decimal_text(printed)
    raise AssertionError("unreachable: the numbers differ")


def number_of_text(text: str) -> Fraction | float | None:
    """The number that a text stands for, exactly; None if it is none.

    Numbers are ``1.5``, ``-3``, ``15e-1``, ``1/3``, ``0x1.8p3`` (which is 12: a hexadecimal float,
    with a point or a p), ``inf``, ``infinity`` and ``nan``, in letters of either case, of at most
    `MOST_CHARACTERS` characters. A zero with a minus, infinities and NaN are floats. A number
    beyond 10^20000, or below 10^-20000, may stand for another one beyond, or below, these.
    """
    text = text.strip()
    match = _NUMBER.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    if match is None:
        return None
    if match["special"]:
        return float(text)
    if match["numerator"]:
        denominator = _integer(match["denominator"])
        if denominator == 0:
            return None
        size = Fraction(_integer(match["numerator"]), denominator)
    elif match["hexadecimal"]:
        size = _scaled(match["hexadecimal"], 16, match["two"], 2)
    else:
        size = _scaled(match["decimal"], 10, match["ten"], 10)
    if match["sign"] == "-":
        return -size or -0.0
    return size


def _scaled(figures: str, base: int, exponent: str | None, scale: int) -> Fraction:
    """The number of figures with a point in them, times `scale` to the `exponent`."""
    whole, _, rest = figures.partition(".")
    digits = (whole + rest).lstrip("0")
    if not digits:
        return Fraction(0)
    size = int(digits, 16) if base == 16 else _integer(digits)
    most = FURTHEST + len(figures) if scale == 10 else 4 * (FURTHEST + len(figures))
    shift = max(-most, min(most, _exponent(exponent or "0")))
    return Fraction(size) * Fraction(scale) ** shift / base ** len(rest)


def _exponent(digits: str) -> int:
    """An exponent; of one of a hundred digits and more the first hundred say enough."""
    return int(digits[:100])


def _integer(digits: str) -> int:
    """A decimal integer of any length (`int` refuses 4,300 digits)."""
    return int(Decimal(digits))
