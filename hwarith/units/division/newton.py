"""Quotients of significands by multiplication: Newton's steps to the divisor's reciprocal.

A table gives the leading bits of 1/b. A step y (2 - b y) squares its error, so that few steps are
enough; what they cut off makes y smaller, never larger. The dividend times y is then the quotient,
or one less than it, and the remainder says which.

Source: Ercegovac and Lang, Digital Arithmetic, chapter 7. Tables are of the kind of RISC-V's
vfrec7, in any number of bits. Widths are this project's, by the bounds of errors below.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import count, pairwise
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Value

from ... import rtl
from ...rtl import wire

MOST_INDEX = 8
"""Most bits that index a table: another step is smaller than twice the rows."""


class Seed(NamedTuple):
    """A table of reciprocals: of each value of the `indexed` bits behind the divisor's first one,
    an integer that counts units of 2^-`bits`."""

    indexed: int
    bits: int
    rows: tuple[int, ...]


def targets(digits: int) -> list[int]:
    """The bits to which the seed and each step must be right, for a quotient of so many digits: a
    relative error of at most 2^-d squared, and what a step cuts off, are at most 2^-(2d - 1)."""
    found = [digits, (digits + 2) // 2]
    while found[-1] > MOST_INDEX:
        found.append((found[-1] + 2) // 2)
    return found[::-1]


@lru_cache(maxsize=64)
def seed(right: int, width: int) -> Seed:
    """The smallest table whose relative error is at most 2^-`right`, for divisors of `width` bits
    from 1 to below 2."""
    for bits in count(right):
        index = min(bits - 1, width - 1)
        ends = [Fraction((1 << index) + i, 1 << index) for i in range((1 << index) + 1)]
        points = [(a, a if index == width - 1 else b) for a, b in pairwise(ends)]
        rows = tuple(
            min(round(Fraction(2 << bits) / (low + high)), (1 << bits) - 1) for low, high in points
        )
        errors = (
            abs(b * y / (1 << bits) - 1) for ab, y in zip(points, rows, strict=True) for b in ab
        )
        if max(errors) <= Fraction(1, 1 << right):
            return Seed(index, bits, rows)
    raise AssertionError


def quotient(m: Module, dividend: Value, divisor: Value, digits: int) -> tuple[Value, Value]:
    """So many bits of a quotient whose first one is a one, and whether anything is left behind it.

    The divisor's first bit is a one; the dividend is at least the divisor and less than twice that.
    """
    width = len(divisor)
    right, *steps = targets(digits)
    table = seed(right, width)
    index = divisor[width - 1 - table.indexed : width - 1]
    near: Value = wire(m, "seed", rtl.read_table(m, "seed_", table.rows, index), table.bits)
    for i, bits in enumerate(steps):
        near = _step(m, f"step{i}", near, divisor, bits)
    return _corrected(m, dividend, divisor, near, digits)


def _step(m: Module, name: str, near: Value, divisor: Value, right: int) -> Value:
    """The reciprocal to more bits. 2 - b y, less than one unit too small, is b y inverted."""
    places, kept = len(divisor) - 1 + len(near), right + 3
    one = rtl.product(m, f"{name}_one", divisor, near)
    one = Cat(Const(0, max(0, kept - places)), one[max(0, places - kept) : places + 1])
    rest = wire(m, f"{name}_rest", ~one)
    product = rtl.product(m, f"{name}_product", near, rest)
    drop = len(near) + kept - (right + 4)
    found = product[drop:] if drop >= 0 else Cat(Const(0, -drop), product)
    return wire(m, f"{name}_near", found[: right + 4])


def _corrected(
    m: Module, dividend: Value, divisor: Value, near: Value, digits: int
) -> tuple[Value, Value]:
    """The dividend's product with the reciprocal, or one more if its remainder takes the divisor
    once again."""
    width = len(divisor)
    product = rtl.product(m, "estimate_product", dividend, near)
    drop = width - 1 + len(near) - (digits - 1)
    found = product[drop:] if drop >= 0 else Cat(Const(0, -drop), product)
    estimate = wire(m, "estimate", found[:digits])
    taken = rtl.product(m, "taken", estimate, divisor)
    all_of_it = Cat(Const(0, digits - 1), dividend)[: width + 1]
    rest = wire(m, "estimate_rest", (all_of_it - taken[: width + 1])[: width + 1])
    short = wire(m, "estimate_short", rest - divisor)
    once_more = wire(m, "once_more", ~short[-1])
    left = (rest.any() & ~once_more) | (short.any() & once_more)
    return rtl.increment(m, "quotient", estimate, once_more)[:digits], left
