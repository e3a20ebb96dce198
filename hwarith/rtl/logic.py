"""Leading-zero count, decoder, and comparisons that are found from the msb on."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from .parts import named_part
from .wires import wire

SHORT_COUNT = 4
"""Up to this many bits leading zeros are not counted by halves, but from each bit's being the
first one."""


@named_part("leading_zeros")
def leading_zeros(m: Module, name: str, x: Value) -> Signal:
    """Leading-zero count (LZC) of `x`, by halves; if it is zero, its width (or 0 if it has at most
    `SHORT_COUNT` bits)."""
    width = len(x)
    if width <= SHORT_COUNT:
        return wire(m, name, _place_of_first_one(x))
    padded = 1 << (width - 1).bit_length()
    # Ones below the lsb end the count at the width of x.
    bits = _count(Cat(Const(-1, padded - width), x) if padded > width else x)
    return wire(m, name, Cat(*bits)[: width.bit_length()])


def _place_of_first_one(x: Value) -> Value:
    """How many places below the msb the first one is."""
    first: list[Value] = []
    above: Value = Const(0, 1)
    for bit in reversed(x):
        first.append(bit & ~above)
        above = above | bit
    bits = max(1, (len(x) - 1).bit_length())
    return Cat(*(Cat(*(f for i, f in enumerate(first) if i >> b & 1)).any() for b in range(bits)))


def _count(x: Value) -> list[Value]:
    """Bits of the leading-zero count of a power-of-two wide value; the last: all of it is zero."""
    if len(x) == 1:
        return [~x[0]]
    half = len(x) // 2
    *low, low_zero = _count(x[:half])
    *high, high_zero = _count(x[half:])
    rest = [Mux(high_zero, b, a) for a, b in zip(high, low, strict=True)]
    return [*rest, high_zero & ~low_zero, high_zero & low_zero]


def at_least(x: Value, y: Value) -> Value:
    """Whether `x` >= `y`, two unsigned numbers of one width, compared by halves."""
    return _compare(x, y)[1]


def _compare(x: Value, y: Value) -> tuple[Value, Value]:
    """Whether x > y, and whether x >= y."""
    if len(x) == 1:
        return x[0] & ~y[0], x[0] | ~y[0]
    half = len(x) // 2
    low_greater, low_least = _compare(x[:half], y[:half])
    greater, least = _compare(x[half:], y[half:])
    return greater | (least & low_greater), greater | (least & low_least)


@named_part("minimum")
def least(m: Module, name: str, x: Value, limit: Value) -> Value:
    """The lesser of `x` and `limit`, in as many bits as `x`.

    It is found from the msb on: that is the order in which a leading-zero counter gives its bits,
    and in which `shift_left` uses them.
    """
    width = len(x)
    x_is: Value = limit[width:].any()
    limit_is: Value = Const(0, 1)
    bits = []
    for i in reversed(range(width)):
        a, b = x[i], (limit[i] if i < len(limit) else Const(0, 1))
        bits.append((a | limit_is) & (b | x_is))
        x_is, limit_is = (
            wire(m, f"{name}_is_x{i}", x_is | (~limit_is & ~a & b)),
            wire(m, f"{name}_is_limit{i}", limit_is | (~x_is & a & ~b)),
        )
    return wire(m, name, Cat(*reversed(bits)))


def one_hot(x: Value, count: int) -> list[Value]:
    """Whether `x` is 0, 1, ... `count` - 1, decoded in two halves of its bits."""
    if count == 1:
        return [~x.any()]
    if len(x) == 1:
        return [~x[0], x[0]][:count]
    half = len(x) // 2
    low = one_hot(x[:half], min(count, 1 << half))
    high = one_hot(x[half:], -(-count >> half))
    return [high[i >> half] & low[i & ((1 << half) - 1)] for i in range(count)]


def exceeds_rounded(x: Value, up: Value, limit: int) -> Value:
    """Whether x + up is greater than a constant."""
    return exceeds(x, limit) | ((x == limit) & up)


def exceeds(x: Value, constant: int) -> Value:
    """Whether `x` is greater than a constant, without an adder: it has a one where the constant
    has none, and ones where it has ones above."""
    greater: Value = Const(0, 1)
    if constant >> len(x):
        return greater
    for i in range(len(x)):
        greater = x[i] & greater if constant >> i & 1 else x[i] | greater
    return greater
