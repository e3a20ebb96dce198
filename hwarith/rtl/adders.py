"""Carry-increment adders: blocks that ripple inside, with carries between them by a prefix tree.

yosys and ABC map a plain sum to a ripple of two gates a bit, and turn prefix adders back into
one. This form survives: on 51 bits it takes 763 NAND, NOR and NOT at depth 65, a plain sum 698 at
depth 105 (measured with yosys 0.70).
"""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Value, ValueLike

from .parts import named_part
from .wires import wire

BLOCKS = {16: 5, 48: 7, None: 9}
"""Bits of an adder's block, for adders up to so many bits. Measured in whole units: of 4 to 16 bits
these leave the adder of bf16 a path of 70, of fp16 77, and take the fewest gates in the multiplier
and multiply-add of fp32."""

MAGNITUDE_BLOCK = 5
"""Of `add_magnitudes`: with 24 bits in a chained multiply-add, blocks of 4 to 8 bits differ by less
than 3 % in gates times path."""

INCREMENT_BLOCKS = {10: 10, 24: 4, None: 6}
"""The same of an incrementer."""


@named_part("adder")
def add(m: Module, name: str, a: Value, b: Value, carry: ValueLike = 0) -> Value:
    """`a + b + carry` of two unsigned numbers of one width, with the carry out on top."""
    carry = Value.cast(carry)
    propagate, blocks = _blocks(m, name, a, b, _size(BLOCKS, len(a)))
    carries = _carries(_prefix(blocks), carry)
    return wire(m, name, Cat(*_sum(m, name, propagate, blocks, carries), carries[-1]))


@named_part("adder")
def add_magnitudes(
    m: Module, name: str, a: Value, b: Value, subtract: Value
) -> tuple[Value, Value, Value]:
    """|a + b|, or |a - b| where `subtract` is set, of two unsigned numbers of one width.

    Returns it with the carry of the sum on top; whether a < b; and whether a = b (both of which
    mean something where `subtract` is set only).

    With an end-around carry: a plus the inverse of b carries where a > b, and then lacks one; else
    it is the inverse of b - a.
    """
    inverted = b ^ subtract.replicate(len(b))
    propagate, blocks = _blocks(m, name, a, inverted, MAGNITUDE_BLOCK)
    reach = _prefix(blocks)
    greater = wire(m, f"{name}_greater", reach[-1][0])
    equal = wire(m, f"{name}_equal", reach[-1][1])
    carries = _carries(reach, greater & subtract)
    negative = wire(m, f"{name}_negative", subtract & ~greater)
    bits = _sum(m, name, propagate ^ negative.replicate(len(a)), blocks, carries)
    carry = greater & ~subtract
    return wire(m, name, Cat(*bits, carry)), negative, equal


@named_part("incrementer")
def increment(m: Module, name: str, a: Value, carry: Value) -> Value:
    """`a + carry` of an unsigned number and one bit, with the carry out on top."""
    block = _size(INCREMENT_BLOCKS, len(a))
    ones: list[Value] = [Const(1, 1)]
    for i in range(1, len(a) + 1):
        start = (i - 1) // block * block
        ones.append(ones[start] & a[start:i].all() if start else a[:i].all())
    bits = [bit ^ (one & carry) for bit, one in zip(a, ones, strict=False)]
    return wire(m, name, Cat(*bits, ones[-1] & carry))


def _size(blocks: dict, bits: int) -> int:
    return next(size for most, size in blocks.items() if most is None or bits <= most)


Block = tuple[list[Value], list[Value]]
"""Carries into each bit of a block and out of it, if none comes in; and whether one that comes in
gets there."""


def _blocks(m: Module, name: str, a: Value, b: Value, size: int) -> tuple[Value, list[Block]]:
    """Whether each bit of a sum propagates a carry, and its blocks of this size."""
    propagate = wire(m, f"{name}_propagate", a ^ b)
    generate = wire(m, f"{name}_generate", a & b)
    blocks = [
        _block(m, f"{name}_{s}", propagate[s : s + size], generate[s : s + size])
        for s in range(0, len(a), size)
    ]
    return propagate, blocks


def _sum(
    m: Module, name: str, propagate: Value, blocks: list[Block], carries: list[Value]
) -> list[Value]:
    """The bits of a sum, from the carries into its blocks."""
    total: list[Value] = []
    for (zeros, ones), carry in zip(blocks, carries, strict=False):
        into = wire(m, f"{name}_carry{len(total)}", carry)
        for zero, one in zip(zeros[:-1], ones[:-1], strict=True):
            total.append(propagate[len(total)] ^ zero ^ (one & into))
    return total


def _block(m: Module, name: str, propagate: Value, generate: Value) -> Block:
    zeros: list[Value] = [Const(0, 1)]
    ones: list[Value] = [Const(1, 1)]
    for i, (p, g) in enumerate(zip(propagate, generate, strict=True)):
        zeros.append(wire(m, f"{name}_zero{i}", g | (p & zeros[-1])))
        ones.append(wire(m, f"{name}_one{i}", p & ones[-1]))
    return zeros, ones


def _prefix(blocks: list[Block]) -> list[tuple[Value, Value]]:
    """Whether a carry comes out of each block and those below, and whether one that comes in
    below all of them gets there, by a Sklansky tree."""
    reach = [(zeros[-1], ones[-1]) for zeros, ones in blocks]
    distance = 1
    while distance < len(blocks):
        for i in range(len(blocks)):
            if i // distance % 2:
                (g, p), (lower_g, lower_p) = reach[i], reach[i // distance * distance - 1]
                reach[i] = g | (p & lower_g), p & lower_p
        distance *= 2
    return reach


def _carries(reach: list[tuple[Value, Value]], carry: Value) -> list[Value]:
    """Carry into each block and out of the last one."""
    return [carry, *(g | (p & carry) for g, p in reach)]
