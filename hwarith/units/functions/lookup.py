"""Pieces of degree 1 and 2 in hardware."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Value

from ...rtl import Columns, Structure, read_table, square, sum_of_products, wire
from .fit import Rows
from .quadratics import Quadratics


def piece(m: Module, rows: Rows | Quadratics, row: Value, t: Value, width: int) -> Value:
    """y of a piece, in so many bits: c0 + floor(c1 t / 2^shift), or what `Quadratics` says."""
    c0 = read_table(m, "c0_", rows.c0, row)
    if not any(rows.c1) or not len(t):
        return wire(m, "y0", c0, width)
    c1 = read_table(m, "c1_", rows.c1, row)
    scaled = Cat(Const(0, rows.shift), c0) if rows.shift else c0
    if isinstance(rows, Quadratics):
        total = _quadratic(m, rows, row, t, c1, scaled, width + rows.shift)
    else:
        total = sum_of_products(m, "linear", [(c1, t)], [scaled], width + rows.shift)
    return wire(m, "y0", total.as_unsigned()[rows.shift :], width)


def _quadratic(
    m: Module, rows: Quadratics, row: Value, t: Value, c1: Value, c0: Value, width: int
) -> Value:
    """c0 + c1 u + c2 u^2, of the distance u to the middle of the piece."""
    below = ~t[-1]
    u = wire(m, "from_middle", Cat(t[:-1], below).as_signed())
    magnitude = wire(m, "magnitude", t[rows.drop : -1] ^ below.replicate(rows.low - 1 - rows.drop))
    squared = square(m, "square", magnitude)[rows.cut :]
    c2 = read_table(m, "c2_", rows.c2, row)
    columns = Columns(m, "quadratic", width, Structure(booth="off"))
    for a, b, weight in ((c1, u, 0), (squared, c2, rows.up)):
        if columns.add_product(a, b, weight):
            columns.add_constant(-1 << (len(a) + len(b) + weight))
    columns.add_integer(c0)
    low, high, _ = columns.compress()
    total = columns.structure.add(m, "quadratic_rows", low, high)
    return wire(m, "quadratic", total[:width])
