"""Terms truncated to a common grid before they are summed up: the tensor cores of NVIDIA.

Source: Li et al., MMA-Sim, arXiv 2511.10909: T-FDPA (algorithm 7), ST-FDPA with scales, GST-FDPA
with groups; Khattak and Mikaitis, arXiv 2512.07004; that zeros are +0 is what both models give.
"""

from __future__ import annotations

from ....formats.rounding import FINITE, RNE, round_pack
from ....golden import bit_length, golden
from ...exact.definitions import add, pack_control
from .terms import NOTHING, factor, own_nan, places, product, scales, special, special_result

NEAREST = pack_control(0, RNE, 0)


@golden
def truncated(a, b, sa, sb, c, shape, f, rules, control):
    """All terms truncated toward zero to multiples of 2^(e - bits), where e is the greatest
    exponent of a term (or `floor`); their exact sum is rounded. A zero is +0.

    The exponent of a product is that of its factors' hidden bits, which for subnormals are zeros,
    and of the msb that an integer's magnitude may have; that of a group of products is its scales'
    alone.
    """
    return sum_between(a, b, sa, sb, 0, shape.n, c, shape, f, rules, control)


@golden
def halves(a, b, sa, sb, c, shape, f, rules, control):
    """`truncated` of the first half of the products from +0 on, and of the second half from that
    result on; then the addend is added, rounded to nearest even.

    Source: recorded results of FP8 `mma.sync` on H100 and B200, which is made of two fp16 ones.
    """
    half = shape.n // 2
    y = 0
    for first in range(0, shape.n, half):
        y = sum_between(a, b, sa, sb, first, first + half, y, shape, f, rules, control)
    return own_nan(add(y, c, NEAREST, f.out, f.c, f.out, rules, shape.width), f, shape)


@golden
def sum_between(a, b, sa, sb, first, last, c, shape, f, rules, control):
    """`truncated` of the products from `first` to before `last`."""
    kind, s = special(a, b, sa, sb, first, last, c, shape, f, rules)
    if kind != FINITE:
        return special_result(kind, s, shape, f, rules)
    top = shape.floor
    for i in range(first, last, shape.group):
        _, _, _, exponent = group_sum(a, b, sa, sb, i, shape, f, rules)
        top = max(top, exponent)
    _, s, e, g = factor(c, f.c, shape, rules)
    if g > 0:
        top = max(top, e + places(f.c))
    grid = top - shape.bits
    addend = in_grid(e, g, grid)
    total = -addend if s == 1 else addend
    for i in range(first, last, shape.group):
        s, e, g, _ = group_sum(a, b, sa, sb, i, shape, f, rules)
        term = in_grid(e, g, grid)
        total += -term if s == 1 else term
    return rounded(total, grid, shape, f, rules, control)


@golden
def group_sum(a, b, sa, sb, first, shape, f, rules):
    """The scaled sum of a group of products as sign, exponent and significand, and the exponent by
    which it is aligned: `NOTHING` if all products, or the scales, are zeros."""
    _, es, gs = scales(sa, sb, first, shape, f)
    top = es + 2 * shape.scaled * f.scale.fraction_bits
    if shape.group == 1:
        s, e, g = product(a, b, first, shape, f, rules)
        top = top + e + places(f.a) + places(f.b)
        return s, e + es, g * gs, (top if g * gs > 0 else NOTHING)
    lowest = f.a.lsb + f.b.lsb
    total, some = 0, 0
    for i in range(first, first + shape.group):
        s, e, g = product(a, b, i, shape, f, rules)
        some |= g
        g = g << (e - lowest)
        total += -g if s == 1 else g
    s = 1 if total < 0 else 0
    return s, es + lowest, abs(total) * gs, (top if some * gs > 0 else NOTHING)


@golden
def in_grid(e, g, grid):
    """g * 2^e truncated to a multiple of 2^grid, as an integer of such."""
    if g == 0:
        return 0
    return g << (e - grid) if e >= grid else g >> min(grid - e, bit_length(g))


@golden
def rounded(total, e, shape, f, rules, control):
    """The code of total * 2^e, rounded; +0 for any zero."""
    s = 1 if total < 0 else 0
    y = round_pack(s, e, abs(total), f.out, (control >> 2) & 7, rules.policy)
    if f.out.negative_zero == 1 and y & f.out.mag_mask == 0:
        y = 0
    return y << shape.pad
