"""Quotients and square roots of integers as terms: a restoring row for each bit.

Source: Ercegovac and Lang, Digital Arithmetic, chapters 5 and 6.
"""

from __future__ import annotations

import ast

from .integers import Integers, Value
from .terms import Term


def quotient(e: Integers, a: Value, b: Value) -> Value:
    """What `hwarith.golden.divide` gives, of a non-negative integer and a positive one."""
    most, least = e.range_of(a)[1], max(e.range_of(b)[0], 1)
    found: Value = 0
    for place in reversed(range((most // least).bit_length())):
        fits = _reaches(e, a, place, b)
        a = _less(e, fits, a, b, place)
        found = e.binary(ast.BitOr, found, e.choose(fits, 1 << place, 0))
    return found


def square_root(e: Integers, x: Value) -> Value:
    """What `hwarith.golden.square_root` gives, of a non-negative integer."""
    found: Value = 0
    for place in reversed(range((e.range_of(x)[1].bit_length() + 1) // 2)):
        off = e.binary(ast.BitOr, e.binary(ast.LShift, found, 2), 1)
        fits = _reaches(e, x, 2 * place, off)
        x = _less(e, fits, x, off, 2 * place)
        found = e.binary(ast.BitOr, e.binary(ast.LShift, found, 1), e.choose(fits, 1, 0))
    return found


def _reaches(e: Integers, x: Value, place: int, off: Value) -> Term:
    """Whether x is at least off * 2^place."""
    return e.truth(e.compare(ast.GtE, e.binary(ast.RShift, x, place), off))


def _less(e: Integers, fits: Term, x: Value, off: Value, place: int) -> Value:
    """What is left of x if off * 2^place is taken from it where it fits."""
    with e.where(fits):
        rest = e.binary(ast.Sub, x, e.binary(ast.LShift, off, place))
    return e.narrowed(e.choose(fits, rest, x), 0, e.range_of(x)[1])
