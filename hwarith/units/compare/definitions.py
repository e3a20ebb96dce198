"""Golden definitions of comparison, minimum and maximum: IEEE 754-2019, 5.6.1, 5.11
and 9.6; IEEE 754-2008, 5.3.1."""

from __future__ import annotations

from ...formats.rounding import INF, NAN, RNE, add_exact, pack_nan, unpack
from ...golden import golden
from ..exact.definitions import NV, is_signaling

UNORDERED = 2

LT, LE, EQ, GE, GT, NE, UN = range(7)
"""Predicates as numbers."""

MIN, MAX = range(2)

PROPAGATE, NUMBER, NUMBER_2008 = range(3)
"""What becomes of NaN operands, as numbers."""


@golden
def order(a, b, fa, fb, width):
    """-1, 0 or 1 as a is less than, equal to or greater than b; UNORDERED if one of them is NaN.

    Finite values are compared by the sign of their exact difference; -0 equals +0.
    """
    ca, sa, ea, ga = unpack(a, fa)
    cb, sb, eb, gb = unpack(b, fb)
    if ca == NAN or cb == NAN:
        return UNORDERED
    if ca == INF or cb == INF:
        x = 1 - 2 * sa if ca == INF else 0
        y = 1 - 2 * sb if cb == INF else 0
        return 0 if x == y else (1 if x > y else -1)
    s, _, g = add_exact(sa, ea, ga, 1 - sb, eb, gb, RNE, width)
    return 0 if g == 0 else (-1 if s else 1)


@golden
def compare(a, b, fa, fb, width, predicate, signaling, flags):
    """1 if the predicate holds. Unordered operands are not equal, and nothing else but that.

    With `flags` 1 the exception flags lie above: a signaling NaN is invalid, and with `signaling` 1
    any NaN.
    """
    x = order(a, b, fa, fb, width)
    invalid = is_signaling_nan(a, fa) or is_signaling_nan(b, fb)
    invalid = invalid or (signaling == 1 and x == UNORDERED)
    return holds(x, predicate) | (NV << 1 if flags == 1 and invalid else 0)


@golden
def holds(x, predicate):
    """1 if the predicate holds of operands whose order is x."""
    if x == UNORDERED:
        return 1 if predicate in (NE, UN) else 0
    if predicate == LT:
        return 1 if x < 0 else 0
    if predicate == LE:
        return 1 if x <= 0 else 0
    if predicate == EQ:
        return 1 if x == 0 else 0
    if predicate == GE:
        return 1 if x >= 0 else 0
    if predicate == GT:
        return 1 if x > 0 else 0
    return 1 if x != 0 and predicate == NE else 0


@golden
def minmax(a, b, f, width, which, nan, magnitude, flags):
    """The lesser (MIN) or greater (MAX) of two codes, with -0 less than +0.

    With `magnitude` 1 their magnitudes decide, and their signs only if these are equal. If one
    operand is NaN the result is NaN (PROPAGATE) or the other one (NUMBER), but with `NUMBER_2008`
    of a signaling NaN it is NaN. With `flags` 1 the exception flags lie above.
    """
    ca, sa, _, _ = unpack(a, f)
    cb, sb, _, _ = unpack(b, f)
    value_bits = f.mag_mask | (f.signed << (f.bits - 1))
    if ca == NAN or cb == NAN:
        signaling = is_signaling(a, ca, f) or is_signaling(b, cb, f)
        above = (NV if flags == 1 and signaling else 0) << f.bits
        if nan == PROPAGATE or ca == cb or (nan == NUMBER_2008 and signaling):
            return pack_nan(f) | above
        return ((b if ca == NAN else a) & value_bits) | above
    x = order(a & f.mag_mask, b & f.mag_mask, f, f, width) if magnitude == 1 else 0
    if x == 0:
        x = order(a, b, f, f, width)
    if x == 0:
        x = sb - sa
    return (a if (x < 0) == (which == MIN) else b) & value_bits


@golden
def relu(a, f, width, nan, flags):
    """The greater of a code and +0."""
    return minmax(a, 0, f, width, MAX, nan, 0, flags)


@golden
def is_signaling_nan(a, f):
    """Whether a code is a signaling NaN."""
    return is_signaling(a, unpack(a, f)[0], f)
