"""Multiply-adds that are chained: their accumulator is a state that no format describes.

A chained unit takes a state as its last operand and gives the next one. Its `Unit.chain_start`
makes a state of a code, its `Unit.chain_end` a code of a state. Other multiply-adds accumulate in
the format of their result; for these both are None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formats import Format
from .unit import Unit


def first_format(u: Unit) -> Format:
    """The format in which an accumulator of this multiply-add (or adder) is given."""
    start = u.chain_start
    return next(iter(start.operands.values())) if start else list(u.operands.values())[-1]


def last_format(u: Unit) -> Format:
    """The format in which such an accumulator comes out."""
    return next(iter((u.chain_end or u).results.values()))


def begin(u: Unit, codes: np.ndarray) -> np.ndarray:
    """Accumulators of codes of `first_format`."""
    return np.asarray(u.chain_start(codes)) if u.chain_start else codes


def end(u: Unit, accumulators: np.ndarray) -> np.ndarray:
    """Codes of `last_format` of accumulators."""
    return np.asarray(u.chain_end(accumulators)) if u.chain_end else accumulators


def outside(u: Unit) -> Unit | Link:
    """The unit, or if it is chained the `Link`."""
    return Link(u) if u.chain_end else u


@dataclass(frozen=True)
class Link:
    """A chained multiply-add as its users see it, from the beginning of a chain of one to its end:
    a multiply-add of codes, of which an exact result is known."""

    unit: Unit
    operation = "multiply-add"

    @property
    def family(self) -> str:
        return self.unit.family

    @property
    def spec(self) -> str:
        return self.unit.spec

    @property
    def negated(self) -> dict[int, tuple[str, ...]]:
        return self.unit.negated

    @property
    def operands(self) -> dict[str, Format]:
        names = list(self.unit.operands)
        return self.unit.operands | {names[-1]: first_format(self.unit)}

    @property
    def results(self) -> dict[str, Format]:
        return {name: last_format(self.unit) for name in self.unit.results}

    check_operands = Unit.check_operands

    def __call__(self, a: Any, b: Any, c: Any) -> np.ndarray:
        return end(self.unit, np.asarray(self.unit(a, b, begin(self.unit, np.asarray(c)))))
