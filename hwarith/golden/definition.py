"""What a golden definition is: a scalar function on plain integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable)

WORD_BITS = 61
"""Widest magnitude that a compiled definition may form (signed 64-bit words, two bits spare)."""

SMALL = 64
"""Up to this many elements the interpreter answers sooner than the compiler."""


def is_interpreted(word_bits: int, dtypes: Iterable[np.dtype], elements: int) -> bool:
    """Whether plain Python evaluates a definition that forms magnitudes of so many bits, on so many
    elements of these types: because no machine word holds them, or because it answers sooner."""
    return word_bits > WORD_BITS or elements <= SMALL or any(x.hasobject for x in dtypes)


def golden(definition: Function) -> Function:
    """Mark a scalar function on integers as a golden definition, or as a part of one.

    It stays an ordinary function. Where it is compiled, so are the golden functions that it calls
    by their global names.
    """
    definition.is_golden = True  # type: ignore[attr-defined]
    return definition


def primitive(make_compiled: Callable[[], Callable]) -> Callable[[Function], Function]:
    """Mark a function as golden that is not compiled from its Python text.

    `make_compiled` gives what takes its place in compiled definitions, such as an instruction of
    the processor. It is not called before the first compilation.
    """

    def mark(function: Function) -> Function:
        function.make_compiled = make_compiled  # type: ignore[attr-defined]
        return golden(function)

    return mark


def _compiled_bit_length() -> Callable:
    import numba

    from .instructions import leading_zeros

    zeros, word = leading_zeros(numba.int64), numba.int64

    @numba.njit(nogil=True, forceinline=True)
    def compiled(x):
        return 64 - zeros(word(x))

    return compiled


@primitive(_compiled_bit_length)
def bit_length(x: int) -> int:
    """Position of the leading one of a non-negative integer, counted from 1; 0 for 0."""
    return x.bit_length()
