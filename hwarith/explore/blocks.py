"""Formats of blocks compared: how much of a signal they keep."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InvalidInput, quoted
from ..formats import format
from ..formats.blocks import BlockFormat, quantize_blocks

PHASES = 32
"""Standard deviations, from 1 to 2, over which errors are averaged: how powers of two fall."""


def qsnr(x: ArrayLike, q: ArrayLike) -> float:
    """The signal to noise ratio of quantization, -10 log10(|x - q|^2 / |x|^2), in dB."""
    exact = np.asarray(x, np.float64)
    noise = np.sum((exact - np.asarray(q, np.float64)) ** 2)
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.sum(exact**2) / noise))


def normal_qsnr(name: Any, scale_rule: str | None = None, blocks: int = 1024) -> float:
    """The mean QSNR in dB of a format of blocks for normal numbers, of so many blocks at each of 32
    standard deviations 2^(j/32) (fp32; numpy's ``default_rng(0)``)."""
    kind = of_blocks(name)
    rng = np.random.default_rng(0)
    found = []
    for j in range(PHASES):
        x = (rng.standard_normal((blocks, kind.block)) * 2 ** (j / PHASES)).astype(np.float32)
        found.append(qsnr(x, quantize_blocks(x, kind, scale_rule=scale_rule).values()))
    return float(np.mean(found))


def of_blocks(name: Any) -> BlockFormat:
    """The format of blocks of this name. Raises `InvalidInput` if it is none."""
    kind = format(name)
    if not isinstance(kind, BlockFormat):
        raise InvalidInput(f"{quoted(name)} is no format of blocks")
    return kind
