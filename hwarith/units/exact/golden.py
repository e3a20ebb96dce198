"""Golden definitions of the exact units: IEEE 754-2019 section 5.4.1, for any format.

An exact result is formed first and rounded once (`round_pack`), so that fused stays fused. What
the standard leaves open is decided in ``docs/rounding.md``: NaN results are canonical, and
in formats without NaN they become the largest finite value.
"""

from __future__ import annotations

from ...engine import golden
from ...formats.rounding import (
    INF,
    NAN,
    add_exact,
    pack_infinity,
    pack_nan,
    round_pack,
    unpack,
)


@golden
def mul(a, b, fa, fb, fo, mode, policy):
    """Product a * b."""
    ca, sa, ea, ga = unpack(a, fa)
    cb, sb, eb, gb = unpack(b, fb)
    s = sa ^ sb
    if ca == NAN or cb == NAN:
        return pack_nan(fo)
    if ca == INF or cb == INF:
        if (ca != INF and ga == 0) or (cb != INF and gb == 0):
            return pack_nan(fo)  # infinity times zero
        return pack_infinity(s, fo, policy)
    return round_pack(s, ea + eb, ga * gb, fo, mode, policy)


@golden
def add(a, b, fa, fb, fo, mode, policy, width):
    """Sum a + b."""
    ca, sa, ea, ga = unpack(a, fa)
    cb, sb, eb, gb = unpack(b, fb)
    if ca == NAN or cb == NAN or (ca == INF and cb == INF and sa != sb):
        return pack_nan(fo)
    if ca == INF:
        return pack_infinity(sa, fo, policy)
    if cb == INF:
        return pack_infinity(sb, fo, policy)
    s, e, g = add_exact(sa, ea, ga, sb, eb, gb, mode, width)
    return round_pack(s, e, g, fo, mode, policy)


@golden
def fma(a, b, c, fa, fb, fc, fo, mode, policy, width):
    """Fused a * b + c."""
    ca, sa, ea, ga = unpack(a, fa)
    cb, sb, eb, gb = unpack(b, fb)
    cc, sc, ec, gc = unpack(c, fc)
    s = sa ^ sb
    if ca == NAN or cb == NAN or cc == NAN:
        return pack_nan(fo)
    if ca == INF or cb == INF:
        if (ca != INF and ga == 0) or (cb != INF and gb == 0):
            return pack_nan(fo)  # infinity times zero
        if cc == INF and sc != s:
            return pack_nan(fo)  # infinity minus infinity
        return pack_infinity(s, fo, policy)
    if cc == INF:
        return pack_infinity(sc, fo, policy)
    s, e, g = add_exact(s, ea + eb, ga * gb, sc, ec, gc, mode, width)
    return round_pack(s, e, g, fo, mode, policy)
