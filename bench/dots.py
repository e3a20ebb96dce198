"""Dot products in matrix products and in calls on rows, beside a float32 product of matrices.

Prints millions of multiply-adds per second of processor time, and how many times longer matrix
products take than numpy's float32 product in the same run: ``python bench/dots.py [SIZE]``. Calls
are those of a unit that was used for long, so that its definition is compiled for its constants.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import hwarith as hw
from hwarith.golden import rows

SPECS = (
    "dot:preset=h100-fp16-fp32",
    "dot:preset=h100-wgmma-e4m3fn-fp32",
    "dot:preset=a100-tf32-fp32",
    "dot:preset=b200-mxfp8",
    "dot:preset=b200-nvfp4",
    "dot:a=e4m3fn,n=32",
    "dot:a=e2m1fn,n=16,scale=ue4m3",
    "dot:a=e4m3fn,n=32,scale=e8m0fnu",
)

PAIRS = 1 << 22
"""Products of a call."""


def seconds(work) -> float:
    """Processor time of the second call, all threads together."""
    work()
    start = time.process_time()
    work()
    return time.process_time() - start


def of_rows(u: hw.Unit, rng: np.random.Generator) -> list[np.ndarray]:
    """Operands of rows of codes, `PAIRS` products in all."""
    lanes = [(f, (PAIRS // u.n, n)) for f, n in u.lane_formats.values()]
    formats = [*lanes, (u.c, (PAIRS // u.n,))]
    return [f.encode(abs(rng.normal(size=shape))) for f, shape in formats]


def main() -> None:
    rows.HOT = 0
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, size, size))
    plain = seconds(lambda: x.astype(np.float32) @ y.astype(np.float32))
    print(f"{'numpy float32':40} {size**3 / plain / 1e6:8.0f} M/s")
    for spec in SPECS:
        u = hw.unit(spec)
        a, b = u.a.encode(x), u.b.encode(y)
        scales = {}
        if u.scale:
            shapes = {"sa": (size, size // u.block), "sb": (size // u.block, size)}
            scales = {name: u.scale.encode(np.ones(shape)) for name, shape in shapes.items()}
        took = seconds(lambda u=u, a=a, b=b, s=scales: hw.matmul(u, a, b, **s))
        operands = of_rows(u, rng)
        called = seconds(lambda u=u, operands=operands: u(*operands))
        print(
            f"{spec:40} {size**3 / took / 1e6:8.0f} M/s, {took / plain:6.1f} times numpy; "
            f"rows {PAIRS / called / 1e6:6.0f} M/s"
        )


if __name__ == "__main__":
    main()
