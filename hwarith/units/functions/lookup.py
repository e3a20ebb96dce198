"""Linear pieces in hardware."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Value

from ...rtl import read_table, sum_of_products, wire
from .fit import Rows


def piece(m: Module, rows: Rows, row: Value, t: Value, width: int) -> Value:
    """y = c0 + floor(c1 t / 2^shift), in so many bits."""
    c0 = read_table(m, "c0_", rows.c0, row)
    if not any(rows.c1) or not len(t):
        return wire(m, "y0", c0, width)
    c1 = read_table(m, "c1_", rows.c1, row)
    scaled = Cat(Const(0, rows.shift), c0) if rows.shift else c0
    total = sum_of_products(m, "linear", [(c1, t)], [scaled], width + rows.shift)
    return wire(m, "y0", total.as_unsigned()[rows.shift :], width)
