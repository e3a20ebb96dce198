"""Integers that depend on inputs: terms that know the range they are in.

A range says how wide a term is. A magnitude is never wider than the machine word in which the same
definition is compiled; that it need not be is a statement of its own (`Integers.misuses`).
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...exceptions import HwarithError
from .terms import Term, Terms, signed


class NotExecutable(HwarithError):
    """A definition does what terms cannot follow."""


@dataclass(frozen=True, eq=False)
class Integer:
    """An integer that depends on inputs: a term that holds it, and the range it is in.

    The term is unsigned if `low` is not negative, else two's complement.
    """

    by: Integers
    term: Term
    low: int
    high: int

    def __or__(self, other: Value) -> Value:
        return self.by.binary(ast.BitOr, self, other)

    def __ror__(self, other: Value) -> Value:
        return self.by.binary(ast.BitOr, other, self)

    def __and__(self, other: Value) -> Value:
        return self.by.binary(ast.BitAnd, self, other)

    def __lshift__(self, other: Value) -> Value:
        return self.by.binary(ast.LShift, self, other)

    def __rshift__(self, other: Value) -> Value:
        return self.by.binary(ast.RShift, self, other)


@dataclass(frozen=True, eq=False)
class Word:
    """An integer that a definition makes of others: a product, sum, greatest or magnitude; of each
    of them its sign in it; and what holds where it is made."""

    kind: str
    value: Integer
    of: tuple[tuple[int, Value], ...]
    path: Term


@dataclass(frozen=True, eq=False)
class Relative:
    """An integer by its distance from another: sums, differences and comparisons of those that
    have the same `base` do not look at it."""

    base: Integer
    offset: Value


Value = Any
"""An int, an `Integer`, a `Relative`, or a tuple of them."""


def width_of(low: int, high: int) -> int:
    """Bits that hold a range."""
    if low >= 0:
        return max(high.bit_length(), 1)
    return max((-low - 1).bit_length(), high.bit_length()) + 1


class Integers:
    """Python's operators on integers of at most `word` bits, as terms of a `Terms`."""

    def __init__(self, terms: Terms, word: int) -> None:
        self.t = terms
        self.word = word
        self.misuses: list[Term] = []
        """When an integer would not fit in its word, or a shift be by a negative number: truth
        values that must never hold, or the definition has no meaning in words."""
        self.words: list[Word] = []
        self.path = terms.const(1, 1)
        """What holds where the execution is."""

    @contextmanager
    def where(self, condition: Term) -> Iterator[None]:
        """Within it, the execution is where a condition holds too."""
        before = self.path
        self.path = self.t.apply("bvand", before, condition)
        try:
            yield
        finally:
            self.path = before

    def _never(self, misuse: Term) -> None:
        here = self.t.apply("bvand", self.path, misuse)
        if here.constant != 0:
            self.misuses.append(here)

    def _noted(self, kind: str, value: Value, *of: tuple[int, Value]) -> Value:
        """An integer, which is kept in mind as a word if it is a new one."""
        if isinstance(value, Integer) and not any(
            isinstance(x, Integer) and x.term is value.term for _, x in of
        ):
            self.words.append(Word(kind, value, of, self.path))
        return value

    # -- integers ------------------------------------------------------------------------------

    def integer(self, term: Term) -> Integer:
        """The unsigned integer of a term."""
        return Integer(self, term, 0, (1 << term.width) - 1)

    def integer_or_constant(self, term: Term) -> Value:
        """The same; a number if it is one."""
        return self.integer(term) if term.constant is None else term.constant

    def _made(self, low: int, high: int, made: Callable[[int], Term]) -> Value:
        """An integer in a range, of a term that is made for a width."""
        if low == high:
            return low
        least, most = -(1 << (self.word - 1)), (1 << (self.word - 1)) - 1
        if low < least or high > most:
            exact = made(width_of(low, high))
            low, high = min(max(low, least), most), max(min(high, most), least)
            held = Integer(self, made(width_of(low, high)), low, high)
            fits = self.t.equal(exact, self.term(held, exact.width))
            self._never(self.t.negation(fits))
            return held
        term = made(width_of(low, high))
        if term.constant is not None:
            return signed(term.value, term.width) if low < 0 else term.value
        return Integer(self, term, low, high)

    def absolute(self, x: Value) -> Value:
        """An integer that is no `Relative`."""
        return self.binary(ast.Add, x.base, x.offset) if isinstance(x, Relative) else x

    def _offsets(self, *values: Value) -> list[Value] | None:
        """Distances from one base, of integers that have the same."""
        if not all(isinstance(x, Relative) and x.base is values[0].base for x in values):
            return None
        return [x.offset for x in values]

    def term(self, x: Value, width: int) -> Term:
        """An integer as a term of so many bits, two's complement or unsigned as it is."""
        x = self.absolute(x)
        if isinstance(x, Integer):
            extend = self.t.sign_extended if x.low < 0 else self.t.zero_extended
            return extend(x.term, width)
        return self.t.const(int(x), width)

    def range_of(self, x: Value) -> tuple[int, int]:
        x = self.absolute(x)
        return (x.low, x.high) if isinstance(x, Integer) else (int(x), int(x))

    def _common(self, x: Value, y: Value) -> tuple[Term, Term]:
        """Two integers as terms of a width that holds both."""
        (a, b), (c, d) = self.range_of(x), self.range_of(y)
        width = width_of(min(a, c), max(b, d))
        return self.term(x, width), self.term(y, width)

    def truth(self, x: Value) -> Term:
        """Whether an integer is not zero, as one bit."""
        x = self.absolute(x)
        if not isinstance(x, Integer):
            return self.t.const(int(bool(x)), 1)
        if x.low >= 0 and x.term.width == 1:
            return x.term
        return self.t.negation(self.t.equal(x.term, self.t.const(0, x.term.width)))

    def boolean(self, bit: Term) -> Value:
        """A truth value as an integer."""
        return bit.constant if bit.op == "const" else Integer(self, bit, 0, 1)

    # -- operators -----------------------------------------------------------------------------

    def binary(self, op: type[ast.operator], x: Value, y: Value) -> Value:
        """An arithmetic operator on two integers."""
        if isinstance(x, Relative) or isinstance(y, Relative):
            return self._relative(op, x, y)
        if not isinstance(x, Integer) and not isinstance(y, Integer):
            return _PYTHON[op](x, y)
        (a, b), (c, d) = self.range_of(x), self.range_of(y)
        t = self.t
        if op is ast.Add:
            return self._noted("sum", self._sum("bvadd", x, y, a + c, b + d), (1, x), (1, y))
        if op is ast.Sub:
            return self._noted("sum", self._sum("bvsub", x, y, a - d, b - c), (1, x), (-1, y))
        if op is ast.Mult:
            ends = a * c, a * d, b * c, b * d
            made = self._sum("bvmul", x, y, min(ends), max(ends))
            return self._noted("product", made, (1, x), (1, y))
        if op in (ast.BitAnd, ast.BitOr, ast.BitXor):
            return self._bitwise(op, x, y)
        if op in (ast.LShift, ast.RShift):
            if c < 0:  # for which Python would raise an error
                self._never(self.truth(self.compare(ast.Lt, y, 0)))
            y = self.narrowed(y, 0, d)
            c, d = self.range_of(y)
        if op is ast.LShift and d > self.word:  # which only 0 can be shifted by
            far = self.truth(self.compare(ast.Gt, y, self.word))
            self._never(t.apply("bvand", far, self.truth(x)))
            y = self.narrowed(y, c, self.word)
            c, d = self.range_of(y)
        if op is ast.LShift:
            low, high = min(a, a << d), max(b, b << d)

            def shifted(width: int) -> Term:
                places = self.term(y, max(width, width_of(c, d)))
                wide = t.apply("bvshl", self.term(x, places.width), places)
                return t.extract(wide, 0, width)

            return self._made(low, high, shifted)
        if op is ast.RShift:
            low, high = min(a >> c, a >> d), max(b >> c, b >> d)
            width = max(width_of(a, b), width_of(c, d))
            wide = t.apply(
                "bvashr" if a < 0 else "bvlshr", self.term(x, width), self.term(y, width)
            )
            return self._made(low, high, lambda w: t.extract(wide, 0, w) if w <= width else wide)
        if op in (ast.FloorDiv, ast.Mod) and a >= 0 and c > 0:
            width = max(width_of(a, b), width_of(c, d))
            wide = t.apply(
                "bvudiv" if op is ast.FloorDiv else "bvurem",
                self.term(x, width),
                self.term(y, width),
            )
            low, high = (a // d, b // c) if op is ast.FloorDiv else (0, min(b, d - 1))
            return self._made(low, high, lambda w: t.extract(wide, 0, w))
        raise NotExecutable(f"{op.__name__} of integers in {a}..{b} and {c}..{d}")

    def _relative(self, op: type[ast.operator], x: Value, y: Value) -> Value:
        """An operator on integers of which one is known by its distance from another."""
        offsets = self._offsets(x, y)
        if op is ast.Sub and offsets:
            return self.binary(op, *offsets)
        if op in (ast.Add, ast.Sub) and not isinstance(y, Relative):
            return Relative(x.base, self.binary(op, x.offset, y))
        if op is ast.Add and not isinstance(x, Relative):
            return Relative(y.base, self.binary(op, x, y.offset))
        return self.binary(op, self.absolute(x), self.absolute(y))

    def _sum(self, op: str, x: Value, y: Value, low: int, high: int) -> Value:
        """+, - and *, which agree modulo any power of two."""
        return self._made(
            low, high, lambda width: self.t.apply(op, self.term(x, width), self.term(y, width))
        )

    def _bitwise(self, op: type[ast.operator], x: Value, y: Value) -> Value:
        (a, b), (c, d) = self.range_of(x), self.range_of(y)
        width = width_of(min(a, c), max(b, d))
        name = {ast.BitAnd: "bvand", ast.BitOr: "bvor", ast.BitXor: "bvxor"}[op]
        if op is ast.BitAnd and (a >= 0 or c >= 0):
            low, high = 0, min(m for least, m in ((a, b), (c, d)) if least >= 0)
        elif min(a, c) >= 0:
            low, high = (max(a, c) if op is ast.BitOr else 0), (1 << width) - 1
        else:
            low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
        return self._made(
            low,
            high,
            lambda w: self.t.extract(
                self.t.apply(name, self.term(x, max(w, width)), self.term(y, max(w, width))), 0, w
            ),
        )

    def compare(self, op: type[ast.cmpop], x: Value, y: Value) -> Value:
        """A comparison of two integers."""
        if op in (ast.In, ast.NotIn):
            found = self.t.any_of(self.truth(self.compare(ast.Eq, x, z)) for z in y)
            return self.boolean(found if op is ast.In else self.t.negation(found))
        x, y = self._offsets(x, y) or (self.absolute(x), self.absolute(y))
        if not isinstance(x, Integer) and not isinstance(y, Integer):
            return int(_COMPARED[op](x, y))
        (a, b), (c, d) = self.range_of(x), self.range_of(y)
        if op in (ast.Gt, ast.GtE):
            return self.compare(ast.Lt if op is ast.Gt else ast.LtE, y, x)
        if op is ast.NotEq:
            return self.boolean(self.t.negation(self.truth(self.compare(ast.Eq, x, y))))
        if op is ast.Eq:
            if b < c or d < a:
                return 0
            return self.boolean(self.t.equal(*self._common(x, y)))
        if op is ast.LtE:
            return self.boolean(self.t.negation(self.truth(self.compare(ast.Lt, y, x))))
        if b < c:
            return 1
        if a >= d:
            return 0
        p, q = self._common(x, y)
        if min(a, c) < 0:
            top = self.t.const(1 << (p.width - 1), p.width)
            p, q = self.t.apply("bvxor", p, top), self.t.apply("bvxor", q, top)
        return self.boolean(self.t.apply("bvult", p, q))

    def choose(self, condition: Term, x: Value, y: Value) -> Value:
        """`x` if the condition holds, else `y`."""
        if condition.op == "const":
            return x if condition.value else y
        if x is y or y is None:
            return x
        if x is None:
            return y
        if isinstance(x, tuple):
            made = [self.choose(condition, p, q) for p, q in zip(x, y, strict=True)]
            return type(x)(*made) if hasattr(x, "_fields") else tuple(made)
        if offsets := self._offsets(x, y):
            return Relative(x.base, self.choose(condition, *offsets))
        x, y = self.absolute(x), self.absolute(y)
        if not isinstance(x, Integer) and not isinstance(y, Integer) and x == y:
            return x
        (a, b), (c, d) = self.range_of(x), self.range_of(y)
        return self._made(
            min(a, c),
            max(b, d),
            lambda w: self.t.ite(condition, self.term(x, w), self.term(y, w)),
        )

    def bit_length(self, x: Value) -> Value:
        """Position of the leading one."""
        if not isinstance(x, Integer):
            return x.bit_length()
        t, width = self.t, x.high.bit_length()
        held = width_of(0, width)
        total = t.const(0, held)
        for place in range(width):
            total = t.ite(t.extract(x.term, place, 1), t.const(place + 1, held), total)
        least = max(x.low, 0).bit_length()  # what may be negative may be zero, too
        return self._made(least, width, lambda w: t.zero_extended(total, w))

    def least(self, *values: Value, greatest: bool = False) -> Value:
        """The least of several integers, or the greatest."""
        if offsets := self._offsets(*values):
            return Relative(values[0].base, self.least(*offsets, greatest=greatest))
        total, *others = values[0] if len(values) == 1 else values
        for x in others:
            (a, b), (c, d) = self.range_of(total), self.range_of(x)
            less = self.truth(self.compare(ast.Lt, x, total))
            made = self.choose(less, total, x) if greatest else self.choose(less, x, total)
            low, high = (max(a, c), max(b, d)) if greatest else (min(a, c), min(b, d))
            whole = self.narrowed(made, low, high)
            total = self._noted("greatest", whole, (1, total), (1, x)) if greatest else whole
        return total

    def magnitude(self, x: Value) -> Value:
        """The absolute value."""
        if not isinstance(x, Integer):
            return abs(x)
        negative = self.truth(self.compare(ast.Lt, x, 0))
        made = self.choose(negative, self.binary(ast.Sub, 0, x), x)
        low = 0 if x.low <= 0 <= x.high else min(abs(x.low), abs(x.high))
        found = self.narrowed(made, low, max(abs(x.low), abs(x.high)))
        return self._noted("magnitude", found, (1, x))

    def narrowed(self, x: Value, low: int, high: int) -> Value:
        """An integer that is known to be in a range."""
        if not isinstance(x, Integer):
            return x
        low, high = max(low, x.low), min(high, x.high)
        if low > high:  # on a path that is never taken
            return x
        return self._made(low, high, lambda w: self.term(x, w))


_PYTHON: dict[type[ast.operator], Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARED: dict[type[ast.cmpop], Callable] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
