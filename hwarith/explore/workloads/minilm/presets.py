"""Presets: which unit each operation of the transformer runs on."""

from __future__ import annotations

from collections.abc import Callable

from ....formats import format
from .floats import Floats

Advance = Callable[[int], None]


def bf16(advance: Advance) -> Floats:
    """Products of bf16 summed in fp32, all else in bf16."""
    return Floats("bf16", format("bf16"), "fma:a=bf16,c=fp32,out=fp32", advance)


PRESETS: dict[str, Callable[[Advance], Floats]] = {"bf16": bf16}
"""By name what makes the arithmetic, which tells the function that it is given of its
multiply-adds."""
