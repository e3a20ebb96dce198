"""Golden definitions of dot products at array speed: operands are rows of codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from .arguments import machine_words
from .compiler import LOOPS, compiled
from .cores import in_slices
from .kernels import Kernel, unless_refused
from .vectors import putting
from .words import from_integers, machine_word

_SLICE = 1 << 10


def over_rows(
    definition: Callable,
    rows: Sequence[np.ndarray],
    addends: np.ndarray,
    sizes: tuple,
    constants: tuple,
    dtype: np.dtype,
    word_bits: int,
) -> np.ndarray:
    """Evaluate ``definition(a, b, sa, sb, c, sizes, *constants)`` for rows of codes.

    Parameters
    ----------
    rows : of a, b and their scales, arrays (n, length) of codes of at most 32 bits; a definition
        takes a row of each as a sequence.
    addends : of c, an array (n,).
    sizes : integers that fit in 64 bits, such as lengths, over which a definition may loop.
    constants : integers and tuples of them, held in words as wide as the definition needs.
    dtype : of the results.
    word_bits : the widest magnitude that the definition forms for these constants.

    Returns an array (n,).
    """
    operands = [*rows, addends]
    word = machine_word(word_bits, dtype, [x.dtype for x in operands], rows[0].size)
    if word:
        out = np.empty(len(addends), dtype)
        # Of one type, so that one compiled loop serves all formats.
        arrays = [x.astype(np.uint32) for x in operands]
        run = _loop(definition, word)
        words = machine_words(sizes), machine_words(constants, word)
        with unless_refused(word):
            in_slices(lambda p: run(out[p], *words, *(x[p] for x in arrays)), out.size, _SLICE)
            return out
    each = zip(*(x.tolist() for x in operands), strict=True)
    return from_integers([definition(*codes, sizes, *constants) for codes in each], dtype)


@lru_cache(maxsize=LOOPS)
def _loop(definition: Callable, word: int) -> Kernel:
    return Kernel(_make_loop, definition, word)


def _make_loop(definition: Callable, word: int) -> Callable:
    from .wide import word as in_word

    f, w, put = compiled(definition), in_word(word), putting()

    def loop(out, sizes, constants, a, b, sa, sb, c):
        for i in range(out.size):
            put(out, i, f(a[i], b[i], sa[i], sb[i], w(c[i]), sizes, *constants))

    return loop
