"""What a definition is, and how it runs: interpreted, compiled over arrays, tabulated, folded.

A golden definition is a scalar function on plain Python integers, exact for any width. `golden`
marks it. `apply` evaluates it on arrays, `fold` runs one with a memory along their last axis;
`lookup` and `lookup_top` read tables of its results. The compiler (numba) is imported when a
definition is first compiled.
"""

from .arrays import HOT, apply
from .definition import SMALL, WORD_BITS, bit_length, golden, is_interpreted, primitive
from .folds import fold
from .tables import TABLE_BITS, lookup, lookup_top

__all__ = [
    "HOT",
    "SMALL",
    "TABLE_BITS",
    "WORD_BITS",
    "apply",
    "bit_length",
    "fold",
    "golden",
    "is_interpreted",
    "lookup",
    "lookup_top",
    "primitive",
]
