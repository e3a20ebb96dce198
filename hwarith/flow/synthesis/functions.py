"""Liberty functions: of a cell's inputs, on 64 values at a time, and whether they are unate."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...exceptions import InvalidInput, quoted, shown

Words = np.ndarray
"""A signal's values, 64 vectors in a word, the first in its lowest bit."""

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|[01]|[!'()&*|+^])")


@cache
def expression_of(text: str, pins: tuple[str, ...], what: str) -> tuple[str, tuple[str, ...]]:
    """A Liberty function as an expression of ``x0``, ``x1``, ... with ``~``, ``&``, ``|``, ``^``
    and parentheses, which Python and Verilog read alike, and the pins that these are.

    Of Liberty's operators, ``!`` and ``'`` bind most, then ``^``, then ``&``, ``*`` or a space,
    then ``|`` or ``+`` (Liberty User Guide, "function attribute"). Raises `InvalidInput` for a
    text that is no function of these pins.
    """
    parser = _Parser(text, pins, what)
    try:
        expression = parser.sum()
    except RecursionError:  # it nests too deeply
        raise parser.error() from None
    if parser.tokens or not parser.used:
        raise parser.error()
    return expression, tuple(parser.used)


@cache
def function_of(
    text: str, pins: tuple[str, ...], what: str
) -> tuple[Callable[..., Any], tuple[str, ...]]:
    """A Liberty function on words, and the pins that are its arguments, in order. Raises
    `InvalidInput` as `expression_of` does."""
    expression, used = expression_of(text, pins, what)
    names = ", ".join(f"x{i}" for i in range(len(used)))
    try:
        # Of nothing but names that were made here, numbers and operators.
        return eval(f"lambda {names}: {expression}", {"__builtins__": {}}), used
    except (RecursionError, MemoryError, SyntaxError):  # it nests too deeply
        raise _Parser(text, pins, what).error() from None


def sense_of(text: str, pins: tuple[str, ...], source: str, what: str) -> str:
    """The ``timing_sense`` of a function towards one of its pins: ``positive_unate`` if it never
    falls when the pin rises, ``negative_unate`` if it never rises, else ``non_unate`` (also for a
    pin that it does not depend on). Raises `InvalidInput` as `function_of` does."""
    function, names = function_of(text, pins, what)
    if source not in names:
        return "non_unate"
    rows = 1 << len(names)
    columns = [sum(1 << row for row in range(rows) if row >> i & 1) for i in range(len(names))]
    at = names.index(source)
    high = [columns[i] if i != at else (1 << rows) - 1 for i in range(len(names))]
    low = [columns[i] if i != at else 0 for i in range(len(names))]
    ones = (1 << rows) - 1
    after, before = function(*high) & ones, function(*low) & ones
    if not before & ~after:
        return "positive_unate"
    return "negative_unate" if not after & ~before else "non_unate"


class _Parser:
    """Recursive descent over a Liberty function, into a Python expression."""

    def __init__(self, text: str, pins: tuple[str, ...], what: str):
        self.text, self.pins, self.what = text, pins, what
        self.tokens: list[str] = []
        self.used: list[str] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.error()
            self.tokens.append(match[1])
            at = match.end()

    def error(self) -> InvalidInput:
        pins = ", ".join(self.pins)
        return InvalidInput(
            f"{self.what}: {quoted(self.text)} is no function of its inputs {shown(pins)}"
        )

    def take(self, *allowed: str) -> bool:
        if self.tokens and self.tokens[0] in allowed:
            self.tokens.pop(0)
            return True
        return False

    def sum(self) -> str:
        terms = [self.product()]
        while self.take("+", "|"):
            terms.append(self.product())
        return _of_all(" | ", terms)

    def product(self) -> str:
        factors = [self.difference()]
        while self.take("*", "&") or (self.tokens and re.match(r"[\w!(]", self.tokens[0])):
            factors.append(self.difference())
        return _of_all(" & ", factors)

    def difference(self) -> str:
        sides = [self.inverted()]
        while self.take("^"):
            sides.append(self.inverted())
        return _of_all(" ^ ", sides)

    def inverted(self) -> str:
        if self.take("!"):
            return f"(~{self.inverted()})"
        if self.take("("):
            inner = self.sum()
            if not self.take(")"):
                raise self.error()
        elif self.tokens and self.tokens[0] in self.pins:
            name = self.tokens.pop(0)
            if name not in self.used:
                self.used.append(name)
            inner = f"x{self.used.index(name)}"
        else:
            raise self.error()
        while self.take("'"):
            inner = f"(~{inner})"
        return inner


def _of_all(operator: str, operands: list[str]) -> str:
    """One operand as it is, several in parentheses."""
    return operands[0] if len(operands) == 1 else f"({operator.join(operands)})"
