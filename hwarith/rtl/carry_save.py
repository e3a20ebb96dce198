"""Carry-save addition: rows of bits compressed to two, by full adders packed into vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from amaranth.hdl import Cat, Const, Module, Value

from .parts import module_of_part, outputs_of_part
from .wires import wire


@dataclass(frozen=True, eq=False)
class Bit:
    """A bit of a column: the place that it has in a vector, and whether it comes late."""

    vector: Value
    place: int
    late: bool = False

    def is_next_to(self, lower: Bit) -> bool:
        """Whether this is the bit above another one of the same vector."""
        return self.vector is lower.vector and self.place == lower.place + 1


_ZERO, _ONE = Bit(Const(0, 1), 0), Bit(Const(1, 1), 0)

Columns = list[list[Bit]]


class Rows:
    """Rows of bits, to be summed up modulo 2^width.

    They are compressed by stages: in each, every three bits of a column go through a full adder,
    and half adders only where a column would not become short enough for the next stage
    (Bickerstaff, Schulte and Swartzlander, Journal of VLSI Signal Processing 9, 1995). Those of
    columns side by side are one vector. Bits that come late wait for the last stages, as far as
    the others leave columns that are short enough.
    """

    def __init__(self, m: Module, name: str, width: int):
        self.m = module_of_part(m, "carry_save")
        self.name, self.width = name, width
        self._columns: Columns = [[] for _ in range(width + 1)]
        self._rows = 0
        self._ones = 0

    def add(self, weight: int, row: Value, late: bool = False) -> None:
        """Put an unsigned number, whose lsb has weight 2^weight, into the columns. What is beyond
        the top is lost. `late`: it arrives behind the others, as an aligned addend does."""
        kept = max(0, self.width - weight)
        self._put(weight, row if len(row) <= kept else row[:kept], late)

    def add_constant(self, value: int) -> None:
        """Add an integer, modulo 2^width."""
        self._ones = (self._ones + value) % (1 << self.width)

    def add_integer(self, x: Value, weight: int = 0) -> None:
        """Put a number, signed or unsigned as its shape says, into the columns."""
        self.add_weighted(x, 1 << (len(x) - 1) if x.shape().signed else 0, weight)

    def add_weighted(self, row: Value, negative: int, weight: int) -> None:
        """Put a row into the columns in which the bits of the mask `negative` count negative: as
        their inverse less one (Baugh and Wooley, IEEE Transactions on Computers C-22, 1973)."""
        if negative:
            row = row.as_unsigned() ^ Const(negative, len(row))
            self.add_constant(-negative << weight)
        self.add(weight, wire(self.m, f"{self.name}_row{self._rows}", row))
        self._rows += 1

    def compress(self) -> tuple[Value, Value, list[Value]]:
        """Two rows with the sum of all columns, and the carries that leave the top one."""
        for weight in range(self.width):
            if self._ones >> weight & 1:
                self._columns[weight].append(_ONE)
        stage = 0
        while (height := max(map(len, self._columns[:-1]))) > 2:
            stage += 1
            self._stage(f"{self.name}_stage{stage}", _next_height(height))
        slots = _slots(self._columns[:-1])
        rows = [_joined([bits[i] if i < len(bits) else _ZERO for bits in slots]) for i in (0, 1)]
        carries = [bit.vector[bit.place] for bit in self._columns[self.width]]
        return outputs_of_part(self.m, (rows[0], rows[1], carries))

    def _put(self, weight: int, row: Value, late: bool = False) -> None:
        for place in range(len(row)):
            self._columns[weight + place].append(Bit(row, place, late))

    def _stage(self, name: str, height: int) -> None:
        """Leave no more bits in a column than `height`."""
        slots = _slots(self._columns)
        adders, ripples = (_adders if height > 2 else _last_adders)(slots[:-1], height)
        self._columns = [bits[3 * n :] for bits, n in zip(slots, [*adders, 0], strict=True)]
        for number in range(max(adders)):
            for first, count in _runs([n > number for n in adders]):
                columns = slots[first : first + count]
                groups = [(*bits[3 * number : 3 * number + 3], _ZERO) for bits in columns]
                a, b, c = (_joined([bits[i] for bits in groups]) for i in (2, 1, 0))
                place = f"{number}_{first}"
                half = wire(self.m, f"{name}_half{place}", a ^ b)
                self._put(first, wire(self.m, f"{name}_sum{place}", half ^ c))
                carry = wire(self.m, f"{name}_carry{place}", (a & b) | (half & c))
                self._put(first + 1, carry)
        for first, count in _runs(ripples):
            self._ripple(first, count)

    def _ripple(self, first: int, count: int) -> None:
        """Add columns of two bits each, and a carry into the lowest one: the last bit in it."""
        columns = self._columns[first : first + count]
        carry = columns[0].pop()
        into = carry.vector[carry.place]
        a, b = (_joined([bits[i] for bits in _slots(columns)]) for i in (0, 1))
        total = wire(self.m, f"{self.name}_ripple{first}", (Cat(into, a) + Cat(into, b))[1:])
        for column in columns:
            column.clear()
        self._put(first, total)


def _next_height(height: int) -> int:
    """The most bits of a column behind a stage that begins with so many: the numbers 2, 3, 4, 6,
    9, 13, ... (Dadda, Alta Frequenza 34, 1965)."""
    lower = upper = 2
    while upper < height:
        lower, upper = upper, upper * 3 // 2
    return lower


def _adders(columns: Columns, height: int) -> tuple[list[int], list[bool]]:
    """How many adders a stage has in each column, for late bits only if there would be too many
    left; the last one may be a half adder."""
    adders: list[int] = []
    carried = 0
    for bits in columns:
        early = sum(not bit.late for bit in bits)
        full, rest = divmod(early, 3)
        if len(bits) - 2 * full + carried > height:
            full, rest = divmod(len(bits), 3)
        carried = full + (rest == 2 and len(bits) - 2 * full + carried > height)
        adders.append(carried)
    return adders, [False] * len(adders)


def _last_adders(columns: Columns, _: int) -> tuple[list[int], list[bool]]:
    """Those of the last stage, and which columns ripple instead: a carry would make three bits of
    their two. Those are early ones below the middle, or few; half adders would be more gates."""
    adders = [len(bits) // 3 for bits in columns]
    ripples: list[bool] = []
    carried = False
    for bits, count in zip(columns, adders, strict=True):
        ripples.append(carried and len(bits) == 2)
        carried = count > 0 or ripples[-1]
    return adders, ripples


def _runs(chosen: list[bool]) -> Iterator[tuple[int, int]]:
    """The first place and the length of each run of places that are chosen."""
    for is_chosen, run in groupby(range(len(chosen)), chosen.__getitem__):
        if is_chosen:
            places = list(run)
            yield places[0], len(places)


def _slots(columns: Columns) -> Columns:
    """The bits of each column in such an order that those of a vector seldom change places, late
    ones last."""
    slots: Columns = []
    below: list[Bit] = []
    for column in columns:
        free = list(column)
        placed: list[Bit | None] = []
        for lower in below[: len(column)]:
            placed.append(next((bit for bit in free if bit.is_next_to(lower)), None))
            free = [bit for bit in free if bit is not placed[-1]]
        placed += [None] * (len(column) - len(placed))
        filled = (free.pop(0) if bit is None else bit for bit in placed)
        below = sorted(filled, key=lambda bit: bit.late)
        slots.append(below)
    return slots


def _joined(bits: list[Bit]) -> Value:
    """Bits of vectors side by side."""
    parts: list[Value] = []
    start = 0
    for end in range(1, len(bits) + 1):
        if end == len(bits) or not bits[end].is_next_to(bits[end - 1]):
            first = bits[start]
            parts.append(first.vector[first.place : first.place + end - start])
            start = end
    return parts[0] if len(parts) == 1 else Cat(*parts)
