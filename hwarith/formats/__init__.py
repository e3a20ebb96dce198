"""What a bit pattern means: formats by name, decode, encode, rounding."""

from .names import PATTERNS
from .rounding import OVERFLOWS, ROUNDINGS, STOCHASTIC, Overflow, Rounding, Stochastic
from .scalar import NAMED, Format, format

__all__ = [
    "NAMED",
    "OVERFLOWS",
    "PATTERNS",
    "ROUNDINGS",
    "STOCHASTIC",
    "Format",
    "Overflow",
    "Rounding",
    "Stochastic",
    "format",
]
