"""The low-precision types of Tilus as formats, and encoding in them.

Source: Ding et al., Tilus, arXiv 2504.12984, and its code (github.com/NVIDIA/tilus).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...exceptions import unknown
from ...formats import Format, format
from ...formats.rounding import pack_max
from ...lazily import np


def _finite(e: int, m: int) -> Format:
    """A float without infinities and NaN: the top exponent is one like all others."""
    bias = (1 << (e - 1)) - 1
    return Format(f"tilus_e{e}m{m}", "float", 1 + e + m, e, m, bias=bias)


RESERVED = "e5m1"
"""The type whose top exponent is reserved: its codes stand for no value."""

TYPES = {
    "e5m1": Format("tilus_e5m1", "float", 7, 5, 1, bias=15, infinity=True, nan="ieee"),
    "e4m2": _finite(4, 2),
    "e3m3": _finite(3, 3),
    "e2m4": _finite(2, 4),
    "e4m1": _finite(4, 1),
    "e3m2": format("e3m2fn"),
    "e2m3": format("e2m3fn"),
    "e3m1": _finite(3, 1),
    "e2m2": _finite(2, 2),
    "e1m3": _finite(1, 3),
    "e2m1": format("e2m1fn"),
    "e1m2": _finite(1, 2),
    "e1m1": _finite(1, 1),
    "e4m3": format("e4m3fn"),
    "e5m2": format("e5m2"),
} | {f"{u}int{n}b": format(f"{u}int{n}") for u in ("", "u") for n in range(1, 9)}
"""Every type by its name in Tilus.

Floats of less than 8 bits have no infinities and no NaN, unlike `hwarith.format` of the same name
where that is in the style of IEEE 754; ``e4m3`` and ``e5m2`` are those of OCP OFP8. Floats of one
exponent bit are evenly spaced. Tilus is of two minds about the top exponent of ``e5m1``: its table
of types ends at 49152, its casts at 98304. It is reserved here (`RESERVED`), and the descriptor
says infinity and NaN for it, so that encoding ends at 49152.
"""


class Encoded(NamedTuple):
    """Codes in the smallest unsigned type that holds them, and which values were NaN (bool)."""

    codes: np.ndarray
    invalid: np.ndarray


def encode(type: str, values: Any) -> Encoded:
    """Codes of values in a type of Tilus, rounded once to nearest even, subnormals too.

    Values beyond the range, infinities among them, become the largest value of their sign (the
    lowest one of unsigned integers is 0). NaN becomes the largest value, also in types that have
    NaN, and is marked `invalid`.

    Tilus' own cast truncates what lies among subnormals, and makes -max of +inf and NaN.

    Parameters
    ----------
    type : one of `TYPES`.
    values : floats, integers or ml_dtypes arrays of any shape, or Python ``Fraction``s.

    Returns codes and marks of the shape of `values`, scalars for a scalar. Raises `InvalidInput`
    for an unknown type, and for values that are no numbers.
    """
    if type not in TYPES:
        raise unknown("type", type, TYPES)
    f = TYPES[type]
    codes = f.encode(values, overflow="saturate")
    array = np.asarray(values)
    invalid = np.asarray(array != array, dtype=bool)
    largest = f.dtype.type(pack_max(0, f.numbers))
    return Encoded(np.where(invalid, largest, codes)[()], invalid[()])
