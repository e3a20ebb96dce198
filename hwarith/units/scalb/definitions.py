"""Golden definition of the multiplication by a power of two: IEEE 754-2019, 5.3.3 (scaleB)."""

from __future__ import annotations

from ...formats.rounding import INF, NAN, unpack
from ...golden import golden
from ..exact.definitions import infinite_result, is_signaling, nan_result, result, unpack_operand


@golden
def scalb(a, n, control, fa, fn, fo, rules, most):
    """a * 2^n, rounded once; an exponent beyond `most`, of either sign, is as good as that."""
    c, s, e, g = unpack_operand(a, fa, rules)
    if c == NAN:
        return nan_result(a, fa, fo, rules, is_signaling(a, c, fa))
    if c == INF:
        return infinite_result(s, fo, rules)
    _, sn, _, gn = unpack(n, fn)
    gn = min(gn, most)
    return result(s, e - gn if sn == 1 else e + gn, g, fo, control, rules)
