"""Operations on bits, each once: a value is a tuple of bits, lsb first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Bits = tuple[int, ...]
"""Bits, lsb first: 0, 1, or the number of a cell's output (`Cells.place`)."""

_CELL_BITS = 20
"""Bits of a bit's number that say which one of its cell's it is."""

BITWISE = frozenset({"~", "&", "|", "^", "m"})
"""Operations whose bit i depends on the bits i alone (of a choice ``m`` also on its condition)."""

TRUNCATABLE = BITWISE | {"+", "-", "*", "<<"}
"""Operations whose low bits depend on the low bits alone."""

_ONE_BIT = frozenset({"r|", "r&", "r^", "==", "u<", "u<=", "u>", "u>=", "s<", "s<=", "s>", "s>="})


@dataclass(frozen=True)
class Cell:
    """An operation, as Amaranth's netlist names them: ``u<`` compares unsigned numbers, ``s<``
    signed ones; ``r|`` is the or of all bits; ``m`` is the second input if the first is set, else
    the third. A ``source`` depends on nothing."""

    operator: str
    inputs: tuple[Bits, ...]
    width: int


class Cells:
    """All operations of a module.

    Members
    -------
    cells : by number; an operation comes after those it reads. The first is no operation.
    read : bits that an operation reads.
    """

    def __init__(self) -> None:
        self.cells: list[Cell] = [Cell("source", (), 2)]
        self.read: set[int] = set()
        self._known: dict[tuple[str, tuple[Bits, ...]], Bits] = {}

    @staticmethod
    def place(bit: int) -> tuple[int, int]:
        """The number of the cell that gives a bit, and its place there."""
        return bit >> _CELL_BITS, bit & ((1 << _CELL_BITS) - 1)

    def outputs(self, number: int) -> Bits:
        """The bits that a cell gives."""
        first = number << _CELL_BITS
        return tuple(range(first, first + self.cells[number].width))

    def of(self, bit: int) -> Cell:
        """The cell that gives a bit."""
        return self.cells[bit >> _CELL_BITS]

    def source(self, width: int) -> Bits:
        """Bits that depend on nothing."""
        return self._add(Cell("source", (), width))

    def equal(self, bits: Bits, wanted: Bits) -> Bits:
        """Whether bits are these constants."""
        if not bits:
            return (1,)
        if len(bits) == 1:
            return bits if wanted[0] else self.make("~", bits)
        return self.make("==", bits, wanted)

    def make(self, operator: str, *inputs: Bits) -> Bits:
        """What an operation gives."""
        if operator in ("r|", "r&", "r^"):
            inputs = (tuple(x for x in inputs[0] if x != (operator == "r&")),)
            inputs = (tuple(dict.fromkeys(inputs[0])),) if operator != "r^" else inputs
        if operator == "^" and (ones := (1,) * len(inputs[0])) in inputs:
            return self.make("~", inputs[inputs[0] == ones])
        folded = self._folded(operator, inputs)
        if folded is not None:
            return folded
        made = self._known.get((operator, inputs))
        if made is None:
            width = 1 if operator in _ONE_BIT else len(inputs[-1 if operator == "m" else 0])
            made = self._known[operator, inputs] = self._add(Cell(operator, inputs, width))
            for bits in inputs:
                self.read.update(bits)
        return made

    def _add(self, cell: Cell) -> Bits:
        self.cells.append(cell)
        return self.outputs(len(self.cells) - 1)

    def _folded(self, operator: str, inputs: tuple[Bits, ...]) -> Bits | None:
        """What an operation gives if that needs no operation."""
        first = inputs[0]
        match operator:
            case "r|" | "r^" if not first:
                return (0,)
            case "r&" if not first:
                return (1,)
            case "r|" if 1 in first:
                return (1,)
            case "r&" if 0 in first:
                return (0,)
            case "r|" | "r&" | "r^" if len(first) == 1:
                return first
            case "+" | "-" if not any(inputs[-1]) and len(inputs) == 2:
                return first
            case "+" if not any(first):
                return inputs[1]
            case "<<" | "u>>" | "s>>" if not any(inputs[1]):
                return first
            case "*":
                return self._multiple(*inputs)
            case "~" | "&" | "|" | "^" | "m":
                return self._folded_bits(operator, inputs)
        return None

    @staticmethod
    def _multiple(a: Bits, b: Bits) -> Bits | None:
        """The product with a constant that has a single one, or none."""
        for x, factor in ((a, b), (b, a)):
            if all(bit in (0, 1) for bit in factor) and sum(factor) <= 1:
                places = factor.index(1) if any(factor) else len(x)
                return ((0,) * places + x)[: len(x)]
        return None

    def _folded_bits(self, operator: str, inputs: tuple[Bits, ...]) -> Bits | None:
        fold: Callable[..., int | None] = getattr(self, _FOLDERS[operator])
        if operator == "m":
            condition = inputs[0] * len(inputs[1])
            bits = [fold(*x) for x in zip(condition, *inputs[1:], strict=True)]
        else:
            bits = [fold(*x) for x in zip(*inputs, strict=True)]
        known = [x for x in bits if x is not None]
        return tuple(known) if len(known) == len(bits) else None

    def _not(self, x: int) -> int | None:
        if x in (0, 1):
            return 1 - x
        number, place = self.place(x)
        cell = self.cells[number]
        return cell.inputs[0][place] if cell.operator == "~" else None

    @staticmethod
    def _and(x: int, y: int) -> int | None:
        if 0 in (x, y):
            return 0
        return y if x in (1, y) else x if y == 1 else None

    @staticmethod
    def _or(x: int, y: int) -> int | None:
        if 1 in (x, y):
            return 1
        return y if x in (0, y) else x if y == 0 else None

    @staticmethod
    def _xor(x: int, y: int) -> int | None:
        return 0 if x == y else y if x == 0 else x if y == 0 else None

    @staticmethod
    def _choice(condition: int, x: int, y: int) -> int | None:
        if condition in (0, 1):
            return x if condition else y
        return x if x == y else condition if (x, y) == (1, 0) else None


_FOLDERS = {"~": "_not", "&": "_and", "|": "_or", "^": "_xor", "m": "_choice"}
