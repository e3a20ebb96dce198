"""The greatest error of elementary functions of fp32, of all 2^32 operands.

    python bench/function_errors.py [FUNCTION ...]

float64 is the referee: its own error is below 2^-28 of a unit in the last place of fp32. More than
a minute for each function.
"""

from __future__ import annotations

import sys

import numpy as np

import hwarith as hw
from hwarith.progress import progress

FLOAT64 = {"exp2": np.exp2, "exp": np.exp, "log2": np.log2, "ln": np.log}

_SLICE = 1 << 22
_BLOCK = 1 << 16
_LEAST = 2.0**-126


def error_in_ulps(y: np.ndarray, value: np.ndarray) -> float:
    """The greatest distance of fp32 numbers from values, which float64 tells, in units of the
    values' last place; infinity if one is not beside its value, or not the value where that is an
    fp32 number."""
    bits = value.view(np.int64)
    binade = np.maximum((bits & 0x7FF0_0000_0000_0000).view(np.float64), _LEAST)
    error = np.abs(y - value) / binade
    is_code = (bits & 0x1FFF_FFFF == 0) & (np.abs(value) >= _LEAST)
    beside = (np.abs(y) >= binade) | (np.abs(value) < _LEAST)
    if not beside.all() or error[is_code].any():
        return float("inf")
    return float(error.max(initial=0.0)) * 2.0**23


def greatest_error(family: str, codes: np.ndarray) -> float:
    """Of operands whose result is in range; what is beyond it must be an infinity."""
    greatest = 0.0
    results = hw.unit(f"{family}:a=fp32")(codes).view(np.float32)
    with np.errstate(all="ignore"):
        for first in range(0, len(codes), _BLOCK):
            part = slice(first, first + _BLOCK)
            y, x = results[part].astype(np.float64), codes[part].view(np.float32)
            value = FLOAT64[family](x.astype(np.float64))
            in_range = np.abs(value) < 2.0**128 * (1 - 2.0**-25)
            assert (in_range | np.isinf(y) | np.isnan(value)).all()
            greatest = max(greatest, error_in_ulps(y[in_range], value[in_range]))
    return greatest


def greatest_of_all(family: str) -> float:
    """Of all operands."""
    greatest = 0.0
    for first in progress(range(0, 1 << 32, _SLICE), family):
        codes = np.arange(first, first + _SLICE, dtype=np.uint64).astype(np.uint32)
        greatest = max(greatest, greatest_error(family, codes))
    return greatest


if __name__ == "__main__":
    for family in sys.argv[1:] or FLOAT64:
        print(f"{family:5} {greatest_of_all(family):.4f} units in the last place")
