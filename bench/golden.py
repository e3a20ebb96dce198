"""Golden models at array speed, as ratios against other implementations in one run.

Elements per CPU-second (all threads counted), best of five. `ml_dtypes` multiplies arrays;
`softfloatpy` has no arrays, so its figure is that of its scalar function mapped over lists.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import ml_dtypes
import numpy as np
import softfloatpy as softfloat

import hwarith as hw
from hwarith.golden import HOT

ELEMENTS = 1 << 22
rng = np.random.default_rng(1)


def rate(work: Callable[[], object], elements: int) -> float:
    """Elements per CPU-second; the first calls, until all is compiled, are not counted."""
    for _ in range(1 + HOT // ELEMENTS):
        work()
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return elements / best


def codes(name: str, count: int = ELEMENTS) -> np.ndarray:
    f = hw.format(name)
    return rng.integers(0, 1 << f.bits, count, dtype=f.dtype)


def compare(what: str, ours: float, peer: str, theirs: float, goal: float) -> None:
    verdict = "reached" if ours / theirs >= goal else "MISSED"
    print(
        f"{what:28} {ours / 1e6:8.1f} M/s   {peer:12} {theirs / 1e6:8.2f} M/s   "
        f"ratio {ours / theirs:6.1f}   goal {goal:g}: {verdict}"
    )


def multiply(name: str, goal: float) -> None:
    a, b = codes(name), codes(name)
    u = hw.unit(f"mul:a={name}")
    numpy_type = getattr(ml_dtypes, "bfloat16" if name == "bf16" else f"float8_{name}")
    x, y = a.view(numpy_type), b.view(numpy_type)
    with np.errstate(all="ignore"):
        theirs = rate(lambda: x * y, ELEMENTS)
    compare(f"mul {name}", rate(lambda: u(a, b), ELEMENTS), "ml_dtypes", theirs, goal)


NUMBERS = {"fp32": softfloat.Float32, "fp64": softfloat.Float64}
METHODS = {"add": "add", "mul": "mul", "fma": "mul_add", "div": "div", "sqrt": "sqrt"}
WANTED = {"fp32": 40e6, "fp64": 8e6}
"""Quotients and roots a CPU-second."""


def beside_softfloat(spec: str, goal: float, least: float = 0) -> None:
    """A unit of one format beside SoftFloat, and beside the `least` rate wanted of it."""
    u = hw.unit(spec)
    operands = [codes(f.name) for f in u.operands.values()]
    if u.family == "sqrt":  # of negative numbers there are none, which takes no time
        operands = [x >> x.dtype.type(1) for x in operands]
    few, number = 200_000, NUMBERS[u.out.name]
    scalars = [
        [number.from_bytes(c.to_bytes(u.out.bits // 8, "big")) for c in x[:few].tolist()]
        for x in operands
    ]
    function = getattr(softfloat, f"f{u.out.bits}_{METHODS[u.family]}")
    theirs = rate(lambda: list(map(function, *scalars)), few)
    ours = rate(lambda: u(*operands), ELEMENTS)
    compare(spec, ours, "softfloatpy", theirs, goal)
    if least:
        verdict = "reached" if ours >= least else "MISSED"
        print(f"{'':28} {'':12} goal {least / 1e6:g} M/s a CPU-second: {verdict}")


def encode(name: str, goal: float) -> None:
    x = rng.standard_normal(ELEMENTS).astype(np.float32)
    f = hw.format(name)
    its_name = {"bf16": "bfloat16", "e2m1fn": "float4_e2m1fn"}.get(name, f"float8_{name}")
    numpy_type = getattr(ml_dtypes, its_name)
    theirs = rate(lambda: x.astype(numpy_type), ELEMENTS)
    compare(
        f"encode fp32 to {name}", rate(lambda: f.encode(x), ELEMENTS), "ml_dtypes", theirs, goal
    )


def approximate(name: str) -> None:
    """Approximate multipliers beside the exact one."""
    operands = codes(name), codes(name)

    def ours(spec: str) -> float:
        u = hw.unit(spec)
        return rate(lambda: u(*operands), ELEMENTS)

    exact = ours(f"mul:a={name}")
    for family in ("lmul", "pam"):
        compare(f"{family} {name}", ours(f"{family}:format={name}"), "our mul", exact, goal=1)


if __name__ == "__main__":
    multiply("e4m3fn", goal=5)
    multiply("bf16", goal=1)
    for name in ("bf16", "fp16", "fp32"):  # smaller ones go through a table, all alike
        approximate(name)
    beside_softfloat("fma:a=fp32", goal=10)
    for family in ("div", "sqrt"):
        for name, least in WANTED.items():
            beside_softfloat(f"{family}:a={name}", goal=1, least=least)
    for family in ("add", "mul", "fma"):
        for flags in ("", ",flags=after"):  # with them, results have more than 64 bits
            beside_softfloat(f"{family}:a=fp64{flags}", goal=1, least=10e6)
    encode("e4m3fn", goal=5)
    encode("e2m1fn", goal=5)
