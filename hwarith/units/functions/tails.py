"""Functions whose tail is a power of e, such as sigmoid: linear pieces of the operand's magnitude
in powers of two, so that the tail's exponent is an integer, and one power of two's pieces serve all
of it.

With |x| log2(e) = n + r the value is y 2^-(n + 1) for negative operands and y/2 for others. Of each
small n there are pieces of their own, of all others there are these once. They are pieces of r, for
negative operands of its inverse, so that y rises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

from ...formats import Format
from ...formats import rounding as r
from ...lazily import np
from . import binade
from .binade import BinadeTable
from .exactly import Leading, ln2
from .fit import AUTOMATIC, NEIGHBOURS, Rows, Wish, cells, fit, samples, shared

_MORE = 6
"""Fewer fraction bits than this are tried beyond those of the result, of |x| log2(e) and of y."""

_NEAR = range(2, 5)
"""How many n have pieces of their own, as powers of two."""

_MOST_SELECTED = 5
"""At most 2^this pieces has an n."""

_OF_A_BIT, _OF_A_PRODUCT = 0.23, 10
"""About how many gates a bit of a table takes and a product of two bits, as measured of bf16 and
fp16."""

_DIGIT = 4
"""Bits of a significand that a table of multiples of log2(e) is indexed by, at most."""


class Multiples(NamedTuple):
    """Rounded multiples of log2(e): of so many bits of a significand from one on, or, of the top
    ones, with the hidden one above them."""

    low: int
    bits: int
    entries: tuple[int, ...]


@dataclass(frozen=True)
class Magnitude:
    """|x| log2(e) in fixed point, rounded down, of `integer` and `fraction` bits; what is beyond
    is clamped. The product is a sum of a table's entries for every few bits of the significand
    (Chapman, "Fast integer multipliers", EDN, 1993), as if subnormal ones had a one on top."""

    integer: int
    fraction: int

    @property
    def window(self) -> int:
        """Bits of the product."""
        return self.integer + self.fraction

    def tables(self, precision: int) -> list[Multiples]:
        """The tables of the product, whose msb is n's if that of the significand is 2^`highest`."""
        found, stored = [], precision - 1
        count = max(-(-stored // _DIGIT), 1)
        ends = [stored * i // count for i in range(count + 1)]
        for low, end in pairwise(ends):
            top = 1 << stored if end == stored else 0
            digits = (top + (d << low) for d in range(1 << (end - low)))
            entries = tuple(self._multiple(d, self.window - precision - 1) for d in digits)
            found.append(Multiples(low, end - low, entries))
        return found

    @property
    def highest(self) -> int:
        """Binades above that of 2^this are beyond the range."""
        return self.integer - 2

    def of(self, e: Any, g: Any, precision: int) -> Any:
        """That of significands and exponents, arrays."""
        product = np.zeros_like(g)
        for low, bits, entries in self.tables(precision):
            product += np.array(entries)[g >> low & ((1 << bits) - 1)]
        down = self.highest - e - (precision - 1)
        moved = product >> np.clip(down, 0, self.window)
        return np.where(down < 0, (1 << self.window) - 1, moved)

    @staticmethod
    def _multiple(g: int, up: int) -> int:
        """g log2(e) 2^up, to nearest."""
        w = 64
        return ((g << 2 * w) // ln2(w) >> (w - up - 1)) + 1 >> 1


@dataclass(frozen=True)
class TailTable:
    """The reduction of operands' magnitudes, and pieces of y, which is between 1/2 and 2, with
    `width` fraction bits: 2^`select` for each n below 2^`near`, then those of all other n; of
    operands that are not negative, and behind them of negative ones."""

    magnitude: Magnitude
    width: int
    select: int
    near: int
    rows: Rows

    @property
    def bits(self) -> int:
        return self.width + 1

    @property
    def classes(self) -> int:
        """Of n, of one sign."""
        return (1 << self.near) + 1

    @property
    def by_bits(self) -> Rows:
        """The pieces by bits of r, of n, whether n is large, and the sign."""
        each = 1 << (self.near + self.select)
        order: list[int] = []
        for first in (0, self.classes << self.select):
            order += range(first, first + each)
            order += [*range(first + each, first + each + (1 << self.select))] * (1 << self.near)
        rows = self.rows
        return Rows(rows.shift, *(tuple(c[i] for i in order) for c in (rows.c0, rows.c1)))

    def leading(self, s: int, e: int, g: int, a: Format) -> Leading:
        """The function of an operand."""
        fraction = self.magnitude.fraction
        z = int(self.magnitude.of(np.int64(e), np.int64(g), a.precision))
        n, rest = z >> fraction, z & ((1 << fraction) - 1)
        group = min(n, 1 << self.near) + (self.classes if s else 0)
        if s:
            rest ^= (1 << fraction) - 1
        low = fraction - self.select
        y = self.rows.at((group << self.select) + (rest >> low), rest & ((1 << low) - 1))
        return Leading(0, -(n if s else 0) - 1 - self.width, y, 0)


class _Operands(NamedTuple):
    """Every finite operand: its sign, exponent and significand, what the function is of it, and
    what it may lie between."""

    sign: np.ndarray
    exponent: np.ndarray
    significand: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def find(
    function: str, a: Format, out: Format, goal: str, wish: Wish = AUTOMATIC
) -> TailTable | BinadeTable:
    """The table of the fewest gates. That is one by binades of what is correctly rounded, for which
    each small n would need as many pieces as a power of two; they have the shorter path as well.
    Raises `InvalidInput` if there is none."""
    own = _found(function, a, out, goal) if goal == NEIGHBOURS and not wish.delay else None
    return own or binade.find(function, a, out, goal)


def _found(function: str, a: Format, out: Format, goal: str) -> TailTable | None:
    """The table of this kind that takes the fewest gates, if there is one."""
    known = samples(function, a, out)
    parts = [r.unpack(code, a.numbers)[1:] for code in known.code.tolist()]
    sign, exponent, significand = np.array(parts).T
    x = _Operands(sign, exponent, significand, known.value, *cells(known, out, goal))
    farthest = int((2 - out.numbers.lsb) / 1.4426)  # beyond, results round to zero
    integer = farthest.bit_length() + 1
    found = []
    for fraction in range(out.fraction_bits, out.fraction_bits + _MORE):
        for near in _NEAR:
            table = _with(Magnitude(integer, fraction), near, x, a, out)
            if table is not None:
                found.append(table)
    return min(found, key=_gates, default=None)


def _with(
    magnitude: Magnitude, near: int, x: _Operands, a: Format, out: Format
) -> TailTable | None:
    """The table with the fewest, then the narrowest pieces."""
    fraction = magnitude.fraction
    z = magnitude.of(x.exponent, x.significand, a.precision)
    n, rest = z >> fraction, z & ((1 << fraction) - 1)
    rising = np.where(x.sign == 1, ((1 << fraction) - 1) ^ rest, rest)
    classes = (1 << near) + 1
    group = np.minimum(n, classes - 1) + classes * x.sign
    in_tail = (x.sign == 1) & (n >= classes - 1)
    allowed = {}
    for width in range(out.fraction_bits + 1, out.fraction_bits + _MORE):
        scale = np.ldexp(1.0, width + 1 + n * x.sign)
        least = np.maximum(np.ceil(x.low * scale), 1 << (width - 1))
        most = np.minimum(np.floor(x.high * scale) - 1, (2 << width) - 1)
        tail = np.ldexp(np.exp2(-rest / 2.0**fraction), width + 1)
        target = np.where(in_tail, tail, x.value * scale)
        key, least, most, target = shared((group << fraction) | rising, least, most, target)
        if (least <= most).all():
            target = np.clip(target, least, most + 1)
            allowed[width] = key, least.astype(np.int64), most.astype(np.int64), target
    for select in range(min(_MOST_SELECTED, fraction) + 1):
        part = fraction - select
        for width, (key, least, most, target) in allowed.items():
            row, t = key >> part, key & ((1 << part) - 1)
            for shift in range(fraction + 1):
                rows = fit(row, t, least, most, target, shift, 2 * classes << select)
                if rows is not None:
                    table = TailTable(magnitude, width, select, near, rows)
                    return _with_fewer(table, row, t, least, most)
    return None


def _with_fewer(
    table: TailTable, row: np.ndarray, t: np.ndarray, least: np.ndarray, most: np.ndarray
) -> TailTable:
    """The same with pieces of an n that are those of the next one, where these do as well."""
    rows, select, count = table.rows, table.select, table.classes
    c0, c1 = list(rows.c0), list(rows.c1)
    starts = np.searchsorted(row, np.arange(len(c0) + 1))
    for side in (0, count):
        for i in reversed(range(side << select, (side + count - 1) << select)):
            other, own = i + (1 << select), slice(starts[i], starts[i + 1])
            y = c0[other] + (c1[other] * t[own] >> rows.shift)
            if ((least[own] <= y) & (y <= most[own])).all():
                c0[i], c1[i] = c0[other], c1[other]
    return replace(table, rows=Rows(rows.shift, tuple(c0), tuple(c1)))


def _gates(table: TailTable) -> float:
    """About how many a table's pieces that differ from those of the next n, and their products,
    take."""
    pieces = list(zip(table.rows.c0, table.rows.c1, strict=True))
    own = sum(a != b for a, b in zip(pieces, pieces[1 << table.select :], strict=False))
    slope = max(table.rows.c1).bit_length()
    bits = (own + (1 << table.select)) * (table.width + 1 + slope)
    return _OF_A_BIT * bits + _OF_A_PRODUCT * slope * (table.magnitude.fraction - table.select)


def from_plain(x: dict[str, Any]) -> TailTable | BinadeTable:
    """A table of what `dataclasses.asdict` made of it."""
    if "binades" in x:
        return binade.from_plain(x)
    rows = Rows(x["rows"]["shift"], tuple(x["rows"]["c0"]), tuple(x["rows"]["c1"]))
    magnitude = Magnitude(**x["magnitude"])
    return TailTable(magnitude, x["width"], x["select"], x["near"], rows)
