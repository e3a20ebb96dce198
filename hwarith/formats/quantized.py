"""How far quantized numbers are from what they were made of, and what notebooks show of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..lazily import np
from ..tables import Table

SLICE = 1 << 15
"""Numbers that are summed up at a time: what is made of them stays in a core's cache."""


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
    error = power = 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        for array, found in zip(arrays, rounded, strict=True):
            w, q = array.ravel(), found.ravel()
            for part in (slice(i, i + SLICE) for i in range(0, w.size, SLICE)):
                exact = w[part].astype(np.float64)
                error += float(np.sum((exact - q[part]) ** 2))
                power += float(np.sum(exact**2))
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
