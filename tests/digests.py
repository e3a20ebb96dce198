"""Operands and digests of published check values of arithmetic.

Formats of 8 bits have all operands, wider ones the upper halves of the words of a linear
congruential generator, each cut to the operand's bits. A digest is the first half of a SHA-256.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np

import hwarith as hw


@cache
def words(count: int = 200_000) -> np.ndarray:
    """The first words of the published stimulus."""
    state, found = 1, []
    for _ in range(count):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        found.append(state >> 32)
    return np.array(found, np.uint32)


def stimulus_of(u: hw.Unit) -> list[np.ndarray]:
    """Every pair of codes, the first operand the slower one, or words of the generator in turn."""
    formats = list(u.operands.values())
    if formats[0].bits == 8:
        grid = np.meshgrid(*(f.codes() for f in formats), indexing="ij")
        return [x.ravel() for x in grid]
    found = words().reshape(-1, 2).T
    return [(x >> (32 - f.bits)).astype(f.dtype) for x, f in zip(found, formats, strict=False)]


def values_near_one(n: int) -> np.ndarray:
    """The first so many bf16 codes of values from 2^-7 to 2, of both signs."""
    u = words(n) >> 21
    return (u >> 10 << 15 | (120 + (u >> 7 & 7)) << 7 | u & 127).astype(np.uint16)


def digest(x: np.ndarray) -> str:
    return hashlib.sha256(x.tobytes()).hexdigest()[:16]
