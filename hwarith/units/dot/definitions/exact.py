"""One rounding of the exact sum."""

from __future__ import annotations

from ....formats.rounding import FINITE, INF, RDN, add_exact
from ....golden import golden
from ...exact.definitions import infinite_result, nan_result, result
from .terms import factor, invalid, product, scales, special, special_result


@golden
def exact(a, b, sa, sb, c, shape, f, rules, control):
    """The sum of all scaled products and the addend, rounded once.

    A sum of zeros of one sign is a zero of this sign; any other exact zero is +0, or -0 when
    rounding down (IEEE 754-2019, 6.3).
    """
    kind, s = special(a, b, sa, sb, 0, shape.n, c, shape, f, rules)
    if kind != FINITE:
        return special_result(kind, s, shape, f, rules)
    s, e, g = exact_sum(a, b, sa, sb, shape, f, rules, control)
    if shape.added == 1:
        _, sc, ec, gc = factor(c, f.c, shape, rules)
        s, e, g = add_exact(s, e, g, sc, ec, gc, (control >> 2) & 7, shape.width)
    return result(s, e, g, f.out, control, rules) << shape.pad


@golden
def exact_with_flags(a, b, sa, sb, c, shape, f, rules, control):
    """The same with flags above it: those of the sum as one operation."""
    kind, s = special(a, b, sa, sb, 0, shape.n, c, shape, f, rules)
    if kind == FINITE:
        return exact(a, b, sa, sb, c, shape, f, rules, control)
    if kind == INF:
        return infinite_result(s, f.out, rules) << shape.pad
    is_invalid = invalid(a, b, sa, sb, c, shape, f, rules)
    return nan_result(0, f.out, f.out, rules, is_invalid) << shape.pad


@golden
def exact_sum(a, b, sa, sb, shape, f, rules, control):
    """The sum of all scaled products as sign, exponent and significand."""
    if shape.n == 1:
        _, es, gs = scales(sa, sb, 0, shape, f)
        s, e, g = product(a, b, 0, shape, f, rules)
        return s, e + es, g * gs
    lowest = f.a.lsb + f.b.lsb
    one_block = shape.n == shape.block
    total, base, negative = 0, 0, 0
    for first in range(0, shape.n, shape.block):
        part = 0
        for i in range(first, first + shape.block):
            s, e, g = product(a, b, i, shape, f, rules)
            g = g << (e - lowest)
            part += -g if s == 1 else g
            negative += s
        _, e, g = scales(sa, sb, first, shape, f)
        base = e if one_block else 2 * f.scale.lsb * shape.scaled
        total += (part * g) << (e - base)
    if total == 0:
        same = negative == 0 or negative == shape.n
        zero = negative > 0 if same else (control >> 2) & 7 == RDN
        return (1 if zero else 0), 0, 0
    return (1 if total < 0 else 0), base + lowest, abs(total)
