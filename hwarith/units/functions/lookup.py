"""Tables and linear pieces in hardware."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Shape, Value

from ...rtl import sum_of_products, wire
from .fit import Rows


def read(m: Module, name: str, entries: Sequence[int], index: Value) -> Value:
    """An entry of a table of integers, signed if any is: for each of its bits a column of ones and
    zeros, of which the index chooses one."""
    signed = min(entries) < 0
    bits = max(max((~x if x < 0 else x).bit_length() for x in entries) + signed, 1)
    columns = []
    for i in range(bits):
        column = sum((x >> i & 1) << k for k, x in enumerate(entries))
        if len(index) == 0 or column in (0, (1 << len(entries)) - 1):
            bit: Value = Const(column & 1, 1)
        else:
            bit = Const(column, 1 << len(index)).bit_select(index, 1)
        columns.append(wire(m, f"{name}{i}", bit))
    return wire(m, name, Cat(*columns), Shape(bits, signed=signed))


def piece(m: Module, rows: Rows, row: Value, t: Value, width: int) -> Value:
    """y = c0 + floor(c1 t / 2^shift), in so many bits."""
    c0 = read(m, "c0_", rows.c0, row)
    if not any(rows.c1) or not len(t):
        return wire(m, "y0", c0, width)
    c1 = read(m, "c1_", rows.c1, row)
    scaled = Cat(Const(0, rows.shift), c0) if rows.shift else c0
    total = sum_of_products(m, "linear", [(c1, t)], [scaled], width + rows.shift)
    return wire(m, "y0", total.as_unsigned()[rows.shift :], width)
