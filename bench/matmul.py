"""Matrix products at array speed, as ratios against apytypes in one run.

Multiply-accumulates per CPU-second (all threads counted), best of five. Sums run in ascending
order. apytypes rounds each product and then each sum, to the accumulator's format, as `mul` with an
adder does here, and with the same results; `fma` rounds once.
"""

from __future__ import annotations

import apytypes
import numpy as np
from golden import compare, rate

import hwarith as hw

SIZE = 256
FIELDS = {"bf16": (8, 7), "fp32": (8, 23)}
"""Exponent and fraction bits."""

rng = np.random.default_rng(1)


def main() -> None:
    f = hw.format("bf16")
    a, b = f.encode(rng.standard_normal((2, SIZE, SIZE)))
    x, y = (apytypes.APyFloatArray.from_float(f.decode(v), *FIELDS["bf16"]) for v in (a, b))
    for accumulator, goal in (("bf16", 20), ("fp32", 10)):
        with apytypes.APyFloatAccumulatorContext(*FIELDS[accumulator]):
            theirs = rate(lambda: x @ y, SIZE**3)
        for family, add in (("fma", None), ("mul", f"add:a={accumulator}")):
            u = hw.unit(f"{family}:a=bf16,out={accumulator}")
            ours = rate(lambda u=u, add=add: hw.matmul(u, a, b, add=add), SIZE**3)
            least = goal if family == "fma" else 10
            compare(f"{family} bf16, sums in {accumulator}", ours, "apytypes", theirs, least)


if __name__ == "__main__":
    main()
