"""The loop over three matrices that kernels share, and its rounding step, in float32."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...golden import arrays as engine
from ..loops import FloatRounding, bit_cast

ROWS, COLUMNS = 128, 256
"""Part of the right matrix that stays in a core's cache while all rows of the left one pass."""

_LEAST_WORK = 1 << 22
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
    arrays = (out, left, right)
    loop = _compiled(step, tuple(x.dtype for x in arrays), numba.typeof(constants))
    in_parts(lambda part: loop(out[part], left[part], right, constants), len(out), right.size)
    return out


def in_parts(work: Callable[[slice], object], rows: int, steps: int) -> None:
    """Do work of so many steps a row for all rows, a slice of them at a time on each core."""
    size = max(1, _LEAST_WORK // max(1, steps))
    parts = [slice(i, i + size) for i in range(0, rows, size)]
    run_all = engine._pool(os.getpid()).map if len(parts) > 1 else map
    list(run_all(work, parts))


@cache
def _compiled(step: Callable, dtypes: tuple[np.dtype, ...], constants: Any) -> Callable:
    import numba

    register_bit_casts()
    do = numba.njit(nogil=True, forceinline=True)(step)
    rows, columns = ROWS, COLUMNS

    def loop(acc, a, b, constants):
        for j0 in range(0, b.shape[1], columns):
            for k0 in range(0, b.shape[0], rows):
                end = min(k0 + rows, b.shape[0])
                fours = k0 + (end - k0) // 4 * 4
                for i in range(a.shape[0]):
                    sums = acc[i, j0 : j0 + columns]
                    for k in range(k0, fours, 4):  # sums stay in registers for four steps
                        w, x, y, z = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
                        bw, bx = b[k, j0 : j0 + columns], b[k + 1, j0 : j0 + columns]
                        by, bz = b[k + 2, j0 : j0 + columns], b[k + 3, j0 : j0 + columns]
                        for j in range(sums.size):
                            s = do(w, bw[j], sums[j], constants)
                            s = do(x, bx[j], s, constants)
                            s = do(y, by[j], s, constants)
                            sums[j] = do(z, bz[j], s, constants)
                    for k in range(fours, end):
                        x, bx = a[i, k], b[k, j0 : j0 + columns]
                        for j in range(sums.size):
                            sums[j] = do(x, bx[j], sums[j], constants)

    compiled = numba.njit(nogil=True)(loop)
    with engine._vectorized():
        compiled.compile((*(numba.from_dtype(dtype)[:, ::1] for dtype in dtypes), constants))
    return compiled


# -- float32 -------------------------------------------------------------------------------------


def float32_rounding(f: FloatRounding) -> FloatRounding:
    """`to_nearest`'s constants in float32, of those in float64."""
    numbers = f._replace(scale=f.scale * 2.0**-29)  # 52 fraction bits to 23
    in_float32: Any = map(np.float32, numbers)
    return FloatRounding(*in_float32)


@engine.golden
def to_nearest(x, f):
    """`hwarith.matrix.loops.to_nearest` in float32."""
    magnitude = abs(x)
    binade = word_float(float_word(magnitude) & np.int32(0x7F800000))
    shifter = min(max(binade, f.lowest_binade), f.highest_binade) * f.scale
    rounded = (magnitude + shifter) - shifter
    return np.copysign(f.beyond if rounded > f.largest else rounded, x)


def float_word(x: float) -> int:
    """The bit pattern of a float32, as a signed integer."""
    return int(np.float32(x).view(np.int32))


def word_float(word: Any) -> float:
    """The float32 of a bit pattern."""
    return float(np.int32(word).view(np.float32))


def fused(x: float, y: float, z: float) -> float:
    """x * y + z of float32 numbers, rounded once."""
    raise NotImplementedError("only in compiled steps")


@cache
def register_bit_casts() -> None:
    """Make `float_word`, `word_float` and `fused` known to the compiler."""
    from numba import types
    from numba.extending import intrinsic, overload

    @intrinsic
    def fma(typing_context: Any, x: Any, y: Any, z: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.fma(*args)

        return x(x, y, z), codegen

    as_word, as_float = bit_cast(types.int32), bit_cast(types.float32)

    @overload(float_word)
    def compiled_float_word(x):
        return lambda x: as_word(np.float32(x))

    @overload(word_float)
    def compiled_word_float(word):
        return lambda word: as_float(np.int32(word))

    @overload(fused)
    def compiled_fused(x, y, z):
        return lambda x, y, z: fma(np.float32(x), np.float32(y), np.float32(z))  # type: ignore[call-arg]
