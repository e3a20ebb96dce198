"""The transformer's retrieval task on units, as ratios to float32 arithmetic (numpy's) in one run.

Seconds of wall-clock time on all cores, of 96 pairs of texts of up to 32 tokens (53 G
multiply-adds), the compilation of kernels not counted. Presets, which run every operation on units,
are compared with a unit in the products alone, by the processors' time of a second run each.

    python bench/transformer.py             all of them
    python bench/transformer.py bf16 ...    these presets
"""

from __future__ import annotations

import sys
import time

from hwarith.exceptions import MissingTool
from hwarith.explore.workloads.minilm import run
from hwarith.explore.workloads.minilm.presets import PRESETS

GOALS = {
    "fma:a=bf16,c=fp32,out=fp32": 60,
    "mul:a=e4m3fn,round=rtz": 60,
    "lmul:format=bf16": 300,
    "lmul:format=fp32": 300,
    "anfma:a=bf16": 300,
    "fma:a=bf16": 300,
    "fma:a=fp32,subnormals=flush": 300,
    "fma:a=bf16,c=fp32,out=fp32,round=rto": 300,
}
"""Seconds on two cores: of bf16 products summed in fp32; of a unit that goes through a table (a
multiplier of 8 bits that truncates); of units with a kernel; and of one with none."""


PRODUCTS = "fma:a=bf16,c=fp32,out=fp32"
"""What presets are compared with."""

MOST = 1.5
"""Times as long as that a preset may take."""


def main() -> None:
    try:
        run(None, pairs=2, tokens=8)
    except MissingTool as error:
        print(f"skipped: {error}")
        return
    if len(sys.argv) == 1:
        units()
    presets(sys.argv[1:] or list(PRESETS))


def presets(names: list[str]) -> None:
    alone = processor_time(PRODUCTS)
    print(f"{PRODUCTS:40} {alone:6.1f} s of processors")
    for name in names:
        spent = processor_time(name)
        verdict = "reached" if spent <= MOST * alone else "MISSED"
        print(
            f"{name:40} {spent:6.1f} s of processors   ratio {spent / alone:5.2f}   "
            f"goal {MOST}: {verdict}",
            flush=True,
        )


def processor_time(spec: str) -> float:
    run(spec)  # definitions are compiled for what they meet often
    start = time.process_time()
    run(spec)
    return time.process_time() - start


def units() -> None:
    exact = run(None)
    print(f"{'float32 (numpy)':40} {exact.seconds:6.1f} s   {exact.rate / 1e9:5.2f} G/s")
    for spec, goal in GOALS.items():
        run(spec, pairs=2, tokens=8)
        found = run(spec)
        verdict = "reached" if found.seconds <= goal else "MISSED"
        print(
            f"{spec:40} {found.seconds:6.1f} s   {found.rate / 1e9:5.2f} G/s   ratio "
            f"{found.seconds / exact.seconds:5.1f}   goal {goal} s: {verdict}"
        )


if __name__ == "__main__":
    main()
