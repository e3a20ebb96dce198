"""Products as partial products in columns, compressed to two rows by full adders.

Addends can be put into the same columns, so that a multiply-add has one carry-propagate adder.
"""

from __future__ import annotations

import heapq

from amaranth.hdl import Cat, Const, Module, Value

from .logic import wire

BOOTH_BITS = 99
"""From this many bits of the multiplier on, radix-4 Booth recoding takes fewer gates than an
array of AND gates (measured on NAND, NOR and NOT)."""

_XOR, _BOOTH = 3, 8
"""Arrival times, in gate delays, of an exclusive or and of a Booth partial product."""


class Columns:
    """Bits by weight, to be summed up."""

    def __init__(self, m: Module, name: str, width: int):
        self.m, self.name, self.width = m, name, width
        self._bits: list[list[tuple[int, int, Value]]] = [[] for _ in range(width + 1)]
        self._ones = 0
        self._count = 0

    def add(self, weight: int, bit: Value, arrival: int = 0) -> None:
        """Put a bit of weight 2^weight into its column; beyond the top it is lost."""
        if weight < self.width:
            self._put(weight, bit, arrival)

    def add_constant(self, value: int) -> None:
        """Add an integer, modulo 2^width."""
        self._ones = (self._ones + value) % (1 << self.width)

    def add_product(self, a: Value, b: Value, weight: int = 0) -> bool:
        """Put the partial products of two unsigned numbers into the columns.

        Returns whether their sum is 2^(len(a) + len(b)) more than the product, as it is with
        Booth recoding; in columns no wider than the product that makes no difference.
        """
        if len(b) < BOOTH_BITS:
            for i, x in enumerate(a):
                for j, y in enumerate(b):
                    self.add(weight + i + j, x & y)
            return False
        self._add_booth_rows(a, b, weight)
        return True

    def _add_booth_rows(self, a: Value, b: Value, weight: int) -> None:
        """Radix-4 Booth recoding: a row for each pair of bits of b, with a digit from -2 to 2."""
        excess = 1 << (len(a) + len(b))
        padded = Cat(Const(0, 1), b, Const(0, 2))
        for row in range(len(b) // 2 + 1):
            below, bit, above = padded[2 * row], padded[2 * row + 1], padded[2 * row + 2]
            at = weight + 2 * row
            one = wire(self.m, f"{self.name}_one{row}", below ^ bit)
            two = wire(self.m, f"{self.name}_two{row}", (bit ^ above) & ~one)
            can_be_negative = 2 * row + 1 < len(b)
            for i in range(len(a) + 1):
                bit_of_row = Const(0, 1)
                if i < len(a):
                    bit_of_row = bit_of_row | (one & a[i])
                if i > 0:
                    bit_of_row = bit_of_row | (two & a[i - 1])
                if can_be_negative:
                    bit_of_row = bit_of_row ^ above
                self.add(at + i, bit_of_row, _BOOTH)
            if can_be_negative:
                # A negative row is inverted: it lacks one at its lsb, and its sign counts
                # negative, which is the sign inverted less a constant.
                self.add(at, above)
                self.add(at + len(a) + 1, ~above)
                excess -= 1 << (2 * row + len(a) + 1)
        self._ones = (self._ones + (excess << weight)) % (1 << self.width)

    def compress(self) -> tuple[Value, Value, list[Value]]:
        """Two rows with the sum of all columns, and the carries that leave the top one.

        The bits that arrive first are added first.
        """
        for column in range(self.width):
            bits = self._bits[column]
            heapq.heapify(bits)
            if self._ones >> column & 1:
                self._add_one(column)
            while len(bits) > 2:
                self._full_adder(column)
        rows = [
            Cat(*(bits[row][2] if row < len(bits) else Const(0, 1) for bits in self._bits[:-1]))
            for row in (0, 1)
        ]
        return rows[0], rows[1], [bit for _, _, bit in self._bits[self.width]]

    def _put(self, column: int, bit: Value, arrival: int) -> None:
        self._count += 1
        heapq.heappush(self._bits[column], (arrival, self._count, bit))

    def _full_adder(self, column: int) -> None:
        (_, _, a), (second, _, b), (third, _, c) = (
            heapq.heappop(self._bits[column]) for _ in range(3)
        )
        label = f"{self.name}_{column}_{self._count}"
        half = wire(self.m, f"{label}_half", a ^ b)
        total = wire(self.m, f"{label}_sum", half ^ c)
        carry = wire(self.m, f"{label}_carry", (a & b) | (half & c))
        both = max(second + _XOR, third)
        self._put(column, total, both + _XOR)
        self._put(column + 1, carry, both + _XOR - 1)

    def _add_one(self, column: int) -> None:
        """A full adder with a constant one; a column of few bits keeps the constant."""
        bits = self._bits[column]
        if len(bits) < 2:
            self._put(column, Const(1, 1), 0)
            return
        (_, _, a), (second, _, b) = (heapq.heappop(bits) for _ in range(2))
        self._put(column, ~(a ^ b), second + _XOR)
        self._put(column + 1, a | b, second + 1)


def product(m: Module, name: str, a: Value, b: Value) -> Value:
    """The product of two unsigned numbers, in as many bits as both have together."""
    columns = Columns(m, name, len(a) + len(b))
    columns.add_product(a, b)
    low, high, _ = columns.compress()
    return wire(m, name, (low + high)[: len(a) + len(b)])
