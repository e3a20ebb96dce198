"""Quantizing to types of few bits, as a ratio against ml_dtypes in one run; without the error that
`hwarith.quantize` adds.

Numbers per CPU-second (all threads counted), best of five, of fp32 numbers in blocks along the last
axis. The baseline is mxfp4 by numpy, whose elements ml_dtypes casts (`blocks.by_numpy`): a single
scale for each block, and no choice.
"""

from __future__ import annotations

import numpy as np
from blocks import FEW, SIZE, by_numpy
from golden import compare, rate

from hwarith.formats.blocks import quantize_blocks

TYPES = (
    *("mxfp4", "nvfp4", "mxfp4+", "mxfp4++", "mxfp8_e4m3+", "m2xfp_a", "m2xfp_w", "razer_a"),
    *("razer_w", "anda_m6"),
)

GOAL = 50e6
"""Numbers a CPU-second."""


def main() -> None:
    x = np.random.default_rng(1).standard_normal((SIZE, SIZE)).astype(np.float32)
    few = x[:FEW]
    theirs = rate(lambda: by_numpy(few, "mxfp4"), few.size)
    for name in TYPES:
        ours = rate(lambda name=name: quantize_blocks(x, name), x.size)
        compare(name, ours, "ml_dtypes", theirs, goal=1)
        verdict = "reached" if ours >= GOAL else "MISSED"
        print(f"{'':28} goal {GOAL / 1e6:g} M/s a CPU-second: {verdict}")


if __name__ == "__main__":
    main()
