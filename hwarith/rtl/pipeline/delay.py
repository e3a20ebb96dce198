"""The delay model: a datapath as a graph of bits, each so long behind the bits it is made of.

What whole operators take, in gate delays (see `gates`), measured with yosys 0.70: an equality of w
bits 3 + log2(w), an order of 4, 8, 16 and 32 bits 6, 10, 16 and 20, a product of 8 and of 24 bits
38 and 101, a shift by 3, 4 and 5 bits 7, 9 and 11, a quotient or remainder of 4, 8 and 16 bits by
as many 24, 85 and 309, of 16 bits by 8 237, of 16 bits by the constant ten 69.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from amaranth.hdl import Const, Shape, Signal, Value
from amaranth.hdl._ast import Concat, Operator, Part, Slice, SwitchValue

from .expressions import parts_of, visit_inner_first
from .gates import CHOSEN, ONE, SELECT, UNIT, XOR, ZERO, Gates, levels, variable

_Node = TypeVar("_Node", bound=Value)


class Graph(Gates):
    """The bits of a datapath and their delays.

    An operation is one node of an expression, such as an addition: the least that a pipeline
    register can stand before or behind. Bits that are constant, or other bits by another name,
    belong to none.

    Attributes
    ----------
    operations : the operations that make bits, in an order in which each reads earlier ones.
    made : of each operation, the range of bits it makes (some of them internal, such as carries).
    """

    def __init__(self, inputs: list[Value]):
        super().__init__()
        self.operations: list[Value] = []
        self.made: list[range] = []
        self._bits: dict[int, tuple[Value, list[int]]] = {}  # by identity, and what keeps it
        for x in inputs:
            self._keep(x, [self.new_bit((), 0) for _ in range(len(x))])

    def wire(self, signal: Signal, value: Value) -> None:
        """Let a signal have the bits of an expression of earlier signals."""
        self._keep(signal, _extended(self.bits(value), value.shape(), len(signal)))

    def bits(self, value: Value) -> list[int]:
        """The bits of an expression, the lsb first. Raises `TypeError` for a kind unknown here."""
        if id(value) not in self._bits:
            visit_inner_first(value, _in_reading_order, self._has, self._make)
        return self._bits[id(value)][1]

    def _has(self, value: Value) -> bool:
        return id(value) in self._bits

    def _make(self, value: Value) -> None:
        self._keep(value, self._made_bits(value))

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
            return self._operation(value, self._operator)
        if isinstance(value, SwitchValue):
            return self._operation(value, self._switch)
        if isinstance(value, Part):
            return self._operation(value, self._part)
        raise TypeError(f"no delay is known of {value!r}")

    # -- operations ------------------------------------------------------------------------------

    def _operation(self, value: _Node, make: Callable[[_Node], Iterable[int]]) -> list[int]:
        """The bits that `make` makes of an expression whose parts have theirs already: those that
        it makes one after the other by an operation each, a list of them by a single one."""
        first, self.current_operation = len(self.fanin), len(self.operations)
        bits = []
        for bit in make(value):
            bits.append(bit)
            if len(self.fanin) > first:
                self.operations.append(value)
                self.made.append(range(first, len(self.fanin)))
                first, self.current_operation = len(self.fanin), len(self.operations)
        if len(self.fanin) > first:  # what chooses between values of no bits
            self.operations.append(value)
            self.made.append(range(first, len(self.fanin)))
        return bits

    def _operator(self, value: Operator) -> Iterable[int]:
        operator, operands, width = value.operator, value.operands, len(value)
        parts = [self.bits(x) for x in operands]
        # What is combined bit by bit has the width of the result
        wide = [_extended(p, x.shape(), width) for p, x in zip(parts, operands, strict=True)]
        match operator, *wide:
            case "u" | "s", _:
                return parts[0]
            case "~", x:
                return (self.invert(bit) for bit in x)
            case "&", x, y:
                return (self.both(*pair) for pair in zip(x, y, strict=True))
            case "|", x, y:
                return (self.either(*pair) for pair in zip(x, y, strict=True))
            case "^", x, y:
                return (self.differ(*pair) for pair in zip(x, y, strict=True))
            case "+", x, y:
                return self.add(x, y, ZERO)
            case "-", x:
                return self.add([ZERO] * width, [self.invert(bit) for bit in x], ONE)
            case "-", x, y:
                return self.add(x, [self.invert(bit) for bit in y], ONE)
            case "*", _, _:
                return self.block(parts, UNIT * (2 * width + 5), width)
            case "r&" | "r|" | "r^" | "b", _:
                level = XOR if operator == "r^" else UNIT
                return self.block(parts, level * levels(len(variable(parts))), 1)
            case "==" | "!=", _, _:
                constant = any(isinstance(x, Const) for x in operands)
                pairs = XOR if not constant else 0
                return self.block(parts, pairs + UNIT * levels(max(map(len, parts))), 1)
            case "<" | "<=" | ">" | ">=", _, _:
                return self._order(value, parts)
            case "<<", x, _:
                return self._shifted_left(x, parts[1])
            case ">>", x, _:
                above = x[-1] if operands[0].shape().signed else ZERO
                return self._shifted_right(x, parts[1], 1, above)
            case "//" | "%", _, _:
                return self._division(value, parts)
        raise TypeError(f"no delay is known of operator {operator!r}: {value!r}")

    def _order(self, value: Operator, parts: list[list[int]]) -> list[int]:
        x, y = value.operands
        if x.shape().signed and isinstance(y, Const) and y.value == 0:
            sign = parts[0][-1]
            if value.operator == "<":
                return [sign]
            if value.operator == ">=":
                return [self.invert(sign)]
        return self.block(parts, UNIT * max(2, 4 * levels(max(map(len, parts))) - 2), 1)

    def _part(self, value: Part) -> list[int]:
        bits = self.bits(value.value) + [ZERO] * value.width
        moved = self._shifted_right(bits, self.bits(value.offset), value.stride, ZERO)
        return moved[: value.width]

    def _shifted_left(self, bits: list[int], amount: list[int]) -> list[int]:
        """A level of multiplexers for each bit of the amount; what leaves at the top is lost."""
        for level, select in enumerate(amount):
            below = [ZERO] * min(1 << level, len(bits))
            moved = below + bits[: len(bits) - len(below)]
            bits = [self.choose(select, *pair) for pair in zip(moved, bits, strict=True)]
        return bits

    def _shifted_right(
        self, bits: list[int], amount: list[int], stride: int, above: int
    ) -> list[int]:
        """The same to the right, by `stride` times the amount; the bit `above` comes in."""
        for level, select in enumerate(amount):
            entering = [above] * min(stride << level, len(bits))
            moved = bits[len(entering) :] + entering
            bits = [self.choose(select, *pair) for pair in zip(moved, bits, strict=True)]
        return bits

    def _division(self, value: Operator, parts: list[list[int]]) -> list[int]:
        """Rows of subtractions, one for each bit of the dividend, each as long as the divisor or
        what is left so far. Constant divisors take half of that, and powers of two nothing."""
        x, y = value.operands
        rows, divisor, width = len(x), len(y), len(value)
        delay = 2 * sum(min(row + 1, divisor) for row in range(rows))
        delay = UNIT * (delay + rows + 2 * max(0, rows - divisor))
        if x.shape().signed or y.shape().signed:
            delay += UNIT * 2 * rows  # both become positive, and the result what it is to be
        if isinstance(y, Const):
            delay //= 2
            if y.value > 0 and y.value & (y.value - 1) == 0:
                places = y.value.bit_length() - 1
                bits = _extended(parts[0], x.shape(), places + width)
                return bits[places:] if value.operator == "//" else _filled(bits[:places], width)
        return self.block(parts, delay, width)

    def _switch(self, value: SwitchValue) -> Iterable[int]:
        width, test = len(value), self.bits(value.test)
        cases = [_extended(self.bits(x), x.shape(), width) for _, x in value.cases]
        if (
            len(cases) == 2
            and value.cases[0][0] == ("0" * len(test),)
            and value.cases[1][0] is None
        ):
            # A multiplexer, as `Mux` makes it
            if len(test) == 1:
                return (self.choose(test[0], one, zero) for zero, one in zip(*cases, strict=True))
            (select,) = self.block([test], UNIT * levels(len(test)), 1)
            return [self.choose(select, one, zero) for zero, one in zip(*cases, strict=True)]
        delay = CHOSEN + SELECT + UNIT * (levels(len(test)) + levels(len(cases)))
        return [
            self.block([test, list(choices)], delay, 1)[0] for choices in zip(*cases, strict=True)
        ]


def _in_reading_order(value: Value) -> list[Value]:
    """The parts of an expression in the order of their numbers: what is chosen by comes first."""
    if isinstance(value, SwitchValue):
        return [value.test, *(x for _, x in value.cases)]
    return parts_of(value)


def _extended(bits: list[int], shape: Shape, width: int) -> list[int]:
    fill = bits[-1] if shape.signed and bits else ZERO
    return (bits + [fill] * width)[:width]


def _filled(bits: list[int], width: int) -> list[int]:
    return bits + [ZERO] * (width - len(bits))
