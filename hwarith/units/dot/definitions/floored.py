"""Sums rounded down to grids: the matrix cores of CDNA3.

Source: Li et al., MMA-Sim, arXiv 2511.10909, section 4.2: TR-FDPA and, with `split`, GTR-FDPA.
"""

from __future__ import annotations

from ....formats.rounding import FINITE, pack_zero, round_pack
from ....golden import bit_length, golden
from .terms import NOTHING, factor, places, product, shifted, special, special_result
from .truncated import in_grid

BELOW = 8
"""Bits below the products' grid to which sums are rounded down."""

KEPT = 31
"""Fraction bits of the sum that is rounded."""


@golden
def floored(a, b, sa, sb, c, shape, f, rules, control):
    """Products truncated to the grid of the greatest of them (`bits` fraction bits); their sum
    and the addend rounded down to grids of the greater of both; the total rounded down to `KEPT`
    fraction bits, and then as the unit rounds. An exact zero is +0.

    With `split` products at even and at odd places have a grid of their own each, and their sums
    are rounded down to the common one; an addend that is more than a bit below it is nothing.
    """
    kind, s = special(a, b, sa, sb, 0, shape.n, c, shape, f, rules)
    if kind != FINITE:
        return special_result(kind, s, shape, f, rules)
    step = 2 if shape.split == 1 else 1
    top = NOTHING
    for place in range(step):
        top = max(top, greatest(a, b, place, step, shape, f, rules))
    dot = 0
    for place in range(step):
        grid = greatest(a, b, place, step, shape, f, rules) - shape.bits
        part = 0
        for i in range(place, shape.n, step):
            s, e, g = product(a, b, i, shape, f, rules)
            term = in_grid(e, g, grid)
            part += -term if s == 1 else term
        dot += shifted(part, grid - (top - shape.bits))
    _, s, e, g = factor(c, f.c, shape, rules)
    addend_top = e + places(f.c)
    if shape.split == 1 and addend_top < top - shape.bits - 1:
        g = 0
    if g == 0:
        addend_top = NOTHING
    both = max(top, addend_top)
    if both == NOTHING:
        return pack_zero(0, f.out, rules.policy)
    total = shifted(dot, top - both + BELOW)
    total += shifted(-g if s == 1 else g, e - (both - shape.bits)) << BELOW
    e = both - shape.bits - BELOW
    if total == 0:
        return pack_zero(0, f.out, rules.policy)
    below = max(e + bit_length(abs(total)) - 1, f.out.emin) - KEPT - e
    if below > 0:
        total, e = shifted(total, -below), e + below
    s = 1 if total < 0 else 0
    return round_pack(s, e, abs(total), f.out, (control >> 2) & 7, rules.policy)


@golden
def greatest(a, b, place, step, shape, f, rules):
    """The greatest exponent of products that are not zero, from a place on by steps."""
    top = NOTHING
    for i in range(place, shape.n, step):
        _, e, g = product(a, b, i, shape, f, rules)
        if g > 0:
            top = max(top, e + places(f.a) + places(f.b))
    return top
