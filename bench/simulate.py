"""Vectors a second of the compiled RTL against the cocotb testbench on the same unit.

Both compute corner-weighted random vectors in one run; building is not counted. The short arrays
run on one core, the long ones of a combinational unit on all; cocotb drives one vector at a time
and compares it.
"""

from __future__ import annotations

import argparse
import os
import time

import hwarith as hw
from hwarith.flow.stimuli.families import stimulus

SHORT, LONG = 60_000, 4_000_000
"""Vectors in an array; so few as the first stay on one core."""


def simulate_rate(spec: str, vectors: int, repeat: int) -> float:
    """The best of a few runs."""
    simulation = hw.simulate(spec)
    operands = stimulus(simulation.unit, vectors)
    rates = []
    for _ in range(repeat):
        start = time.perf_counter()
        simulation(*operands)
        rates.append(vectors / (time.perf_counter() - start))
    return max(rates)


def cocotb_rate(spec: str, vectors: int) -> float:
    result = hw.regress(spec, vectors=vectors)
    assert result.failed == 0, result.message
    return vectors / result.phases[0].seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=["lmul:format=bf16", "mul:a=bf16"])
    for spec in parser.parse_args().specs:
        cocotb = cocotb_rate(spec, 100_000)
        print(f"{spec}, million vectors/s on {os.cpu_count()} cores:")
        print(f"  cocotb             {cocotb / 1e6:8.3f}")
        for vectors, repeat in ((SHORT, 50), (LONG, 5)):
            rate = simulate_rate(spec, vectors, repeat)
            print(f"  arrays of {vectors:<8,} {rate / 1e6:8.2f}   {rate / cocotb:6.0f} x cocotb")


if __name__ == "__main__":
    main()
