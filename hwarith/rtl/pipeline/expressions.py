"""The expressions of Amaranth's language that a pipelined datapath may have."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Signal, Value
from amaranth.hdl._ast import Concat, Operator, Part, Slice, SwitchValue

from ...errors import InvalidInput

OPERATORS = {
    1: ("~", "-", "+", "b", "r&", "r|", "r^", "u", "s"),
    2: ("+", "-", "*", "//", "%", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">="),
}
"""Amaranth's operators by their number of operands: as it writes them in expressions, where ``b``
is `bool`, ``r&``, ``r|`` and ``r^`` are `all`, `any` and `xor`, and ``u`` and ``s`` are
`as_unsigned` and `as_signed`."""

ALLOWED = (
    "the inputs of the step, constants, signals made with wire(m, name, value), slices, Cat, Mux, "
    "Array, bit_select, word_select, and the operators ~ - + * // % << >> & | ^ == != < <= > >="
)
"""What an expression may be made of, in words."""

DEEPEST = 128
"""Most operations in one another in an expression. Python cannot go much deeper at once."""


def rebuilt(value: Value, change: Callable[[Value], Value]) -> Value:
    """The same expression of changed parts. Raises `TypeError` for what `Checker` refuses."""
    if isinstance(value, Operator):
        return Operator(value.operator, [change(x) for x in value.operands])
    if isinstance(value, Slice):
        return change(value.value)[value.start : value.stop]
    if isinstance(value, Part):
        return Part(change(value.value), change(value.offset), value.width, value.stride)
    if isinstance(value, Concat):
        return Cat(*(change(part) for part in value.parts))
    if isinstance(value, SwitchValue):
        cases = [(patterns, change(x)) for patterns, x in value.cases]
        return SwitchValue(change(value.test), cases)
    if isinstance(value, (Const, Signal)):
        return value
    raise TypeError(f"not known in a pipelined datapath: {value!r}")


class Checker:
    """Tells whether a pipelined datapath can have an expression."""

    def __init__(self, inputs: list[Value]):
        self._depths = {id(x): 0 for x in inputs}  # of all that is checked, by identity
        self._kept: list[Value] = list(inputs)

    def add_wire(self, signal: Signal, value: Value) -> None:
        """Check the expression of a wire, which later ones may read."""
        self.check(value)
        self._keep(signal, 0)

    def check(self, value: Value) -> None:
        """Raises `InvalidInput` for an expression that no pipelined datapath can have."""
        waiting = [value]
        while waiting:
            value = waiting[-1]
            parts = [] if id(value) in self._depths else _parts(value)
            missing = [part for part in parts if id(part) not in self._depths]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if id(value) not in self._depths:
                depth = 1 + max((self._depths[id(part)] for part in parts), default=-1)
                if depth > DEEPEST:
                    raise InvalidInput(
                        f"an expression of a pipelined datapath cannot have more than {DEEPEST} "
                        "operations in one another; make a part of it with wire(m, name, value)"
                    )
                self._keep(value, depth)

    def _keep(self, value: Value, depth: int) -> None:
        self._kept.append(value)
        self._depths[id(value)] = depth


def _parts(value: Value) -> list[Value]:
    """What an expression is made of. Raises `InvalidInput` for a kind that is not `ALLOWED`."""
    if isinstance(value, Operator):
        if value.operator not in OPERATORS.get(len(value.operands), ()):
            raise _refused(f"operator {value.operator}")
        return list(value.operands)
    if isinstance(value, Slice):
        return [value.value]
    if isinstance(value, Part):
        return [value.value, value.offset]
    if isinstance(value, Concat):
        return list(value.parts)
    if isinstance(value, SwitchValue):
        return [value.test, *(x for _, x in value.cases)]
    if isinstance(value, Const):
        return []
    if isinstance(value, Signal):
        raise _refused(f"signal {value.name!r}, which is not made with wire")
    raise _refused(f"{type(value).__name__} {value!r}")


def _refused(what: str) -> InvalidInput:
    return InvalidInput(f"a pipelined datapath cannot have {what}; allowed: {ALLOWED}")
