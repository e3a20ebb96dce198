"""The delay model: a datapath as a graph of bits, each so long behind the bits it is made of.

A gate delay is that of a two-input NAND or NOR gate or an inverter, to which yosys maps with
``synth; abc -g cmos2`` and whose longest path ``ltp`` counts. Measured with yosys 0.70: a sum of w
bits 2w + 1, an equality of w bits 3 + log2(w), an order of 4, 8, 16 and 32 bits 6, 10, 16 and 20,
an exclusive or of two bits 3 and of three 5, a multiplexer 3, a product of 8 and of 24 bits 38 and
101. Whole units of random logic are not the sum of such figures: inverters vanish and levels are
moved, so that gates within an expression have the delays with which the segments of pipelined
multiply-adds came out most even.
"""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Const, Shape, Signal, Value
from amaranth.hdl._ast import Concat, Operator, Slice, SwitchValue

ZERO, ONE = 0, 1
"""Constant bits; all other bits of a graph are numbered from 2."""

UNIT = 10
"""A gate delay, in the unit of all delays of a graph."""

_AND, _XOR, _CARRY, _CHOSEN, _SELECT = 12, 18, 20, 22, 6
"""Delays of and and or, exclusive or, a carry into the next, and a multiplexer: from what it
chooses of, and in addition from what it chooses by."""


