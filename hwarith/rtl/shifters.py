"""Shifters: a level of multiplexers for each bit of the distance."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value, ValueLike

from .parts import named_part
from .wires import wire


@named_part("shifter")
def shift_left(m: Module, name: str, x: Value, amount: Value, keep: int) -> tuple[Value, Value]:
    """The top `keep` bits of `x << amount`, and whether any bits below them are ones.

    A level of multiplexers for each bit of `amount`, the greatest distance first, keeps only what
    later ones may need.
    """
    some: Value = Const(0, 1)
    if len(x) < keep:
        x = Cat(Const(0, keep - len(x)), x)
    for level in reversed(range(len(amount))):
        distance = 1 << level
        width = len(x)
        kept = min(width, keep + distance - 1)
        low = width - distance - kept  # lsb of what is kept if shifted
        moved = Cat(Const(0, max(0, -low)), x[max(0, low) : max(0, width - distance)])[-kept:]
        lost, spared = x[: max(0, low)], x[max(0, low) : width - kept]
        shifts = amount[level]
        some = wire(m, f"{name}_some{distance}", some | lost.any() | (~shifts & spared.any()))
        x = wire(m, f"{name}_left{distance}", Mux(shifts, moved, x[-kept:]))
    below = len(x) - keep
    return x[below:], some | x[:below].any()


@named_part("shifter")
def shift_right(
    m: Module,
    name: str,
    x: Value,
    amount: Value,
    width: int,
    fill: ValueLike = 0,
    lost: ValueLike | None = None,
) -> tuple[Value, Value]:
    """`x` on top of a window of `width` bits, moved right by `amount`; and whether a bit that
    fell out below differs from `lost`, which is `fill` if it is not given (sticky).

    `fill` stands in all other places of the window. The smallest distance comes first, so that
    few bits pass through most levels.
    """
    fill = Value.cast(fill)
    usual = fill if lost is None else Value.cast(lost)
    some: Value = Const(0, 1)
    every: Value = Const(1, 1)
    for level in range(len(amount)):
        distance = 1 << level
        grown = min(width, len(x) + distance)
        out = min(len(x), len(x) + distance - grown)
        moves = amount[level]
        moved = Cat(x[out:], fill.replicate(grown - (len(x) - out)))
        stays = Cat(fill.replicate(grown - len(x)), x)
        if out:
            some = wire(m, f"{name}_some{distance}", some | (moves & x[:out].any()))
            every = wire(m, f"{name}_every{distance}", every & (~moves | x[:out].all()))
        x = wire(m, f"{name}_right{distance}", Mux(moves, moved, stays))
    return Cat(fill.replicate(width - len(x)), x), Mux(usual, ~every, some)


def align_right(
    m: Module,
    name: str,
    x: Value,
    distance: Value,
    most: int,
    width: int,
    lost: ValueLike = 0,
) -> tuple[Value, Value]:
    """`x` on top of a window of `width` bits, zeros below it, moved right by a distance of at most
    `most`, which may be more than there are places; and whether a bit that fell out below differs
    from `lost`."""
    if len(x) > width:
        below = len(x) - width
        fell: Value = (x[:below] ^ Value.cast(lost).replicate(below)).any()
        x = x[below:]
    else:
        fell = Const(0, 1)
    bits = min(most, width).bit_length()
    if most.bit_length() > bits:
        far = distance[bits:].any()
        distance = wire(m, "align_right", distance[:bits] | far.replicate(bits))
    moved, some = shift_right(m, name, x, distance[:bits], width, lost=lost)
    return moved, some | fell


@named_part("shifter")
def scaled(m: Module, name: str, x: Value, amount: Value) -> Value:
    """`x` times 2^amount, signed or unsigned as its shape says: nothing is lost."""
    for level, moves in enumerate(amount):
        moved = Cat(Const(0, 1 << level), x)
        moved = moved.as_signed() if x.shape().signed else moved
        x = wire(m, f"{name}_by{1 << level}", Mux(moves, moved, x))
    return x


@named_part("shifter")
def move_right(m: Module, name: str, x: Value, amount: Value) -> Value:
    """`x` moved right by `amount`, in as many bits as it has; what falls out is lost."""
    width = len(x)
    for level in range(len(amount)):
        distance = 1 << level
        moved = Cat(x[distance:], Const(0, min(distance, width)))
        x = wire(m, f"{name}_right{distance}", Mux(amount[level], moved, x))
    return x
