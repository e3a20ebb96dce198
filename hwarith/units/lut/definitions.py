"""Golden definitions of dot products by lookup.

A table of K activations has an entry for each pattern i of K bits: T[i], the sum of +a_j where bit
j of i is 1 and of -a_j where it is 0. Its halves mirror each other, T[~i] = -T[i]. A bit plane of K
bipolar weights, whose bits are -1 (0) and +1 (1), is such a pattern, and T[i] its dot product.
"""

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
from ..exact.definitions import add
from ..fpint.definitions import signed


@golden
def look(a, i, k, bits):
    """T[i] of k activations, which lie side by side in `a`: integers in two's complement."""
    total = 0
    for j in range(k):
        x = signed(a >> (j * bits), bits)
        total += x if i >> j & 1 else -x
    return total


@golden
def look_up_integers(memory, a, w, weight, k, bits, planes, outputs, totals, sum_bits):
    """Each sum plus its weights' planes, looked up, times 2^weight; modulo 2^sum_bits.

    `w` has the patterns of all outputs side by side, of each output those of its planes. The
    memory has the sums of the outputs; with `totals` above them that of the activations, all of
    which are taken with their weights' lowest planes.
    """
    mask = (1 << sum_bits) - 1
    following = 0
    for o in range(outputs):
        total = memory >> (o * sum_bits) & mask
        for b in range(planes):
            i = w >> ((o * planes + b) * k) & ((1 << k) - 1)
            total += look(a, i, k, bits) << (weight + b)
        following |= (total & mask) << (o * sum_bits)
    if totals:
        total = memory >> (outputs * sum_bits) & mask
        if weight == 0:
            total += look(a, (1 << k) - 1, k, bits)
        following |= (total & mask) << (outputs * sum_bits)
    return following


@golden
def look_up_integers_at_once(memory, a, w, k, bits, planes, outputs, totals, sum_bits):
    """The same with all planes of the weights."""
    return look_up_integers(memory, a, w, 0, k, bits, planes, outputs, totals, sum_bits)


@golden
def look_up_floats(memory, a, w, weight, k, outputs, totals, f, fo, narrow, wide):
    """The same of floats f, a plane at a time, whose sums are floats fo: an entry is rounded at
    each addition of its tree, a sum where an entry is added to it. `narrow` and `wide` are what
    the adders of both take."""
    mask = (1 << fo.bits) - 1
    following = 0
    for o in range(outputs + totals):
        total = memory >> (o * fo.bits) & mask
        i = w >> (o * k) & ((1 << k) - 1) if o < outputs else (1 << k) - 1
        if o < outputs or weight == 0:
            total = add(scaled(entry(a, i, k, f, narrow), weight, f, fo), total, *wide)
        following |= total << (o * fo.bits)
    return following


@golden
def look_up_floats_at_once(memory, a, w, k, outputs, totals, f, fo, narrow, wide):
    """The same with weights of one bit."""
    return look_up_floats(memory, a, w, 0, k, outputs, totals, f, fo, narrow, wide)


@golden
def entry(a, i, k, f, adder):
    """T[i] of up to 6 floats: what their upper half comes to, the greater one, plus what the lower
    half does."""
    low = k // 2 if k > 3 else 0
    total = part(a, i, low, k - low, f, adder)
    return add(total, part(a, i, 0, low, f, adder), *adder) if low > 0 else total


@golden
def part(a, i, at, n, f, adder):
    """The sum of n floats, 1 to 3, from the last one down."""
    total = term(a, i, at + n - 1, f)
    for j in range(1, n):
        total = add(total, term(a, i, at + n - 1 - j, f), *adder)
    return total


@golden
def term(a, i, j, f):
    """+a_j or -a_j, by bit j of i."""
    x = a >> (j * f.bits) & ((1 << f.bits) - 1)
    return x if i >> j & 1 else x ^ (1 << (f.bits - 1))


@golden
def scaled(x, weight, f, fo):
    """A code of f times 2^weight as one of `fo`, which has room for it."""
    kind, s, e, g = unpack(x, f)
    if kind == NAN:
        return pack_nan(fo)
    if kind == INF:
        return pack_infinity(s, fo, NOSAT)
    return round_pack(s, e + weight, g, fo, RNE, NOSAT)
