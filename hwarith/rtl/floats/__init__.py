"""Floating point in hardware: unpack, and the one rounder that all units share.

Exponents in a datapath are biased like the result's, so that its lowest one (1, or 0 without
subnormals) is that of the lowest binade and a lesser one calls for a right shift. A significand of
width W has its msb at the weight of the exponent:
value = significand / 2^(W-1) * 2^(exponent - bias).
"""

from .directions import PORT, floor_goes_up, goes_up, random_carry
from .integer_rounder import IntegerRounder, as_places, rounder_of, wrapping_rounder
from .operands import Operand, Raw, exponent_bits, lowest_exponent, signed_exponent, unpack
from .rounder import Rounder
from .specials import Specials

__all__ = [
    "PORT",
    "IntegerRounder",
    "Operand",
    "Raw",
    "Rounder",
    "Specials",
    "as_places",
    "exponent_bits",
    "floor_goes_up",
    "goes_up",
    "lowest_exponent",
    "random_carry",
    "rounder_of",
    "signed_exponent",
    "unpack",
    "wrapping_rounder",
]
