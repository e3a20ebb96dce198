"""Posits worked out from strings of bits, to hold hwarith's against.

A value is read off its string by a pattern. Rounding needs nothing else: what lies halfway between
two neighbours, on the string, is the posit of one bit more between them (Posit Standard 2022, 4.1).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from fractions import Fraction
from functools import cache

_MAGNITUDE = re.compile(r"(?P<regime>1+0?|0+1?)(?P<rest>[01]*)")


def value(code: int, n: int, es: int) -> Fraction | None:
    """The value of a code; None of NaR."""
    sign, magnitude = code >> (n - 1), code & ((1 << (n - 1)) - 1)
    if magnitude == 0:
        return None if sign else Fraction(0)
    if sign:
        other = value((1 << n) - code, n, es)
        assert other is not None
        return -other
    found = _MAGNITUDE.fullmatch(f"{magnitude:0{n - 1}b}")
    assert found is not None
    regime, rest = found["regime"], found["rest"]
    run = regime.count(regime[0])
    k = run - 1 if regime[0] == "1" else -run
    exponent = int(rest[:es].ljust(es, "0") or "0", 2)
    fraction = Fraction(int(rest[es:] or "0", 2), 1 << len(rest[es:]))
    return (1 + fraction) * Fraction(2) ** (k * 2**es + exponent)


@cache
def positive(n: int, es: int) -> list[Fraction]:
    """The values of the codes 1, 2, ... up to the largest."""
    return [x for x in (value(code, n, es) for code in range(1, 1 << (n - 1))) if x is not None]


def code_of(x: Fraction | None, n: int, es: int) -> int:
    """The code that a number is rounded to; None becomes NaR."""
    if x is None:
        return 1 << (n - 1)
    if x < 0:
        return (1 << n) - code_of(-x, n, es)
    if x == 0:
        return 0
    code = bisect_right(positive(n, es), x)
    if code == 0:
        return 1
    halfway = value(2 * code + 1, n + 1, es)
    assert halfway is not None
    up = code + 1 < 1 << (n - 1) and (x > halfway or (x == halfway and code % 2 == 1))
    return code + up
