"""Requantization: an integer accumulator times a fixed-point multiplier, in fewer bits."""

from .multiplier import Multiplier, quantize_multiplier
from .unit import Requant

__all__ = ["Multiplier", "Requant", "quantize_multiplier"]
