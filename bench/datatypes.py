"""Types of few bits: quantizing, as a ratio against ml_dtypes in one run, and the elements that
multiply them, against numpy.

Numbers per CPU-second (all threads counted), best of five, of fp32 numbers in blocks along the last
axis, without the error that `hwarith.quantize` adds. The baseline is mxfp4 by numpy, whose elements
ml_dtypes casts (`blocks.by_numpy`): a single scale for each block, and no choice.

Multiply-adds per CPU-second of golden models, of groups of 128 or 64; the baseline is numpy's
einsum of as many numbers in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from blocks import FEW, SIZE, by_numpy
from golden import compare, rate

import hwarith as hw
from hwarith.formats.blocks import quantize_blocks

TYPES = (
    *("mxfp4", "nvfp4", "mxfp4+", "mxfp4++", "mxfp8_e4m3+", "m2xfp_a", "m2xfp_w", "razer_a"),
    *("razer_w", "anda_m6"),
)

GOAL = 50e6
"""Numbers a CPU-second."""


ELEMENTS = (
    *("fpint:w=int4", "andape:w=int4", "ternary:lanes=8", "lutdot:n=16", "lutdot:a=fp16,n=16"),
    *("axdot:w=e2m1fn", "dot:meta=mx+,n=32", "dot:meta=m2xfp,n=32", "dot:meta=razer,n=16"),
)

LEAST = 20e6
"""Multiply-adds a CPU-second."""

GROUPS = 2000


def quantizers() -> None:
    x = np.random.default_rng(1).standard_normal((SIZE, SIZE)).astype(np.float32)
    few = x[:FEW]
    theirs = rate(lambda: by_numpy(few, "mxfp4"), few.size)
    for name in TYPES:
        ours = rate(lambda name=name: quantize_blocks(x, name), x.size)
        compare(name, ours, "ml_dtypes", theirs, goal=1)
        against(GOAL, ours)


def elements() -> None:
    for spec in ELEMENTS:
        rng, u = np.random.default_rng(2), hw.unit(spec)
        work, count = products(u, rng)
        x = rng.standard_normal(count).astype(np.float32).reshape(-1, 64)
        theirs = rate(lambda x=x: np.einsum("ij,ij->i", x, x), count)
        ours = rate(work, count)
        print(f"{spec:28} {ours / 1e6:8.1f} M/s   numpy {theirs / 1e6:8.1f} M/s")
        against(LEAST, ours)


def products(u: Any, rng: np.random.Generator) -> tuple[Callable[[], object], int]:
    """What multiplies and adds, and how often: groups, or for a column or dot product a matrix."""

    def drawn(f: hw.Format, *shape: int) -> np.ndarray:
        return rng.integers(0, 1 << f.bits, shape, dtype=f.dtype)

    if u.family in ("axdot", "dot"):
        m, k, n = 64, 128, 256
        a, b = drawn(u.a, m, k), drawn(u.w if u.family == "axdot" else u.b, k, n)
        scales = {}
        if u.family == "dot":
            sa, sb = u.operands["sa"], u.operands["sb"]
            scales = {"sa": drawn(sa, m, k // u.block), "sb": drawn(sb, k // u.block, n)}
        return lambda: hw.matmul(u, a, b, **scales), m * k * n
    acts, weights = rng.standard_normal((GROUPS, 64)), rng.integers(-8, 8, (GROUPS, 64))
    if u.family == "lutdot":
        x, w = u.a.encode(acts * (1 if u.is_float else 30)), weights[:, None].repeat(u.n, 1) + 8
        return lambda: u.group(x, w), w.size
    if u.family == "ternary":
        x, w = u.a.encode(acts * 30), weights.clip(-1, 1)
        return lambda: u.group(x, w), w.size
    mantissas = u.family == "andape"
    x = hw.quantize(acts, "anda_m8").codes if mantissas else hw.format("fp16").encode(acts)
    return lambda: u.group(x, weights), weights.size


def against(goal: float, ours: float) -> None:
    verdict = "reached" if ours >= goal else "MISSED"
    print(f"{'':28} goal {goal / 1e6:g} M/s a CPU-second: {verdict}")


def main() -> None:
    quantizers()
    elements()


if __name__ == "__main__":
    main()
