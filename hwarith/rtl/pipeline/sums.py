"""Wide sums in blocks, so that a pipeline register may stand in them."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Signal, Value
from amaranth.hdl._ast import Operator

from .expressions import parts_of, rebuilt, visit_inner_first

SUM_BLOCK = 8
"""Bits of a sum between which a pipeline register may stand."""


class SumsInBlocks:
    """Makes wide sums in expressions sums of a few bits each, with carries between them.

    Synthesis ripples a plain sum anyway (see `adders`), so that this costs no time. But it makes
    more of a sum that it sees as one: those whose numbers are in `whole` are left as they are.

    Attributes
    ----------
    wires : all wires so far and their expressions; those of a sum are before what reads it.
    blocks : of each wide sum, by its number, the wires that it became.
    """

    def __init__(self, whole: set[int], block: int = SUM_BLOCK) -> None:
        self._whole, self._block = whole, block
        self.blocks: list[list[Signal]] = []
        self.wires: list[tuple[Signal, Value]] = []
        self._done: dict[int, tuple[Value, Value]] = {}  # by identity, and what keeps it

    def wire(self, signal: Signal, value: Value) -> None:
        """Add a wire."""
        self.wires.append((signal, self.changed(value, signal.name)))

    def changed(self, value: Value, name: str) -> Value:
        """An expression with its sums in blocks, which are named after the wire it is for. What
        expressions share stays shared."""

        def change(value: Value) -> None:
            changed = rebuilt(value, lambda part: self._done[id(part)][1])
            if isinstance(changed, Operator) and changed.operator == "+":
                changed = self._in_blocks(changed, name)
            self._done[id(value)] = value, changed

        visit_inner_first(value, parts_of, lambda x: id(x) in self._done, change)
        return self._done[id(value)][1]

    def _in_blocks(self, total: Operator, name: str) -> Value:
        width = len(total)
        if width <= self._block + SUM_BLOCK // 2 or len(total.operands) == 1:
            return total
        blocks: list[Signal] = []
        self.blocks.append(blocks)
        if len(self.blocks) - 1 in self._whole:
            return total
        a, b = (_extended(x, width) for x in total.operands)
        bits: list[Value] = []
        carry: Value = Const(0, 1)
        for low in range(0, width, self._block):
            places = slice(low, min(low + self._block, width))
            # A carry comes in by a bit below that is one on both sides.
            block = Cat(carry, a[places]) + Cat(carry, b[places])
            signal = Signal(len(block), name=f"{name}_block{low}")
            self.wires.append((signal, block))
            blocks.append(signal)
            bits.append(signal[1:-1])
            carry = signal[-1]
        joined = Cat(*bits)
        return joined.as_signed() if total.shape().signed else joined


def _extended(x: Value, width: int) -> Value:
    missing = width - len(x)
    if isinstance(x, Const):
        return Const(x.value, width)
    return Cat(x, x[-1].replicate(missing) if x.shape().signed else Const(0, missing))
