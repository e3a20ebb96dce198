"""Expressions of Amaranth, taken apart and made again."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Signal, Value
from amaranth.hdl._ast import Concat, Operator, Slice, SwitchValue

SUM_BLOCK = 4
"""Bits of a sum between which a pipeline register may stand."""


def rebuilt(value: Value, change: Callable[[Value], Value]) -> Value:
    """The same expression of changed parts. Raises `TypeError` for kinds that no datapath has."""
    if isinstance(value, Operator):
        return Operator(value.operator, [change(x) for x in value.operands])
    if isinstance(value, Slice):
        return change(value.value)[value.start : value.stop]
    if isinstance(value, Concat):
        return Cat(*(change(part) for part in value.parts))
    if isinstance(value, SwitchValue):
        cases = [(patterns, change(x)) for patterns, x in value.cases]
        return SwitchValue(change(value.test), cases)
    if isinstance(value, (Const, Signal)):
        return value
    raise TypeError(f"a pipelined datapath cannot have {type(value).__name__}: {value!r}")


class SumsInBlocks:
    """Makes wide sums in an expression sums of a few bits each, with carries between them.

    Synthesis ripples a plain sum anyway (see `adders`), so that this costs no time. Parts that
    expressions share stay shared.
    """

    def __init__(self) -> None:
        self._done: dict[int, tuple[Value, Value]] = {}  # by identity, and with what keeps it

    def __call__(self, value: Value) -> Value:
        if id(value) not in self._done:
            changed = rebuilt(value, self)
            if isinstance(changed, Operator) and changed.operator == "+":
                changed = _in_blocks(changed)
            self._done[id(value)] = value, changed
        return self._done[id(value)][1]


def _in_blocks(total: Operator) -> Value:
    width = len(total)
    if width <= 2 * SUM_BLOCK or len(total.operands) == 1:
        return total
    a, b = (_extended(x, width) for x in total.operands)
    blocks: list[Value] = []
    carry: Value = Const(0, 1)
    for low in range(0, width, SUM_BLOCK):
        high = min(low + SUM_BLOCK, width)
        # A carry comes in by a bit below that is one in the other operand.
        block = Cat(carry, a[low:high]) + Cat(carry, b[low:high])
        blocks.append(block[1 : high - low + 1])
        carry = block[high - low + 1]
    joined = Cat(*blocks)
    return joined.as_signed() if total.shape().signed else joined


def _extended(x: Value, width: int) -> Value:
    missing = width - len(x)
    if isinstance(x, Const):
        return Const(x.value, width)
    return Cat(x, x[-1].replicate(missing) if x.shape().signed else Const(0, missing))
