"""Golden models of elementary functions, beside numpy's functions of the same type.

Results per CPU-second (all threads counted), best of five: those of 16 bits are read from a table
of all operands' results, those of fp32 are the polynomials that hardware evaluates.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from golden import ELEMENTS, codes, rate

import hwarith as hw

WANTED = {"fp16": 200e6, "bf16": 200e6, "fp32": 50e6}
"""Results a CPU-second."""

PEERS: dict[str, Callable] = {
    "exp2": np.exp2,
    "exp": np.exp,
    "log2": np.log2,
    "ln": np.log,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "gelu": lambda x: x / 2 * (1 + np.tanh(x.dtype.type(0.7978846) * (x + x * x * x / 22))),
}
"""numpy has no error function: gelu is its form with a hyperbolic tangent."""


def beside_numpy(family: str, name: str) -> None:
    u = hw.unit(f"{family}:a={name}")
    operands = codes(name)
    if family in ("log2", "ln"):  # of negative numbers there are none, which takes no time
        operands >>= operands.dtype.type(1)
    ours = rate(lambda: u(operands), ELEMENTS)
    if name == "bf16":
        from ml_dtypes import bfloat16 as kind
    else:
        kind = {"fp16": np.float16, "fp32": np.float32}[name]
    x = operands.view(kind)
    with np.errstate(all="ignore"):
        theirs = rate(lambda: PEERS[family](x), ELEMENTS)
    wanted = WANTED[name]
    print(
        f"{family:7} {name:5} {ours / 1e6:8.1f} M/s   numpy {theirs / 1e6:8.2f} M/s   "
        f"ratio {ours / theirs:6.2f}   goal {wanted / 1e6:g} M/s: "
        f"{'reached' if ours >= wanted else 'MISSED'}"
    )


if __name__ == "__main__":
    for family in PEERS:
        for name in WANTED:
            beside_numpy(family, name)
