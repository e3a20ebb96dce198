"""What a table of signed sums holds, what it costs to build, and what is lost where it is rounded.

A table of K activations, integers or floats, is made of the tables of its two halves: each sum with
a plus before the last activation is one of the upper half, plus or minus one of the lower half.
That is half of the table; the others are the negatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ...exceptions import InvalidInput, quoted
from ...formats import format
from ...formats.codec import array_of
from ...formats.lanes import join
from ...lazily import np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_ACTIVATIONS = 6
"""Most activations of a table."""

T = TypeVar("T")


def half_table(terms: list[T], add: Callable[[T, T], T], subtract: Callable[[T, T], T]) -> list[T]:
    """The sums with a plus before the last term: entry i has +term where bit j of i is 1."""
    if len(terms) == 1:
        return terms
    low = len(terms) // 2
    below = half_table(terms[:low], add, subtract)
    above = half_table(terms[low:], add, subtract)
    found = []
    for upper in above:
        # Of the lower half's patterns those with a 0 on top come first: the negatives, mirrored
        found += [subtract(upper, x) for x in reversed(below)]
        found += [add(upper, x) for x in below]
    return found


def read(
    table: np.ndarray, patterns: np.ndarray, negative: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """What tables (..., 2^(k-1)), as `half_table` makes them, hold for patterns (..., n) of k bits:
    with the last bit 0 the negative of the entry of the inverted pattern."""
    whole = np.concatenate([negative(table[..., ::-1]), table], axis=-1)
    return np.take_along_axis(whole, patterns, axis=-1)


def pattern_words(codes: np.ndarray, k: int, q: int, planes: int) -> np.ndarray:
    """What reads the tables of k activations: of codes (..., n, m) of q bits, words (..., tables,
    q / planes) of the patterns of all n outputs, of each output those of so many planes, the
    lowest one first. Codes that are missing from the last table are 0."""
    *front, n, m = codes.shape
    tables, slices = -(-m // k), q // planes
    padded = np.pad(codes, [(0, 0)] * (codes.ndim - 1) + [(0, tables * k - m)])
    bits = padded[..., None] >> np.arange(q, dtype=codes.dtype) & 1
    # (..., n, tables, k, slices, planes) to (..., tables, slices, n, planes, k)
    bits = bits.reshape(*front, n, tables, k, slices, planes)
    bits = np.moveaxis(bits, (-5, -3, -2, -1), (-3, -1, -4, -2))
    return join(bits.reshape(*front, tables, slices, n * planes * k), format("uint1"))


def adders(k: int) -> int:
    """Additions that build a table of k activations: 2, 6, 12, 24, 44 for k from 2 to 6."""
    count = 0

    def one(x: int, _: int) -> int:
        nonlocal count
        count += 1
        return x

    half_table([0] * k, one, one)
    return count


def quantized_dot(
    acts: ArrayLike, weights: ArrayLike, k: int = 4, per: int | None = None
) -> np.ndarray:
    """Dot products by tables whose entries are rounded to 8 bits.

    The tables of each `per` groups of k activations share a scale s, their greatest magnitude over
    127; an entry becomes s times the nearest integer (ties to even). Weights are bipolar, so that
    each of their bit planes reads one entry of a table.

    Parameters
    ----------
    acts : real numbers, an array of shape (..., n); n is a multiple of k.
    weights : odd integers of 1 to 8 bits, an array of shape (..., n).
    per : tables that share a scale; None: all of a dot product.

    Returns float64 of shape (...). Raises `InvalidInput` for what is not as said here.

    Source: LUT Tensor Core (arXiv 2408.06003) for tables in 8 bits; how many share a scale it
    leaves open here.
    """
    x, w = array_of(acts, "activations").astype(np.float64), array_of(weights, "weights")
    if not 1 <= k <= MOST_ACTIVATIONS:
        raise InvalidInput(f"tables have 1 to {MOST_ACTIVATIONS} activations, not {quoted(k)}")
    if x.ndim == 0 or w.shape[-1:] != x.shape[-1:] or x.shape[-1] % k or not x.shape[-1]:
        raise InvalidInput(
            f"activations and weights have the shape (..., n) with n a multiple of k={k}, not "
            f"{x.shape} and {w.shape}"
        )
    groups = x.shape[-1] // k
    per = groups if per is None else per
    if per < 1 or groups % per:
        raise InvalidInput(
            f"tables that share a scale must divide the {groups} of a dot product, not {per}"
        )
    if w.dtype.kind not in "iu" or (w % 2 == 0).any() or (np.abs(w.astype(np.int64)) > 255).any():
        raise InvalidInput("weights must be odd integers from -255 to 255")
    split = x.reshape(*x.shape[:-1], groups, k)
    table = np.stack(half_table(list(np.moveaxis(split, -1, 0)), np.add, np.subtract), axis=-1)
    shared = table.reshape(*table.shape[:-2], groups // per, per * table.shape[-1])
    scale = np.abs(shared).max(axis=-1, keepdims=True) / 127
    scale = np.where(scale == 0, 1.0, scale)
    table = (np.rint(shared / scale) * scale).reshape(table.shape)
    total = np.zeros(np.broadcast_shapes(x.shape, w.shape)[:-1])
    q = int(np.abs(w.astype(np.int64)).max(initial=1)).bit_length()
    codes = (w.astype(np.int64) + (1 << q) - 1) >> 1
    for b in range(q):
        bits = (codes >> b & 1).reshape(*w.shape[:-1], groups, k)
        patterns = (bits << np.arange(k)).sum(axis=-1)
        found = read(table, patterns[..., None], np.negative)[..., 0]
        total = total + found.sum(axis=-1) * 2.0**b
    return total
