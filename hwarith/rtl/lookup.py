"""Tables of integers, of which a value chooses an entry."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Shape, Value

from .wires import wire


def read_table(m: Module, name: str, entries: Sequence[int], index: Value) -> Value:
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
