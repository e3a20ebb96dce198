"""The greatest error of elementary functions of fp32, of all 2^32 operands.

    python bench/function_errors.py [FUNCTION ...]

float64 is the referee: its own error is below 2^-20 of a unit in the last place of fp32. More than
a minute for each function. The form of gelu with a hyperbolic tangent is ``gelu,form=tanh``.
"""

from __future__ import annotations

import math
import sys

import numba
import numpy as np

import hwarith as hw
from hwarith.progress import progress

_erf = numba.vectorize(["f8(f8)"])(lambda x: math.erf(x))
_erfc = numba.vectorize(["f8(f8)"])(lambda x: math.erfc(x))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    tail = np.exp(-np.abs(x))
    return np.where(x < 0, tail, 1) / (1 + tail)


def _gelu_by_tanh(x: np.ndarray) -> np.ndarray:
    return x * _sigmoid(math.sqrt(8 / math.pi) * (x + 0.044715 * x**3))


FLOAT64 = {
    "exp2": np.exp2,
    "exp": np.exp,
    "log2": np.log2,
    "ln": np.log,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "silu": lambda x: x * _sigmoid(x),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "gelu": lambda x: x * _erfc(-x * math.sqrt(0.5)) / 2,
    "gelu,form=tanh": _gelu_by_tanh,
    "erf": _erf,
}


def unit_of(function: str) -> hw.Unit:
    """The unit of a function, of fp32."""
    family, *form = function.split(",")
    return hw.unit(f"{family}:" + ",".join(["a=fp32", *form]))


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
    results = unit_of(family)(codes).view(np.float32)
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
        print(f"{family:14} {greatest_of_all(family):.4f} units in the last place")
