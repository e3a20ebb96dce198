"""Matrix products of dot products of blocks, on values in the place of codes.

- ``exact``: where the sum of a block is a float64, it is a product of float64 matrices; scaled, and
  added to the accumulator with one rounding (`hwarith.matrix.float64`).
- Integers: what no sum on the way can leave the result's format by is a product of matrices.
- ``trunc-F``: significands and exponents are integers side by side, the accumulator a float64; with
  groups their sums are float64 matrix products, and all terms float64 multiples of the grid.

Elements that are not finite on the way are left to the definition.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from ...formats import Format
from ...golden import golden
from ...golden.compiler import compiled
from ...golden.cores import in_slices
from ...golden.kernels import Kernel
from ...golden.vectors import each
from ...units.dot import Dot
from ...units.dot.definitions.terms import NOTHING
from ..float64 import FloatRounding, bits_float, float_bits, sum_to_odd, to_nearest
from ..roundings import rounding_of, rounds_in_float64
from ..tiles import COLUMNS, ROWS, in_rows

Sums = tuple[np.ndarray, np.ndarray]
"""Codes (m, n), and which of them are not done."""

LEAST_WORK = 1 << 18
"""Products from which on another core pays."""

GROUPED = 1 << 15
"""Elements of the result that sums of groups are worked on for at a time: what a cache holds."""


def accumulate(
    u: Dot, a: np.ndarray, b: np.ndarray, c: np.ndarray, scales: list[np.ndarray]
) -> Sums | None:
    """Codes of matrix products (m, k) by (k, n) from c (m, n) on; None if no kernel does it."""
    if u.subnormals != "keep":
        return None
    kernels: dict[Callable[[Dot], bool], Callable[..., Sums]] = {_all_integers: _integers}
    if u.out.is_float:
        kernels = {_exact_in_float64: _exact, _truncated_in_words: _truncated}
        kernels[_grouped_in_float64] = _grouped
    kernel = next((found for does, found in kernels.items() if does(u)), None)
    if kernel is None:
        return None
    z = u.out.decode(c)
    if u.readers:
        (x, left), (y, right) = (
            r.values(codes.reshape(len(codes), words.shape[-1], u.n), words)
            for r, codes, words in zip(u.readers, (a, b.T), (scales[0], scales[1].T), strict=True)
        )
        x, y, factors = x.reshape(a.shape), y.reshape(b.T.shape).T, [left, right.T]
    else:
        x, y = u.a.decode(a), u.b.decode(b)
        factors = [u.scale.decode(codes) for codes in scales] if u.scale else []
    finite = all(np.isfinite(values).all() for values in (x, y, z, *factors))
    return kernel(u, x, y, z, factors) if finite else None


# -- integers ------------------------------------------------------------------------------------


def _all_integers(u: Dot) -> bool:
    """Whether sums are of integers, with signs (a result of such takes nothing else)."""
    return not u.out.is_float and u.out.signed


def _integers(
    u: Dot, a: np.ndarray, b: np.ndarray, c: np.ndarray, scales: list[np.ndarray]
) -> Sums:
    x, y, z = (values.astype(np.float64) for values in (a, b, c))
    most = np.abs(x) @ np.abs(y) + np.abs(z)
    undone = most > min(float(u.out.max), 2.0**53)
    return u.out.encode(np.where(undone, 0, x @ y + z)), undone


# -- exact sums ----------------------------------------------------------------------------------


def _exact_in_float64(u: Dot) -> bool:
    """Whether a block's sum, scaled, is a float64, and one rounding of what is added to it that of
    the definition."""
    scale_bits = 2 * u.scale.precision if u.scale else 0
    usual = u.overflow in ("nosat", "saturate") and u.round == "rne" and u.nan == "canonical"
    return (
        u.acc.way == "exact"
        and usual
        and u.keep is None
        and u.sum_bits + scale_bits <= 53
        and u.blocks == 1
        and rounds_in_float64(u.out)
    )


def _exact(u: Dot, a: np.ndarray, b: np.ndarray, c: np.ndarray, scales: list[np.ndarray]) -> Sums:
    rounding = rounding_of(u.out, str(u.overflow))
    acc = np.array(c, np.float64, order="C")
    left, right = a.astype(np.float64), b.astype(np.float64)
    run = _rounding_loop()
    for i in range(a.shape[1] // u.n):
        lanes = slice(i * u.n, (i + 1) * u.n)
        sums = left[:, lanes] @ right[lanes]
        if scales:
            sums *= scales[0][:, i : i + 1]
            sums *= scales[1][i]
        # A sum of zeros may be -0, which a matrix product does not know.
        work = partial(_on_rows, run, acc, sums, rounding)
        in_rows(work, len(acc), acc.shape[1], LEAST_WORK)
    undone = ~np.isfinite(acc) | (acc == 0)
    codes = u.out.encode(np.where(undone, 0, acc))
    return codes, undone


def _on_rows(
    run: Kernel, acc: np.ndarray, sums: np.ndarray, rounding: FloatRounding, rows: slice
) -> None:
    run(acc[rows], sums[rows], rounding)


@lru_cache(maxsize=1)
def _rounding_loop() -> Kernel:
    return Kernel(_make_rounding_loop)


@golden
def _add_and_round(elements, rounding: Any):
    x, acc = elements
    y = to_nearest(sum_to_odd(x, acc), rounding)
    # What is not finite stays so, and what became zero is looked at again.
    return y if acc - acc == 0 else acc


def _make_rounding_loop() -> Callable:
    each_sum, step = each(vectors=True), compiled(_add_and_round)

    def run(acc, sums, rounding):
        for i in range(acc.shape[0]):
            each_sum(step, acc[i], (sums[i], acc[i]), rounding)

    return run


# -- truncated sums ------------------------------------------------------------------------------


class Grid(NamedTuple):
    """What truncation needs of a unit, as integers."""

    bits: int  # fraction bits below the greatest exponent
    floor: int  # the greatest exponent is at least this
    left: int  # places that a product is moved left before it is truncated
    keep: int  # fraction bits of the result
    nearest: int  # 1: rounded to nearest even, else toward zero
    emin: int  # exponent of the smallest normal result
    top: int  # exponent of the largest result


def _truncates(u: Dot) -> bool:
    """Whether this is a truncated sum that is rounded as tensor cores do."""
    overflows = u.overflow == "toinf" or (u.round == "rne" and u.overflow == "nosat")
    return (
        u.acc.way == "trunc"
        and u.a.is_float
        and u.b.is_float
        and u.round in ("rtz", "rne")
        and overflows
        and rounds_in_float64(u.out)
        and u.out.infinity
        and u.out.exponent_bits <= 8
    )


def _truncated_in_words(u: Dot) -> bool:
    """Whether truncated products fit in words of 32 bits, and the sum in a float64."""
    scaled = u.scale is None or (u.scale.precision == 1 and u.block == u.n)
    fraction = u.a.fraction_bits + u.b.fraction_bits
    return _truncates(u) and u.group == 1 and scaled and fraction <= u.acc.bits <= 27


def _truncated(
    u: Dot, a: np.ndarray, b: np.ndarray, c: np.ndarray, scales: list[np.ndarray]
) -> Sums:
    fraction = u.a.fraction_bits + u.b.fraction_bits
    grid = Grid(
        bits=u.acc.bits,
        floor=u.floor,
        left=u.acc.bits - fraction,
        keep=u.rounded.fraction_bits,
        nearest=int(u.round == "rne"),
        emin=u.out.numbers.emin,
        top=u.out.bias,
    )
    left, right = _fields(u.a, a), _fields(u.b, b)
    shifts = [np.frexp(x)[1].astype(np.int32) - 1 for x in scales]
    if not shifts:
        blocks = a.shape[1] // u.n
        shifts = [np.zeros((len(a), blocks), np.int32), np.zeros((blocks, b.shape[1]), np.int32)]
    acc = np.array(c, np.float64, order="C")
    run = _truncating_loop()

    def work(p: slice) -> None:
        tops = np.empty(COLUMNS, np.int32), np.empty(COLUMNS, np.int64)
        parts = left[0][p], left[1][p], *right, shifts[0][p], shifts[1]
        run(acc[p], *parts, *tops, np.empty(COLUMNS, np.int32), u.n, grid)

    in_rows(work, len(acc), b.size, LEAST_WORK)
    undone = ~np.isfinite(acc)
    return u.out.encode(np.where(undone, 0, acc)), undone


def _grouped_in_float64(u: Dot) -> bool:
    """Whether the scaled sums of groups, and the sum of all on their grid, are float64 numbers."""
    if not _truncates(u) or u.scale is None or u.group == 1 or u.round != "rtz":
        return False
    scales = 4 if u.scale.precision > 1 else 1  # the product of their significands is below
    above = int(u.n * u.a.max * u.b.max * scales + 2).bit_length()
    return u.sum_bits + 2 * u.scale.precision <= 53 and u.acc.bits + above <= 53


def _grouped(u: Dot, a: np.ndarray, b: np.ndarray, c: np.ndarray, scales: list[np.ndarray]) -> Sums:
    """Sums of groups as products of matrices; what they are truncated to is a float64 as well."""
    acc = np.array(c, np.float64)
    exponents = [np.where(x == 0, NOTHING, np.frexp(np.where(x == 0, 1, x))[1] - 1) for x in scales]
    if u.scale and u.scale.precision > 1:  # subnormal scales have the exponent of the least normal
        exponents = [
            np.where(e == NOTHING, e, np.maximum(e, u.scale.numbers.emin)) for e in exponents
        ]
    every = np.abs(a), np.abs(b)

    def work(rows: slice) -> None:
        for k in range(0, a.shape[1], u.n):
            terms = []
            for first in range(k, k + u.n, u.group):
                lanes, s = slice(first, first + u.group), first // u.block
                term = (a[rows, lanes] @ b[lanes]) * scales[0][rows, s : s + 1] * scales[1][s]
                some = every[0][rows, lanes] @ every[1][lanes] > 0
                both = exponents[0][rows, s : s + 1] + exponents[1][s]
                terms.append((term, np.where(some & (both > NOTHING // 2), both, NOTHING)))
            acc[rows] = _rounded_down(u, acc[rows], terms)

    in_slices(work, len(acc), max(1, GROUPED // b.shape[1]))
    undone = ~np.isfinite(acc)
    return u.out.encode(np.where(undone, 0, acc)), undone


def _rounded_down(
    u: Dot, acc: np.ndarray, terms: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """The sum of terms and accumulator on the grid of the greatest exponent, rounded toward zero;
    infinity where it is too large, or was."""
    emin = u.out.numbers.emin
    own = np.where(acc == 0, NOTHING, np.maximum(np.frexp(acc)[1] - 1, emin))
    top = np.maximum(own, u.floor)
    for _, exponent in terms:
        top = np.maximum(top, exponent)
    up = np.ldexp(1.0, u.acc.bits - top)
    total = np.trunc(acc * up)
    for term, _ in terms:
        total += np.trunc(term * up)
    value = total / up
    last = np.ldexp(1.0, np.maximum(np.frexp(value)[1] - 1, emin) - u.rounded.fraction_bits)
    result = np.trunc(value / last) * last + 0.0
    too_large = (np.abs(result) > float(u.rounded.max)) | ~np.isfinite(acc)
    return np.where(too_large, np.inf, result)


def _fields(f: Format, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signed significands, and the exponents of their hidden bits (those of zeros `NOTHING`)."""
    emin = f.numbers.emin
    exponents = np.maximum(np.frexp(x)[1] - 1, emin)
    significands = np.ldexp(x, f.fraction_bits - exponents)
    exponents = np.where(x == 0, NOTHING, exponents)
    return significands.astype(np.int32), exponents.astype(np.int32)


