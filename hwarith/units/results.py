"""Results of a unit: codes side by side in one integer, and named where there are several."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Iterable
from functools import cache
from itertools import accumulate
from typing import Any

from ..formats import Format
from ..golden import code_dtype, field
from ..lazily import np


def by_name(names: tuple[str, ...], values: list[Any]) -> Any:
    """The only value, or a named tuple of a value for each name."""
    return values[0] if len(values) == 1 else _result_type(names)(*values)


def several(results: Any) -> list[Any]:
    """The values of what `by_name` gives."""
    return list(results) if isinstance(results, tuple) else [results]


def split(packed: Any, formats: Collection[Format]) -> list[Any]:
    """The codes of all formats, from an integer or array in which they lie side by side, the first
    one at the lsb."""
    *lower, _ = formats
    if not isinstance(packed, int) and packed.dtype.kind == "V":
        places = accumulate((f.bits for f in lower), initial=0)
        return [field(packed, place, f.bits) for f, place in zip(formats, places, strict=True)]
    values = []
    for f in lower:
        bits = f.numbers.bits
        values.append(packed & ((1 << bits) - 1))
        packed = packed >> bits
    return [*values, packed]


def packed_dtype(formats: Iterable[Format]) -> np.dtype:
    """The type of codes of all formats side by side."""
    return code_dtype(sum(f.bits for f in formats))


@cache
def _result_type(names: tuple[str, ...]) -> Callable[..., tuple]:
    return namedtuple("Results", names)
