"""Results a second of `hwarith check` on a combinational multiply-add, against `hwarith run`.

Both compare the same Verilog with the same golden model. The first makes its operands itself, and
its whole run counts: operands, golden model, Verilog, comparison. The second reads vectors of
TestFloat's text, as its `testfloat_gen` writes them. Compiling is not counted. The time of the
processor is what the rate would be on idle cores.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import hwarith as hw


def rates(vectors: int, run: object) -> tuple[float, float]:
    """Million results a second by the clock, and by the time of all cores together."""
    assert callable(run)
    start, used = time.perf_counter(), time.process_time()
    run()
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    return vectors / wall / 1e6, vectors / cpu * (os.cpu_count() or 1) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", nargs="?", default="fma:a=fp16")
    parser.add_argument("--vectors", type=int, default=1 << 22)
    parser.add_argument("--text", type=int, default=1 << 17, help="vectors of the text")
    given = parser.parse_args()
    u = hw.unit(given.spec)
    with tempfile.TemporaryDirectory() as folder:
        file, text = Path(folder) / "unit.v", Path(folder) / "vectors.txt"
        file.write_text(hw.verilog(u))
        hw.vectors(u, given.text).write(text, "testfloat")
        hw.check(file, u.name, u, vectors=1 << 12)  # compiles
        hw.simulate(u)
        found = {}

        def check() -> None:
            found["check"] = hw.check(file, u.name, u, vectors=given.vectors).seconds

        wall, cpu = rates(given.vectors, check)
        other, other_cpu = rates(given.text, lambda: hw.run_vectors(u, text, rtl=True))
    print(f"{u.spec}, million results/s on {os.cpu_count()} cores:")
    print(f"  hwarith check       {wall:7.3f}   {cpu:7.3f} if they are idle")
    print(f"  hwarith run --rtl   {other:7.3f}   {other_cpu:7.3f}")
    print(f"  ratio               {wall / other:7.1f}   {cpu / other_cpu:7.1f}")


if __name__ == "__main__":
    main()
