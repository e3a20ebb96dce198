"""Golden definition of L-Mul (arXiv 2410.00907, figure 2); `LMul` lists its open cases."""

from __future__ import annotations

from ...engine import golden
from ...formats.rounding import INF, NAN, NOSAT, pack_infinity, pack_nan, unpack


@golden
def lmul(a, b, f, field_bits, drop, nearest, ofs, saturate, zero_pos):
    """L-Mul of two codes of one format.

    `field_bits` is the width of exponent and fraction, `drop` the number of low fraction bits
    that operands lose, `nearest` whether they are rounded (RNE) or truncated, `ofs` the constant
    that stands for 2^(-l).
    """
    ca, sa, _, _ = unpack(a, f)
    cb, sb, _, _ = unpack(b, f)
    s = sa ^ sb
    zero = 0 if zero_pos == 1 or f.negative_zero == 0 else s << (f.bits - 1)
    fa = a & ((1 << field_bits) - 1)
    fb = b & ((1 << field_bits) - 1)
    a_flushed = fa >> f.fraction_bits == 0 and ca != NAN
    b_flushed = fb >> f.fraction_bits == 0 and cb != NAN
    if ca == NAN or cb == NAN:
        return pack_nan(f)
    if ca == INF or cb == INF:
        if a_flushed or b_flushed:
            return pack_nan(f)
        return (s << (f.bits - 1)) | f.inf_mag
    if a_flushed or b_flushed:
        return zero
    t = (
        reduce_fraction(fa, drop, nearest)
        + reduce_fraction(fb, drop, nearest)
        + ofs
        - (f.bias << f.fraction_bits)
    )
    if t < 1 << f.fraction_bits:
        return zero
    if t > f.max_mag:
        return (s << (f.bits - 1)) | f.max_mag if saturate else pack_infinity(s, f, NOSAT)
    return (s << (f.bits - 1)) | t


@golden
def reduce_fraction(field, drop, nearest):
    """Clear the low `drop` bits of a field, truncating or rounding to nearest even."""
    if drop == 0:
        return field
    if nearest:
        field = field + (1 << (drop - 1)) - 1 + ((field >> drop) & 1)
    return (field >> drop) << drop
