"""Golden definitions with a memory, at array speed: folded over the last axis of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from ..lazily import np
from .arguments import Constants, machine_words
from .compiler import LOOPS, compiled
from .cores import in_slices
from .kernels import Kernel, unless_refused
from .vectors import putting
from .words import from_integers, in_words, machine_word

_LEAST_WORK = 1 << 18
"""Steps from which on another core pays."""


def fold(
    definition: Callable,
    operands: Sequence[np.ndarray],
    constants: tuple,
    dtype: np.dtype,
    word_bits: int,
) -> np.ndarray:
    """States after ``state = definition(state, *codes, *constants)`` for all codes of a group.

    Parameters
    ----------
    operands : arrays of one shape (..., n), of unsigned integers or of Python's; each row a group.
    dtype : of the states, which begin at 0.
    word_bits : the widest magnitude that the definition forms for these constants.

    Returns an array of shape (...).
    """
    return _folded(definition, operands, constants, dtype, word_bits, None)


def reduce(
    definition: Callable,
    operands: Sequence[np.ndarray],
    constants: tuple,
    dtype: np.dtype,
    word_bits: int,
    begin: int,
) -> np.ndarray:
    """As `fold`, of ``state = definition(*codes, state, *constants)``: of a definition whose last
    operand is of its result's format. States are `begin` at first; one or two codes."""
    return _folded(definition, operands, constants, dtype, word_bits, begin)


def _folded(
    definition: Callable,
    operands: Sequence[np.ndarray],
    constants: tuple,
    dtype: np.dtype,
    word_bits: int,
    begin: int | None,
) -> np.ndarray:
    *shape, length = operands[0].shape
    if not length:
        return np.full(shape, begin or 0, dtype)
    rows = [x.reshape(-1, length) for x in operands]
    word = machine_word(word_bits, dtype, [x.dtype for x in rows], rows[0].size)
    if word:
        flat = [in_words(x, word) for x in rows]
        states = np.zeros(len(flat[0]), dtype)
        given = [machine_words(constants, word)]
        if begin is not None:
            given.insert(0, machine_words((begin,), word))
        with unless_refused(word):
            _fold_compiled(definition, flat, given, states, word)
            return states.reshape(shape)
    groups = zip(*rows, strict=True)
    results = [_interpret(definition, group, constants, begin) for group in groups]
    return from_integers(results, dtype).reshape(shape)


def _fold_compiled(
    definition: Callable,
    rows: list[np.ndarray],
    given: list[Constants],
    states: np.ndarray,
    word: int,
) -> None:
    run = _loop(definition, len(rows), word, len(given) > 1)
    step = max(1, _LEAST_WORK // rows[0].shape[1])
    in_slices(lambda p: run(states[p], *(x[p] for x in rows), *given), len(states), step)


def _interpret(
    definition: Callable, group: Sequence[np.ndarray], constants: tuple, begin: int | None
) -> int:
    state = begin or 0
    for codes in zip(*(x.tolist() for x in group), strict=True):
        operands = (state, *codes) if begin is None else (*codes, state)
        state = definition(*operands, *constants)
    return state


@lru_cache(maxsize=LOOPS)
def _loop(definition: Callable, arity: int, word: int, reduces: bool) -> Kernel:
    return Kernel(_make_reduction if reduces else _make_loop, definition, arity, word)


def _make_reduction(definition: Callable, arity: int, word: int) -> Callable:
    from .wide import word as in_word

    f, w, put = compiled(definition), in_word(word), putting()

    def singles(states, a, begin, constants):
        for i in range(states.size):
            state = w(begin[0])
            for k in range(a.shape[1]):
                state = w(f(w(a[i, k]), state, *constants))
            put(states, i, state)

    def pairs(states, a, b, begin, constants):
        for i in range(states.size):
            state = w(begin[0])
            for k in range(a.shape[1]):
                state = w(f(w(a[i, k]), w(b[i, k]), state, *constants))
            put(states, i, state)

    loops: dict[int, Callable] = {1: singles, 2: pairs}
    return loops[arity]


def _make_loop(definition: Callable, arity: int, word: int) -> Callable:
    from .wide import word as in_word

    f, w, put = compiled(definition), in_word(word), putting()

    def pairs(states, a, b, constants):
        for i in range(states.size):
            state = w(0)
            for k in range(a.shape[1]):
                state = w(f(state, w(a[i, k]), w(b[i, k]), *constants))
            put(states, i, state)

    def triples(states, a, b, c, constants):
        for i in range(states.size):
            state = w(0)
            for k in range(a.shape[1]):
                state = w(f(state, w(a[i, k]), w(b[i, k]), w(c[i, k]), *constants))
            put(states, i, state)

    def quadruples(states, a, b, c, d, constants):
        for i in range(states.size):
            state = w(0)
            for k in range(a.shape[1]):
                codes = (w(a[i, k]), w(b[i, k]), w(c[i, k]), w(d[i, k]))
                state = w(f(state, *codes, *constants))
            put(states, i, state)

    loops: dict[int, Callable] = {2: pairs, 3: triples, 4: quadruples}
    return loops[arity]
