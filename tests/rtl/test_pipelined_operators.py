"""Every operator of Amaranth's language in a step, with and without pipeline registers."""

from __future__ import annotations

import enum
import operator
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product
from typing import Any, ClassVar

import numpy as np
import pytest
from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.hdl._ast import Operator, SwitchValue
from amaranth.lib import data
from amaranth.lib.enum import Enum as AmaranthEnum
from hypothesis import example, given, settings
from hypothesis import strategies as st

import hwarith as hw
from hwarith import rtl
from hwarith.rtl import Values, wire
from hwarith.rtl.pipeline.expressions import OPERATORS, parts_of
from hwarith.rtl.pipeline.recording import Recording
from hwarith.units import Contract
from hwarith.units.operations import Operation
from tests.rtl.steps_in_stages import InStages, ports, simulate

STAGES = (0, 1, 2, 3)
INPUTS = ports(a="uint5", b="uint3", c="int4")
WIDTH = 16
"""Bits of the result, of which all expressions here are taken modulo."""


class Color(AmaranthEnum, shape=unsigned(2)):
    RED, GREEN, BLUE = 0, 1, 2


class Number(enum.IntEnum):
    THREE = 3


PAIR = data.StructLayout({"low": 2, "high": signed(3)})
WORDS = data.ArrayLayout(unsigned(2), 4)


def signed_value(x: int, width: int) -> int:
    return (x & (1 << width) - 1) - ((x >> (width - 1) & 1) << width)


def rotated(x: int, width: int, places: int) -> int:
    x &= (1 << width) - 1
    return (x << places | x >> (width - places)) & (1 << width) - 1


def quotient(x: int, y: int) -> int:
    return x // y if y else 0


def remainder(x: int, y: int) -> int:
    return x % y if y else 0


SAME: dict[str, Callable[[Any, Any, Any], Any]] = {
    "+": lambda a, b, c: a + b + c,
    "-": lambda a, b, c: a - b,
    "- of signed": lambda a, b, c: c - a,
    "- unary": lambda a, b, c: -c,
    "*": lambda a, b, c: a * c,
    "* of unsigned": lambda a, b, c: a * b,
    "&": lambda a, b, c: a & c,
    "|": lambda a, b, c: b | c,
    "^": lambda a, b, c: a ^ c,
    "~ of signed": lambda a, b, c: ~c,
    "<<": lambda a, b, c: a << b,
    "<< of signed": lambda a, b, c: c << b,
    "<< of a constant": lambda a, b, c: 1 << b,
    ">>": lambda a, b, c: a >> b,
    ">> of signed": lambda a, b, c: c >> b,
    ">> of a constant": lambda a, b, c: 0x5A >> b,
    ">> beyond": lambda a, b, c: b >> a,
    "<": lambda a, b, c: a < b,
    "< of signed": lambda a, b, c: c < a,
    "<= of zero": lambda a, b, c: c <= 0,
    "<=": lambda a, b, c: b <= c,
    ">": lambda a, b, c: a > c,
    ">=": lambda a, b, c: a >= b,
    ">= of zero": lambda a, b, c: c >= 0,
    "==": lambda a, b, c: a == c,
    "== of a constant": lambda a, b, c: a == 7,
    "!=": lambda a, b, c: a != b,
    "abs": lambda a, b, c: abs(c),
    "// by 3": lambda a, b, c: a // 3,
    "// by 4": lambda a, b, c: a // 4,
    "// of signed by 4": lambda a, b, c: c // 4,
    "// by 64": lambda a, b, c: c // 64,
    "// by -3": lambda a, b, c: c // -3,
    "% by 3": lambda a, b, c: c % 3,
    "% by 4": lambda a, b, c: a % 4,
    "% of signed by 4": lambda a, b, c: c % 4,
    "% by 1": lambda a, b, c: c % 1,
    "% by -4": lambda a, b, c: c % -4,
    "an enumeration": lambda a, b, c: a + Number.THREE,
    "a chain of sums": lambda a, b, c: reduce(lambda total, i: total + (a ^ i), range(9), c),
}
"""What is written the same in Python."""


def structure(m: Module, x: Value) -> Value:
    pair = wire(m, "pair", x, PAIR)
    return pair.low + pair.high


