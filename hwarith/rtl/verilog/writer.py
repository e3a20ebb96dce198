"""Verilog of a module: its wires, each with one expression, in the order of its datapath."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from amaranth.lib import wiring

from .cells import BITWISE, TRUNCATABLE, Bits, Cell
from .clocked import Clocked
from .expressions import ARITHMETIC, Expression, concatenation, constant, operation
from .names import Names
from .netlist import SYNCHRONOUS, Netlist, Reset, netlist
from .scope import Piece, Scope, Wire
from .text import INDENT, comment, wrapped

_WORDS = {"&": "and", "|": "or", "^": "xor", "~": "not", "m": "choice", "+": "sum", "*": "product"}
_WORDS |= {"-": "difference", "<<": "shifted", "u>>": "shifted", "s>>": "shifted"}
_WORDS |= {"r|": "any", "r&": "all", "r^": "parity", "==": "equal"}

_Item = Wire | int
"""What a line defines: a wire, or the cell that is given a name of its own."""


def verilog_module(
    component: wiring.Component,
    name: str,
    reset: Reset = SYNCHRONOUS,
    called: Mapping[str, str] | None = None,
    systemverilog: bool = False,
    constants: Mapping[tuple[int, int], str] | None = None,
) -> str:
    """The text of a module, with what the component's submodules have in it.

    Parameters
    ----------
    reset : how its registers are reset.
    called : new names of modules that it has instances of.
    systemverilog : write ``logic`` and ``always_ff``.
    constants : names of constants by value and width; they become local parameters where they are
        used.

    Raises `InvalidInput` for what no unit may have in it (`netlist`).
    """
    words = SYSTEMVERILOG_WORDS if systemverilog else VERILOG_WORDS
    writer = _Writer(netlist(component, name, reset), name, called or {}, words, constants or {})
    return writer.text()


@dataclass(frozen=True)
class Words:
    """What a version of the language calls things."""

    wire: str
    register: str
    clocked: str


VERILOG_WORDS = Words("wire", "reg", "always")
SYSTEMVERILOG_WORDS = Words("logic", "logic", "always_ff")


class _Writer:
    def __init__(
        self,
        module: Netlist,
        name: str,
        called: Mapping[str, str],
        words: Words,
        constants: Mapping[tuple[int, int], str],
    ):
        self._constants = constants
        self._used: dict[tuple[int, int], str] = {}
        self._module, self._name, self._called, self._words = module, name, called, words
        self._scope = Scope(module)
        self._cells = module.cells
        self._last = len(module.signals)
        self._clocked = Clocked(self._scope, self._cells, self._value, words.clocked)
        while True:
            self._prepare()
            self._order, self._early = self._ordered()
            # What reads itself is taken apart if it can be
            if not sum(self._scope.split(wire) for wire in self._early):
                break

    def _prepare(self) -> None:
        """Find what must be written, and write all expressions."""
        self._reader: dict[int, Wire | None] = {}
        self._uses: dict[int, list[Piece]] = {}
        self._count_uses()
        self._names: dict[int, Wire] = {}
        named = [number for number in self._uses if self._has_own_name(number)]
        taken = self._scope.names.copy()
        for number in sorted(named, key=lambda n: (self._order_of(self._reader[n]), n)):
            self._names[number] = self._named(number, taken)
        self._texts: dict[int, tuple[str, list[_Item]]] = {}
        self._items: dict[int, _Item] = {}
        waiting: list[_Item] = []
        for bits in self._sinks():
            self._expression(self._pieces(bits, None), None, waiting)
        while waiting:
            item = waiting.pop()
            if not self._is_source(item) and _key(item) not in self._items:
                read: list[_Item] = []
                self._items[_key(item)] = item
                self._texts[_key(item)] = (self._text(item, read), read)
                waiting += read

    @staticmethod
    def _is_source(item: _Item) -> bool:
        return isinstance(item, Wire) and item.is_source

    def _order_of(self, reader: Wire | None) -> float:
        return reader.order if reader else self._last

    def _wire(self, item: _Item) -> Wire:
        return item if isinstance(item, Wire) else self._names[item]

    def _ordered(self) -> tuple[list[_Item], list[Wire]]:
        """What is defined, each after what it reads, and the wires that something reads before."""
        order: list[_Item] = []
        early: list[Wire] = []
        begun: set[int] = set()
        done: set[int] = set()
        for first in sorted(self._items, key=lambda k: (self._wire(self._items[k]).order, k)):
            waiting = [first]
            while waiting:
                key = waiting[-1]
                if key in begun:
                    waiting.pop()
                    if key not in done:
                        done.add(key)
                        order.append(self._items[key])
                    continue
                begun.add(key)
                for item in reversed(self._texts[key][1]):
                    other = _key(item)
                    if other in self._items and other not in done:
                        if other not in begun:
                            waiting.append(other)
                        elif self._wire(item) not in early:
                            early.append(self._wire(item))
        return order, early

    # -- what is needed ------------------------------------------------------------------------

    def _sinks(self) -> Iterable[Bits]:
        yield from self._module.outputs.values()
        for register in self._module.registers:
            for condition, _, bits in register.updates:
                yield (condition,)
                yield bits
            if register.reset:
                yield (register.reset[0],)
        for instance in self._module.instances:
            yield from instance.inputs.values()

    def _count_uses(self) -> None:
        """Where the operations are read that no wire of the description is."""
        waiting: list[tuple[Piece, Wire | None]] = [
            (piece, None) for bits in self._sinks() for piece in self._pieces(bits, None)
        ]
        outer = [piece for piece, _ in waiting]
        seen: set[int] = set()
        while waiting:
            piece, reader = waiting.pop()
            source = piece.source
            if isinstance(source, Wire):
                if source.number not in seen and not source.is_source:
                    seen.add(source.number)
                    found = self._definition(source)
                    waiting += [(x, source) for x in found]
                    outer += found
            elif source is not None and source not in self._reader:
                self._reader[source] = reader
                cell = self._cells.cells[source]
                for bits in cell.inputs:
                    waiting += [(x, reader) for x in self._pieces(bits, reader)]
        for piece in outer:
            self._use(piece)
        # What reads an operation has a higher number than it
        for number in sorted(self._reader, reverse=True):
            if number in self._uses:
                cell, whole = self._cells.cells[number], self._has_own_name(number)
                use = self._uses[number][0]
                ends = (0, cell.width) if whole else (use.low, use.width)
                for bits in _inputs(cell, *ends):
                    for piece in self._pieces(bits, self._reader[number]):
                        self._use(piece)

    def _use(self, piece: Piece) -> None:
        if isinstance(piece.source, int):
            self._uses.setdefault(piece.source, []).append(piece)

    def _pieces(self, bits: Bits, reader: Wire | None) -> list[Piece]:
        return self._scope.pieces(bits, reader.order if reader else self._last)

    def _definition(self, wire: Wire) -> list[Piece]:
        return self._scope.pieces(wire.bits, wire.order, wire)

    def _has_own_name(self, number: int) -> bool:
        cell, uses = self._cells.cells[number], self._uses[number]
        if cell.operator == "~":
            return False
        return len(uses) > 1 or not _can_be_cut(cell, uses[0])

    def _named(self, number: int, taken: Names) -> Wire:
        cell, reader = self._cells.cells[number], self._reader[number]
        word = _WORDS.get(cell.operator, "less")
        first, *_ = self._pieces(cell.inputs[0], reader)
        if cell.operator in ("r|", "r&", "==") and isinstance(first.source, Wire):
            name = f"{first.source.name}_{word}"
        else:
            name = f"{reader.name if reader else 'next'}_{word}"
        order = self._order_of(reader)
        step = reader.step if reader else ""
        return Wire(taken.give(name), self._cells.outputs(number), 0, order, "wire", step)

    # -- expressions -----------------------------------------------------------------------------

    def _expression(
        self, pieces: list[Piece], reader: Wire | None, read: list[_Item], operator: str = ""
    ) -> Expression:
        """What pieces are side by side; what they are read from is added to `read`."""
        if len(pieces) == 1:
            return self._piece(pieces[0], reader, read, operator)
        return concatenation([self._piece(x, reader, read, "").text for x in pieces])

    def _piece(
        self, piece: Piece, reader: Wire | None, read: list[_Item], operator: str
    ) -> Expression:
        source, low, width = piece.source, piece.low, piece.width
        if source is None:
            return Expression(self._constant(low, width, operator))
        if isinstance(source, Wire):
            read.append(source)
            return Expression(source.part(low, width))
        if source in self._names:
            read.append(source)
            return Expression(self._names[source].part(low, width))
        return self._cell(self._cells.cells[source], low, width, reader, read)

    def _constant(self, value: int, width: int, operator: str) -> str:
        name = self._constants.get((value, width))
        if not name or operator in ARITHMETIC:
            return constant(value, width, operator)
        self._used[value, width] = name
        return name

    def _cell(
        self, cell: Cell, low: int, width: int, reader: Wire | None, read: list[_Item]
    ) -> Expression:
        inputs = _inputs(cell, low, width)
        operator = cell.operator
        if operator == "+" and (less := _negative(inputs[1])):
            first = self._expression(self._pieces(inputs[0], reader), reader, read)
            return operation("-", [first, Expression(constant(less, width, "-"))])
        plain = operator.lstrip("us")
        texts = [self._expression(self._pieces(x, reader), reader, read, plain) for x in inputs]
        return operation(operator, texts)

    def _text(self, item: _Item, read: list[_Item]) -> str:
        """The expression that defines something."""
        if isinstance(item, Wire):
            return self._expression(self._definition(item), item, read).text
        cell = self._cells.cells[item]
        return self._cell(cell, 0, cell.width, self._reader[item], read).text

    def _value(self, bits: Bits) -> str:
        return self._expression(self._pieces(bits, None), None, []).text

    # -- text --------------------------------------------------------------------------------------

    def text(self) -> str:
        """The whole module."""
        head = [f"module {self._name} (", *self._ports(), ");"]
        lines = [*self._declarations(), *self._wires(), *self._instances()]
        lines += self._clocked.lines(self._module.registers)
        for name, bits in self._module.outputs.items():
            if not self._is_register(name):
                lines += wrapped(f"assign {name} = {self._value(bits)};")
        parameters = [
            f"{INDENT}localparam [{width - 1}:0] {name} = {constant(value, width)};"
            for (value, width), name in sorted(self._used.items(), key=lambda x: x[1])
        ]
        return "\n".join([*head, *parameters, *lines, "endmodule"]) + "\n"

    def _ports(self) -> list[str]:
        ports = {name: ("input ", bits) for name, bits in self._module.inputs.items()}
        ports |= {name: ("output", bits) for name, bits in self._module.outputs.items()}
        kinds = {
            name: self._words.register if self._is_register(name) else self._words.wire
            for name in ports
        }
        ranges = {k: f"[{len(x) - 1}:0] " if len(x) > 1 else "" for k, (_, x) in ports.items()}
        space = max(map(len, ranges.values()), default=0)
        lines = [
            f"{INDENT}{ports[name][0]} {kinds[name]:{len(self._words.wire)}} "
            f"{ranges[name]:>{space}}{name}"
            for name in self._module.ports
        ]
        return [f"{line}," for line in lines[:-1]] + lines[-1:]

    def _is_register(self, output: str) -> bool:
        """Whether an output is itself a register."""
        owner = self._scope.owner.get(self._module.outputs.get(output, (0,))[0])
        return owner is not None and (owner.name, owner.kind) == (output, "output register")

    def _declarations(self) -> list[str]:
        lines = []
        for wire in self._scope.wires:
            if wire.kind == "register":
                lines.append(f"{INDENT}{self._words.register} {wire.range}{wire.name};")
            elif wire.kind == "instance":
                lines.append(f"{INDENT}wire {wire.range}{wire.name};")
        return lines + [f"{INDENT}wire {x.range}{x.name};" for x in self._early]

    def _wires(self) -> list[str]:
        lines: list[str] = []
        step = ""
        for item in self._order:
            wire, (text, _) = self._wire(item), self._texts[_key(item)]
            if wire.step != step and wire.step:
                step = wire.step
                lines += ["", *comment(step, INDENT)]
            declared = wire in self._early
            kind = "assign " if declared else f"wire {wire.range}"
            lines += wrapped(f"{kind}{wire.name} = {text};")
        return lines

    def _instances(self) -> list[str]:
        lines: list[str] = []
        for instance in self._module.instances:
            ports = [(name, self._value(x)) for name, x in instance.inputs.items()]
            ports += [(name, self._output(x)) for name, x in instance.outputs.items()]
            lines += [
                "",
                f"{INDENT}{self._called.get(instance.module, instance.module)} {instance.name} (",
            ]
            lines += [
                f"{INDENT * 2}.{name}({text})" + ("," if i + 1 < len(ports) else "")
                for i, (name, text) in enumerate(ports)
            ]
            lines.append(f"{INDENT});")
        return lines

    def _output(self, bits: Bits) -> str:
        return self._scope.owner[bits[0]].name


def _key(item: _Item) -> int:
    """A number of its own for each cell, and below zero for each wire."""
    return item if isinstance(item, int) else -1 - item.number


def _can_be_cut(cell: Cell, piece: Piece) -> bool:
    """Whether these bits alone of an operation's result can be written as an operation."""
    if piece.width == cell.width or cell.operator in BITWISE:
        return True
    return piece.low == 0 and cell.operator in TRUNCATABLE


def _negative(bits: Bits) -> int:
    """What to subtract in place of adding a constant; 0 if that is not shorter."""
    if len(bits) > 31 or any(bit not in (0, 1) for bit in bits) or not bits[-1]:
        return 0
    return (1 << len(bits)) - sum(bit << i for i, bit in enumerate(bits))


def _inputs(cell: Cell, low: int, width: int) -> list[Bits]:
    """What is read of an operation's inputs for these bits of its result."""
    if width == cell.width:
        return list(cell.inputs)
    first, *rest = cell.inputs
    cut = slice(low, low + width)
    match cell.operator:
        case "m":
            return [first, *(x[cut] for x in rest)]
        case "<<":
            return [first[cut], *rest]
    return [x[cut] for x in cell.inputs]
