"""What a bit pattern means: formats by name, decode, encode, rounding."""

from .blocks import BLOCKS, BlockFormat, Blocks, Hadamard, format, scalar_format
from .facts import format_facts, format_tables
from .names import PATTERNS
from .rounding import OVERFLOWS, ROUNDINGS, STOCHASTIC, Overflow, Rounding, Stochastic
from .scalar import NAMED, Format, fixed_point

__all__ = [
    "BLOCKS",
    "NAMED",
    "OVERFLOWS",
    "PATTERNS",
    "ROUNDINGS",
    "STOCHASTIC",
    "BlockFormat",
    "Blocks",
    "Format",
    "Hadamard",
    "Overflow",
    "Rounding",
    "Stochastic",
    "fixed_point",
    "format",
    "format_facts",
    "format_tables",
    "scalar_format",
]
