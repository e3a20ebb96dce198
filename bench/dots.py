"""Matrix products of dot products, beside a float32 product of as many multiply-adds.

Prints millions of multiply-adds per second of processor time, and how many times longer each takes
than numpy's float32 product in the same run: ``python bench/dots.py [SIZE]``.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import hwarith as hw

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


def seconds(work) -> float:
    """Processor time of the second call, all threads together."""
    work()
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
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
        print(f"{spec:40} {size**3 / took / 1e6:8.0f} M/s, {took / plain:6.1f} times numpy")


if __name__ == "__main__":
    main()
