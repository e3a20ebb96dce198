"""What a bit pattern means: formats by name, decode, encode, rounding."""

from .descriptor import Format
from .names import NAMED, PATTERNS, format
from .rounding import OVERFLOWS, ROUNDINGS, Overflow, Rounding

__all__ = [
    "NAMED", "OVERFLOWS", "PATTERNS", "ROUNDINGS", "Format", "Overflow", "Rounding", "format",
]  # fmt: skip
