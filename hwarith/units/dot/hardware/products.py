"""Products put at their places in a fixed-point number, as terms of one signed sum.

What is negative is inverted, and lacks one at the lsb of all of it. A gate that inverts costs two
or three times as much as one that chooses, so the product is inverted before it is put at its
place, and its sign fills the places around it: of an e4m3fn product that is 8 bits of 36.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Value

from .... import rtl
from ....rtl import wire

FEW_PLACES = 5
"""Up to so many places the bits of a product are gated by one signal for each of them."""


def placed(m: Module, name: str, x: Value, sign: Value, place: Value, most: int) -> Value:
    """`x` times 2^place, inverted if `sign` is set, in as many bits as `most` places need."""
    row = wire(m, f"{name}_inverted", x ^ sign.replicate(len(x)))
    if not most:
        return row
    width = len(x) + most
    if most < FEW_PLACES:
        return wire(m, f"{name}_placed", _chosen(m, name, row, sign, place, most), width)
    for level, moves in enumerate(place):
        distance = min(1 << level, width - len(row))
        fill = sign.replicate(1 << level)
        moved, stays = Cat(fill, row)[: len(row) + distance], Cat(row, fill[:distance])
        row = wire(m, f"{name}_by{1 << level}", Mux(moves, moved, stays))
    return row


def _chosen(m: Module, name: str, row: Value, sign: Value, place: Value, most: int) -> Value:
    """The same of one signal for each place: bits of the product at it, its sign elsewhere."""
    place_is = rtl.one_hot(m, f"{name}_place_is", place, most + 1)
    bits = []
    for j in range(len(row) + most):
        ones = [row[j - k] & place_is[k] for k in range(most + 1) if 0 <= j - k < len(row)]
        outside = [place_is[k] for k in range(most + 1) if not 0 <= j - k < len(row)]
        ones += [sign & Cat(*outside).any()] if outside else []
        bits.append(reduce(or_, ones))
    return Cat(*bits)


def negatives(m: Module, name: str, signs: list[Value]) -> Value:
    """How many signs are set."""
    bits = len(signs).bit_length()
    columns = rtl.Columns(m, name, bits)
    for sign in signs:
        columns.add(0, sign)
    low, high, _ = columns.compress()
    return wire(m, name, (low + high)[:bits])
