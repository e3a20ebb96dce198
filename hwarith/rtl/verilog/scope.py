"""What bits are called: the signals of a module, and which of them a group of bits is read from."""

from __future__ import annotations

from dataclasses import dataclass

from .cells import Bits, Cells
from .names import Names
from .netlist import Named, Netlist


@dataclass
class Wire:
    """A name of the module.

    Members
    -------
    bits, first : what drives it, from bit `first` on.
    order : where in the description it was made; a port comes before all others.
    number : of the wires of its module.
    kind : ``port``, ``register``, ``output register`` (a port that is one), ``instance`` (the
        output of one) or ``wire``.
    """

    name: str
    bits: Bits
    first: int
    order: float
    kind: str
    step: str = ""
    number: int = 0

    @property
    def is_source(self) -> bool:
        """Whether it is known from the start, and not defined by an expression."""
        return self.kind != "wire"

    @property
    def range(self) -> str:
        """Its range in a declaration, with a space behind; empty for a single bit."""
        if len(self.bits) == 1 and not self.first:
            return ""
        return f"[{self.first + len(self.bits) - 1}:{self.first}] "

    def part(self, low: int, width: int) -> str:
        """Some of its bits, `low` counted from its first one."""
        if width == len(self.bits):
            return self.name
        low += self.first
        return f"{self.name}[{low + width - 1}:{low}]" if width > 1 else f"{self.name}[{low}]"


@dataclass(frozen=True)
class Piece:
    """Adjacent bits that come from one place: a constant, a name, or an operation.

    Members
    -------
    source : the wire, the number of the cell, or nothing for a constant.
    low : of a constant its value; else the place of its lowest bit in its source.
    """

    source: Wire | int | None
    low: int
    width: int


class Scope:
    """The names of a module.

    Members
    -------
    wires : ports, then signals in the order of the description.
    owner : of each bit, the wire that defines it.
    """

    def __init__(self, module: Netlist):
        self.names = Names()
        self.cells: Cells = module.cells
        self.wires: list[Wire] = []
        self._homes: dict[int, list[tuple[Wire, int]]] = {}
        self.owner: dict[int, Wire] = {}
        for name in (*module.inputs, *module.outputs):
            self.names.take(name)
        for name, bits in module.inputs.items():
            self._add(Wire(name, bits, 0, -1, "port"))
        self._sources = {x.bits[0]: (x.bits, "register") for x in module.registers}
        for instance in module.instances:
            self._sources |= {x[0]: (x, "instance") for x in instance.outputs.values()}
        for order, signal in enumerate(module.signals):
            self._add_signal(order, signal)
        for name, bits in module.outputs.items():
            if self._sources.get(bits[0]) == (bits, "register"):
                del self._sources[bits[0]]
                self._add(Wire(name, bits, 0, -1, "output register"))
        for instance in module.instances:
            for port, bits in instance.outputs.items():
                if bits[0] in self._sources:
                    _, kind = self._sources.pop(bits[0])
                    name = self.names.give(f"{instance.name}_{port}")
                    self._add(Wire(name, bits, 0, -1, kind))

    def _add_signal(self, order: int, signal: Named) -> None:
        if all(bit in (0, 1) for bit in signal.bits):
            return
        held = [(i, *self._sources.pop(x)) for i, x in enumerate(signal.bits) if x in self._sources]
        name = self.names.give(signal.name)
        for place, bits, kind in held:
            # Bits beside those that are held have a constant value, or are held on their own
            only = len(held) == 1
            own = name if only else self.names.give(f"{name}_{signal.first + place}")
            first = signal.first + place if only else 0
            self._add(Wire(own, bits, first, order, kind, signal.step))
        if len(held) != 1:
            self._add(Wire(name, signal.bits, signal.first, order, "wire", signal.step))

    def _add(self, wire: Wire) -> None:
        wire.number = len(self.wires)
        self.wires.append(wire)
        for place, bit in enumerate(wire.bits):
            if bit not in (0, 1):
                self._homes.setdefault(bit, []).append((wire, place))
                if wire.is_source or bit not in self.owner:
                    self.owner[bit] = wire

    def split(self, wire: Wire) -> bool:
        """Give each operation that a wire is made of a wire of its own, so that one can be read by
        another. Returns whether there was more than one."""
        pieces = [x for x in self.pieces(wire.bits, wire.order, wire) if isinstance(x.source, int)]
        if len(pieces) < 2:
            return False
        place = len(wire.bits)
        for piece in self.pieces(wire.bits, wire.order, wire):
            place -= piece.width
            if isinstance(piece.source, int):
                bits = wire.bits[place : place + piece.width]
                name = self.names.give(f"{wire.name}_{wire.first + place}")
                part = Wire(name, bits, 0, wire.order - 0.5, "wire", wire.step)
                part.number = len(self.wires)
                self.wires.append(part)
                for i, bit in enumerate(bits):
                    self._homes[bit].insert(0, (part, i))
                    self.owner[bit] = part
        return True

    def pieces(self, bits: Bits, before: float, defined: Wire | None = None) -> list[Piece]:
        """Bits as they are read, msb first, by what is made in this place of the description; or
        as they define a wire."""
        found: list[Piece] = []
        i = 0
        while i < len(bits):
            piece = self._piece(bits, i, before, defined)
            found.append(piece)
            i += piece.width
        return found[::-1]

    def _piece(self, bits: Bits, i: int, before: float, defined: Wire | None) -> Piece:
        if bits[i] in (0, 1):
            width = _run(bits, i, lambda bit, _: bit in (0, 1))
            return Piece(None, sum(bit << k for k, bit in enumerate(bits[i : i + width])), width)
        if defined is None or self.owner.get(bits[i]) is not defined:
            wire, place, width = self._best_home(bits, i, before, defined)
            if wire:
                return Piece(wire, place, width)
        number, place = self.cells.place(bits[i])
        width = _run(bits, i, lambda bit, k: bit == bits[i] + k)
        if defined is None:
            free = _run(bits, i, lambda bit, _: bit not in self._homes)
        else:
            free = _run(bits, i, lambda bit, _: self.owner.get(bit, defined) is defined)
        return Piece(number, place, min(width, max(free, 1)))

    def _best_home(
        self, bits: Bits, i: int, before: float, defined: Wire | None
    ) -> tuple[Wire | None, int, int]:
        """The wire that most of the bits from the i-th on are in, and how many; one made earlier
        if there is any, and rather a whole one."""
        homes = [x for x in self._homes.get(bits[i], ()) if x[0] is not defined]
        earlier = [x for x in homes if x[0].order < before or x[0].is_source]
        if defined is not None and not earlier:
            owner = self.owner.get(bits[i])
            earlier = [x for x in homes if x[0] is owner]
        best: tuple[Wire | None, int, int] = (None, 0, 0)
        quality = (0, False)
        for wire, place in earlier or homes:
            rest = wire.bits[place:]
            width = _run(bits, i, lambda bit, k, rest=rest: k < len(rest) and bit == rest[k])
            if (width, width == len(wire.bits)) > quality:
                best, quality = (wire, place, width), (width, width == len(wire.bits))
        return best


def _run(bits: Bits, start: int, fits) -> int:
    """How many bits from here on fit."""
    width = 0
    while start + width < len(bits) and fits(bits[start + width], width):
        width += 1
    return width
