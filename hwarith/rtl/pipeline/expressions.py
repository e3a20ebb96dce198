"""The expressions of Amaranth's language that a pipelined datapath may have."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Signal, Value
from amaranth.hdl._ast import Concat, Operator, Part, Slice, SwitchValue

from ...exceptions import InvalidInput, quoted

OPERATORS = {
    1: ("~", "-", "b", "r&", "r|", "r^", "u", "s"),
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


BEYOND_SIGN = (
    "bit_select or word_select that reaches beyond the sign of a signed value (Amaranth's "
    "simulator and its Verilog differ there; >> shifts the sign in)"
)
"""What is refused, though Amaranth has it."""


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


def parts_of(value: Value) -> list[Value]:
    """What an expression is made of, in the order in which `rebuilt` changes it."""
    if isinstance(value, Operator):
        return list(value.operands)
    if isinstance(value, Slice):
        return [value.value]
    if isinstance(value, Part):
        return [value.value, value.offset]
    if isinstance(value, Concat):
        return list(value.parts)
    if isinstance(value, SwitchValue):
        return [*(x for _, x in value.cases), value.test]
    return []


def visit_inner_first(
    value: Value,
    parts: Callable[[Value], list[Value]],
    is_done: Callable[[Value], bool],
    visit: Callable[[Value], None],
) -> None:
    """Visit an expression and what it is made of, each after its own `parts` and none twice:
    `visit` makes it done. Expressions may be nested deeper than Python's calls."""
    waiting = [value]
    while waiting:
        value = waiting[-1]
        missing = [] if is_done(value) else [part for part in parts(value) if not is_done(part)]
        if missing:
            waiting += reversed(missing)
            continue
        waiting.pop()
        if not is_done(value):
            visit(value)


class Checker:
    """Tells whether a pipelined datapath can have an expression."""

    def __init__(self, inputs: list[Value]):
        self._known = {id(x): x for x in inputs}  # by identity, and what keeps it

    def add_wire(self, signal: Signal, value: Value) -> None:
        """Check the expression of a wire, which later ones may read. Raises `InvalidInput`."""
        self.check(value)
        self._keep(signal)

    def check(self, value: Value) -> None:
        """Raises `InvalidInput` for an expression that is made of more than `ALLOWED`."""
        visit_inner_first(value, self._parts, lambda x: id(x) in self._known, self._keep)

    def _keep(self, value: Value) -> None:
        self._known[id(value)] = value

    def _parts(self, value: Value) -> list[Value]:
        match value:
            case Const() | Slice() | Concat() | SwitchValue():
                return parts_of(value)
            case Part():
                if value.value.shape().signed and _reach(value) > len(value.value):
                    raise _refused(BEYOND_SIGN)
                return parts_of(value)
            case Operator():
                if value.operator in OPERATORS.get(len(value.operands), ()):
                    return parts_of(value)
                raise _refused(f"the operator {value.operator}")
            case Signal():
                raise _refused(f"the signal {quoted(value.name)}, which is not made with wire")
        raise _refused(f"{type(value).__name__} {quoted(value)}")


def _reach(part: Part) -> int:
    """How many bits a part may reach up to, above the lsb of what it is a part of."""
    return ((1 << len(part.offset)) - 1) * part.stride + part.width


def _refused(what: str) -> InvalidInput:
    return InvalidInput(f"a pipelined datapath cannot have {what}; allowed: {ALLOWED}")
