"""Exponents compared: which is the greatest, and how far the others lie below it."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value

from .... import rtl
from ....rtl import wire
from ....rtl.floats.operands import exponent_bits


def greatest(m: Module, name: str, candidates: list[Value], width: int) -> Value:
    """The greatest of unsigned numbers of one width, by a tree of comparisons."""
    found, level = list(candidates), 0
    while len(found) > 1:
        level += 1
        pairs = list(zip(found[::2], found[1::2], strict=False))
        best = [_greater(m, f"{name}{level}_{i}", *pair) for i, pair in enumerate(pairs)]
        found = best + found[2 * len(pairs) :]
    return wire(m, name, found[0], width)


def _greater(m: Module, name: str, x: Value, y: Value) -> Value:
    greater, _ = rtl.compare(m, name, x, y)
    return wire(m, name, Mux(greater, x, y))


def counted(m: Module, name: str, exponent: Value, zero: Value, width: int) -> Value:
    """An exponent, signed, or 0 for a negative one or that of a zero."""
    none = wire(m, f"{name}_none", zero | (exponent < 0))
    bits = min(width, len(exponent))
    return wire(m, name, exponent[:bits] & ~none.replicate(bits), width)


def moved_right(m: Module, name: str, x: Value, below: Value, width: int) -> Value:
    """A magnitude on top of a window of so many bits, moved right; what falls out is lost."""
    far = _is_far(m, name, below, width)
    window = max(width, len(x))
    moved, _ = rtl.shift_right(m, name, x, below[: exponent_bits(width)], window)
    return wire(m, f"{name}_truncated", moved[window - width :] & ~far.replicate(width))


def floor_right(m: Module, name: str, x: Value, below: Value) -> Value:
    """A number in two's complement moved right in as many bits as it has, rounded down."""
    width, sign = len(x), x[-1]
    far = _is_far(m, name, below, width)
    bits = below[: exponent_bits(width)]
    moved, _ = rtl.shift_right(m, name, x.as_unsigned(), bits, width, fill=sign)
    floored = Mux(far, sign.replicate(width), moved)
    return wire(m, f"{name}_floored", floored)


def _is_far(m: Module, name: str, below: Value, width: int) -> Value:
    """Whether a distance is as far as a window is wide."""
    if len(below) < exponent_bits(width):
        return Const(0, 1)
    return wire(m, f"{name}_far", below >= width)


def signed_rows(columns: rtl.Columns, terms: list[tuple[Value, Value]]) -> None:
    """Put magnitudes with their signs into the columns of a sum, in two's complement."""
    for magnitude, sign in terms:
        row = Cat(magnitude ^ sign.replicate(len(magnitude)), sign)
        columns.add_integer(row.as_signed())
        columns.add(0, sign)
