"""Golden definitions of dot products with an addend, one for each way to accumulate.

All of them take sequences of codes ``a`` and ``b``, those of the scales ``sa`` and ``sb``, one code
``c``, and behind these constants: the formats, what the unit is like, the rules for operands and
results, and what rounds. They give the result's code.
"""

from .exact import exact, exact_with_flags
from .floored import floored
from .metadata import with_metadata
from .ordered import added, fused, fused_with_flags, pairwise, sequential
from .terms import NO_LIMIT, Formats, Shape
from .truncated import halves, truncated

__all__ = [
    "NO_LIMIT",
    "Formats",
    "Shape",
    "added",
    "exact",
    "exact_with_flags",
    "floored",
    "fused",
    "fused_with_flags",
    "halves",
    "pairwise",
    "sequential",
    "truncated",
    "with_metadata",
]
