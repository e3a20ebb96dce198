"""Sums in an order, each step rounded: what loops and adder trees of rounding units give.

They are sequences of other definitions, which run on arrays as well as on integers.
Source of `flush`: Li et al., MMA-Sim, arXiv 2511.10909 (CDNA2).
"""

from __future__ import annotations

from ....golden import golden
from ...exact.definitions import add
from .exact import exact
from .terms import own_nan


@golden
def fused(x, y, sx, sy, c, shape, f, rules, control):
    """One scaled product and the addend, rounded once; `shape` is that of a single product."""
    z = exact((x,), (y,), (sx,), (sy,), c, shape, f, rules, control)
    return flushed(z, f.out, shape)


@golden
def added(x, y, shape, f, rules, control):
    """A result and the addend, or (with its format for f.c) another result, rounded once."""
    if shape.flush == 1 and y & f.c.mag_mask > 0 and (y & f.c.mag_mask) >> f.c.fraction_bits == 0:
        y = 0
    z = own_nan(add(x, y, control, f.out, f.c, f.out, rules, shape.width), f, shape)
    return flushed(z, f.out, shape)


@golden
def flushed(y, f, shape):
    """A result, or the zero of its sign if it is subnormal and those are flushed."""
    if shape.flush == 1 and (y & f.mag_mask) >> f.fraction_bits == 0:
        return y & ~f.mag_mask
    return y
