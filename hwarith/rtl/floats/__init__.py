"""Floating point in hardware: unpack, and the one rounder that all units share.

Exponents in a datapath are biased like the result's, so that its lowest one (1, or 0 without
subnormals) is that of the lowest binade and a lesser one calls for a right shift. A significand of
width W has its msb at the weight of the exponent:
value = significand / 2^(W-1) * 2^(exponent - bias).
"""

from .directions import PORT, goes_up, random_carry
from .operands import Operand, Raw, exponent_bits, lowest_exponent, signed_exponent, unpack
from .rounder import Rounder
from .specials import Specials

__all__ = [
    "PORT",
    "Operand",
    "Raw",
    "Rounder",
    "Specials",
    "exponent_bits",
    "goes_up",
    "lowest_exponent",
    "random_carry",
    "signed_exponent",
    "unpack",
]