@lru_cache(maxsize=1)
def _truncating_loop() -> Kernel:
    return Kernel(_make_truncating_loop)


@golden
def _begin_top(elements, grid: Any):
    (acc,) = elements
    field = (float_bits(acc) >> 52) & 0x7FF
    return np.int32(max(grid.floor, NOTHING if field == 0 else max(field - 1023, grid.emin)))


@golden
def _raise_top(elements, scalars: Any):
    y, scale, top = elements
    return np.int32(max(top, np.int32(np.int32(y + scale) + scalars)))


@golden
def _begin_total(elements, grid: Any):
    acc, top = elements
    pattern = float_bits(acc)
    field = (pattern >> 52) & 0x7FF
    significand = (pattern & 0xFFFFFFFFFFFFF) | 0x10000000000000
    down = min(52 - grid.bits + (top - (field - 1023)), 63)
    magnitude = 0 if field == 0 else significand >> down
    return -magnitude if pattern < 0 else magnitude


@golden
def _add_term(elements, scalars: Any):
    y, y_exponent, scale, top, total = elements
    x, x_exponent, left = scalars
    exponent = np.int32(np.int32(y_exponent + scale) + x_exponent)
    term = np.int32(x * y)
    down = np.int32(min(np.int32(top - exponent), np.int32(31)))
    magnitude = np.int32(np.int32(np.int32(abs(term)) << left) >> down)
    return total + (-magnitude if term < 0 else magnitude)


