"""Functions by linear pieces in each binade of their operand: sigmoid, tanh, silu, gelu, erf, ...

Binades of one sign where a few pieces serve all are taken together: small operands, where a
function is a constant or has the operand's exponent, and large ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ...exceptions import InvalidInput
from ...formats import Format
from ...lazily import np
from .exactly import Leading
from .fit import Rows, cells, fit, samples, shared

SYMMETRIC = ("tanh", "erf")
"""Functions of which negative operands only change the sign."""

_WIDTHS = 7
"""y has fewer fraction bits than this more than the result, unless that gives no table."""

_SHIFTS = 5
"""Slopes have fewer bits than this below those that y has for a step of the operand."""

_MOST_MERGED = 4
"""Binades that are taken together have at most 2^(this - 1) pieces."""


class Binade(NamedTuple):
    """Where the pieces of a binade begin, how many there are as a power of two, and whether their
    exponents are to be added to the operand's."""

    first: int
    select: int
    follows: int


@dataclass(frozen=True)
class BinadeTable:
    """Pieces of y with `width` fraction bits, y between 1/2 and 2, or less where results are
    subnormal; y times 2^exponent is the function. `binades` are those of positive operands by the
    field of their exponents, and behind them, unless only the sign changes, of negative ones."""

    width: int
    rows: Rows
    exponents: tuple[int, ...]
    binades: tuple[Binade, ...]
    odd: int

    @property
    def bits(self) -> int:
        return self.width + 1

    def leading(self, s: int, e: int, g: int, a: Format) -> Leading:
        """The magnitude of the function of an operand, of zero where that is not exact."""
        normal = g >> a.fraction_bits
        field = e + a.fraction_bits + a.bias
        t = g - (normal << a.fraction_bits)
        side = s and not self.odd and g > 0
        b = self.binades[(field if normal else 0) + (side << a.exponent_bits)]
        low = a.fraction_bits - b.select
        row = b.first + (t >> low)
        exponent = self.exponents[row] + (field - a.bias if b.follows else 0)
        y = self.rows.at(row, t & ((1 << low) - 1))
        return Leading(0, exponent - self.width, y, 0)


class _Operands(NamedTuple):
    """Operands of one sign: exponent's field, fraction, value, what it may lie between."""

    field: np.ndarray
    t: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


class _Pieces(NamedTuple):
    rows: Rows
    exponents: tuple[int, ...]
    select: int
    follows: int


@dataclass(frozen=True)
class _Search:
    """Pieces of y with so many fraction bits, and slopes with so many beyond t's."""

    a: Format
    out: Format
    width: int
    shift: int

    def pieces(self, x: _Operands, first: int, last: int, select: int, follows: int) -> Any:
        """Pieces for all binades from one field to another, or None."""
        i, j = np.searchsorted(x.field, (first, last + 1))
        if i == j:
            return _Pieces(Rows(self.shift, (0,), (0,)), (0,), 0, 0)
        field, t, value, low, high = (part[i:j] for part in x)
        a, n = self.a, self.out.numbers
        if follows:
            scale = np.ldexp(1.0, a.bias - np.maximum(field, 1))
            value, low, high = value * scale, low * scale, high * scale
        part = a.fraction_bits - select
        row = t >> part
        k = np.full(1 << select, -(1 << 20))
        np.maximum.at(k, row, np.frexp(value)[1] - 1)
        weight = k[row] + ((np.maximum(field, 1) - a.bias) if follows else 0)
        scale = np.ldexp(1.0, self.width - k[row])
        least = np.ceil(low * scale)
        most = np.floor(high * scale) - 1
        least = np.maximum(least, np.where(weight <= n.emin, 0, 1 << (self.width - 1)))
        most = np.minimum(most, (2 << self.width) - 1)
        key, least, most, target = shared(t, least, most, value * scale)
        if (least > most).any():
            return None
        rows = fit(
            key >> part,
            key & ((1 << part) - 1),
            least.astype(np.int64),
            most.astype(np.int64),
            target,
            self.shift,
            1 << select,
        )
        if rows is None:
            return None
        k = np.where(k == -(1 << 20), 0, k)
        return _Pieces(rows, tuple(k.tolist()), select, follows)

    def merged(self, x: _Operands, fields: range, select: int, follows: int) -> tuple[int, Any]:
        """How many of the first of some binades have pieces in common, and these."""
        least, most, found = 0, len(fields), None
        while least < most:
            count = (least + most + 1) // 2
            ends = sorted((fields[0], fields[count - 1]))
            pieces = self.pieces(x, ends[0], ends[1], select, follows)
            if pieces is None:
                most = count - 1
            else:
                least, found = count, pieces
        return least, found

    def alone(self, x: _Operands, field: int) -> Any:
        """The fewest pieces of a binade."""
        for select in range(self.a.fraction_bits + 1):
            if (pieces := self.pieces(x, field, field, select, 0)) is not None:
                return pieces
        return None

    def side(self, x: _Operands) -> list[_Pieces] | None:
        """Pieces of every binade of one sign; those in common are one object."""
        fields, most = 1 << self.a.exponent_bits, min(_MOST_MERGED, self.a.fraction_bits + 1)
        choices = [(select, f) for select in range(most) for f in (0, 1)]
        below = [(*self.merged(x, range(1 - (not f), fields), s, f), f) for s, f in choices]
        if not any(count for count, *_ in below):
            return None
        above = [self.merged(x, range(fields - 1, 0, -1), s, f) for s, f in choices]
        single: dict[int, Any] = {}
        best: tuple[int, list[_Pieces]] | None = None
        for count, low, follows in below:
            if not count:
                continue
            first = count + (1 if follows else 0)
            for more, high in above:
                last = max(fields - more, first)
                needed = range(first, last)
                for field in needed:
                    if field not in single:
                        single[field] = self.alone(x, field)
                chosen = [single[field] for field in needed]
                if any(p is None for p in chosen) or (more and high is None):
                    continue
                zero = [self.subnormal(x)] if follows else []
                if None in zero:
                    continue
                all_of_them = [*zero, *[low] * count, *chosen, *[high] * (fields - last)]
                cost = sum(1 << p.select for p in {id(p): p for p in all_of_them}.values())
                if best is None or cost < best[0]:
                    best = cost, all_of_them
        return best[1] if best else None

    def subnormal(self, x: _Operands) -> Any:
        for select in range(self.a.fraction_bits + 1):
            if (pieces := self.pieces(x, 0, 0, select, 1)) is not None:
                return pieces
        return None


