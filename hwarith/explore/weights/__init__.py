"""Types of weights compared: their bits, what they do to real weights, and what runs them."""

from ...formats.quantized import nmse
from .elements import Element, processing_elements
from .figures import GROUP, METHOD, WEIGHT_FIGURES
from .measure import WeightResult, measure_weights
from .sources import Arrays, Digits, WeightSource, digits, read_weights
from .types import ALL_TYPES, FAMILIES, FP16, family, quantized, weight_types

__all__ = [
    "ALL_TYPES",
    "FAMILIES",
    "FP16",
    "GROUP",
    "METHOD",
    "WEIGHT_FIGURES",
    "Arrays",
    "Digits",
    "Element",
    "WeightResult",
    "WeightSource",
    "digits",
    "family",
    "measure_weights",
    "nmse",
    "processing_elements",
    "quantized",
    "read_weights",
    "weight_types",
]
