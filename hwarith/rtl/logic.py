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
    below = padded - width
    count, none = _count(m, name, Cat(Const(-1, below), x) if below else x, -below)
    return wire(m, name, Cat(count, none)[: width.bit_length()])


@named_part("anticipation")
def anticipate(m: Module, name: str, a: Value, b: Value, negative: Value) -> Value:
    """A number whose first one is where the sum of two rows has its first bit that is not its sign,
    or one place above it: leading-zero anticipation, which need not wait for the sum.

    The rows are of one width; `negative` says that one of them goes on with ones above it, the
    other one goes on with zeros. Source: Schmookler and Nowka, ARITH-15, 2001.
    """
    differ, both, none = a ^ b, a & b, ~(a | b)
    below_both, below_none = Cat(Const(0, 1), both[:-1]), Cat(Const(1, 1), none[:-1])
    above = Cat(differ[1:], negative)
    alternates = (both & ~below_none) | (none & ~below_both)
    repeats = (both & ~below_both) | (none & ~below_none)
    found = (above & alternates) | (~above & repeats)
    # The first place above the rows has its one where a positive sum reaches the top.
    return wire(m, name, Cat(found[:-1], found[-1] | (~negative & ~none[-1])))


def _place_of_first_one(x: Value) -> Value:
    """How many places below the msb the first one is."""
    first: list[Value] = []
    above: Value = Const(0, 1)
    for bit in reversed(x):
        first.append(bit & ~above)
        above = above | bit
    bits = max(1, (len(x) - 1).bit_length())
    return Cat(*(Cat(*(f for i, f in enumerate(first) if i >> b & 1)).any() for b in range(bits)))


def _count(m: Module, name: str, x: Value, place: int) -> tuple[Value, Value]:
    """Leading zeros of a power-of-two wide value that is not zero, and whether it is zero."""
    if len(x) == 1:
        return Const(0, 0), ~x[0]
    half = len(x) // 2
    low, low_none = _part_counted(m, name, x[:half], place)
    high, high_none = _part_counted(m, name, x[half:], place + half)
    rest = [Mux(high_none, low, high)] if half > 1 else []
    return Cat(*rest, high_none & ~low_none), high_none & low_none


def _part_counted(m: Module, name: str, x: Value, place: int) -> tuple[Value, Value]:
    """The same of a part, whose wires are called after its places in the whole."""
    count, none = _count(m, name, x, place)
    top = place + len(x) - 1
    if len(x) == 1 or top < 0:
        return count, none
    where = f"from{top}_to{max(place, 0)}"
    return wire(m, f"{name}_{where}", count), wire(m, f"{name}_none_{where}", none)


def compare(m: Module, name: str, x: Value, y: Value) -> tuple[Value, Value]:
    """Whether `x` > `y`, and whether `x` >= `y`, two unsigned numbers of one width, compared by
    halves."""
    greater = wire(m, f"{name}_greater", x & ~y)
    least = wire(m, f"{name}_least", x | ~y)

    def compared(low: int, high: int) -> tuple[Value, Value]:
        """Whether x > y, and whether x >= y, in bits from `low` to below `high`."""
        if high - low == 1:
            return greater[low], least[low]
        middle = low + (high - low) // 2
        lower_greater, lower_least = compared(low, middle)
        upper_greater, upper_least = compared(middle, high)
        where = f"from{high - 1}_to{low}"
        return (
            wire(m, f"{name}_greater_{where}", upper_greater | (upper_least & lower_greater)),
            wire(m, f"{name}_least_{where}", upper_greater | (upper_least & lower_least)),
        )

    return compared(0, len(x))


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


def one_hot(m: Module, name: str, x: Value, count: int) -> Value:
    """A bit for each of 0, 1, ... `count` - 1: whether `x` is it. Decoded in two halves of its
    bits."""
    if count == 1:
        return wire(m, name, ~x.any())
    if len(x) == 1:
        return wire(m, name, Cat(~x, x)[:count])
    if len(x) == 2:
        ends = [[~bit, bit] for bit in x]
        return wire(m, name, Cat(*(low & high for high in ends[1] for low in ends[0]))[:count])
    half = len(x) // 2
    low = one_hot(m, f"{name}_low", x[:half], min(count, 1 << half))
    high = one_hot(m, f"{name}_high", x[half:], -(-count >> half))
    rows = [wire(m, f"{name}_row{i}", low & bit.replicate(len(low))) for i, bit in enumerate(high)]
    return wire(m, name, Cat(*rows)[:count])


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
