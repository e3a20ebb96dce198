"""Golden definitions of numbers in integers that are aligned to a block, and of the way back."""

from __future__ import annotations

from ...formats.rounding import NOSAT, RNE, align, round_pack, unpack
from ...golden import golden


@golden
def aligned(code, greatest, span, f):
    """The magnitude of a number in units of `span` bits less than the significands' lsb at the
    biased exponent `greatest`; what lies below is ORed into the lsb (sticky)."""
    _, _, e, g = unpack(code, f)
    return align(0, e, g, greatest - f.bias - f.fraction_bits - span)


@golden
def rounded(sign, magnitude, greatest, below, f):
    """The code nearest to an integer in units of `below` bits less than that lsb."""
    return round_pack(sign, greatest - f.bias - f.fraction_bits - below, magnitude, f, RNE, NOSAT)
