"""AxCore: products of floats and 4-bit or 8-bit weights by one addition (MICRO 2025)."""

from .column import AxDot
from .ends import AxNorm, AxSeed
from .product import AxMul
from .scale import AxScale

__all__ = ["AxDot", "AxMul", "AxNorm", "AxScale", "AxSeed"]