@golden
def _round_total(elements, grid: Any):
    total, top, acc = elements
    value = np.float64(total) * bits_float((top - grid.bits + 1023) << 52)
    field = (float_bits(value) >> 52) & 0x7FF
    step = max(field - 1023, grid.emin) - grid.keep
    scaled = value * bits_float((1023 - step) << 52)
    cut = np.float64(np.int64(scaled))
    near = (scaled + 6755399441055744.0) - 6755399441055744.0
    result = (near if grid.nearest == 1 else cut) * bits_float((step + 1023) << 52) + 0.0
    beyond = ((float_bits(result) >> 52) & 0x7FF) - 1023 > grid.top
    # Infinity stays, to be looked at again.
    return acc if acc - acc != 0 else (np.inf if beyond else result)


def _make_truncating_loop() -> Callable:
    each_of = each(vectors=True)
    begin_top, raise_top = compiled(_begin_top), compiled(_raise_top)
    begin_total, add_term = compiled(_begin_total), compiled(_add_term)
    round_total = compiled(_round_total)
    rows, columns = ROWS, COLUMNS

    def run(acc, a, a_exponents, b, b_exponents, a_scales, b_scales, tops, totals, scales, n, grid):
        chunk = max(rows // n, 1) * n
        for j in range(0, b.shape[1], columns):
            width = min(columns, b.shape[1] - j)
            top, total, scale = tops[:width], totals[:width], scales[:width]
            for k0 in range(0, b.shape[0], chunk):
                for i in range(a.shape[0]):
                    sums = acc[i, j : j + width]
                    for k in range(k0, min(k0 + chunk, b.shape[0]), n):
                        shift = a_scales[i, k // n]
                        for t in range(width):
                            scale[t] = b_scales[k // n, j + t] + shift
                        each_of(begin_top, top, (sums,), grid)
                        for lane in range(k, k + n):
                            y = b_exponents[lane, j : j + width]
                            each_of(raise_top, top, (y, scale, top), a_exponents[i, lane])
                        each_of(begin_total, total, (sums, top), grid)
                        for lane in range(k, k + n):
                            y, y_exponent = b[lane, j : j + width], b_exponents[lane, j : j + width]
                            x = a[i, lane], a_exponents[i, lane], grid.left
                            each_of(add_term, total, (y, y_exponent, scale, top, total), x)
                        each_of(round_total, sums, (total, top, sums), grid)

    return run
