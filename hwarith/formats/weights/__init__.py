"""Data types of weights that are quantized group by group, and the quantizer."""

from .quantizer import Quantized, quantize
from .types import TYPES, Codebook, WeightType, weight_type

__all__ = ["TYPES", "Codebook", "Quantized", "WeightType", "quantize", "weight_type"]
