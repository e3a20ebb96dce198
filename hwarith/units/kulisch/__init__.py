"""The exact accumulator: products summed in fixed point as wide as they need, and rounded once."""

from .unit import Kulisch, sum_bits

__all__ = ["Kulisch", "sum_bits"]
