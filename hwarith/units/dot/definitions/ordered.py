"""Sums in an order, each step rounded: what loops and adder trees of rounding units give.

On arrays the steps run one after the other (`hwarith.units.dot.arrays`).
Source of `flush`: Li et al., MMA-Sim, arXiv 2511.10909 (CDNA2).
"""

from __future__ import annotations

from ....golden import golden
from ...exact.definitions import add
from .exact import exact, exact_with_flags
from .terms import own_nan


@golden
def fused(x, y, sx, sy, c, shape, f, rules, control):
    """One scaled product and the addend, rounded once; `shape` is that of a single product."""
    z = exact((x,), (y,), (sx,), (sy,), c, shape, f, rules, control)
    return flushed(z, f.out, shape)


@golden
def fused_with_flags(x, y, sx, sy, c, shape, f, rules, control):
    """The same with flags above it, where nothing is flushed."""
    return exact_with_flags((x,), (y,), (sx,), (sy,), c, shape, f, rules, control)


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


@golden
def sequential(a, b, sa, sb, c, shape, f, rules, control):
    """From the addend on (or the first product, if there is none), that of lane 0 first."""
    lane = shape._replace(n=1, block=1)
    acc, raised = c, 0
    for i in range(shape.n):
        x, y, sx, sy = lane_codes(a, b, sa, sb, i, shape)
        found = [step(x, y, sx, sy, acc, lane, f, rules, control)]
        (acc,), raised = parted(found, raised, f.out, rules)
        f, lane = f._replace(c=f.out), lane._replace(added=1)
    return acc | raised << f.out.bits


@golden
def step(x, y, sx, sy, c, shape, f, rules, control):
    """One scaled product and the addend, with flags or without."""
    if rules.tininess > 0:
        return fused_with_flags(x, y, sx, sy, c, shape, f, rules, control)
    return fused(x, y, sx, sy, c, shape, f, rules, control)


@golden
def parted(found, raised, f, rules):
    """The codes of rounded results, and their flags, if there are any above them, with those that
    are raised already."""
    if rules.tininess == 0:
        return found, raised
    flags = [y >> f.bits for y in found]
    for x in flags:
        raised |= x
    return [y - (x << f.bits) for y, x in zip(found, flags, strict=True)], raised


@golden
def pairwise(a, b, sa, sb, c, shape, f, rules, control):
    """Rounded products; neighbours are added, and neighbours of these sums, and the addend last.
    What has no neighbour goes to the next level as it is."""
    lane = shape._replace(n=1, block=1, added=0)
    codes = [lane_codes(a, b, sa, sb, i, shape) for i in range(shape.n)]
    products = [step(x, y, sx, sy, 0, lane, f, rules, control) for x, y, sx, sy in codes]
    level, raised = parted(products, 0, f.out, rules)
    own = f._replace(c=f.out)
    for _ in range((shape.n - 1).bit_length()):
        half = len(level) // 2
        pairs = [(level[2 * i], level[2 * i + 1]) for i in range(half)]
        found = [added(x, y, shape, own, rules, control) for x, y in pairs]
        sums, raised = parted(found, raised, f.out, rules)
        level = [*sums, *level[2 * half :]]
    if shape.added == 1:
        last = [added(level[0], c, shape, f, rules, control)]
        level, raised = parted(last, raised, f.out, rules)
    return level[0] | raised << f.out.bits


@golden
def lane_codes(a, b, sa, sb, i, shape):
    """Factors and scales of a product."""
    if shape.scaled == 0:
        return a[i], b[i], 0, 0
    return a[i], b[i], sa[i // shape.block], sb[i // shape.block]
