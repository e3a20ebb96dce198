"""Quotients and roots of significands read from a table, where there are few enough of them.

An entry has all digits, of which the first one is a one, and behind them whether anything is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isqrt

from amaranth.hdl import Cat, Module, Value

from ... import rtl

MOST_INDEX = 12
"""Most bits that index a table."""


def _read(m: Module, entries: Iterable[int], index: Value) -> tuple[Value, Value]:
    """The digits of an entry, and whether anything is left behind them."""
    found = rtl.read_table(m, "table_", list(entries), index)
    return found[1:], found[0]


def quotient(m: Module, dividend: Value, divisor: Value, digits: int) -> tuple[Value, Value]:
    """So many bits of a quotient: the divisor's first bit is a one, the dividend at least the
    divisor and less than twice that."""
    places, top = len(divisor) - 1, 1 << (len(divisor) - 1)

    def entry(code: int) -> int:
        a, b = code >> places, top + (code & (top - 1))
        return _entry(*divmod(a << (digits - 1), b)) if b <= a < 2 * b else 0

    codes = range(1 << (places + len(dividend)))
    return _read(m, map(entry, codes), Cat(divisor[:-1], dividend))


def reciprocal(m: Module, divisor: Value, digits: int) -> tuple[Value, Value]:
    """So many bits of 1/x or, unless x is 1, of 2/x, for a number x from 1 to below 2."""
    top = 1 << (len(divisor) - 1)

    def entry(fraction: int) -> int:
        one = top << (digits - 1) << int(fraction > 0)
        return _entry(*divmod(one, top + fraction))

    return _read(m, map(entry, range(top)), divisor[:-1])


def root(m: Module, radicand: Value, digits: int) -> tuple[Value, Value]:
    """So many bits of the square root of a number from 1 to below 4, with two bits above the
    point."""
    fraction = len(radicand) - 2

    def entry(x: int) -> int:
        whole = x << 2 * (digits - 1)
        found = isqrt(whole >> fraction)
        return _entry(found, whole - (found * found << fraction)) if x >> fraction else 0

    return _read(m, map(entry, range(1 << len(radicand))), radicand)


def reciprocal_root(m: Module, x: Value, digits: int) -> tuple[Value, Value]:
    """So many bits of 1/sqrt(x) or, if x is 1, of 1/(2 sqrt(x)), for a number x from 1 to below 4,
    with two bits above the point."""
    fraction = len(x) - 2

    def entry(code: int) -> int:
        if code >> fraction == 0:
            return 0
        one = 1 << (2 * digits + fraction)
        if code == 1 << fraction:
            one >>= 2
        found = isqrt(one // code)
        return _entry(found, one - found * found * code)

    return _read(m, map(entry, range(1 << len(x))), x)


def _entry(digits: int, rest: int) -> int:
    return 2 * digits + int(rest > 0)
