"""Golden definitions of the exact accumulator: a product into the sum, and the sum rounded.

The memory is the sum, of so many `bits` in two's complement in units of 2^lsb, and above it flags:
whether a NaN was met, +infinity, -infinity.
"""

from __future__ import annotations

from ...formats.rounding import INF, NAN, pack_infinity, pack_nan, round_pack, unpack
from ...golden import golden

NAN_MET, PLUS_MET, MINUS_MET = 1, 2, 4


@golden
def accumulate(memory, a, b, fa, fb, lsb, ones, bits):
    """The memory after a * b, exactly. `ones` is a mask of so many bits."""
    ca, sa, ea, ga = unpack(a, fa)
    cb, sb, eb, gb = unpack(b, fb)
    total, flags = memory & ones, memory >> bits
    if ca == NAN or cb == NAN:
        flags |= NAN_MET
    elif ca == INF or cb == INF:
        if (ca != INF and ga == 0) or (cb != INF and gb == 0):
            flags |= NAN_MET  # infinity times zero
        else:
            flags |= MINUS_MET if sa != sb else PLUS_MET
    else:
        p = (ga * gb) << (ea + eb - lsb)
        total += -p if sa != sb else p
    return flags << bits | (total & ones)


@golden
def merge(memory, other, ones, bits):
    """The memory after the products of both."""
    total, flags = memory & ones, memory >> bits
    return (flags | other >> bits) << bits | (total + (other & ones) & ones)


@golden
def rounded(memory, fo, mode, policy, lsb, ones, bits):
    """The sum, rounded once to its format; +0 for a sum of zero."""
    total, flags = memory & ones, memory >> bits
    if flags & NAN_MET or flags & (PLUS_MET | MINUS_MET) == PLUS_MET | MINUS_MET:
        return pack_nan(fo)
    if flags:
        return pack_infinity(1 if flags & MINUS_MET else 0, fo, policy)
    s = total >> (bits - 1)
    return round_pack(s, lsb, (ones + 1) - total if s == 1 else total, fo, mode, policy)
