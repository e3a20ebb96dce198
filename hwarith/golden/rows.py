"""Golden definitions of dot products at array speed: operands are rows of codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from ..lazily import np
from .arguments import Constants, machine_words
from .arrays import usage
from .compiler import LOOPS, compiled
from .cores import in_slices
from .kernels import Kernel, unless_refused
from .vectors import putting
from .words import from_integers, machine_word

HOT = 1 << 26
"""After this many elements of rows with the same constants, which take a few seconds, the
definition is compiled for these constants, which takes about as long and makes it three to ten
times faster."""

_SLICE = 1 << 16
"""Elements of rows that a thread takes at a time."""


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
        words = machine_words(sizes), machine_words(constants, word)
        hot = usage.add((definition, words), rows[0].size) >= HOT

        def in_general(p: slice) -> None:
            """With codes of one type, so that one compiled loop serves all formats."""
            _general(definition, word)(out[p], *words, *(x[p].astype(np.uint32) for x in operands))

        def in_special(p: slice) -> None:
            nothing = machine_words(())
            run = _specialized(definition, *words, word)
            run(out[p], nothing, nothing, *(np.ascontiguousarray(x[p]) for x in operands))

        step = max(1, _SLICE // max(1, rows[0].shape[1]))
        with unless_refused(word):
            in_slices(in_special if hot else in_general, out.size, step)
            return out
    each = zip(*(x.tolist() for x in operands), strict=True)
    return from_integers([definition(*codes, sizes, *constants) for codes in each], dtype)


@lru_cache(maxsize=LOOPS)
def _general(definition: Callable, word: int) -> Kernel:
    """A loop over rows, for any sizes and constants, in words of so many bits."""
    return Kernel(_general_loop, definition, word)


@lru_cache(maxsize=LOOPS)
def _specialized(definition: Callable, sizes: Constants, words: Constants, word: int) -> Kernel:
    """The same loop for one choice of sizes and constants."""
    return Kernel(_specialized_loop, definition, sizes, words, word)


def _general_loop(definition: Callable, word: int) -> Callable:
    from .wide import word as in_word

    f, w, put = compiled(definition), in_word(word), putting()

    def loop(out, sizes, constants, a, b, sa, sb, c):
        for i in range(out.size):
            put(out, i, f(a[i], b[i], sa[i], sb[i], w(c[i]), sizes, *constants))

    return loop


def _specialized_loop(
    definition: Callable, sizes: Constants, words: Constants, word: int
) -> Callable:
    from .entries import known
    from .wide import word as in_word

    f, w, put = compiled(definition), in_word(word), putting()
    known_sizes, constants = known(sizes), known(words)

    def loop(out, no_sizes, no_constants, a, b, sa, sb, c):
        for i in range(out.size):
            put(out, i, f(a[i], b[i], sa[i], sb[i], w(c[i]), known_sizes(), *constants()))

    return loop
