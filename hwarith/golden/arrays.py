"""Golden definitions at array speed.

`apply` runs a definition over numpy arrays: interpreted for a few elements or where an integer may
exceed the widest machine word, otherwise compiled, once per definition and width of word. Where as
much time went into one choice of formats and modes as compiling takes, it is compiled again with
these as constants, for vector instructions. All of them return the same; callers choose by the
widths of their operands alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from threading import Lock

from ..lazily import np
from .arguments import Constants, machine_words
from .compiler import LOOPS, compiled, inlined
from .cores import in_slices
from .kernels import Kernel, unless_refused
from .vectors import each
from .words import WIDTHS, from_integers, in_words, machine_word

HOT = 1 << 24
"""After this many elements with the same constants, which take a fraction of a second, the
definition is compiled for these constants, which takes about as long."""

_SLICE = 1 << 18


class Usage:
    """How often each of the most recently used things was used: of `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: OrderedDict[Hashable, int] = OrderedDict()
        self._lock = Lock()

    def add(self, thing: Hashable, count: int) -> int:
        """Count a use, and return the sum of all that are remembered of it."""
        with self._lock:
            total = self._counts.pop(thing, 0) + count
            self._counts[thing] = total
            if len(self._counts) > self._most:
                self._counts.popitem(last=False)
        return total

    def __len__(self) -> int:
        return len(self._counts)


usage = Usage(4 * LOOPS)


def apply(
    definition: Callable,
    operands: Sequence[np.ndarray],
    constants: tuple,
    dtype: np.dtype,
    word_bits: int,
) -> np.ndarray:
    """Evaluate `definition(*codes, *constants)` for each element of broadcast operand arrays.

    `operands` are arrays of one shape, of unsigned integers or of Python's; `dtype` is the type of
    the result (`code_dtype`), `word_bits` the widest magnitude that the definition forms for these
    constants, operands of more than 64 bits among them.
    """
    shape = operands[0].shape
    word = machine_word(word_bits, dtype, [x.dtype for x in operands], operands[0].size)
    if word:
        flat = [in_words(x, word).ravel() for x in operands]
        out = np.empty(flat[0].size, dtype)
        with unless_refused(word):
            _apply_compiled(definition, flat, machine_words(constants, word), out, word)
            return out.reshape(shape)
    rows = zip(*(x.ravel().tolist() for x in operands), strict=True)
    return from_integers([definition(*row, *constants) for row in rows], dtype).reshape(shape)


def _apply_compiled(
    definition: Callable, flat: list[np.ndarray], words: Constants, out: np.ndarray, word: int
) -> None:
    def in_general(part: slice) -> None:
        """With all codes as words of 64 bits: copying them costs less than another loop for each
        mix of types."""
        columns = [_widened(x[part], word) for x in flat]
        wide = out[part] if out.dtype.kind == "V" else np.empty(len(columns[0]), _word_type(word))
        general(definition, word)(wide, words, *columns)
        out[part] = wide

    def in_special(part: slice) -> None:
        specialized(definition, words, word)(out[part], machine_words(()), *(x[part] for x in flat))

    hot = usage.add((definition, words), out.size) >= HOT
    in_slices(in_special if hot else in_general, out.size, _SLICE)


def _word_type(word: int) -> type:
    """Of codes of 64 bits and less in words: signed where it is the word itself."""
    return np.int64 if word == WIDTHS[0] else np.uint64


def _widened(codes: np.ndarray, word: int) -> np.ndarray:
    return codes if codes.dtype.kind == "V" else codes.astype(_word_type(word), copy=False)


@lru_cache(maxsize=LOOPS)
def general(definition: Callable, word: int) -> Kernel:
    """A loop over arrays of codes, for any constants, in words of so many bits."""
    return Kernel(_general, definition, word)


@lru_cache(maxsize=LOOPS)
def specialized(definition: Callable, words: Constants, word: int) -> Kernel:
    """The same loop for one choice of constants; with vectors, if they have such words."""
    return Kernel(_specialized, definition, words, word)


def _general(definition: Callable, word: int) -> Callable:
    f, each_code = compiled(definition), each(vectors=False, word=word)

    @inlined
    def step(codes, constants):
        return f(*codes, *constants)

    def loop(out, constants, *operands):
        each_code(step, out, operands, constants)

    return loop


def _specialized(definition: Callable, words: Constants, word: int) -> Callable:
    from .entries import known

    f, each_code = compiled(definition), each(vectors=word == WIDTHS[0], word=word)
    constants = known(words)

    @inlined
    def step(codes, no_constants):
        return f(*codes, *constants())

    def loop(out, no_constants, *operands):
        each_code(step, out, operands, no_constants)

    return loop
