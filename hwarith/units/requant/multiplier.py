"""A real scale as what requantization multiplies by: an integer of 31 bits and a power of two."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...exceptions import InvalidInput, quoted
from ...formats.codec import array_of
from ...lazily import np


class Multiplier(NamedTuple):
    """The scale m 2^(e - 31), as `Requant` takes it."""

    m: Any
    e: Any


def quantize_multiplier(scale: Any) -> Multiplier:
    """The fixed-point multipliers of real scales: m and e with m 2^(e - 31) nearest to each.

    Parameters
    ----------
    scale : a positive number, or an array of them such as the scales of channels: S_a S_b / S_out.

    Returns m (int64, from 2^30 to 2^31 - 1) and e (int64, from -31 to 31), of the shape of `scale`:
    off by a 2^-31th of the scale at most. Scales below 2^-32 become m = 0. Raises `InvalidInput`
    for scales that are not positive and finite, or 2^31 and more.

    Source: gemmlowp (doc/quantization_example.cc) and TensorFlow Lite (QuantizeMultiplier), here
    from float64; I-ViT's dyadic numbers are the same, but that it leaves m = 2^31 as it is.
    """
    given = array_of(scale, "quantize_multiplier: scale")
    if given.dtype.kind not in "iuf" or not given.size:
        raise InvalidInput(
            f"quantize_multiplier: scale must be a number or an array of them, not {quoted(scale)}"
        )
    numbers = given.astype(np.float64)
    if (wrong := ~((numbers > 0) & (numbers < 1 << 31))).any():
        raise InvalidInput(
            "quantize_multiplier: scales must be more than 0 and less than 2^31, "
            f"not {quoted(float(numbers[wrong].flat[0]))}"
        )
    fraction, e = np.frexp(numbers)
    m = np.floor(np.ldexp(fraction, 31) + 0.5).astype(np.int64)
    carried = m == 1 << 31
    m, e = np.where(carried, 1 << 30, m), e + carried
    if (e > 31).any():
        raise InvalidInput(
            "quantize_multiplier: scales must be less than 2^31, "
            f"not {quoted(float(numbers.max()))}"
        )
    small = e < -31
    return Multiplier(np.where(small, 0, m)[()], np.where(small, 0, e).astype(np.int64)[()])
