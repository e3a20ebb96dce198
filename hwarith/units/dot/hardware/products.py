"""Products put at their places in a fixed-point number, as terms of one signed sum."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Value

from .... import rtl
from ....rtl import Values, wire

COUNTED = 16
"""Signs are counted by so many, which takes fewer full adders than each of them at two places: 4 %
of the gates of 32 e2m1fn. A count of all 32 comes after the products, and makes their path 73 gates
long instead of 59; counts of 7 leave no more than 56, but e4m3fn of 8 then has 101 instead of 79.
"""


def placed(m: Module, name: str, x: Value, sign: Value, place: Value, most: int) -> Value:
    """`x` times 2^place, inverted if `sign` is set, in as many bits as `most` places need.

    A gate that inverts costs seven NAND, NOR and NOT, one that chooses three, and a sign that
    fills a place two. So the product is inverted before it is put at its place, 8 bits of 36 for
    e4m3fn; and it is moved by levels: with a signal for each place that gates its bits, e2m1fn
    takes 3 % less, but e2m3fn 4 % more.
    """
    row = wire(m, f"{name}_inverted", x ^ sign.replicate(len(x)))
    width = len(x) + most
    for level in range(most.bit_length()):
        grown = min(len(row) + (1 << level), width)
        moved = Cat(sign.replicate(1 << level), row)[:grown]
        stays = Cat(row, sign.replicate(grown - len(row)))
        row = wire(m, f"{name}_by{1 << level}", Mux(place[level], moved, stays))
    return row


def add_products(
    m: Module, columns: rtl.Columns, x: Values, lanes: range, most: int, at: int
) -> None:
    """Put products of some lanes that are at their places, of up to `most` bits, into the columns
    of a sum, as multiples of 2^at."""
    for i in lanes:
        columns.add(at, x[f"placed{i}"][:most])
    # An inverted row is the negative plus 2^bits, less one.
    bits = min(most, len(x[f"placed{lanes[0]}"]))
    for first in lanes[::COUNTED]:
        signs = [x[f"sign{i}"] for i in lanes if 0 <= i - first < COUNTED]
        count = negatives(m, f"negatives{first}", signs)
        columns.add(at, count)
        columns.add_weighted(count, (1 << len(count)) - 1, at + bits)


def negatives(m: Module, name: str, signs: list[Value]) -> Value:
    """How many signs are set."""
    bits = len(signs).bit_length()
    columns = rtl.Columns(m, name, bits)
    for sign in signs:
        columns.add(0, sign)
    low, high, _ = columns.compress()
    return wire(m, name, (low + high)[:bits])
