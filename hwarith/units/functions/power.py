"""Powers of two and of e: 2^n * 2^r of a fixed-point number n + r, with 2^r by linear pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ...exceptions import InvalidInput
from ...formats import Format
from ...formats import rounding as r
from ...formats.rounding import unpack
from ...golden import bit_length, golden
from ...lazily import np
from . import quadratics
from .definitions import rounded
from .exactly import Leading, ln2
from .fit import (
    AUTOMATIC,
    MINIMAX,
    Rows,
    Samples,
    Wish,
    between,
    cells,
    fit,
    fractions,
    samples,
    shared,
)
from .quadratics import Cells, Curve, Quadratics, constrained, quadratic, rows_from_plain


@dataclass(frozen=True)
class Reduction:
    """How an operand becomes n + r: its magnitude in fixed point, times log2(e) if the base is e.

    `integer` bits hold n, with a sign above; `fraction` bits hold r; `factor` is log2(e) with
    `factor_bits` fraction bits, of which a product keeps `integer` + `fraction` from its msb.
    """

    integer: int
    fraction: int
    factor_bits: int

    @property
    def factor(self) -> int:
        """log2(e), or 1."""
        if not self.factor_bits:
            return 1
        w = self.factor_bits + 16
        return ((1 << 2 * w) // ln2(w) >> 15) + 1 >> 1

    def dropped(self, precision: int) -> int:
        """Low bits of a product that are not kept."""
        if not self.factor_bits:
            return 0
        return max(0, precision + self.factor_bits + 1 - self.integer - self.fraction)

    def numbers(self, precision: int) -> FixedPoint:
        """What `in_fixed_point` takes, for operands of this precision."""
        has_factor = 1 if self.factor_bits else 0
        return FixedPoint(
            self.integer - has_factor,
            self.integer + self.fraction,
            self.factor,
            self.dropped(precision),
            self.fraction - self.factor_bits,
            has_factor,
        )

    def of(self, s: int, e: int, g: int, precision: int) -> tuple[int, int]:
        """`in_fixed_point` of an operand of this precision."""
        return in_fixed_point(s, e, g, self.numbers(precision))


class FixedPoint(NamedTuple):
    """A `Reduction` of operands of one precision, as integers for golden definitions."""

    highest: int  # binades from 2^this on are beyond the range
    bits: int  # of n and r
    factor: int
    dropped: int  # low bits of the product that are not kept
    scale: int  # the product's lsb is r's, times 2^(the operand's exponent + this)
    has_factor: int


@golden
def in_fixed_point(s, e, g, f):
    """n + r of an operand in units of r's last place, rounded down, or clamped if it is beyond
    what is in range; and whether that is exact."""
    if e + bit_length(g) > f.highest:
        largest = (1 << f.bits) - 1
        return (-largest - 1 if s else largest), 0
    kept = (g * f.factor) >> f.dropped
    up = e + f.scale + f.dropped
    if up >= 0:
        magnitude, lost = kept << up, 0
    else:
        down = min(-up, bit_length(kept))
        magnitude = kept >> down
        lost = kept - (magnitude << down)
    exact = 1 if g == 0 or (f.has_factor == 0 and lost == 0) else 0
    return (exact - magnitude - 1 if s else magnitude), exact


@dataclass(frozen=True)
class PowerTable:
    """The reduction of operands, and a table of 2^r: `width` fraction bits of y, a row for each of
    2^`select` equal parts of [0, 1)."""

    reduction: Reduction
    width: int
    select: int
    rows: Rows | Quadratics

    @property
    def bits(self) -> int:
        return self.width + 1

    def numbers(self, a: Format) -> PowerNumbers:
        """What `power` takes, of a table of pieces of degree 2."""
        assert isinstance(self.rows, Quadratics)
        reduction = self.reduction
        return PowerNumbers(
            reduction.numbers(a.precision), reduction.fraction, self.width, self.rows
        )

    def widest(self, a: Format) -> int:
        """Bits of the widest integer that `power` forms."""
        r = self.reduction.numbers(a.precision)
        product = a.precision + r.factor.bit_length()
        return max(product, r.bits + 1, self.width + self.rows.shift + 1, self.bits + 2)

    def leading(self, s: int, e: int, g: int, a: Format) -> Leading:
        """The power of an operand."""
        if a.is_float:
            z, exact = self.reduction.of(s, e, g, a.precision)
        else:
            z, exact = (-g if s else g), 1
        n, rest = z >> self.reduction.fraction, z & ((1 << self.reduction.fraction) - 1)
        low = self.reduction.fraction - self.select
        y = self.rows.at(rest >> low, rest & ((1 << low) - 1))
        return Leading(0, n - self.width, y, int(exact and not rest))


class PowerNumbers(NamedTuple):
    """A `PowerTable` of pieces of degree 2, as integers for golden definitions."""

    reduction: FixedPoint
    fraction: int
    width: int
    pieces: Quadratics


@golden
def power(a, control, fa, fo, rules, limits, t):
    """A power of a by pieces of degree 2, rounded once."""
    _, s, e, g = unpack(a, fa)
    z, exact = in_fixed_point(s, e, g, t.reduction)
    n, rest = z >> t.fraction, z & ((1 << t.fraction) - 1)
    y = quadratic(rest >> t.pieces.low, rest & ((1 << t.pieces.low) - 1), t.pieces)
    exact = 1 if exact and rest == 0 else 0
    return rounded(a, 0, n - t.width, y, exact, control, fa, fo, rules, limits)


_MOST = 26
"""Most fraction bits of n + r."""


def integer_bits(function: str, out: Format) -> int:
    """Of n, so that beyond them every result is beyond the range; for a product with log2(e) one
    more."""
    n = out.numbers
    emax = (n.max_mag >> n.fraction_bits) - n.bias
    return max(emax + 1, 2 - n.lsb).bit_length() + (function == "exp")


_MORE = 2
"""Fraction bits of n + r beyond those of a result that is found by minimax."""


def find(function: str, a: Format, out: Format, goal: str, wish: Wish = AUTOMATIC) -> PowerTable:
    """The table with the fewest fraction bits, then rows, then bits. Raises `InvalidInput` if there
    is none."""
    if goal == MINIMAX:
        return _by_minimax(function, out, wish)
    if not a.is_float:
        return _of_fractions(function, a, out, goal, wish)
    known = samples(function, a, out)
    operands = [r.unpack(c, a.numbers)[1:] for c in known.code.tolist()]
    low, high = cells(known, out, goal)
    integer = integer_bits(function, out)

    def with_bits(fraction: int, factor_bits: int, selects: range) -> PowerTable | None:
        reduction = Reduction(integer, fraction, factor_bits)
        return _with(reduction, operands, a.precision, known, low, high, out, selects, wish)

    for fraction in range(out.fraction_bits, _MOST):
        longest = fraction + integer + 2 if function == "exp" else 0
        found = with_bits(fraction, longest, selects_of(wish, fraction))
        if found is None:
            continue
        same = range(found.select, found.select + 1)
        for factor_bits in range(longest - 1, 1, -1):
            fewer = with_bits(fraction, factor_bits, same)
            if fewer is None or rom_bits(fewer) > rom_bits(found):
                break
            found = fewer
        return found
    raise _no_table(function, a, out, wish)


def _no_table(function: str, a: Format, out: Format, wish: Wish) -> InvalidInput:
    formats = f"{a.name} to {out.name}"
    if wish == AUTOMATIC:
        return InvalidInput(f"{function}: no table of linear pieces is known for {formats}")
    return InvalidInput(
        f"{function}: degree, segments, guard: there is no table from {formats} with these; "
        "allowed: auto, or more of them"
    )


def _by_minimax(function: str, out: Format, wish: Wish) -> PowerTable:
    """The table for results of more bits, of which not every operand can be looked at: pieces of
    2^r that err by so little that what is rounded to nearest is one of the two neighbours."""
    fraction, integer = out.fraction_bits + _MORE, integer_bits(function, out)
    curve = Curve(np.exp2, True, 1.0)
    width, select, pieces = quadratics.find(curve, fraction, out.fraction_bits, wish)
    factor_bits = fraction + integer if function == "exp" else 0
    return PowerTable(Reduction(integer, fraction, factor_bits), width, select, pieces)


def _with(
    reduction: Reduction,
    operands: list[tuple[int, int, int]],
    precision: int,
    known: Samples,
    low: np.ndarray,
    high: np.ndarray,
    out: Format,
    selects: range,
    wish: Wish,
) -> PowerTable | None:
    z, exact = np.array([reduction.of(*x, precision) for x in operands]).T
    if (known.exact & ~exact.astype(bool)).any():
        return None
    return _search(reduction, z, known, low, high, out, selects, wish)


def _of_fractions(function: str, a: Format, out: Format, goal: str, wish: Wish) -> PowerTable:
    """The table for operands in fixed point: every fraction, in the normal range, where all
    exponents are alike, and with each exponent of subnormal results, down to half of the least."""
    fraction, n = -a.exponent, out.numbers
    reduction = Reduction(a.bits - fraction - 1, fraction, 0)
    rest = np.arange(1 << fraction)
    part = fractions(function, a, out)
    exponents = [0, *range(n.lsb - 2, n.emin)]
    z = np.concatenate([(k << fraction) + rest for k in exponents])
    value = np.concatenate([np.ldexp(part, k) for k in exponents])
    exact = ((z & ((1 << fraction) - 1)) == 0) & (value >= 2.0 ** (n.lsb - 1))
    known = Samples(z, np.zeros(len(z), np.int64), value, exact)
    low, high = cells(known, out, goal)
    selects = selects_of(wish, fraction)
    found = _search(reduction, z, known, low, high, out, selects, wish)
    if found is None:
        raise _no_table(function, a, out, wish)
    return found


def _search(
    reduction: Reduction,
    z: np.ndarray,
    known: Samples,
    low: np.ndarray,
    high: np.ndarray,
    out: Format,
    selects: range,
    wish: Wish,
) -> PowerTable | None:
    n, rest = z >> reduction.fraction, z & ((1 << reduction.fraction) - 1)

    def allowed(width: int) -> tuple[np.ndarray, ...]:
        """The fractions, and what y may be of each, and should be."""
        scale = np.ldexp(1.0, width - n)
        ends = (1 << width, (2 << width) - 1)
        least, most = between(low * scale, high * scale, known.exact, ends)
        target = np.ldexp(np.exp2(rest / 2.0**reduction.fraction), width)
        return shared(rest, least.astype(np.int64), most.astype(np.int64), target)

    widths = range(out.fraction_bits + 1, out.fraction_bits + 13)
    if wish.guard is not None:
        widths = range(out.fraction_bits + wish.guard, out.fraction_bits + wish.guard + 1)
    possible = {w: x for w in widths if (x := allowed(w)) and (x[1] <= x[2]).all()}
    for select in selects:
        part = reduction.fraction - select
        for width, (key, least, most, target) in possible.items():
            if wish.degree == 2:
                cells = Cells(key, least, most, target)
                pieces = constrained(cells, reduction.fraction, select)
                if pieces is not None:
                    return PowerTable(reduction, width, select, pieces)
                continue
            row, t = key >> part, key & ((1 << part) - 1)
            for shift in range(max(0, reduction.fraction + 2 - width), reduction.fraction + 1):
                rows = fit(row, t, least, most, target, shift, 1 << select)
                if rows is not None:
                    return PowerTable(reduction, width, select, rows)
    return None


def selects_of(wish: Wish, fraction: int) -> range:
    """The numbers of rows that there may be, as powers of two, of a fraction of so many bits."""
    if wish.select is None:
        return range(fraction + 1)
    return range(wish.select, min(wish.select, fraction) + 1)


def rom_bits(table: PowerTable) -> int:
    slopes = max(x.bit_length() for x in table.rows.c1)
    if isinstance(table.rows, Quadratics):
        slopes += max(x.bit_length() for x in table.rows.c2)
    return len(table.rows.c0) * (table.width + 1 + slopes)


def from_plain(x: dict[str, Any]) -> PowerTable:
    """A table of what `dataclasses.asdict` made of it."""
    return PowerTable(
        Reduction(**x["reduction"]), x["width"], x["select"], rows_from_plain(x["rows"])
    )
