"""Logarithms: n + log2(m) of 2^n * m, or both times ln 2.

log2(m) comes from linear pieces; or, as it has few leading bits where m is near 1, from m - 1 times
pieces of degree 2.
"""

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
from .fit import AUTOMATIC, MINIMAX, Rows, Wish, cells, fit, samples, shared
from .quadratics import BOUND, Curve, Quadratics, quadratic, rows_from_plain


@dataclass(frozen=True)
class LogarithmTable:
    """Pieces of the logarithm of m from 3/4 to below 3/2, with `width` fraction bits, by the
    fraction of the operand's significand from 1 to below 2, of which 2^`select` equal parts have a
    row each; half of an m from 3/2 on belongs to the next n. `unit` is the logarithm of 2.

    Pieces of degree 2 are those of the logarithm divided by m - 1, and have `factor` fraction bits.
    """

    width: int
    select: int
    unit: int
    rows: Rows | Quadratics
    factor: int = 0

    def numbers(self, a: Format) -> LogarithmNumbers:
        """What `logarithm` takes, of a table of pieces of degree 2."""
        assert isinstance(self.rows, Quadratics)
        is_binary = int(self.unit == 1 << self.width)
        dropped = self.dropped(a.fraction_bits)
        return LogarithmNumbers(
            a.fraction_bits, self.width, self.unit, is_binary, dropped, self.rows
        )

    def dropped(self, fraction_bits: int) -> int:
        """Low bits of a product of m - 1 that are not added up."""
        return fraction_bits + 1 + self.factor - self.width

    def widest(self, a: Format) -> int:
        """Bits of the widest integer that `logarithm` forms."""
        n = a.numbers
        exponent = max(n.bias + 1, -n.lsb).bit_length()
        assert isinstance(self.rows, Quadratics)
        slope = self.factor + self.rows.shift + 1
        return max(exponent + self.width + 2, a.precision + 1 + self.factor, slope)

    def split(self, e: int, g: int, fraction_bits: int) -> tuple[int, int]:
        """n and the fraction of a positive operand."""
        top = g.bit_length() - 1
        t = (g << fraction_bits >> top) - (1 << fraction_bits)
        return e + top + (t >> (fraction_bits - 1)), t

    @property
    def bits(self) -> int:
        return self.width + 11

    def leading(self, s: int, e: int, g: int, a: Format) -> Leading | None:
        """The logarithm of an operand; None of what is not positive."""
        if s or not g:
            return None
        n, t = self.split(e, g, a.fraction_bits)
        low = a.fraction_bits - self.select
        v = n * self.unit + self.rows.at(t >> low, t & ((1 << low) - 1))
        exact = int(not t and (n == 0 or self.unit == 1 << self.width))
        # Of a negative sum in two's complement, with a zero behind it, the bits are inverted.
        magnitude = -2 * v - 1 + exact if v < 0 else 2 * v
        return Leading(int(v < 0), -self.width - 1, magnitude, exact)


class LogarithmNumbers(NamedTuple):
    """A `LogarithmTable` of pieces of degree 2, as integers for golden definitions."""

    fraction_bits: int
    width: int
    unit: int
    is_binary: int
    dropped: int
    pieces: Quadratics


@golden
def logarithm(a, control, fa, fo, rules, limits, t):
    """A logarithm of a by pieces of degree 2, rounded once."""
    _, _, e, g = unpack(a, fa)
    one = 1 << t.fraction_bits
    top = max(bit_length(g), 1) - 1
    fraction = (g << (t.fraction_bits - top)) - one
    upper = fraction >> (t.fraction_bits - 1)
    n = e + top + upper
    less_one = fraction - one if upper else 2 * fraction
    low = t.pieces.low
    factor = quadratic(fraction >> low, fraction & ((1 << low) - 1), t.pieces)
    v = n * t.unit + ((less_one * factor) >> t.dropped)
    exact = 1 if fraction == 0 and (n == 0 or t.is_binary) else 0
    # Of a negative sum in two's complement, with a zero behind it, the bits are inverted.
    s, magnitude = (1, exact - 1 - 2 * v) if v < 0 else (0, 2 * v)
    return rounded(a, s, -t.width - 1, magnitude, exact, control, fa, fo, rules, limits)


