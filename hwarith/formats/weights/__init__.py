"""Data types of weights that are quantized group by group, and
what quantizes to these and to formats of blocks."""

from .entry import quantize
from .quantizer import Quantized
from .types import TYPES, Codebook, WeightKind, WeightType, weight_type

__all__ = [
    "TYPES",
    "Codebook",
    "Quantized",
    "WeightKind",
    "WeightType",
    "quantize",
    "weight_type",
]
