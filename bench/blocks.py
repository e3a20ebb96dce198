"""Quantizing to formats of blocks, as a ratio against numpy and ml_dtypes in one run.

Numbers per CPU-second (all threads counted), best of five, of fp32 numbers in blocks along the last
axis. The other implementation finds scales with ``frexp``, scales, clips, and has ml_dtypes (of
integers numpy) round. Both give the same codes.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
from golden import compare, rate

import hwarith as hw

SIZE = 4096
FEW = 1 << 10
"""Rows for the other implementation."""

TYPES = {
    "mxfp8_e4m3": ml_dtypes.float8_e4m3fn,
    "mxfp6_e2m3": ml_dtypes.float6_e2m3fn,
    "mxfp4": ml_dtypes.float4_e2m1fn,
    "mxint8": None,
    "nvfp4": ml_dtypes.float4_e2m1fn,
}

GOAL = 100e6
"""Numbers a CPU-second."""

rng = np.random.default_rng(1)


def by_numpy(x: np.ndarray, name: str) -> np.ndarray:
    """Element codes by the scale rules ``exact_ceil`` and, of NVFP4, ``te``."""
    f, kind = hw.format(name), TYPES[name]
    most = np.float32(f.largest)
    blocks = x.reshape(len(x), -1, f.block)
    largest = np.abs(blocks).max(axis=-1, keepdims=True)
    if f.tensor_scale:
        encode = np.float32(2688) / largest.max()
        scale = (largest * (encode * (np.float32(1) / most))).astype(ml_dtypes.float8_e4m3fn)
        factor = np.float32(1) / (scale.astype(np.float32) * (np.float32(1) / encode))
        scaled = np.clip(blocks * factor, -most, most)
    else:
        m, e = np.frexp(largest)
        m_most, e_most = np.frexp(most)
        scaled = np.clip(np.ldexp(blocks, e_most - e - (m > m_most)), -most, most)
    if kind is None:
        return np.rint(scaled).astype(np.int8).view(np.uint8).reshape(x.shape)
    return scaled.astype(kind).view(np.uint8).reshape(x.shape)


def main() -> None:
    x = rng.standard_normal((SIZE, SIZE)).astype(np.float32)
    few = x[:FEW]
    for name in TYPES:
        mask = (1 << hw.format(name).bits) - 1
        assert (hw.quantize(few, name).codes == by_numpy(few, name) & mask).all()
        theirs = rate(lambda name=name: by_numpy(few, name), few.size)
        ours = rate(lambda name=name: hw.quantize(x, name), x.size)
        compare(name, ours, "numpy", theirs, goal=1)
        verdict = "reached" if ours >= GOAL else "MISSED"
        print(f"{'':28} goal {GOAL / 1e6:g} M/s a CPU-second: {verdict}")


if __name__ == "__main__":
    main()
