"""Steps of matrix products on float64 values, for formats narrow enough for them to be exact.

`FloatRounding` says which these are and why. The steps take and give values, not codes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..golden import golden, primitive
from ..golden.instructions import bit_cast


class FloatRounding(NamedTuple):
    """Rounding to nearest even into a format that is narrower than float64.

    ``x * y + z``, rounded once, comes out exactly if x, y and z are float64 values, products have
    at most 53 bits, results at most 50, and all of them lie far inside float64's range:

    * the product is exact in float64;
    * the sum is rounded to odd (`sum_to_odd`), with at least two more bits than the result has,
      after which another rounding gives what rounding the exact sum would (Boldo and Melquiond,
      "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd",
      IEEE Trans. Computers 2008);
    * that rounding (`to_nearest`) is float64's own: the ulp of the sum with a number of just the
      right size is the step of the format.
    """

    scale: float  # from a power of two to the float64 whose ulp is the format's ulp there
    lowest_binade: float  # smallest normal value
    highest_binade: float
    largest: float
    beyond: float  # what a value above the largest becomes: it, infinity or NaN
    zero: float  # added to a product: -0.0, or +0.0 for a format without -0


def _compiled_float_bits() -> Callable:
    import numba

    return bit_cast(numba.float64, numba.int64)


def _compiled_bits_float() -> Callable:
    import numba

    return bit_cast(numba.int64, numba.float64)


@primitive(_compiled_float_bits)
def float_bits(x: float) -> int:
    """The bit pattern of a float64, as a signed integer."""
    return struct.unpack("<q", struct.pack("<d", x))[0]


@primitive(_compiled_bits_float)
def bits_float(pattern: int) -> float:
    """The float64 of a bit pattern, given as a signed integer."""
    return struct.unpack("<d", struct.pack("<q", pattern))[0]


@golden
def sum_to_odd(x, y):
    """x + y, or if that is no float64 the one of its two neighbours with an odd significand."""
    total = x + y
    # Knuth's two-sum: the error of a sum is a float64. That of an infinite one is NaN.
    back = total - x
    error = (x - (total - back)) + (y - back)
    pattern = float_bits(total)
    towards_zero = (float_bits(error) ^ pattern) >> 63  # -1 if the sum was rounded up, else 0
    return bits_float((pattern + towards_zero) | 1 if error > 0 or error < 0 else pattern)


@golden
def to_nearest(x, f):
    magnitude = abs(x)
    binade = bits_float(float_bits(magnitude) & 0x7FF0000000000000)
    shifter = min(max(binade, f.lowest_binade), f.highest_binade) * f.scale
    rounded = (magnitude + shifter) - shifter
    return np.copysign(f.beyond if rounded > f.largest else rounded, x)


@golden
def multiply_add(x, y, acc, out):
    return to_nearest(sum_to_odd(x * y, acc), out)


@golden
def multiply(x, y, out):
    return to_nearest(x * y, out) + out.zero


@golden
def add(x, y, out):
    return to_nearest(sum_to_odd(x, y), out)
