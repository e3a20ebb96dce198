"""The loop over three matrices, for the steps of kernels: a few instructions each, with vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ...golden.compiler import LOOPS, compiled
from ...golden.kernels import Kernel
from ..tiles import in_rows, product_loop

LEAST_WORK = 1 << 22
"""Steps from which on another core pays."""


def run(
    step: Callable, acc: np.ndarray, a: np.ndarray, b: np.ndarray, constants: tuple
) -> np.ndarray:
    """``acc = step(a[i, k], b[k, j], acc[i, j], constants)`` for k ascending, on all cores.

    Parameters
    ----------
    step : a plain function, compiled once for the types that it meets.
    acc, a, b : arrays (m, n), (m, k), (k, n); `acc` is not changed.
    constants : of the step, a tuple of arrays, numbers and tuples.
    """
    left, right, out = np.ascontiguousarray(a), np.ascontiguousarray(b), np.array(acc, order="C")
    loop = kernel(step)
    in_rows(
        lambda part: loop(out[part], left[part], right, constants),
        len(out),
        right.size,
        LEAST_WORK,
    )
    return out


@lru_cache(maxsize=LOOPS)
def kernel(step: Callable) -> Kernel:
    """The loop with this step, compiled for the types that it meets."""
    return Kernel(_loop, step)


def _loop(step: Callable) -> Callable:
    return product_loop(compiled(step), vectors=True, by_fours=True)
