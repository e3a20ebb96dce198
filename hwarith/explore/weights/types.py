"""The types of weights that are compared: those of `hwarith.quantize`, and fp16."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...exceptions import name_of
from ...formats import BLOCKS, BlockFormat, Blocks
from ...formats.weights import TYPES, Quantized, WeightKind, WeightType, quantize, weight_type

FP16 = WeightType("fp16", 16, source="not by groups: each weight rounded to IEEE 754 binary16")
"""What types are compared with."""

ALL_TYPES = (*TYPES, *BLOCKS, FP16.name)

Coded = Quantized | Blocks
"""What `hwarith.quantize` gives."""

FAMILIES = (
    "integer",
    "float with special values",
    "float",
    "integer with zero point",
    "flint, ANT",
    "power exponent",
    "blocks of floats",
    "blocks of integers",
)
"""What `family` gives."""


def weight_types(types: Iterable[Any] = ()) -> list[WeightKind]:
    """The types of these names without repetition, or all. Raises `InvalidInput`."""
    return list(dict.fromkeys(_type(name) for name in types or ALL_TYPES))


def _type(name: Any) -> WeightKind:
    if name is FP16 or name_of(name) == FP16.name:
        return FP16
    return weight_type(name)


def family(kind: WeightKind) -> str:
    """The kind of type, for readers."""
    if isinstance(kind, BlockFormat):
        return f"blocks of {'integers' if kind.is_integer else 'floats'}"
    if kind.kind in ("offset", "power"):
        return {"offset": "integer with zero point", "power": "power exponent"}[kind.kind]
    if "flint" in kind.name or kind.name.startswith("ant"):
        return "flint, ANT"
    if any(book.special is not None for book in kind.codebooks):
        return "float with special values"
    return "integer" if any(book.integer for book in kind.codebooks) else "float"


def quantized(kind: WeightKind, w: np.ndarray, group: int) -> Coded | np.ndarray:
    """Weights (..., n) quantized in groups along the last axis, the last of them filled with zeros;
    of fp16 the rounded weights."""
    if kind is FP16:
        with np.errstate(over="ignore"):
            return w.astype(np.float16)
    size = kind.group or group
    padding = [(0, 0)] * (w.ndim - 1) + [(0, -w.shape[-1] % size)]
    return quantize(np.pad(w, padding), kind, size)


def values(q: Coded | np.ndarray) -> np.ndarray:
    """The float64 numbers that `quantized` weights stand for, zeros at the end among them."""
    return q.values() if isinstance(q, Coded) else q.astype(np.float64)
