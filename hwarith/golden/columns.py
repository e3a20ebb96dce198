"""Golden definitions on floats, for many blocks of numbers side by side.

A block is a column of an array (n, blocks), so that a vector instruction works on the same place of
several blocks. Sums over a block are formed in order, in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ..lazily import np
from .compiler import LOOPS, compiled
from .definition import golden, primitive
from .kernels import Kernel
from .vectors import each

SHIFTER = 1.5 * 2.0**52
"""Added to a float64, it leaves no room for a fraction."""


@golden
def nearest_integer(x):
    """The integer nearest to a float64 of magnitude up to 2^51, of two the even one."""
    return (x + SHIFTER) - SHIFTER


def _compiled_quotient() -> Callable:
    import numba

    def quotient(x, y):
        return x / y

    return numba.njit(nogil=True, forceinline=True, error_model="numpy")(quotient)


@primitive(_compiled_quotient)
def quotient(x: float, y: float) -> float:
    """x / y of floats, y not 0 (compiled, without a check of that)."""
    return x / y


def column_sums(
    definition: Callable,
    count: int,
    columns: np.ndarray,
    shared: Sequence[np.ndarray] = (),
    constants: tuple = (),
) -> np.ndarray:
    """Sums over each column (n, blocks) of what a definition adds for each element: float64 (count,
    blocks).

    `definition((element, *shared, *sums), constants)` takes an element, what its block has in the
    `shared` arrays (blocks,), and the sums so far; it gives the sums with the element in them.
    """
    sums = np.empty((count, columns.shape[1]))
    _folding(definition)(tuple(sums), columns, tuple(shared), constants)
    return sums


def each_element(
    definition: Callable,
    dtype: Any,
    columns: np.ndarray,
    shared: Sequence[np.ndarray] = (),
    constants: tuple = (),
) -> np.ndarray:
    """What `definition((element, *shared), constants)` makes of each element of columns (n,
    blocks), an array of that shape."""
    out: np.ndarray = np.empty(columns.shape, dtype)
    _mapping(definition)(out, columns, tuple(shared), constants)
    return out


@lru_cache(maxsize=LOOPS)
def _folding(definition: Callable) -> Kernel:
    return Kernel(_make_folding, definition)


@lru_cache(maxsize=LOOPS)
def _mapping(definition: Callable) -> Kernel:
    return Kernel(_make_mapping, definition)


def _make_folding(definition: Callable) -> Callable:
    step, each_block = compiled(definition), each(vectors=True)

    def run(sums, columns, shared, constants):
        for of_blocks in sums:
            of_blocks[:] = 0.0
        for i in range(columns.shape[0]):
            each_block(step, sums, (columns[i], *shared, *sums), constants)

    return run


def _make_mapping(definition: Callable) -> Callable:
    step, each_block = compiled(definition), each(vectors=True)

    def run(out, columns, shared, constants):
        for i in range(columns.shape[0]):
            each_block(step, out[i], (columns[i], *shared), constants)

    return run
