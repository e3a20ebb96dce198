"""Results of a unit: codes side by side in one integer, and named where there are several."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from ..formats import Format, format


def by_name(names: tuple[str, ...], values: list[Any]) -> Any:
    """The only value, or a named tuple of a value for each name."""
    return values[0] if len(values) == 1 else _result_type(names)(*values)


def split(packed: Any, formats: Iterable[Format]) -> list[Any]:
    """The codes of all formats, from an integer or array in which they lie side by side, the first
    one at the lsb."""
    *lower, _ = formats
    values = []
    for f in lower:
        bits = f.numbers.bits
        values.append(packed & ((1 << bits) - 1))
        packed = packed >> bits
    return [*values, packed]


def packed_dtype(formats: Iterable[Format]) -> np.dtype:
    """The smallest unsigned type that holds codes of all formats side by side; object, if none."""
    return format(f"uint{sum(f.bits for f in formats)}").dtype


@cache
def _result_type(names: tuple[str, ...]) -> Callable[..., tuple]:
    return namedtuple("Results", names)
