"""Named wires, leading-zero counter and shifters."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, ValueLike

Values = dict[str, Value]
"""Named signals that one step of a datapath hands to the next."""


def wire(m: Module, name: str, value: ValueLike, shape: int | Shape | None = None) -> Signal:
    """A named combinational signal of this value (of the value's own shape by default)."""
    value = Value.cast(value)
    signal = Signal(value.shape() if shape is None else shape, name=name)
    m.d.comb += signal.eq(value)
    return signal


def leading_zeros(m: Module, name: str, x: Value) -> Signal:
    """Leading-zero count (LZC) of `x`, by halves; the width of `x` if it is zero."""
    width = len(x)
    padded = 1 << (width - 1).bit_length()
    # Ones below the lsb end the count at the width of x.
    count, _ = _count(Cat(Const(-1, padded - width), x) if padded > width else x)
    return wire(m, name, count[: width.bit_length()])


def _count(x: Value) -> tuple[Value, Value]:
    """Count of leading zeros of a power-of-two wide value, and whether all of it is zero."""
    if len(x) == 1:
        return ~x[0], ~x[0]
    half = len(x) // 2
    low, low_zero = _count(x[:half])
    high, high_zero = _count(x[half:])
    if half == 1:
        return Cat(high_zero & ~low_zero, high_zero & low_zero), high_zero & low_zero
    bits = half.bit_length() - 1
    both = high_zero & low_zero
    rest = Mux(high_zero, low[:bits], high[:bits])
    return Cat(rest, high_zero & ~low_zero, both), both


def shift_left(m: Module, name: str, x: Value, amount: Value) -> Value:
    """`x << amount` in the width of `x`: a multiplexer level for each bit of `amount`."""
    for level in reversed(range(len(amount))):
        distance = 1 << level
        if distance >= len(x):
            moved: Value = Const(0, len(x))
        else:
            moved = Cat(Const(0, distance), x[:-distance])
        x = wire(m, f"{name}_left{distance}", Mux(amount[level], moved, x))
    return x


def shift_right_jam(m: Module, name: str, x: Value, amount: Value) -> Value:
    """`x >> amount` in the width of `x`, with all bits shifted out ORed into the lsb (sticky)."""
    width = len(x)
    sticky: Value = Const(0, 1)
    for level in reversed(range(len(amount))):
        distance = 1 << level
        lost = x.any() if distance >= width else x[:distance].any()
        moved = Const(0, width) if distance >= width else Cat(x[distance:], Const(0, distance))
        sticky = wire(m, f"{name}_lost{distance}", sticky | (amount[level] & lost))
        x = wire(m, f"{name}_right{distance}", Mux(amount[level], moved, x))
    return wire(m, f"{name}_jammed", Cat(x[0] | sticky, x[1:]))


def conditional_negate(m: Module, name: str, x: Value, negate: Value) -> Signal:
    """`-x` in the width of `x` where `negate`, else `x`."""
    width = len(x)
    flipped = wire(m, f"{name}_flipped", x ^ negate.replicate(width))
    return wire(m, name, (flipped + negate)[:width])
