"""One rounding of the exact sum of blocks that keep more than a scale."""

from __future__ import annotations

from ....formats.rounding import FINITE, NAN, RDN, add_exact, unpack
from ....golden import golden
from ...blocks.reading import element, place_of, scale_of
from ...exact.definitions import result
from .terms import factor, special, special_result


@golden
def with_metadata(a, b, sa, sb, c, shape, f, rules, control, ra, rb):
    """The sum of all products of two blocks, as their metadata say, times both scales, and the
    addend, rounded once. Zeros are those of `exact`."""
    ca, _, ea, ga = unpack(scale_of(sa[0], ra), ra.scale)
    cb, _, eb, gb = unpack(scale_of(sb[0], rb), rb.scale)
    kind, s = special(a, b, sa, sb, 0, 0, c, shape, f, rules)
    if ca == NAN or cb == NAN:
        kind = NAN
    if kind != FINITE:
        return special_result(kind, s, shape, f, rules)
    total, negative = 0, 0
    for i in range(shape.n):
        _, s, e, g = element(a[i] & 15, place_of(a, i, ra), sa[0] & 0xFFFF, ra)
        _, t, d, h = element(b[i] & 15, place_of(b, i, rb), sb[0] & 0xFFFF, rb)
        product = (g * h) << (e + d - ra.lsb - rb.lsb)
        total += -product if s ^ t == 1 else product
        negative += s ^ t
    s, e, g = (1 if total < 0 else 0), ra.lsb + rb.lsb + ea + eb, abs(total) * ga * gb
    if g == 0:
        same = negative == 0 or negative == shape.n
        zero = negative > 0 if same else (control >> 2) & 7 == RDN
        s, e = (1 if zero else 0), 0
    if shape.added == 1:
        _, sc, ec, gc = factor(c, f.c, shape, rules)
        s, e, g = add_exact(s, e, g, sc, ec, gc, (control >> 2) & 7, shape.width)
    return result(s, e, g, f.out, control, rules) << shape.pad