def _by_minimax(function: str, a: Format, out: Format, wish: Wish) -> LogarithmTable:
    """The table for results of more bits, of which not every operand can be looked at."""
    scale = 1.0 if function == "log2" else float(np.log(2.0))

    def value(x: np.ndarray) -> np.ndarray:
        less_one = np.where(x < 0.5, x, (x - 1) / 2)
        small = np.where(less_one == 0, 1.0, less_one)
        ratio = np.where(less_one == 0, 1.0, np.log1p(small) / small)
        return ratio / np.log(2.0) * scale

    # A result between 1 and 2 has a last place of up to its 2^-p, and y is 3/4 to 5/3 of its own.
    places = out.precision
    curve = Curve(value, False, None, BOUND * float(value(np.array([0.5 - 2.0**-30]))[0]))
    factor, select, pieces = quadratics.find(curve, a.fraction_bits, places, wish)
    width = a.fraction_bits + 1 + places + 1
    unit = 1 << width if function == "log2" else ln2(width + 8) + 128 >> 8
    return LogarithmTable(width, select, unit, pieces, factor)


def find(
    function: str, a: Format, out: Format, goal: str, wish: Wish = AUTOMATIC
) -> LogarithmTable:
    """The table with the fewest rows, then bits. Raises `InvalidInput` if there is none."""
    if goal == MINIMAX:
        return _by_minimax(function, a, out, wish)
    known = samples(function, a, out)
    low, high = cells(known, out, goal)
    operands = [r.unpack(c, a.numbers)[2:] for c in known.code.tolist()]
    any_table = LogarithmTable(0, 0, 0, Rows(0, (), ()))
    n, t = np.array([any_table.split(e, g, a.fraction_bits) for e, g in operands]).T
    negative = np.array([e + g.bit_length() <= 0 for e, g in operands])
    value = np.where(negative, -known.value, known.value)
    low, high = np.where(negative, -high, low), np.where(negative, -low, high)
    for select in range(a.fraction_bits + 1):
        part = a.fraction_bits - select
        for width in range(2, 2 * out.fraction_bits + 24):
            one = 1 << width
            unit = one if function == "log2" else ln2(width + 8) + 128 >> 8
            base = n * unit
            least = np.ceil(low * one) - base
            most = np.where(known.exact, np.floor(high * one), np.floor(high * one) - 1) - base
            at_one = known.exact & (t == 0)
            least, most = np.where(at_one, 0, least), np.where(at_one, 0, most)
            key, least, most, target = shared(t, least, most, value * one - base)
            if (least > most).any():
                continue
            for shift in range(part + 1):
                rows = fit(
                    key >> part,
                    key & ((1 << part) - 1),
                    least.astype(np.int64),
                    most.astype(np.int64),
                    target,
                    shift,
                    1 << select,
                )
                if rows is not None:
                    return LogarithmTable(width, select, unit, rows)
    raise InvalidInput(f"{function}: there is no table from {a.name} to {out.name}")


def rom_bits(table: LogarithmTable) -> int:
    """Bits of all rows."""
    c0 = max(max(x, ~x).bit_length() for x in table.rows.c0) + 1
    return len(table.rows.c0) * (c0 + max(max(x, ~x).bit_length() for x in table.rows.c1))


def from_plain(x: dict[str, Any]) -> LogarithmTable:
    """A table of what `dataclasses.asdict` made of it."""
    rows = rows_from_plain(x["rows"])
    return LogarithmTable(x["width"], x["select"], x["unit"], rows, x.get("factor", 0))
