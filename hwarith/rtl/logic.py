"""Named wires, steps and parts of a datapath; leading-zero counter, decoder and shifters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, ValueLike

Values = dict[str, Value]
"""Named signals that one step of a datapath hands to the next."""

Step = Callable[[Module, Values], Values]
"""One step of a datapath: named signals in, named signals out (all that later steps need)."""


class Recorder:
    """Stands in the place of a module and keeps the wires of a datapath, in order.

    A wire reads only wires before it, and what was there before all of them.
    """

    def __init__(self) -> None:
        self.wires: list[tuple[Signal, Value]] = []


def wire(
    m: Module | Recorder, name: str, value: ValueLike, shape: int | Shape | None = None
) -> Signal:
    """A named combinational signal of this value (of the value's own shape by default)."""
    value = Value.cast(value)
    signal = Signal(value.shape() if shape is None else shape, name=name)
    if isinstance(m, Recorder):
        m.wires.append((signal, value))
    else:
        m.d.comb += signal.eq(value)
    return signal


_T = TypeVar("_T")
_P = ParamSpec("_P")

_apart = ContextVar("_apart", default=False)


@contextmanager
def parts_apart() -> Iterator[None]:
    """Make each step of a datapath a submodule, and in it each `piece`, to tell what they cost.
    (The hardware for users is flat: boundaries keep a synthesizer from what it would do.)"""
    token = _apart.set(True)
    try:
        yield
    finally:
        _apart.reset(token)


def submodule(m: Module, name: str) -> Module:
    """Where a part of this name is made: in `m`, or with `parts_apart` in a submodule of its own.
    A second one of that name in `m` has a number behind it."""
    if not _apart.get() or isinstance(m, Recorder):
        return m
    free, number = name, 1
    while hasattr(m.submodules, free):
        number += 1
        free = f"{name}_{number}"
    m.submodules[free] = made = Module()
    return made


def held(m: Module, values: Any) -> Any:
    """What a part hands on: with `parts_apart` expressions are wires of `m`, as else they would
    be made in the modules that read them."""
    if not _apart.get() or isinstance(m, Recorder) or isinstance(values, Signal | Const):
        return values
    if isinstance(values, dict):
        return {name: held(m, value) for name, value in values.items()}
    if isinstance(values, tuple | list):
        return type(values)(held(m, value) for value in values)
    return wire(m, "handed_on", values)


def apart(
    m: Module,
    name: str,
    make: Callable[Concatenate[Module, _P], _T],
    *arguments: _P.args,
    **named: _P.kwargs,
) -> _T:
    """What `make` makes of a module and arguments, as a part of this name (see `submodule`)."""
    inner = submodule(m, name)
    return held(inner, make(inner, *arguments, **named))


def piece(
    name: str,
) -> Callable[[Callable[Concatenate[Module, _P], _T]], Callable[Concatenate[Module, _P], _T]]:
    """A function that makes what many steps have in them: its hardware is a part of this name."""

    def of(make: Callable[Concatenate[Module, _P], _T]) -> Callable[Concatenate[Module, _P], _T]:
        @wraps(make)
        def made(m: Module, *arguments: _P.args, **named: _P.kwargs) -> _T:
            return apart(m, name, make, *arguments, **named)

        return made

    return of


def chain(m: Module, steps: list[Step], values: Values) -> Values:
    """All steps, one after the other: parts that are called like the functions."""
    for step in steps:
        values = apart(m, step.__name__.strip("_"), step, values)
    return values


def renamed(**names: str) -> Step:
    """A step that hands on signals by other names, and the others as they are."""

    def rename(m: Module, x: Values) -> Values:
        return {names.get(name, name): value for name, value in x.items()}

    return rename


def handing_on(names: tuple[str, ...], steps: list[Step]) -> list[Step]:
    """The same steps, which also hand on signals of these names, unless they give new ones."""

    def with_names(step: Step) -> Step:
        @wraps(step)
        def handing(m: Module, x: Values) -> Values:
            return {name: x[name] for name in names if name in x} | step(m, x)

        return handing

    return [with_names(step) for step in steps]


SHORT_COUNT = 4
"""Up to this many bits leading zeros are not counted by halves, but from each bit's being the
first one."""


@piece("leading_zeros")
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


@piece("minimum")
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


@piece("shifter")
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


@piece("shifter")
def shift_right(
    m: Module, name: str, x: Value, amount: Value, width: int, fill: ValueLike = 0
) -> tuple[Value, Value]:
    """`x` on top of a window of `width` bits, moved right by `amount`; and whether a bit that
    fell out below differs from `fill` (sticky).

    `fill` stands in all other places of the window. The smallest distance comes first, so that
    few bits pass through most levels.
    """
    fill = Value.cast(fill)
    some: Value = Const(0, 1)
    every: Value = Const(1, 1)
    for level in range(len(amount)):
        distance = 1 << level
        grown = min(width, len(x) + distance)
        lost = min(len(x), len(x) + distance - grown)
        moves = amount[level]
        moved = Cat(x[lost:], fill.replicate(grown - (len(x) - lost)))
        stays = Cat(fill.replicate(grown - len(x)), x)
        if lost:
            some = wire(m, f"{name}_some{distance}", some | (moves & x[:lost].any()))
            every = wire(m, f"{name}_every{distance}", every & (~moves | x[:lost].all()))
        x = wire(m, f"{name}_right{distance}", Mux(moves, moved, stays))
    return Cat(fill.replicate(width - len(x)), x), Mux(fill, ~every, some)


@piece("shifter")
def scaled(m: Module, name: str, x: Value, amount: Value) -> Value:
    """`x` times 2^amount, signed or unsigned as its shape says: nothing is lost."""
    for level, moves in enumerate(amount):
        moved = Cat(Const(0, 1 << level), x)
        moved = moved.as_signed() if x.shape().signed else moved
        x = wire(m, f"{name}_by{1 << level}", Mux(moves, moved, x))
    return x


@piece("shifter")
def move_right(m: Module, name: str, x: Value, amount: Value) -> Value:
    """`x` moved right by `amount`, in as many bits as it has; what falls out is lost."""
    width = len(x)
    for level in range(len(amount)):
        distance = 1 << level
        moved = Cat(x[distance:], Const(0, min(distance, width)))
        x = wire(m, f"{name}_right{distance}", Mux(amount[level], moved, x))
    return x
