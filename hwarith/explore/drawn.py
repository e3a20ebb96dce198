"""Random operands: codes of normally distributed values, and random bits."""

from __future__ import annotations

import numpy as np

from ..formats import Format

RANDOM_BITS = "r"
"""The operand of all units that round at random."""

_WIDE_ENOUGH, _SHARE = 4, 0.25


def normal_codes(f: Format, shape: int | tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Codes of values of standard deviation 1, of integers and narrow formats a quarter of the
    largest value; of formats without negative values those of their magnitudes."""
    x = _deviation(f) * rng.normal(size=shape)
    return f.encode(x if f.signed else np.abs(x))


def _deviation(f: Format) -> float:
    return 1.0 if f.is_float and f.max >= _WIDE_ENOUGH else float(f.max) * _SHARE


def port_codes(
    name: str, f: Format, shape: int | tuple[int, ...], rng: np.random.Generator
) -> np.ndarray:
    """`normal_codes` for an operand; of `RANDOM_BITS` all codes alike."""
    if name == RANDOM_BITS:
        return rng.integers(0, (1 << f.bits) - 1, shape, f.dtype, endpoint=True)
    return normal_codes(f, shape, rng)
