"""The first call on an array in a process, where nothing is kept yet, as a ratio to one that finds
what another process compiled.

Each in a process of its own, with the same cache folder, empty at first; the best of three others.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

ELEMENTS = 10_000
GOAL = 0.5

WORK = """
import sys, time
start = time.perf_counter()
import numpy as np
import hwarith as hw
u = hw.unit(sys.argv[1])
rng = np.random.default_rng(1)
operands = [rng.integers(0, 1 << f.bits, int(sys.argv[2]), f.dtype) for f in u.operands.values()]
called = time.perf_counter()
u(*operands)
end = time.perf_counter()
print(end - called, end - start)
"""


def seconds(spec: str, cache: str) -> tuple[float, float]:
    """Of the first call, and of the whole process, imports included."""
    command = [sys.executable, "-c", WORK, spec, str(ELEMENTS)]
    environment = os.environ | {"HWARITH_CACHE": cache}
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    call, whole = map(float, ran.stdout.split())
    return call, whole


def compare(spec: str) -> None:
    with tempfile.TemporaryDirectory() as cache:
        first = seconds(spec, cache)
        second = min(seconds(spec, cache) for _ in range(3))
    verdict = "reached" if second[0] < GOAL else "MISSED"
    for what, one, other in zip(("call", "process"), first, second, strict=True):
        print(
            f"{spec:12} first {what:8} {one:6.2f} s   second process {other:6.3f} s   "
            f"ratio {one / other:5.1f}"
        )
    print(f"{'':12} goal: second call under {GOAL} s: {verdict}")


if __name__ == "__main__":
    for spec in ("fma:a=bf16", "mul:a=fp32", "mac:a=bf16"):
        compare(spec)
