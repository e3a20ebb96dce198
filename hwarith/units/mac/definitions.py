"""Golden definitions of the multiply-accumulators: one step, from memory and operands to memory."""

from __future__ import annotations

from ...golden import golden
from ..exact.definitions import add, convert, fma
from ..scalb.definitions import scalb


@golden
def mac(memory, a, b, control, fa, fb, facc, fo, rules, width):
    """acc + a * b, rounded once to the accumulator's format; flags, above it, stay raised."""
    if rules.tininess == 0:
        return fma(a, b, memory, control, fa, fb, facc, fo, rules, width)
    raised = memory >> facc.bits
    acc = memory - (raised << facc.bits)
    return fma(a, b, acc, control, fa, fb, facc, fo, rules, width) | raised << facc.bits


@golden
def pair_mac(memory, a0, b0, a1, b1, p, bits):
    """acc + a0 * b0 + a1 * b1 modulo 2^bits, and a flag that stays set once that lost anything."""
    acc = memory & ((1 << bits) - 1)
    overflow = memory >> bits
    total = signed(acc, bits) + signed(a0, p) * signed(b0, p) + signed(a1, p) * signed(b1, p)
    if total < -(1 << (bits - 1)) or total >= 1 << (bits - 1):
        overflow = 1
    return overflow << bits | (total & ((1 << bits) - 1))


@golden
def spill(memory, chain, lost, control, fi, fo, rules, width):
    """The sum so far, a float, plus that of a chain of integers, which is rounded first; the flags
    of chains stay raised above it."""
    overflow = memory >> fo.bits
    total = memory - (overflow << fo.bits)
    part = convert(chain, control, fi, fo, rules)
    return (overflow | lost) << fo.bits | add(total, part, control, fo, fo, fo, rules, width)


@golden
def scaled_sum(memory, a, by, of_term, of_sum):
    """The sum so far plus a * 2^by, which is rounded first."""
    return add(memory, scalb(a, by, *of_term), *of_sum)


@golden
def signed(code, bits):
    """The two's complement integer of a code."""
    return code - ((code >> (bits - 1)) << bits)