class Graph:
    """The bits of a datapath and their delays.

    An operation is one node of an expression, such as an addition: the least that a pipeline
    register can stand before or behind. Bits that are constant, or other bits by another name,
    belong to none.

    Attributes
    ----------
    operations : the operations that make bits, in an order in which each reads earlier ones.
    made : of each operation, the range of bits it makes (some of them internal, such as carries).
    fanin : of each bit, the bits it is made of.
    delay : of each bit, how long behind the last of its fan-in it is.
    operation : of each bit, the operation that makes it; -1: none, it is an input.
    """

    def __init__(self, inputs: list[Value]):
        self.operations: list[Value] = []
        self.made: list[range] = []
        self.fanin: list[tuple[int, ...]] = [(), ()]
        self.delay: list[int] = [0, 0]
        self.operation: list[int] = [-1, -1]
        self._bits: dict[int, tuple[Value, list[int]]] = {}  # by identity, and what keeps it
        self._current = -1
        for x in inputs:
            self._keep(x, [self._bit((), 0) for _ in range(len(x))])

    def wire(self, signal: Signal, value: Value) -> None:
        """Let a signal have the bits of an expression of earlier signals."""
        self._keep(signal, _extended(self.bits(value), value.shape(), len(signal)))

    def bits(self, value: Value) -> list[int]:
        """The bits of an expression, the lsb first. Raises `TypeError` for a kind unknown here."""
        if id(value) not in self._bits:
            self._keep(value, self._made_bits(value))
        return self._bits[id(value)][1]

    def _keep(self, value: Value, bits: list[int]) -> None:
        self._bits[id(value)] = value, bits

    def _made_bits(self, value: Value) -> list[int]:
        if isinstance(value, Const):
            return [value.value >> i & 1 for i in range(len(value))]
        if isinstance(value, Slice):
            return self.bits(value.value)[value.start : value.stop]
        if isinstance(value, Concat):
            return [bit for part in value.parts for bit in self.bits(part)]
        if isinstance(value, Operator):
            for x in value.operands:
                self.bits(x)
            return self._operation(value, self._operator)
        if isinstance(value, SwitchValue):
            for x in (value.test, *(x for _, x in value.cases)):
                self.bits(x)
            return self._operation(value, self._switch)
        raise TypeError(f"no delay is known of {type(value).__name__}: {value!r}")

    # -- operations ------------------------------------------------------------------------------

    def _operation(self, value: Value, make: Callable) -> list[int]:
        """The bits that `make` makes of an expression whose parts have theirs already."""
        first, self._current = len(self.fanin), len(self.operations)
        bits = make(value)
        if len(self.fanin) > first:
            self.operations.append(value)
            self.made.append(range(first, len(self.fanin)))
        return bits

    def _operator(self, value: Operator) -> list[int]:
        operator, operands, width = value.operator, value.operands, len(value)
        parts = [self.bits(x) for x in operands]
        # What is combined bit by bit has the width of the result
        wide = [_extended(p, x.shape(), width) for p, x in zip(parts, operands, strict=True)]
        match operator, *wide:
            case "u" | "s", _:
                return parts[0]
            case "~", x:
                return [self._not(bit) for bit in x]
            case "&", x, y:
                return [self._and(*pair) for pair in zip(x, y, strict=True)]
            case "|", x, y:
                return [self._or(*pair) for pair in zip(x, y, strict=True)]
            case "^", x, y:
                return [self._xor(*pair) for pair in zip(x, y, strict=True)]
            case "+", x:
                return x
            case "+", x, y:
                return self._sum(x, y, ZERO)
            case "-", x:
                return self._sum([ZERO] * width, [self._not(bit) for bit in x], ONE)
            case "-", x, y:
                return self._sum(x, [self._not(bit) for bit in y], ONE)
            case "*", _, _:
                return self._block(parts, UNIT * (2 * width + 5), width)
            case "r&" | "r|" | "r^" | "b", _:
                level = _XOR if operator == "r^" else UNIT
                return self._block(parts, level * _log2(len(_variable(parts))), 1)
            case "==" | "!=", _, _:
                constant = any(isinstance(x, Const) for x in operands)
                pairs = _XOR if not constant else 0
                return self._block(parts, pairs + UNIT * _log2(max(map(len, parts))), 1)
            case "<" | "<=" | ">" | ">=", _, _:
                return self._order(value, parts)
        raise TypeError(f"no delay is known of operator {operator!r}: {value!r}")

    def _order(self, value: Operator, parts: list[list[int]]) -> list[int]:
        x, y = value.operands
        if x.shape().signed and isinstance(y, Const) and y.value == 0:
            sign = parts[0][-1]
            if value.operator == "<":
                return [sign]
            if value.operator == ">=":
                return [self._not(sign)]
        return self._block(parts, UNIT * max(2, 4 * _log2(max(map(len, parts))) - 2), 1)

    def _switch(self, value: SwitchValue) -> list[int]:
        width, test = len(value), self.bits(value.test)
        cases = [_extended(self.bits(x), x.shape(), width) for _, x in value.cases]
        if len(cases) == 2 and value.cases[0][0] == ("0" * len(test),) and not value.cases[1][0]:
            # A multiplexer, as `Mux` makes it
            (select,) = test if len(test) == 1 else self._block([test], UNIT * _log2(len(test)), 1)
            return [self._mux(select, one, zero) for zero, one in zip(*cases, strict=True)]
        levels = _CHOSEN + _SELECT + UNIT * (_log2(len(test)) + _log2(len(cases)))
        return [
            self._block([test, list(choices)], levels, 1)[0] for choices in zip(*cases, strict=True)
        ]

    # -- bits ------------------------------------------------------------------------------------

    def _bit(self, fanin: tuple[int, ...], delay: int) -> int:
        self.fanin.append(fanin)
        self.delay.append(delay)
        self.operation.append(self._current)
        return len(self.fanin) - 1

    def _block(self, parts: list[list[int]], delay: int, width: int) -> list[int]:
        """Bits that each need all of these."""
        fanin = _variable(parts)
        common = self._bit(tuple(fanin), delay if fanin else 0)
        return [common] if width == 1 else [self._bit((common,), 0) for _ in range(width)]

    def _not(self, x: int) -> int:
        return ONE - x if x <= ONE else self._bit((x,), 0)

    def _and(self, x: int, y: int) -> int:
        if ZERO in (x, y):
            return ZERO
        if x in (ONE, y):
            return y
        return x if y == ONE else self._bit((x, y), _AND)

    def _or(self, x: int, y: int) -> int:
        if ONE in (x, y):
            return ONE
        if x in (ZERO, y):
            return y
        return x if y == ZERO else self._bit((x, y), _AND)

    def _xor(self, x: int, y: int) -> int:
        if x == y:
            return ZERO
        if x <= ONE:
            x, y = y, x
        if y <= ONE:
            return self._not(x) if y else x
        return self._bit((x, y), _XOR)

    def _mux(self, select: int, one: int, zero: int) -> int:
        if one == zero:
            return one
        if select <= ONE:
            return one if select else zero
        if one <= ONE and zero <= ONE:
            return select if one else self._not(select)
        if one == ZERO or zero == ONE:
            select = self._not(select)
            one, zero = zero, one
        if zero == ZERO:
            return self._and(select, one)
        if one == ONE:
            return self._or(select, zero)
        return self._bit((self._bit((select,), _SELECT), one, zero), _CHOSEN)

    def _sum(self, x: list[int], y: list[int], carry: int) -> list[int]:
        """A ripple of carries."""
        bits = []
        for a, b in zip(x, y, strict=True):
            bits.append(self._xor(self._xor(a, b), carry))
            carry = self._carry(a, b, carry)
        return bits

    def _carry(self, a: int, b: int, c: int) -> int:
        if a in (b, c):
            return a
        if b == c:
            return b
        if a <= ONE:
            a, c = c, a
        elif b <= ONE:
            b, c = c, b
        if c == ZERO:
            return self._and(a, b)
        return self._or(a, b) if c == ONE else self._bit((a, b, c), _CARRY)


def _extended(bits: list[int], shape: Shape, width: int) -> list[int]:
    fill = bits[-1] if shape.signed and bits else ZERO
    return (bits + [fill] * width)[:width]


def _variable(parts: list[list[int]]) -> list[int]:
    return sorted({bit for part in parts for bit in part if bit > ONE})


def _log2(count: int) -> int:
    """Levels of a tree of two-input gates."""
    return max(count - 1, 0).bit_length()