def find(function: str, a: Format, out: Format, goal: str) -> BinadeTable:
    """The table of the fewest bits. Raises `InvalidInput` if there is none."""
    known = samples(function, a, out)
    low, high = cells(known, out, goal)
    mag = known.code & a.numbers.mag_mask
    columns = (
        mag >> a.fraction_bits,
        mag & ((1 << a.fraction_bits) - 1),
        known.value,
        low,
        high,
    )
    odd = function in SYMMETRIC
    signs = (0,) if odd else (0, 1)
    sides = []
    for s in signs:
        order = np.flatnonzero(known.sign == s)
        order = order[np.argsort(mag[order], kind="stable")]
        sides.append(_Operands(*(column[order] for column in columns)))
    widths = range(out.fraction_bits + 2, out.fraction_bits + 2 * _WIDTHS)
    best: tuple[int, BinadeTable] | None = None
    for width in widths:
        if best is not None and width >= out.fraction_bits + _WIDTHS:
            break
        for shift in range(_SHIFTS):
            search = _Search(a, out, width, shift)
            found = [pieces for x in sides if (pieces := search.side(x)) is not None]
            if len(found) < len(sides):
                continue
            table = _laid_out(width, shift, [p for side in found for p in side], odd)
            bits = rom_bits(table)
            if best is None or bits < best[0]:
                best = bits, table
    if best is None:
        raise InvalidInput(f"{function}: there is no table from {a.name} to {out.name}")
    return best[1]


def _laid_out(width: int, shift: int, pieces: list[_Pieces], odd: bool) -> BinadeTable:
    """A table of the pieces of all binades, those of a binade at a multiple of their number."""
    different = list({id(p): p for p in pieces}.values())
    first: dict[int, int] = {}
    c0: list[int] = []
    c1: list[int] = []
    exponents: list[int] = []
    for p in sorted(different, key=lambda p: -p.select):
        first[id(p)] = len(c0)
        c0 += p.rows.c0
        c1 += p.rows.c1
        exponents += p.exponents
    binades = tuple(Binade(first[id(p)], p.select, p.follows) for p in pieces)
    return BinadeTable(
        width, Rows(shift, tuple(c0), tuple(c1)), tuple(exponents), binades, int(odd)
    )


def rom_bits(table: BinadeTable) -> int:
    """Bits of all rows: c0, c1 and exponent."""
    signed = min(table.rows.c1) < 0
    slope = max(max(x, ~x).bit_length() for x in table.rows.c1) + signed
    spread = (max(table.exponents) - min(table.exponents)).bit_length()
    return len(table.rows.c0) * (table.width + 1 + slope + spread)


def from_plain(x: dict[str, Any]) -> BinadeTable:
    """A table of what `dataclasses.asdict` made of it."""
    rows = Rows(x["rows"]["shift"], tuple(x["rows"]["c0"]), tuple(x["rows"]["c1"]))
    binades = tuple(Binade(*b) for b in x["binades"])
    return BinadeTable(x["width"], rows, tuple(x["exponents"]), binades, x["odd"])
