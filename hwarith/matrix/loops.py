"""Matrix products at array speed by golden definitions, or by other functions of a step.

A step gives the next accumulator from an element of the left matrix, one of the right matrix and
the accumulator. Steps made of golden definitions run on codes, those of `float64` on values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..golden import HOT
from ..golden.arguments import Constants, machine_words
from ..golden.compiler import LOOPS, compiled, inlined, signed_words
from ..golden.kernels import Kernel
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
) -> np.ndarray:
    """Codes (or values) after steps through all columns of `a` and rows of `b`, in this order.

    Parameters
    ----------
    definitions : a multiply-add ``f(x, y, acc, *constants[0])``; or a product and a sum,
        ``sum(product(x, y, *constants[0]), acc, *constants[1])``.
    a, b, acc : arrays (m, k), (k, n), (m, n) of unsigned integers, or all of float64.
    """
    left, right = (signed_words(np.ascontiguousarray(x)) for x in (a, b))
    out = np.array(acc, order="C")
    sums = signed_words(out)
    if out.dtype.kind == "f":
        given: Any = constants
        run = general(definitions, np.float64)
    else:
        given = words = machine_words(constants)
        hot = out.size * len(b) >= HOT
        run = specialized(definitions, words) if hot else general(definitions, np.int64)
    in_rows(lambda p: run(sums[p], left[p], right, given), len(out), b.size, LEAST_WORK)
    return out


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
def general(definitions: Definitions, word: type) -> Kernel:
    """The loop over three matrices, for any types of them and any constants."""
    return Kernel(_general, definitions, word)


@lru_cache(maxsize=LOOPS)
def specialized(definitions: Definitions, words: Constants) -> Kernel:
    """The same loop for one choice of constants, with vectors."""
    return Kernel(_specialized, definitions, words)


def _general(definitions: Definitions, word: type) -> Callable:
    return product_loop(_compiled_step(definitions, word), vectors=False)


def _specialized(definitions: Definitions, words: Constants) -> Callable:
    from ..golden.entries import known

    step, values = _compiled_step(definitions, np.int64), known(words)

    @inlined
    def for_these(x, y, acc, constants):
        return step(x, y, acc, values())

    return product_loop(for_these, vectors=True)


def _compiled_step(definitions: Definitions, word: type) -> Any:
    return inlined(_step(tuple(map(compiled, definitions)), word))
