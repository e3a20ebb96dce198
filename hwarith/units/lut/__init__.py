"""Dot products by lookup: tables of sums of a few activations, read by the bits of weights."""

from .tables import adders, quantized_dot
from .unit import LutDot

__all__ = ["LutDot", "adders", "quantized_dot"]
