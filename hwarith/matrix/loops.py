"""Matrix products at array speed: one loop, and what is done at each of its steps.

A step gives the next accumulator from an element of the left matrix, one of the right matrix and
the accumulator. Steps made of golden definitions run on codes. The steps on float64 values, below,
are for formats narrow enough for them to be exact; `FloatRounding` says which and why.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..golden import arrays as engine

_ROWS, _COLUMNS = 128, 256
"""Part of the right matrix that stays in a core's cache while all rows of the left one pass."""

_LEAST_WORK = 1 << 20
"""Steps from which on another core pays."""

Constants = tuple[tuple, ...]


def interpret(
    definitions: tuple[Callable, ...],
    constants: Constants,
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
    definitions: tuple[Callable, ...],
    constants: Constants,
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
    left, right = (engine._signed_words(np.ascontiguousarray(x)) for x in (a, b))
    out = np.array(acc, order="C")
    sums = engine._signed_words(out)
    if out.dtype.kind == "f":
        words, run = constants, _kernel(definitions, np.float64)
    else:
        words = tuple(engine._machine_words(c) for c in constants)
        dtypes = (sums.dtype, left.dtype, right.dtype)
        hot = out.size * len(b) >= engine.HOT
        run = _specialized(definitions, words, dtypes) if hot else _kernel(definitions, np.int64)
    rows = max(1, _LEAST_WORK // max(1, b.size))
    parts = [slice(i, i + rows) for i in range(0, len(out), rows)]
    work = engine._pool(os.getpid()).map if len(parts) > 1 else map
    list(work(lambda part: run(sums[part], left[part], right, words), parts))
    return out


def _step(definitions: tuple[Callable, ...], word: Callable) -> Callable:
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


@cache
def _kernel(definitions: tuple[Callable, ...], word: type) -> Callable:
    """The loop over three matrices, which takes the constants behind them."""
    return _loop(_compiled_step(definitions, word))


@cache
def _specialized(
    definitions: tuple[Callable, ...], words: Constants, dtypes: tuple[np.dtype, ...]
) -> Callable:
    """The same loop for one choice of constants and of the matrices' types, with vectors."""
    import numba

    step = _compiled_step(definitions, np.int64)

    def specialized(x, y, acc, constants):
        return step(x, y, acc, words)

    loop = _loop(numba.njit(nogil=True, forceinline=True)(specialized))
    matrices = (numba.from_dtype(dtype)[:, ::1] for dtype in dtypes)
    with engine._vectorized():
        loop.compile((*matrices, numba.typeof(words)))
    return loop


def _compiled_step(definitions: tuple[Callable, ...], word: type) -> Callable:
    import numba

    register_bit_casts()
    compiled = tuple(engine._compile(definition) for definition in definitions)
    return numba.njit(nogil=True, forceinline=True)(_step(compiled, word))


def _loop(step: Callable) -> Any:
    import numba

    rows, columns = _ROWS, _COLUMNS

    def run(acc, a, b, constants):
        for j0 in range(0, b.shape[1], columns):
            for k0 in range(0, b.shape[0], rows):
                for i in range(a.shape[0]):
                    sums = acc[i, j0 : j0 + columns]
                    for k in range(k0, min(k0 + rows, b.shape[0])):
                        x, y = a[i, k], b[k, j0 : j0 + columns]
                        for j in range(sums.size):
                            sums[j] = step(x, y[j], sums[j], constants)

    return numba.njit(nogil=True)(run)


# -- steps on float64 values ---------------------------------------------------------------------


class FloatRounding(NamedTuple):
    """Rounding to nearest even into a format that is narrower than float64.

    ``x * y + z``, rounded once, comes out exactly if x, y and z are float64 values, products have
    at most 53 bits, results at most 50, and all of them lie far inside float64's range:

    * the product is exact in float64;
    * the sum is rounded to odd (`sum_to_odd`), with at least two more bits than the result has,
      after which another rounding gives what rounding the exact sum would (Boldo and Melquiond,
      "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd",
      IEEE Trans. Computers 2008);
    * that rounding (`to_nearest`) is float64's own: the ulp of the sum with a number of just the
      right size is the step of the format.
    """

    scale: float  # from a power of two to the float64 whose ulp is the format's ulp there
    lowest_binade: float  # smallest normal value
    highest_binade: float
    largest: float
    beyond: float  # what a value above the largest becomes: it, infinity or NaN
    zero: float  # added to a product: -0.0, or +0.0 for a format without -0


@engine.golden
def sum_to_odd(x, y):
    """x + y, or if that is no float64 the one of its two neighbours with an odd significand."""
    total = x + y
    # Knuth's two-sum: the error of a sum is a float64. That of an infinite one is NaN.
    back = total - x
    error = (x - (total - back)) + (y - back)
    pattern = float_bits(total)
    towards_zero = (float_bits(error) ^ pattern) >> 63  # -1 if the sum was rounded up, else 0
    return bits_float((pattern + towards_zero) | 1 if error > 0 or error < 0 else pattern)


@engine.golden
def to_nearest(x, f):
    magnitude = abs(x)
    binade = bits_float(float_bits(magnitude) & 0x7FF0000000000000)
    shifter = min(max(binade, f.lowest_binade), f.highest_binade) * f.scale
    rounded = (magnitude + shifter) - shifter
    return np.copysign(f.beyond if rounded > f.largest else rounded, x)


@engine.golden
def float_multiply_add(x, y, acc, out):
    return to_nearest(sum_to_odd(x * y, acc), out)


@engine.golden
def float_multiply(x, y, out):
    return to_nearest(x * y, out) + out.zero


@engine.golden
def float_add(x, y, out):
    return to_nearest(sum_to_odd(x, y), out)


def float_bits(x: float) -> int:
    """The bit pattern of a float64, as a signed integer."""
    return struct.unpack("<q", struct.pack("<d", x))[0]


def bits_float(pattern: int) -> float:
    """The float64 of a bit pattern."""
    return struct.unpack("<d", struct.pack("<q", pattern))[0]


@cache
def register_bit_casts() -> None:
    """Make `float_bits` and `bits_float` known to the compiler."""
    from numba import types
    from numba.extending import overload

    as_word, as_float = bit_cast(types.int64), bit_cast(types.float64)

    @overload(float_bits)
    def compiled_float_bits(x):
        return lambda x: as_word(np.float64(x))

    @overload(bits_float)
    def compiled_bits_float(pattern):
        return lambda pattern: as_float(np.int64(pattern))


def bit_cast(target: Any) -> Callable:
    """For compiled functions: the same bits as another type of numba's, of as many bits."""
    from numba.extending import intrinsic

    def cast(typing_context: Any, x: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.bitcast(args[0], context.get_value_type(target))

        return target(x), codegen

    return intrinsic(cast)
