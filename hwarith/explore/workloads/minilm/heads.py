"""How queries, keys and values are cut into matrices for the products of attention, and how all
products are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

ROWS = 192
"""Heads are multiplied in matrices of up to so many rows."""


class Factors(NamedTuple):
    """Matrices (m, k) and (k, n) to be multiplied, and of how many columns of the product each row
    is used."""

    left: np.ndarray
    right: np.ndarray
    columns: int

    @property
    def multiply_adds(self) -> int:
        """Of what is used."""
        return len(self.left) * len(self.right) * self.columns


@dataclass(kw_only=True)
class Counting:
    """What multiplies, and counts: ``advance`` is told of the multiply-adds done since the last
    time, ``count`` has all of them."""

    advance: Callable[[int], None] = lambda _: None
    count: int = field(init=False, default=0)

    def counted(self, multiply_adds: int) -> None:
        """So many are done."""
        self.count += multiply_adds
        self.advance(multiply_adds)


@dataclass(frozen=True)
class Heads:
    """The heads of texts: of arrays (tokens, count * size) whose rows are in `spans`, text by text.

    Heads of one text are multiplied together in matrices of up to `rows` rows and columns (or
    alone). A few large products may be faster than many small ones, though those between different
    heads are for nothing.
    """

    spans: Sequence[slice]
    count: int
    size: int
    rows: int

    @cached_property
    def groups(self) -> list[tuple[slice, slice]]:
        """Rows of a text and columns of some of its heads."""
        return [
            (span, slice(first * self.size, min(first + together, self.count) * self.size))
            for span in self.spans
            for together in [max(1, self.rows // _length(span))]
            for first in range(0, self.count, together)
        ]

    def of_scores(self, q: np.ndarray, k: np.ndarray) -> list[Factors]:
        """Queries by keys, of each of the groups."""
        return [
            Factors(self._stacked(q[s, h]), self._stacked(k[s, h]).T, _length(s))
            for s, h in self.groups
        ]

    def own(self, products: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Of all products of heads with heads those of each with itself: square blocks on the
        diagonal, below each other (heads * tokens, tokens), of each of the groups."""
        found = []
        for x, (s, _) in zip(products, self.groups, strict=True):
            n = _length(s)
            found.append(np.concatenate([x[i : i + n, i : i + n] for i in range(0, len(x), n)]))
        return found

    def of_context(self, shares: Sequence[np.ndarray], v: np.ndarray) -> list[Factors]:
        """The scores' shares (`own`) by values, of each of the groups."""
        pairs = zip(shares, self.groups, strict=True)
        return [Factors(x, v[s, h], self.size) for x, (s, h) in pairs]

    def joined(self, products: Sequence[np.ndarray]) -> np.ndarray:
        """Heads side by side again, (tokens, count * size), of the products of `of_context`."""
        tokens = sum(map(_length, self.spans))
        context = np.empty((tokens, self.count * self.size), products[0].dtype)
        for x, (s, h) in zip(products, self.groups, strict=True):
            n = _length(s)
            for i in range(len(x) // n):
                columns = slice(i * self.size, (i + 1) * self.size)
                context[s, h][:, columns] = x[i * n : (i + 1) * n, columns]
        return context

    def _stacked(self, x: np.ndarray) -> np.ndarray:
        """Heads side by side (tokens, heads * size) below each other: (heads * tokens, size)."""
        return x.reshape(len(x), -1, self.size).swapaxes(0, 1).reshape(-1, self.size)


def apart(flat: np.ndarray, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """One array after the other of elements that lie behind each other, in the shapes of others."""
    parts = np.split(flat, np.cumsum([x.size for x in arrays])[:-1])
    return [part.reshape(x.shape) for part, x in zip(parts, arrays, strict=True)]


def _length(span: slice) -> int:
    return int(span.stop - span.start)
