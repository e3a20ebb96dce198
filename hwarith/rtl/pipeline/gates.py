"""Bits and gates: each so long behind the bits it is made of, and none where none is needed.

A gate delay is that of a two-input NAND or NOR gate or an inverter, to which yosys maps with
``synth; abc -g cmos2`` and whose longest path ``ltp`` counts. Measured with yosys 0.70: an
exclusive or of two bits 3 and of three 5, a multiplexer 3, a sum of w bits 2w + 1. Whole units of
random logic are not the sum of such figures: inverters vanish and levels are moved, so that gates
within an expression have the delays with which the segments of pipelined multiply-adds came out
most even.
"""

from __future__ import annotations

ZERO, ONE = 0, 1
"""Constant bits; all others are numbered from 2."""

UNIT = 10
"""A gate delay, in the unit of all delays."""

XOR = 18
"""The delay of an exclusive or."""

CHOSEN, SELECT = 22, 6
"""The delay of a multiplexer: from what it chooses of, and in addition from what it chooses by."""

REGISTER = 25
"""The delay of a register, from the clock to what it holds: that of the generic library."""

_AND, _CARRY = 12, 20
"""The delays of and and or, and of a carry into the next."""


class Gates:
    """Bits by their numbers, made of gates or in blocks.

    A gate whose result is constant, or another bit or its inverse by nature, takes no time.

    Attributes
    ----------
    fanin : of each bit, the bits it is made of.
    delay : of each bit, how long behind the last of its fan-in it is.
    operation : of each bit, the number of the operation that makes it; -1: none, it is an input.
    """

    def __init__(self) -> None:
        self.fanin: list[tuple[int, ...]] = [(), ()]
        self.delay: list[int] = [0, 0]
        self.operation: list[int] = [-1, -1]
        self.current_operation = -1

    def new_bit(self, fanin: tuple[int, ...], delay: int) -> int:
        """A bit that is so long behind the last of these."""
        self.fanin.append(fanin)
        self.delay.append(delay)
        self.operation.append(self.current_operation)
        return len(self.fanin) - 1

    def block(self, parts: list[list[int]], delay: int, width: int) -> list[int]:
        """So many bits that each need all of these."""
        fanin = variable(parts)
        common = self.new_bit(tuple(fanin), delay if fanin else 0)
        return [common] if width == 1 else [self.new_bit((common,), 0) for _ in range(width)]

    def invert(self, x: int) -> int:
        """The inverse, which other gates take in at no cost."""
        return ONE - x if x <= ONE else self.new_bit((x,), 0)

    def both(self, x: int, y: int) -> int:
        """An and."""
        if ZERO in (x, y):
            return ZERO
        if x in (ONE, y):
            return y
        return x if y == ONE else self.new_bit((x, y), _AND)

    def either(self, x: int, y: int) -> int:
        """An or."""
        if ONE in (x, y):
            return ONE
        if x in (ZERO, y):
            return y
        return x if y == ZERO else self.new_bit((x, y), _AND)

    def differ(self, x: int, y: int) -> int:
        """An exclusive or."""
        if x == y:
            return ZERO
        if x <= ONE:
            x, y = y, x
        if y <= ONE:
            return self.invert(x) if y else x
        return self.new_bit((x, y), XOR)

    def every(self, bits: list[int]) -> int:
        """The and of these: a tree."""
        return (
            ZERO if ZERO in bits else self.block([bits], UNIT * levels(len(variable([bits]))), 1)[0]
        )

    def choose(self, select: int, one: int, zero: int) -> int:
        """A multiplexer: `one` where `select` is set, else `zero`."""
        if one == zero:
            return one
        if select <= ONE:
            return one if select else zero
        if one <= ONE and zero <= ONE:
            return select if one else self.invert(select)
        if one == ZERO or zero == ONE:
            select = self.invert(select)
            one, zero = zero, one
        if zero == ZERO:
            return self.both(select, one)
        if one == ONE:
            return self.either(select, zero)
        return self.new_bit((self.new_bit((select,), SELECT), one, zero), CHOSEN)

    def add(self, x: list[int], y: list[int], carry: int) -> list[int]:
        """The sum of two numbers of one width and a carry, without the carry out: a ripple. One
        bit that is added to a number comes to all places at once."""
        if carry == ZERO and not any(y[1:]):
            every = [ONE, *(self.every(x[:i]) for i in range(1, len(x)))]
            return [self.differ(a, self.both(ones, y[0])) for a, ones in zip(x, every, strict=True)]
        bits = []
        for a, b in zip(x, y, strict=True):
            bits.append(self.differ(self.differ(a, b), carry))
            carry = self.carry(a, b, carry)
        return bits

    def carry(self, a: int, b: int, c: int) -> int:
        """The majority of three bits."""
        if a in (b, c):
            return a
        if b == c:
            return b
        if a <= ONE:
            a, c = c, a
        elif b <= ONE:
            b, c = c, b
        if c == ZERO:
            return self.both(a, b)
        return self.either(a, b) if c == ONE else self.new_bit((a, b, c), _CARRY)


def variable(parts: list[list[int]]) -> list[int]:
    """The bits of these that are not constant, each once, in order."""
    return sorted({bit for part in parts for bit in part if bit > ONE})


def levels(count: int) -> int:
    """Levels of a tree of two-input gates."""
    return max(count - 1, 0).bit_length()
