"""Logarithms: n + log2(m) of 2^n * m, or both times ln 2, with log2(m) by linear pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...exceptions import InvalidInput
from ...formats import Format
from ...formats import rounding as r
from ...lazily import np
from .exactly import Leading, ln2
from .fit import Rows, cells, fit, samples, shared


@dataclass(frozen=True)
class LogarithmTable:
    """Pieces of the logarithm of m from 3/4 to below 3/2, with `width` fraction bits, by the
    fraction of the operand's significand from 1 to below 2, of which 2^`select` equal parts have a
    row each; half of an m from 3/2 on belongs to the next n. `unit` is the logarithm of 2."""

    width: int
    select: int
    unit: int
    rows: Rows

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


def find(function: str, a: Format, out: Format, goal: str) -> LogarithmTable:
    """The table with the fewest rows, then bits. Raises `InvalidInput` if there is none."""
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
    rows = Rows(x["rows"]["shift"], tuple(x["rows"]["c0"]), tuple(x["rows"]["c1"]))
    return LogarithmTable(x["width"], x["select"], x["unit"], rows)
