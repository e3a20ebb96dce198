"""Ways to accumulate: what the parameter `acc` says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ...exceptions import InvalidInput, quoted
from ..parameters import text_parameter

WAYS = ("exact", "seq", "pairwise", "trunc-F", "halves-F", "floor-F", "floor2-F")

MOST_BITS = 60
"""Most fraction bits F."""


@dataclass(frozen=True)
class Accumulation:
    """How the terms of a dot product are summed up.

    Attributes
    ----------
    way : exact, seq, pairwise, trunc, halves, floor or floor2.
    bits : fraction bits that are kept below the greatest exponent; 0 where nothing is cut off.
    """

    way: str
    bits: int = 0

    def __str__(self) -> str:
        return f"{self.way}-{self.bits}" if self.bits else self.way

    @property
    def in_order(self) -> bool:
        """Whether each step is rounded."""
        return self.way in ("seq", "pairwise")

    @property
    def words(self) -> str:
        """What it does, for a datasheet."""
        below = f"{self.bits} fraction bits below the greatest exponent"
        return {
            "exact": "the exact sum is rounded once",
            "seq": "from the addend on, product after product, each sum rounded",
            "pairwise": "products rounded, then added in pairs, the addend last, each sum rounded",
            "trunc": f"terms are truncated to {below}, their sum is rounded",
            "halves": f"one half after the other: terms truncated to {below}, each sum rounded; "
            "then the addend is added",
            "floor": f"products are truncated to {below}, sums rounded down to grids, then rounded",
            "floor2": f"products at even and at odd places are truncated to {below}, sums rounded "
            "down to grids, then rounded",
        }[self.way]


def _parse(value: Any) -> Accumulation:
    if isinstance(value, Accumulation):
        return value
    text = str(value).strip().lower() if isinstance(value, str) else ""
    if text in ("exact", "seq", "pairwise"):
        return Accumulation(text)
    if match := re.fullmatch(r"(trunc|halves|floor2?)-([1-9][0-9]?)", text):
        way, bits = match[1], int(match[2])
        if bits <= MOST_BITS:
            return Accumulation(way, bits)
    raise InvalidInput(
        f"must be {' or '.join(WAYS)}, with F from 1 to {MOST_BITS}, not {quoted(value)}"
    )


def accumulation_parameter() -> Any:
    """A field that holds an `Accumulation`."""
    return text_parameter(
        "how the terms are summed up; F: fraction bits that are kept",
        _parse,
        " ".join(WAYS),
        Accumulation("exact"),
        in_name=lambda _, value: str(value).replace("-", ""),
    )
