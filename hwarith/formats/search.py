"""The best float of few bits for given numbers: how many exponent bits, and which bias.

Every code is a number (``eXmYbBf``). Source: Liu et al., LLM-FP4, EMNLP 2023 (arXiv 2310.16836),
its search over splits and biases, and its pre-shifted exponent bias for each channel. Here the bias
is an integer, so that the format is one that hardware has, and the error is that of the numbers
themselves, not that of a layer's outputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..lazily import np
from ..tables import Table, Tabled
from .scalar import Format, format


@dataclass(frozen=True, eq=False)
class Split(Tabled):
    """Numbers in a float of few bits; made by `splits`.

    Attributes
    ----------
    format : ``eXmYbBf``, B being the least bias of a channel.
    shifts : how much greater the bias of each channel is, int64 of all axes but the last; within
        0 to 2^X - 1, as an exponent's field holds it.
    codes : of the numbers, once those of a channel are multiplied by 2^shift.
    nmse : their squared error as a share of their squares.
    """

    format: Format
    shifts: np.ndarray
    codes: np.ndarray
    nmse: float

    def values(self) -> np.ndarray:
        """The numbers that codes and shifts stand for, float64."""
        return np.ldexp(self.format.decode(self.codes), -self.shifts[..., None])

    def row(self) -> dict[str, object]:
        """By the titles of a table."""
        f = self.format
        facts = {"format": f.name, "exponent": f.exponent_bits, "fraction": f.fraction_bits}
        return facts | {"bias": f.bias, "NMSE": self.nmse}

    def tables(self) -> list[Table]:
        """Its format and error."""
        return [Table([self.row()])]


def splits(x: np.ndarray, bits: int, per_channel: bool) -> list[Split]:
    """Numbers in the best float of each split of so many bits into exponent and fraction, the
    fewest exponent bits first.

    `x` is float64 (..., n), finite and not all zero; a channel is what runs along the last axis.
    Without `per_channel` all have one bias.
    """
    rows = x.reshape(-1, x.shape[-1]) if per_channel else x.reshape(1, -1)
    down = int(np.frexp(np.abs(rows).max())[1])  # squares of what is below 1 can be added up
    rows = np.ldexp(rows, -down)
    return [_best(rows, e, bits - 1 - e, down, x.shape) for e in range(1, bits)]


def _best(rows: np.ndarray, e: int, m: int, down: int, shape: tuple[int, ...]) -> Split:
    """One split, of rows that were multiplied by 2^-down."""
    usual = format(f"e{e}m{m}f")
    scales = _scales(rows, usual)
    some = rows.any(axis=1)
    least = scales[some].min()
    scales = np.where(some, np.minimum(scales, least + (1 << e) - 1), least)
    codes = usual.encode(np.ldexp(rows, scales[:, None]))
    error = _square(rows - np.ldexp(usual.decode(codes), -scales[:, None]))
    shifts = np.broadcast_to(scales - least, (math.prod(shape[:-1]),)).reshape(shape[:-1])
    return Split(
        format=format(f"e{e}m{m}b{usual.bias + least - down}f"),
        shifts=shifts.astype(np.int64),
        codes=codes.reshape(shape),
        nmse=float(error.sum() / _square(rows).sum()),
    )


def _scales(rows: np.ndarray, f: Format) -> np.ndarray:
    """For each row the k for which 2^k times its numbers have the least squared error in a format,
    the least such k: a bias that is greater by k is the same.

    Below the greatest k that clips nothing a smaller one gives a part of the values that lie in
    range. Above it, what is clipped alone makes an error that grows with k: once that of each row
    is no less than its least error so far, there is no better k.
    """
    largest = np.abs(rows).max(axis=1)
    fraction, exponent = np.frexp(np.where(largest == 0, 1, largest))
    top_fraction, top_exponent = np.frexp(float(f.max))
    first = top_exponent - exponent - (fraction > top_fraction)
    best, errors, k = first, np.full(len(rows), np.inf), first
    while True:
        scaled = np.ldexp(rows, k[:, None])
        error = np.ldexp(_square(scaled - f.decode(f.encode(scaled))), -2 * k)
        best = np.where(error < errors, k, best)
        errors = np.minimum(error, errors)
        clipped = np.ldexp(_square(np.maximum(np.abs(scaled) - float(f.max), 0)), -2 * k)
        if (clipped >= errors).all():
            return best
        k = k + 1


def _square(x: np.ndarray) -> np.ndarray:
    """The sum of squares of each row."""
    return np.einsum("ij,ij->i", x, x)
