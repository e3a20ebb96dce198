"""Quantizing weights by groups, and sums in the bit-serial element.

Weights per CPU-second (all threads counted), best of five, of BitMoD-4 in groups of 128, as a ratio
against the same algorithm the way that public quantizers do it in numpy: all distances to all
levels, and the least of them. The results of both are the same. For the bit-serial element
multiply-adds per CPU-second of its golden model, which has no peer.
"""

from __future__ import annotations

import time

import numpy as np
from golden import compare, rate

import hwarith as hw

SIZE, GROUP = 4096, 128

FEW = 128
"""Rows for the other implementation, which takes much memory."""

GROUPS = 8192
"""Groups for the bit-serial element."""

BASIC = (0, 0.5, 1, 1.5, 2, 3, 4, 6)
SPECIALS = (5, -5, 8, -8)

rng = np.random.default_rng(1)


def by_distances(w: np.ndarray) -> np.ndarray:
    """Weights (rows, n) quantized to BitMoD-4, as values."""
    groups = w.astype(np.float64).reshape(-1, GROUP)
    found, best = np.zeros(groups.shape), np.full((len(groups), 1), np.inf)
    for special in SPECIALS:
        levels = np.unique([*BASIC, *(-x for x in BASIC), special])
        scale = np.abs(groups).max(axis=1, keepdims=True) / np.abs(levels).max()
        distances = np.abs((groups / scale)[..., None] - levels)
        values = levels[distances.argmin(axis=-1)] * scale
        error = np.mean((values - groups) ** 2, axis=1, keepdims=True)
        found = np.where(error < best, values, found)
        best = np.minimum(error, best)
    return found.reshape(w.shape)


def quantizer() -> None:
    w = rng.standard_normal((SIZE, SIZE)).astype(np.float32)
    few = w[:FEW]
    assert (hw.quantize(few, "bitmod4", GROUP).values() == by_distances(few)).all()
    theirs = rate(lambda: by_distances(few), few.size)
    ours = rate(lambda: hw.quantize(w, "bitmod4", GROUP), w.size)
    compare(f"bitmod4, {SIZE} x {SIZE}", ours, "distances", theirs, goal=5)
    for kind in ("bitmod4", "int4", "nupes4"):
        start = time.perf_counter()
        hw.quantize(w, kind, GROUP)
        print(f"{kind + ', ' + f'{SIZE} x {SIZE}':28} {time.perf_counter() - start:8.2f} s elapsed")


def bit_serial(kind: str, unit_type: str) -> None:
    q = hw.quantize(rng.standard_normal((GROUPS, GROUP)), kind)
    acts = hw.format("fp16").encode(rng.standard_normal((GROUPS, GROUP)))
    u = hw.unit(f"bspe:type={unit_type}")
    special = (2 * q.specials[:, 0]).astype(int)
    speed = rate(lambda: u.group(acts, q.codes, special), acts.size)
    print(f"{'bspe ' + unit_type:28} {speed / 1e6:8.1f} M multiply-adds/s")


if __name__ == "__main__":
    quantizer()
    bit_serial("bitmod4", "fp4")
    bit_serial("int8", "int8")
