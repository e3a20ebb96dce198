"""What a bit pattern means: formats by name, decode, encode, rounding."""

from .descriptor import Format
from .names import NAMED, PATTERNS, format
from .rounding import OVERFLOWS, ROUNDINGS, STOCHASTIC, Overflow, Rounding, Stochastic

__all__ = [
    "NAMED", "OVERFLOWS", "PATTERNS", "ROUNDINGS", "STOCHASTIC", "Format", "Overflow", "Rounding",
    "Stochastic", "format",
]  # fmt: skip
