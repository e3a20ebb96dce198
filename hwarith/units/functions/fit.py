"""Tables of linear pieces by constraints: every operand says between which two integers its result
must lie, and a row of a table is one that keeps all of these (after RLIBM, POPL 2021).

So a table is proved for every operand by finding it, and no analysis of errors is left over. Values
are what `exactly` gives; a result of hardware is an integer y that stands for something between y
and y + 1, as what is beyond its last place is never looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...formats import Format
from ...lazily import np
from .definitions import leading_of, leading_of_fraction

NEAREST, DIRECTED, BOTH, NEIGHBOURS = "nearest", "directed", "both", "neighbours"
"""What must lie on one side of a result, so that rounding gives the right code: the midpoints
between codes, the codes, both; or, for one of the two codes beside the value and rounding to
nearest, the midpoints beyond these."""

MINIMAX = "minimax"
"""One of the two codes beside the value and rounding to nearest, of more operands than can be
looked at: by an error that is small enough (`quadratics`)."""


class Wish(NamedTuple):
    """What is asked of a table: the degree of its pieces, how many there are as a power of two,
    bits that y has beyond the result; None leaves it to the search; and whether a short path is
    worth more gates."""

    degree: int | None = None
    select: int | None = None
    guard: int | None = None
    delay: bool = False


AUTOMATIC, SHORT = Wish(), Wish(delay=True)

_BITS = 50
"""Bits of the values that tables are made of, which float64 holds."""

SLOPES = (0, 1, -1, 2, -2, 3, -3)
"""What is tried around the slope of a row's chord, in units of its last place."""


class Samples(NamedTuple):
    """Every finite operand whose result is not the same for all, as arrays: its code, its sign,
    the magnitude of the function's value, and whether that is all of it, if it is in range."""

    code: np.ndarray
    sign: np.ndarray
    value: np.ndarray
    exact: np.ndarray


def samples(function: str, a: Format, out: Format) -> Samples:
    found, n = [], out.numbers
    for code in range(1 << a.bits):
        x = leading_of(function, code, a, out, _BITS)
        s = code >> (a.numbers.bits - 1) & a.numbers.signed
        if x is None or (s and a.is_float and not code & a.numbers.mag_mask):
            continue  # -0 is what +0 is
        value = float(x.significand) * 2.0**x.exponent
        seen = x.exact and (not value or 2.0 ** (n.lsb - 1) <= value <= float(out.max))
        found.append((code, s, value, bool(seen)))
    types = (np.int64, np.int64, np.float64, bool)
    columns = zip(*found, strict=True)
    return Samples(*(np.array(x, dtype) for x, dtype in zip(columns, types, strict=True)))


def fractions(function: str, a: Format, out: Format) -> np.ndarray:
    """The function's values of every fraction of a number in fixed point, from 0 to below 1."""
    found = []
    for code in range(1 << -a.exponent):
        x = leading_of_fraction(function, code, a, out, _BITS)
        found.append(float(x.significand) * 2.0**x.exponent)
    return np.array(found)


def cells(known: Samples, out: Format, goal: str) -> tuple[np.ndarray, ...]:
    """Between which numbers results must lie, both of them excluded unless a value is exact; so
    that what is below the normal range, before and after rounding, is known to be."""
    value, exact = known.value, known.exact
    n = out.numbers
    emax = (n.max_mag >> n.fraction_bits) - n.bias
    top = np.frexp(np.maximum(value, 2.0 ** (n.lsb - 9)))[1] - 1
    half = np.maximum(top, n.emin) - n.fraction_bits - 1
    k = np.floor(np.ldexp(value, -half))
    even = k % 2 == 0
    if goal == NEAREST:
        low, high = np.where(even, k - 1, k), np.where(even, k + 1, k + 2)
    elif goal == BOTH:
        low, high = k, k + 1
    else:
        low = np.where(even, k, k - 1)
        high = low + 2
        if goal == NEIGHBOURS:
            low, high = low - 1, high + 1
    # Below a power of two codes are twice as close.
    first = np.ldexp(1.0, top - half)
    low = np.where((low < first) & (top > n.emin), first - (first - low) / 2, low)
    low, high = np.ldexp(np.maximum(low, 0), half), np.ldexp(high, half)
    normal = 2.0**n.emin
    for end in (normal - 2.0 ** (n.lsb - 2), normal):
        low = np.where(value >= end, np.maximum(low, end), low)
        high = np.where(value < end, np.minimum(high, end), high)
    beyond = top > emax
    low, high = np.where(beyond, 2.0 ** (emax + 1), low), np.where(beyond, np.inf, high)
    return np.where(exact, value, low), np.where(exact, value, high)


def between(
    low: np.ndarray, high: np.ndarray, exact: np.ndarray, ends: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest y for results between two numbers, in units of its last place,
    that lies between two ends as well."""
    least = np.ceil(low)
    greatest = np.where(exact, np.where(least == low, low, least - 1), np.floor(high) - 1)
    return np.maximum(least, ends[0]), np.minimum(greatest, ends[1])


@dataclass(frozen=True)
class Rows:
    """A piece a row: y = c0 + floor(c1 t / 2^shift)."""

    shift: int
    c0: tuple[int, ...]
    c1: tuple[int, ...]

    def at(self, row: int, t: int) -> int:
        return self.c0[row] + (self.c1[row] * t >> self.shift)


def fit(
    row: np.ndarray,
    t: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    value: np.ndarray,
    shift: int,
    count: int,
) -> Rows | None:
    """Rows for operands of row and t, that give a y from `low` to `high`, if there are such;
    `value` is what y should be. Operands are in the order of their rows."""
    if (low > high).any():
        return None
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    ends = np.append(starts[1:], len(row)) - 1
    steps = np.maximum(t[ends] - t[starts], 1)
    chord = np.rint((value[ends] - value[starts]) / steps * 2.0**shift).astype(np.int64)
    lengths = np.diff(np.append(starts, len(row)))
    c0, c1 = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    done = np.zeros(len(starts), bool)
    for more in SLOPES:
        slope = chord + more
        products = np.repeat(slope, lengths) * t >> shift
        least = np.maximum.reduceat(low - products, starts)
        most = np.minimum.reduceat(high - products, starts)
        new = ~done & (least <= most)
        off = value - products - 0.5
        wanted = np.maximum.reduceat(off, starts) + np.minimum.reduceat(off, starts)
        best = np.clip(np.rint(wanted / 2), least, np.maximum(most, least)).astype(np.int64)
        c0[new], c1[new] = best[new], slope[new]
        done |= new
        if done.all():
            break
    else:
        return None
    all0, all1 = [0] * count, [0] * count
    for i, a, b in zip(row[starts].tolist(), c0.tolist(), c1.tolist(), strict=True):
        all0[i], all1[i] = int(a), int(b)
    return Rows(shift, tuple(all0), tuple(all1))


def shared(
    keys: np.ndarray, low: np.ndarray, high: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Of operands that share a key, in the order of keys: the key, and what all of them allow."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    return (
        keys[starts],
        np.maximum.reduceat(low[order], starts),
        np.minimum.reduceat(high[order], starts),
        value[order][starts],
    )
