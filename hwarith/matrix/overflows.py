"""Which sums of integer products left the range of what they are held in."""

from __future__ import annotations

import math

import numpy as np

from ..formats import Format


def overflowed(f: Format, a: np.ndarray, b: np.ndarray, lanes: int) -> np.ndarray:
    """Which elements (m, n) of the product of integer matrices (m, K) and (K, n) had a sum on the
    way, after every so many products, beyond a format."""
    low, high = int(f.min), int(f.max)
    peaks = (int(np.abs(x.astype(np.int64)).max(initial=0)) for x in (a, b))
    if a.shape[1] * math.prod(peaks) <= high:
        return np.zeros((len(a), b.shape[1]), bool)
    most = np.abs(a.astype(np.float64)) @ np.abs(b.astype(np.float64))
    found = most > high
    for i, j in np.argwhere(found):
        sums = np.cumsum(a[i].astype(np.int64) * b[:, j])
        ends = np.append(sums[lanes - 1 :: lanes], sums[-1])
        found[i, j] = bool((ends < low).any() or (ends > high).any())
    return found
