"""Golden definitions with a memory, at array speed: folded over the last axis of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from .arguments import machine_words
from .compiler import LOOPS, compiled, signed_words
from .cores import in_slices
from .definition import is_interpreted
from .kernels import Kernel

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
    operands : unsigned integer (or object) arrays of one shape (..., n), each row a group.
    dtype : of the states, which begin at 0.
    word_bits : the widest magnitude that the definition forms for these constants.

    Returns an array of shape (...).
    """
    *shape, length = operands[0].shape
    if not length:
        return np.zeros(shape, dtype)
    rows = [np.ascontiguousarray(x).reshape(-1, length) for x in operands]
    if is_interpreted(word_bits, (dtype, *(x.dtype for x in rows)), rows[0].size):
        groups = zip(*rows, strict=True)
        results = [_interpret(definition, group, constants) for group in groups]
        return np.array(results, dtype=dtype).reshape(shape)
    states = np.empty(len(rows[0]), dtype)
    words = machine_words(constants)
    rows = [signed_words(x) for x in rows]
    run = _loop(definition, len(rows))
    step = max(1, _LEAST_WORK // length)
    in_slices(lambda p: run(states[p], *(x[p] for x in rows), words), len(states), step)
    return states.reshape(shape)


def _interpret(definition: Callable, group: Sequence[np.ndarray], constants: tuple) -> int:
    state = 0
    for codes in zip(*(x.tolist() for x in group), strict=True):
        state = definition(state, *codes, *constants)
    return state


@lru_cache(maxsize=LOOPS)
def _loop(definition: Callable, arity: int) -> Kernel:
    return Kernel(_make_loop, definition, arity)


def _make_loop(definition: Callable, arity: int) -> Callable:
    f = compiled(definition)
    word = np.int64

    def pairs(states, a, b, constants):
        for i in range(states.size):
            state = word(0)
            for k in range(a.shape[1]):
                state = word(f(state, word(a[i, k]), word(b[i, k]), *constants))
            states[i] = state

    def triples(states, a, b, c, constants):
        for i in range(states.size):
            state = word(0)
            for k in range(a.shape[1]):
                codes = (word(a[i, k]), word(b[i, k]), word(c[i, k]))
                state = word(f(state, *codes, *constants))
            states[i] = state

    def quadruples(states, a, b, c, d, constants):
        for i in range(states.size):
            state = word(0)
            for k in range(a.shape[1]):
                codes = (word(a[i, k]), word(b[i, k]), word(c[i, k]), word(d[i, k]))
                state = word(f(state, *codes, *constants))
            states[i] = state

    loops: dict[int, Callable] = {2: pairs, 3: triples, 4: quadruples}
    return loops[arity]
