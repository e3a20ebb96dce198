"""Golden definitions of the multiply-accumulators: one step, from memory and operands to memory."""

from __future__ import annotations

from ...golden import golden
from ..exact.definitions import fma


@golden
def mac(memory, a, b, control, fa, fb, facc, fo, rules, width):
    """acc + a * b, rounded once to the accumulator's format; flags, above it, stay raised."""
    if rules.tininess == 0:
        return fma(a, b, memory, control, fa, fb, facc, fo, rules, width)
    raised = memory >> facc.bits
    acc = memory - (raised << facc.bits)
    return fma(a, b, acc, control, fa, fb, facc, fo, rules, width) | raised << facc.bits


@golden
def pair_mac(memory, a0, b0, a1, b1, p):
    """acc + a0 * b0 + a1 * b1 modulo 2^32, and a flag that stays set once that lost anything."""
    acc = memory & 0xFFFFFFFF
    overflow = memory >> 32
    total = signed(acc, 32) + signed(a0, p) * signed(b0, p) + signed(a1, p) * signed(b1, p)
    if total < -(1 << 31) or total >= 1 << 31:
        overflow = 1
    return overflow << 32 | (total & 0xFFFFFFFF)


@golden
def signed(code, bits):
    """The two's complement integer of a code."""
    return code - ((code >> (bits - 1)) << bits)
