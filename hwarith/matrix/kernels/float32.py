"""Arithmetic in float32 that rounds to narrower formats, as `hwarith.matrix.float64` in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...golden import golden, primitive
from ...golden.instructions import bit_cast, fused_multiply_add
from ..float64 import FloatRounding


def float32_rounding(f: FloatRounding) -> FloatRounding:
    """`to_nearest`'s constants in float32, of those in float64."""
    numbers = f._replace(scale=f.scale * 2.0**-29)  # 52 fraction bits to 23
    in_float32: Any = map(np.float32, numbers)
    return FloatRounding(*in_float32)


def _compiled_float_word() -> Callable:
    import numba

    return bit_cast(numba.float32, numba.int32)


def _compiled_word_float() -> Callable:
    import numba

    return bit_cast(numba.int32, numba.float32)


def _compiled_fused() -> Callable:
    import numba

    return fused_multiply_add(numba.float32)


@primitive(_compiled_float_word)
def float_word(x: float) -> int:
    """The bit pattern of a float32, as a signed integer."""
    return int(np.float32(x).view(np.int32))


@primitive(_compiled_word_float)
def word_float(word: Any) -> float:
    """The float32 of a bit pattern, given as a signed integer."""
    return float(np.int32(word).view(np.float32))


@primitive(_compiled_fused)
def fused(x: float, y: float, z: float) -> float:
    """x * y + z of float32 numbers, rounded once."""
    raise NotImplementedError("only in compiled steps")


@golden
def to_nearest(x, f):
    """`hwarith.matrix.float64.to_nearest` in float32."""
    magnitude = abs(x)
    binade = word_float(float_word(magnitude) & np.int32(0x7F800000))
    shifter = min(max(binade, f.lowest_binade), f.highest_binade) * f.scale
    rounded = (magnitude + shifter) - shifter
    return np.copysign(f.beyond if rounded > f.largest else rounded, x)
