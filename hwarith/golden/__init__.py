"""What a definition is, and how it runs: interpreted, compiled over arrays, tabulated, folded.

A golden definition is a scalar function on plain Python integers, exact for any width. `golden`
marks it. `apply` evaluates it on arrays, `fold` runs one with a memory along their last axis;
`lookup` and `lookup_top` read tables of its results. Compiled, its integers are machine words of
64 to 1024 bits. The compiler (numba) is imported when there is a definition to compile that no
process compiled before.
"""

from .arrays import HOT, apply
from .definition import bit_length, divide, golden, primitive, square_root
from .folds import fold, reduce
from .tables import TABLE_BITS, lookup, lookup_top
from .words import SMALL, WORD_BITS, code_dtype, field, machine_word, to_integers

__all__ = [
    "HOT",
    "SMALL",
    "TABLE_BITS",
    "WORD_BITS",
    "apply",
    "bit_length",
    "code_dtype",
    "divide",
    "field",
    "fold",
    "golden",
    "lookup",
    "lookup_top",
    "machine_word",
    "primitive",
    "reduce",
    "square_root",
    "to_integers",
]
