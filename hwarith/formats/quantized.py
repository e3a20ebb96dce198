"""How far quantized numbers are from what they were made of, and what notebooks show of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..lazily import np
from ..tables import Table


class Coded(Protocol):
    """What is shown of `hwarith.Quantized` and `hwarith.Blocks`."""

    @property
    def codes(self) -> np.ndarray: ...

    @property
    def group(self) -> int: ...

    @property
    def bits_per_weight(self) -> float: ...

    @property
    def nmse(self) -> float | None: ...


def nmse(arrays: Sequence[np.ndarray], rounded: Sequence[np.ndarray]) -> float | None:
    """Squared error over all arrays, as a share of the sum of their squares; None if that is no
    number (all are zero, or a value is infinite)."""
    pairs = zip(arrays, rounded, strict=True)
    with np.errstate(invalid="ignore", over="ignore"):
        error = sum(float(np.sum((w - q) ** 2)) for w, q in pairs)
        power = sum(float(np.sum(w.astype(np.float64) ** 2)) for w in arrays)
    return error / power if power > 0 and np.isfinite(error / power) else None


def quantized_table(type: str, q: Coded) -> Table:
    """What type it is, of which shape, how many bits it takes, and the error."""
    facts = {
        "type": type,
        "shape": " x ".join(map(str, q.codes.shape)),
        "group": q.group,
        "bits per weight": q.bits_per_weight,
        "NMSE": q.nmse,
    }
    return Table([facts]).without_empty()
