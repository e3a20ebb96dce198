"""Matrix products at array speed by golden definitions, or by other functions of a step.

A step gives the next accumulator from an element of the left matrix, one of the right matrix and
the accumulator. Steps made of golden definitions run on codes, those of `float64` on values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..golden import HOT, to_integers
from ..golden.arguments import Constants, machine_words
from ..golden.compiler import LOOPS, compiled, inlined
from ..golden.kernels import Kernel
from ..golden.words import WIDTHS, in_words
from .tiles import in_rows, product_loop

LEAST_WORK = 1 << 20
"""Steps from which on another core pays."""

Definitions = tuple[Callable, ...]


def interpret(
    definitions: Definitions,
    constants: tuple[tuple, ...],
    a: np.ndarray,
    b: np.ndarray,
    acc: np.ndarray,
) -> np.ndarray:
    """`accumulate` by the interpreter: for codes of any width, or for a few."""
    step = _step(definitions, int)
    left, right, sums = a.tolist(), b.T.tolist(), acc.tolist()
    for x, row in zip(left, sums, strict=True):
        for j, y in enumerate(right):
            for x_k, y_k in zip(x, y, strict=True):
                row[j] = step(x_k, y_k, row[j], constants)
    return np.array(sums, acc.dtype).reshape(acc.shape)


def accumulate(
    definitions: Definitions,
    constants: tuple[tuple, ...],
    a: np.ndarray,
    b: np.ndarray,
    acc: np.ndarray,
    word: int,
) -> np.ndarray:
    """Codes (or values) after steps through all columns of `a` and rows of `b`, in this order.

    Parameters
    ----------
    definitions : a multiply-add ``f(x, y, acc, *constants[0])``; or a product and a sum,
        ``sum(product(x, y, *constants[0]), acc, *constants[1])``.
    a, b, acc : arrays (m, k), (k, n), (m, n) of codes, or all of float64.
    word : bits of the machine words that hold the definitions' integers; 0 for float64.
    """
    left, right, out = (np.array(x, order="C") for x in (a, b, acc))
    given: Any = constants
    run = general(definitions, word)
    if word:
        left, right, out = (in_words(x, word) for x in (left, right, out))
        given = words = machine_words(constants, word)
        if out.size * len(b) >= HOT:
            run = specialized(definitions, words, word)
    in_rows(lambda p: run(out[p], left[p], right, given), len(out), b.size, LEAST_WORK)
    return to_integers(out).view(acc.dtype)


def _step(definitions: Definitions, word: Callable) -> Callable:
    if len(definitions) == 1:
        (multiply_add,) = definitions

        def fused(x, y, acc, constants):
            return multiply_add(word(x), word(y), word(acc), *constants[0])

        return fused
    multiply, add = definitions

    def product_and_sum(x, y, acc, constants):
        product = multiply(word(x), word(y), *constants[0])
        return add(word(product), word(acc), *constants[1])

    return product_and_sum


@lru_cache(maxsize=LOOPS)
def general(definitions: Definitions, word: int) -> Kernel:
    """The loop over three matrices, for any types of them and any constants."""
    return Kernel(_general, definitions, word)


@lru_cache(maxsize=LOOPS)
def specialized(definitions: Definitions, words: Constants, word: int) -> Kernel:
    """The same loop for one choice of constants; with vectors, if they have such words."""
    return Kernel(_specialized, definitions, words, word)


def _general(definitions: Definitions, word: int) -> Callable:
    return product_loop(_compiled_step(definitions, word), vectors=False)


def _specialized(definitions: Definitions, words: Constants, word: int) -> Callable:
    from ..golden.entries import known

    step, values = _compiled_step(definitions, word), known(words)

    @inlined
    def for_these(x, y, acc, constants):
        return step(x, y, acc, values())

    return product_loop(for_these, vectors=word == WIDTHS[0])


def _compiled_step(definitions: Definitions, word: int) -> Any:
    from ..golden.wide import word as in_word

    number: Callable = in_word(word) if word else np.float64
    return inlined(_step(tuple(map(compiled, definitions)), number))
