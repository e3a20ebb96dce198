"""The transformer's retrieval task on units, as ratios to float32 arithmetic (numpy's) in one run.

Seconds of wall-clock time on all cores, of 96 pairs of texts of up to 32 tokens (53 G
multiply-adds), the compilation of kernels not counted.
"""

from __future__ import annotations

from hwarith.exceptions import MissingTool
from hwarith.explore.workloads.minilm import run

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


def main() -> None:
    try:
        run(None, pairs=2, tokens=8)
    except MissingTool as error:
        print(f"skipped: {error}")
        return
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
