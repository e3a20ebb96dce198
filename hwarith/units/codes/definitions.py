"""Golden definitions of what is asked of a single code: IEEE 754-2019, 5.3.1, 5.3.3, 5.5.1, 5.7.2
and 5.9, for any format.

`flags` is 1 where exception flags lie above a result's code.
"""

from __future__ import annotations

from ...formats.rounding import (
    FINITE,
    INF,
    NAN,
    RTZ,
    SATURATE,
    in_units,
    pack_nan,
    round_pack,
    round_up,
    unpack,
)
from ...golden import bit_length, golden
from ..exact.definitions import NV, NX, is_signaling

COPY, NEGATED, XOR, ABSOLUTE, NEGATE = range(5)
"""What a sign is made of, as numbers."""


@golden
def round_to_integral(a, mode, f, exact, flags):
    """The integral value of the same format to which a mode rounds a code; a zero keeps its sign.

    With `exact` 1 a result that is another value is inexact.
    """
    c, s, e, g = unpack(a, f)
    if c == NAN:
        return pack_nan(f) | (NV if flags == 1 and is_signaling(a, c, f) else 0) << f.bits
    if c != FINITE or e >= 0:
        return a & (f.mag_mask | (f.signed << (f.bits - 1)))
    i, nu = in_units(g, -e)
    y = round_pack(s, 0, i + round_up(s, i & 1, nu, mode), f, RTZ, SATURATE)
    return y | (NX if flags == 1 and exact == 1 and nu > 0 else 0) << f.bits


@golden
def classify(a, f):
    """One of ten bits, from negative infinity in the lsb over values in their order to infinity,
    then signaling and quiet NaN."""
    c, s, _, g = unpack(a, f)
    if c == NAN:
        return 1 << 8 if is_signaling(a, c, f) else 1 << 9
    if c == INF:
        return 1 << 0 if s == 1 else 1 << 7
    if g == 0:
        return 1 << 3 if s == 1 else 1 << 4
    if f.integer == 0 and f.posit == 0 and g >> f.fraction_bits == 0:
        return 1 << 2 if s == 1 else 1 << 5
    return 1 << 1 if s == 1 else 1 << 6


@golden
def with_sign(a, b, f, op):
    """Code a with another sign; zero and NaN of a format without -0 as they are."""
    mag = a & f.mag_mask
    place = f.bits - 1
    sa = (a >> place) & 1
    sb = (b >> place) & 1
    if mag == 0 and f.negative_zero == 0:
        return sa << place
    if op == COPY:
        s = sb
    elif op == NEGATED:
        s = 1 - sb
    elif op == XOR:
        s = sa ^ sb
    elif op == ABSOLUTE:
        s = 0
    else:
        s = 1 - sa
    return mag | s << place


@golden
def with_own_sign(a, f, op):
    """Code a without its sign, or with the other one."""
    return with_sign(a, 0, f, op)


@golden
def posit_with_own_sign(a, f, op):
    """A posit's magnitude, or its negative: the two's complement, which of zero and NaR is itself
    (Posit Standard 2022, 5.2)."""
    s = a >> (f.bits - 1)
    return (-a if s == 1 or op == NEGATE else a) & ((1 << f.bits) - 1)


@golden
def exponent(a, f, bits, flags):
    """The floor of log2 |a| as an integer of so many bits; the least one of zero, the greatest one
    of infinity and NaN, which are invalid."""
    c, _, e, g = unpack(a, f)
    if c == FINITE and g > 0:
        return (e + bit_length(g) - 1) & ((1 << bits) - 1)
    y = 1 << (bits - 1) if c == FINITE else (1 << (bits - 1)) - 1
    return y | (NV if flags == 1 else 0) << bits
