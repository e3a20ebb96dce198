"""Golden definition of a rotated pair: each sum of two products is exact, and rounded once.

`Rules` and `control` as in `hwarith.units.exact.definitions`.
"""

from __future__ import annotations

from ...formats.rounding import FINITE, INF, NAN, add_exact
from ...golden import golden
from ..exact.definitions import infinite_result, invalid_result, nan_result, result, unpack_operand


@golden
def rope(x0, x1, c, s, fa, fw, fo, rules, control, width):
    """x0 c - x1 s, and above it x0 s + x1 c."""
    y0 = two_products(x0, c, x1, s, 1, fa, fw, fo, rules, control, width)
    y1 = two_products(x0, s, x1, c, 0, fa, fw, fo, rules, control, width)
    return y1 << fo.bits | y0


@golden
def two_products(x, v, y, w, negate, fa, fw, fo, rules, control, width):
    """x v + y w, or x v - y w, rounded once."""
    kx, sx, ex, gx = product(x, v, fa, fw, rules)
    ky, sy, ey, gy = product(y, w, fa, fw, rules)
    sy ^= negate
    if kx == NAN or ky == NAN:
        return nan_result(0, fo, fo, rules, False)
    if kx == INF and ky == INF and sx != sy:
        return invalid_result(fo, rules)
    if kx == INF:
        return infinite_result(sx, fo, rules)
    if ky == INF:
        return infinite_result(sy, fo, rules)
    s, e, g = add_exact(sx, ex, gx, sy, ey, gy, (control >> 2) & 7, width)
    return result(s, e, g, fo, control, rules)


@golden
def product(x, w, fa, fw, rules):
    """Class, sign, exponent and significand of an exact product."""
    cx, sx, ex, gx = unpack_operand(x, fa, rules)
    cw, sw, ew, gw = unpack_operand(w, fw, rules)
    if cx == NAN or cw == NAN:
        return NAN, 0, 0, 0
    if cx == INF or cw == INF:
        zero = (cx == FINITE and gx == 0) or (cw == FINITE and gw == 0)
        return (NAN if zero else INF), sx ^ sw, 0, 0
    return FINITE, sx ^ sw, ex + ew, gx * gw
