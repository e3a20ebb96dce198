"""The types of weights that are compared: those of `hwarith.quantize`, and fp16."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...errors import name_of
from ...formats.weights import TYPES, Quantized, WeightType, quantize, weight_type

FP16 = WeightType("fp16", 16, source="not by groups: each weight rounded to IEEE 754 binary16")
"""What types are compared with."""

ALL_TYPES = (*TYPES, FP16.name)

FAMILIES = (
    "integer",
    "float with special values",
    "float",
    "integer with zero point",
    "flint, ANT",
    "power exponent",
)
"""What `family` gives."""


def weight_types(types: Iterable[Any] = ()) -> list[WeightType]:
    """The types of these names without repetition, or all. Raises `InvalidInput`."""
    return list(dict.fromkeys(_type(name) for name in types or ALL_TYPES))


def _type(name: Any) -> WeightType:
    if name is FP16 or name_of(name) == FP16.name:
        return FP16
    return weight_type(name)


def family(kind: WeightType) -> str:
    """The kind of type, for readers."""
    if kind.kind in ("offset", "power"):
        return {"offset": "integer with zero point", "power": "power exponent"}[kind.kind]
    if "flint" in kind.name or kind.name.startswith("ant"):
        return "flint, ANT"
    if any(book.special is not None for book in kind.codebooks):
        return "float with special values"
    return "integer" if any(book.integer for book in kind.codebooks) else "float"


def quantized(kind: WeightType, w: np.ndarray, group: int) -> Quantized | np.ndarray:
    """Weights (..., n) quantized in groups along the last axis, the last of them filled with zeros;
    of fp16 the rounded weights."""
    if kind is FP16:
        with np.errstate(over="ignore"):
            return w.astype(np.float16)
    size = kind.group or group
    padding = [(0, 0)] * (w.ndim - 1) + [(0, -w.shape[-1] % size)]
    return quantize(np.pad(w, padding), kind, size)


def values(q: Quantized | np.ndarray) -> np.ndarray:
    """The float64 numbers that `quantized` weights stand for, zeros at the end among them."""
    return q.values() if isinstance(q, Quantized) else q.astype(np.float64)