DIFFERENT: dict[str, tuple[Callable[..., Any], Callable[[int, int, int], int]]] = {
    "//": (lambda m, a, b, c: a // b, lambda a, b, c: quotient(a, b)),
    "// of signed": (lambda m, a, b, c: c // b, lambda a, b, c: quotient(c, b)),
    "// by signed": (lambda m, a, b, c: a // c, lambda a, b, c: quotient(a, c)),
    "// of a constant": (lambda m, a, b, c: 1000 // a, lambda a, b, c: quotient(1000, a)),
    "// by zero": (lambda m, a, b, c: a // Const(0, 3), lambda a, b, c: 0),
    "%": (lambda m, a, b, c: a % b, lambda a, b, c: remainder(a, b)),
    "% of signed": (lambda m, a, b, c: c % b, lambda a, b, c: remainder(c, b)),
    "% by signed": (lambda m, a, b, c: a % c, lambda a, b, c: remainder(a, c)),
    "~": (lambda m, a, b, c: ~a, lambda a, b, c: ~a & 31),
    "any": (lambda m, a, b, c: a.any(), lambda a, b, c: a != 0),
    "all": (lambda m, a, b, c: c.all(), lambda a, b, c: c == -1),
    "xor": (lambda m, a, b, c: a.xor(), lambda a, b, c: a.bit_count() & 1),
    "bool": (lambda m, a, b, c: c.bool(), lambda a, b, c: c != 0),
    "as_signed": (lambda m, a, b, c: a.as_signed(), lambda a, b, c: signed_value(a, 5)),
    "as_unsigned": (lambda m, a, b, c: c.as_unsigned(), lambda a, b, c: c & 15),
    "shift_left": (lambda m, a, b, c: c.shift_left(3), lambda a, b, c: c << 3),
    "shift_right": (lambda m, a, b, c: c.shift_right(6), lambda a, b, c: c >> 6),
    "rotate_left": (lambda m, a, b, c: a.rotate_left(2), lambda a, b, c: rotated(a, 5, 2)),
    "rotate_right": (lambda m, a, b, c: c.rotate_right(1), lambda a, b, c: rotated(c, 4, 3)),
    "replicate": (lambda m, a, b, c: b.replicate(3), lambda a, b, c: b * 0o111),
    "matches": (lambda m, a, b, c: a.matches("1--01", 6), lambda a, b, c: a & 19 == 17 or a == 6),
    "slice": (lambda m, a, b, c: (a + b)[1:4], lambda a, b, c: a + b >> 1 & 7),
    "bit": (lambda m, a, b, c: (a - b)[-1], lambda a, b, c: a < b),
    "slice in steps": (lambda m, a, b, c: a[::2], lambda a, b, c: a & 1 | a >> 1 & 2 | a >> 2 & 4),
    "an empty slice": (lambda m, a, b, c: Cat(a[:0], b, a[5:]), lambda a, b, c: b),
    "an empty value": (lambda m, a, b, c: Cat() + a, lambda a, b, c: a),
    "bit_select": (lambda m, a, b, c: a.bit_select(b, 2), lambda a, b, c: a >> b & 3),
    "bit_select of signed": (
        lambda m, a, b, c: c.bit_select(b[0], 3),
        lambda a, b, c: c >> (b & 1) & 7,
    ),
    "word_select": (lambda m, a, b, c: a.word_select(b, 2), lambda a, b, c: a >> 2 * b & 3),
    "word_select of signed": (
        lambda m, a, b, c: c.word_select(b[0], 2),
        lambda a, b, c: c >> 2 * (b & 1) & 3,
    ),
    "a part of no bits": (lambda m, a, b, c: Cat(a.bit_select(b, 0), b), lambda a, b, c: b),
    "Cat": (
        lambda m, a, b, c: Cat(b, c, a[0], Const(1, 2)),
        lambda a, b, c: b | (c & 15) << 3 | (a & 1) << 7 | 1 << 8,
    ),
    "Mux": (lambda m, a, b, c: Mux(a > 9, b, c), lambda a, b, c: b if a > 9 else c),
    "Mux by some bits": (lambda m, a, b, c: Mux(b, a, c), lambda a, b, c: a if b else c),
    "Mux of constants": (lambda m, a, b, c: Mux(a[2], 9, -3), lambda a, b, c: 9 if a & 4 else -3),
    "Mux by no bits": (lambda m, a, b, c: Mux(a[:0], a, b), lambda a, b, c: b),
    "Array": (
        lambda m, a, b, c: Array([a, b, c, a + b, 5, 6, 7, -1])[b],
        lambda a, b, c: [a, b, c, a + b, 5, 6, 7, -1][b],
    ),
    "Array of Arrays": (
        lambda m, a, b, c: Array(Array([i, a, c]) for i in range(4))[b[:2]][a[0]],
        lambda a, b, c: a if a & 1 else b & 3,
    ),
    "Array of two": (lambda m, a, b, c: Array([a, c])[b[0]], lambda a, b, c: c if b & 1 else a),
    "operators of an Array": (
        lambda m, a, b, c: (Array([a, c])[b[0]] + 1) << 2,
        lambda a, b, c: ((c if b & 1 else a) + 1) << 2,
    ),
    "patterns": (
        lambda m, a, b, c: SwitchValue(a, [(("1----", "--000"), b), ("00---", c)]),
        lambda a, b, c: b if a & 16 or not a & 7 else c if a < 8 else 0,
    ),
    "patterns and a default": (
        lambda m, a, b, c: SwitchValue(b, [((1, 2), a), (3, c), (None, 77)]),
        lambda a, b, c: a if b in (1, 2) else c if b == 3 else 77,
    ),
    "a structure": (
        lambda m, a, b, c: structure(m, a),
        lambda a, b, c: (a & 3) + signed_value(a >> 2, 3),
    ),
    "a word of an array": (
        lambda m, a, b, c: data.View(WORDS, Cat(a, b))[b[:2]],
        lambda a, b, c: (a | b << 5) >> 2 * (b & 3) & 3,
    ),
    "an Amaranth enumeration": (
        lambda m, a, b, c: wire(m, "color", b[:2], Color) == Color.BLUE,
        lambda a, b, c: b & 3 == 2,
    ),
    "a constant": (lambda m, a, b, c: 77, lambda a, b, c: 77),
}
"""What is not, or does not mean the same: hardware of the module and the inputs, and in Python."""

CASES = DIFFERENT | {name: ((lambda m, a, b, c, f=f: f(a, b, c)), f) for name, f in SAME.items()}


def steps(hardware: Callable[..., Any]) -> list[Callable[[Module, Values], Values]]:
    """The operator between a sum before it and one behind it, in which registers may stand."""

    def before(m: Module, x: Values) -> Values:
        a = wire(m, "a_and_again", (x["a"] + x["b"]) - x["b"], 5)
        return {"a": a, "b": x["b"], "c": x["c"].as_signed()}

    def operate(m: Module, x: Values) -> Values:
        return {"z": wire(m, "z", hardware(m, x["a"], x["b"], x["c"]), signed(WIDTH)), **x}

    def behind(m: Module, x: Values) -> Values:
        return {"y": (x["z"] + x["a"])[:WIDTH]}

    return [before, operate, behind]


def operands(count: int) -> list[tuple[int, int, int]]:
    rng = random.Random(3)
    corners = list(product((0, 1, 16, 31), (0, 1, 7), (0, 1, 7, 8, 15)))
    others = (tuple(rng.randrange(1 << f.bits) for f in INPUTS.values()) for _ in range(count))
    return [*corners, *others]


def expected(python: Callable[[int, int, int], int], a: int, b: int, c: int) -> int:
    return (int(python(a, b, signed_value(c, 4))) + a) % (1 << WIDTH)


@pytest.mark.parametrize("stages", STAGES)
@pytest.mark.parametrize("name", CASES)
def test_an_operator_in_a_step(name: str, stages: int) -> None:
    hardware, python = CASES[name]
    thing = InStages(INPUTS, ports(y=f"uint{WIDTH}"), steps(hardware), stages)
    vectors = operands(40)
    assert simulate(thing, vectors) == [(expected(python, *codes),) for codes in vectors]


def test_all_operators_are_tried() -> None:
    inputs = {"a": Signal(5), "b": Signal(3), "c": Signal(4)}
    found: dict[int, set[str]] = {1: set(), 2: set()}
    for hardware, _ in CASES.values():
        for _, value in Recording(steps(hardware), inputs).wires:
            waiting = [value]
            while waiting:
                part = waiting.pop()
                waiting += parts_of(part)
                if isinstance(part, Operator):
                    found[len(part.operands)].add(part.operator)
    assert found == {count: set(operators) for count, operators in OPERATORS.items()}


LONGER = {
    name: case
    for name, case in CASES.items()
    if any(part in name for part in ("<<", ">>", "//", "%", "select", "Array", "patterns"))
}
"""What yosys and Verilator may see otherwise than Amaranth."""


@dataclass(frozen=True, kw_only=True, repr=False)
class AllOperators(hw.Unit):
    """A unit with a result for each of these."""

    family: ClassVar[str] = "operators"
    summary: ClassVar[str] = "all operators"
    operation: ClassVar[Operation] = Operation("operators")

    @property
    def operands(self) -> dict[str, hw.Format]:
        return INPUTS

    @property
    def results(self) -> dict[str, hw.Format]:
        return ports(**{f"y{i}": f"uint{WIDTH}" for i in range(len(LONGER))})

    @property
    def contract(self) -> Contract:
        return Contract("exact integer", "exact", "this test")

    def datapath(self) -> list[rtl.Step]:
        return [self._all]

    def _all(self, m: Module, x: Values) -> Values:
        results = {}
        for i, (hardware, _) in enumerate(LONGER.values()):
            values = x
            for step in steps(hardware):
                values = step(m, values)
            results[f"y{i}"] = values["y"]
        return results


def test_operators_in_verilog() -> None:
    every = np.array(list(product(*(range(1 << f.bits) for f in INPUTS.values())))).T
    found = hw.simulate(AllOperators(stages=3))(*every)
    for name, got, (_, python) in zip(LONGER, found, LONGER.values(), strict=True):
        wanted = [expected(python, *map(int, codes)) for codes in every.T]
        assert list(got) == wanted, name


# -- expressions at random -----------------------------------------------------------------------

UNARY = ("~", "-", "+", "abs", "any", "all", "xor", "bool", "as_signed", "as_unsigned", "slice")
BINARY = (
    *("+", "-", "*", "//", "%", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">="),
    *("cat", "bit_select", "word_select", "wire"),
)
TERNARY = ("mux", "array", "patterns")

LEAVES = st.sampled_from(["a", "b", "c", 0, 1, 5, -3])
TREES = st.recursive(
    LEAVES,
    lambda trees: st.one_of(
        st.tuples(st.sampled_from(UNARY), trees),
        st.tuples(st.sampled_from(BINARY), trees, trees),
        st.tuples(st.sampled_from(TERNARY), trees, trees, trees),
    ),
    max_leaves=8,
)

OPERATIONS: dict[str, Callable[..., Value]] = {
    "~": operator.invert,
    "-": lambda x, *y: x - y[0] if y else -x,
    "abs": abs,
    "+": lambda x, *y: x + y[0] if y else +x,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "<<": lambda x, y: x << y[:2].as_unsigned(),
    ">>": lambda x, y: x >> y[:4].as_unsigned(),
    "slice": lambda x: x[1:3],
    "cat": lambda x, y: Cat(x, y),
    "as_signed": lambda x: x.as_signed() if len(x) else x,
    "mux": Mux,
    "array": lambda x, y, z: Array([y, z, x])[x[:2].as_unsigned()],
    "patterns": lambda x, y, z: SwitchValue(Cat(x, 0)[:1], [("1", y), (None, z)]),
}


def build(m: Module, tree: Any, x: Values) -> Value:
    """The expression of a tree, in which nothing is wider than a dozen bits."""
    if not isinstance(tree, tuple):
        return x[tree] if isinstance(tree, str) else Const(tree)
    name, *parts = tree
    made = [build(m, part, x) for part in parts]
    if name == "wire":
        value = wire(m, "named", made[0])
    elif name in ("bit_select", "word_select"):
        # Amaranth's simulator takes bits above unsigned operators for what they are in Python
        source = wire(m, "source", made[0].as_unsigned())
        value = getattr(source, name)(made[1][:3].as_unsigned(), 2)
    elif name in OPERATIONS:
        value = OPERATIONS[name](*made)
    else:
        value = getattr(made[0], name)()
    if len(value) <= 12:
        return value
    return value[:12].as_signed() if value.shape().signed else value[:12]


@settings(max_examples=80, deadline=None)
@given(TREES, TREES, st.integers(1, 4))
@example("a", ("~", "a"), 3)  # which takes no time
def test_stages_change_no_expression(first: Any, second: Any, stages: int) -> None:
    def one(m: Module, x: Values) -> Values:
        return {"a": build(m, first, x | {"c": x["c"].as_signed()}), "b": x["b"], "c": x["a"]}

    def other(m: Module, x: Values) -> Values:
        return {"y": wire(m, "y_wide", build(m, second, x), 12)}

    combinational = InStages(INPUTS, ports(y="uint12"), [one, other])
    vectors = operands(10)
    assert simulate(replace(combinational, stages=stages), vectors) == simulate(
        combinational, vectors
    )
