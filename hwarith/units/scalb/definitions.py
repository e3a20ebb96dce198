"""Golden definitions of the multiplication by a power of two: IEEE 754-2019, 5.3.3 (scaleB), and
the cast that never rounds."""

from __future__ import annotations

from ...formats.rounding import (
    INF,
    NAN,
    NOSAT,
    RNE,
    pack_infinity,
    pack_nan,
    round_pack,
    unpack,
)
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


@golden
def cast(a, k, least, most, fa, fk, fo):
    """a * 2^k, exactly, with k no less than `least` and no more than `most`; above the result
    whether k is another one."""
    kind, s, e, g = unpack(a, fa)
    _, sk, _, gk = unpack(k, fk)
    given = -gk if sk == 1 else gk
    taken = min(max(given, least), most)
    y = round_pack(s, e + taken, g, fo, RNE, NOSAT)
    if kind == NAN:
        y = pack_nan(fo)
    if kind == INF:
        y = pack_infinity(s, fo, NOSAT)
    return y | (0 if taken == given else 1) << fo.bits
