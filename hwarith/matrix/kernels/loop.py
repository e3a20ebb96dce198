"""The loop over three matrices, for the steps of kernels: a few instructions each, with vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ...golden.compiler import LOOPS, compiled
from ..tiles import compiled_for, in_rows, product_loop

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
    import numba

    left, right, out = np.ascontiguousarray(a), np.ascontiguousarray(b), np.array(acc, order="C")
    loop = for_types(step, (out.dtype, left.dtype, right.dtype), numba.typeof(constants))
    in_rows(
        lambda part: loop(out[part], left[part], right, constants),
        len(out),
        right.size,
        LEAST_WORK,
    )
    return out


@lru_cache(maxsize=LOOPS)
def for_types(step: Callable, dtypes: tuple[np.dtype, ...], constants: Any) -> Callable:
    return compiled_for(
        product_loop(compiled(step), vectors=True, by_fours=True), dtypes, constants
    )
