"""Always blocks: registers, those together that take new values at the same time."""

from __future__ import annotations

from collections.abc import Callable

from .cells import Bits, Cells
from .expressions import constant
from .netlist import Register
from .scope import Scope
from .text import INDENT, wrapped

Branch = tuple[str, list[str]]
"""A condition, empty if there is none, and the assignments where it holds and none before it."""


class Clocked:
    """The always blocks of a module.

    Parameters
    ----------
    scope : its names.
    value : the text of bits where they are read.
    keyword : what such a block begins with.
    """

    def __init__(self, scope: Scope, cells: Cells, value: Callable[[Bits], str], keyword: str):
        self._scope, self._cells, self._value, self._keyword = scope, cells, value, keyword

    def lines(self, registers: list[Register]) -> list[str]:
        """All blocks, their registers in the order of the description."""
        groups: dict[tuple, list[Register]] = {}
        for register in sorted(registers, key=lambda x: self._scope.owner[x.bits[0]].order):
            groups.setdefault(_conditions(register), []).append(register)
        blocks = [line for group in groups.values() for line in self._block(group)]
        return self._start(registers) + blocks

    def _start(self, registers: list[Register]) -> list[str]:
        """Initial values, where there is no reset."""
        lines = [
            f"{INDENT * 2}{self._name(x)} = {constant(x.initial, len(x.bits))};"
            for x in registers
            if x.initial is not None
        ]
        return ["", f"{INDENT}initial begin", *lines, f"{INDENT}end"] if lines else []

    def _block(self, group: list[Register]) -> list[str]:
        first = group[0]
        edges = [f"posedge {self._value((first.clock,))}"]
        branches: list[Branch] = []
        if first.reset:
            edge, condition = self._asynchronous(first.reset[0])
            edges.append(edge)
            branches.append((condition, [self._reset(x) for x in group]))
        if _is_whole(first):
            branches += self._updates(group)
        else:
            branches.append(("", self._parts(first)))
        # What `always_ff` drives, nothing else may, and so no initial block
        keyword = self._keyword if first.initial is None else "always"
        head = f"{keyword} @({' or '.join(edges)}) begin"
        return ["", f"{INDENT}{head}", *_chain(branches), f"{INDENT}end"]

    def _asynchronous(self, bit: int) -> tuple[str, str]:
        """The edge of a reset, and whether it holds."""
        cell = self._cells.of(bit)
        if cell.operator == "~":
            name = self._value(cell.inputs[0])
            return f"negedge {name}", f"~{name}"
        name = self._value((bit,))
        return f"posedge {name}", name

    def _reset(self, register: Register) -> str:
        value = register.reset[1] if register.reset else 0
        return f"{self._name(register)} <= {constant(value, len(register.bits))};"

    def _name(self, register: Register) -> str:
        return self._scope.owner[register.bits[0]].name

    def _updates(self, group: list[Register]) -> list[Branch]:
        """Updates of whole registers, the last first: it wins."""
        branches: list[Branch] = []
        for place in reversed(range(len(group[0].updates))):
            condition = group[0].updates[place][0]
            assignments = [f"{self._name(x)} <= {self._value(x.updates[place][2])};" for x in group]
            branches.append(("" if condition == 1 else self._value((condition,)), assignments))
            if condition == 1:
                break
        return branches

    def _parts(self, register: Register) -> list[str]:
        """Updates of parts of a register, one after the other."""
        wire, statements = self._scope.owner[register.bits[0]], []
        for condition, start, bits in register.updates:
            when = "" if condition == 1 else f"if ({self._value((condition,))}) "
            statements.append(f"{when}{wire.part(start, len(bits))} <= {self._value(bits)};")
        return statements


def _is_whole(register: Register) -> bool:
    return all(len(bits) == len(register.bits) for _, _, bits in register.updates)


def _conditions(register: Register) -> tuple:
    """What is the same of registers in one block."""
    own = () if _is_whole(register) else register.bits
    reset = register.reset and register.reset[0]
    return register.clock, reset, own, tuple(condition for condition, _, _ in register.updates)


def _chain(branches: list[Branch]) -> list[str]:
    """Branches of which the first that holds counts."""
    if not branches[0][0]:
        return [line for x in branches[0][1] for line in wrapped(x, 2)]
    lines: list[str] = []
    for i, (condition, assignments) in enumerate(branches):
        start = "end else " if i else ""
        lines += wrapped(f"{start}{f'if ({condition}) ' if condition else ''}begin", 2)
        lines += [line for x in assignments for line in wrapped(x, 3)]
    return [*lines, f"{INDENT * 2}end"]
