"""Golden models of rows at array speed, beside numpy's float32 doing the same in one run.

Elements per CPU-second of 2048 rows of 512 values, best of five. numpy rounds as float32 does and
sums pairwise; what is bought with the ratio is each operation in its own format and order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from golden import rate

import hwarith as hw

ROWS, LENGTH = 2048, 512


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def layernorm(x: np.ndarray) -> np.ndarray:
    d = x - x.mean(axis=1, keepdims=True)
    return d / np.sqrt((d * d).mean(axis=1, keepdims=True) + np.float32(1e-5)) + np.float32(0.5)


def rmsnorm(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + np.float32(1e-5)) * np.float32(0.5)


UNITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "softmax": softmax,
    "softmax:a=bf16": softmax,
    "softmax:method=online": softmax,
    f"layernorm:a=bf16,length={LENGTH}": layernorm,
    f"layernorm:a=fp16,acc=fp16,length={LENGTH}": layernorm,
    f"rmsnorm:a=bf16,length={LENGTH}": rmsnorm,
}


def beside_numpy(spec: str, function: Callable[[np.ndarray], np.ndarray]) -> None:
    u = hw.unit(spec)
    x = np.random.default_rng(1).normal(0, 2, (ROWS, LENGTH)).astype(np.float32)
    first, *others = u.operands.values()
    operands = [first.encode(x), *(f.encode(0.5) for f in others)]
    ours = rate(lambda: u(*operands), x.size)
    theirs = rate(lambda: function(x), x.size)
    print(
        f"{spec:42} {ours / 1e6:8.1f} M/s   numpy float32 {theirs / 1e6:8.1f} M/s   "
        f"ratio 1 : {theirs / ours:.0f}"
    )


if __name__ == "__main__":
    for name, function in UNITS.items():
        beside_numpy(name, function)
