"""`hwarith.quantize`: numbers into codes that share scales, of any kind."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any, overload

from ...exceptions import InvalidInput
from ..blocks import BlockFormat, BlockName, Blocks, Hadamard, quantize_blocks
from ..codec import array_of
from ..quantized import nmse
from .quantizer import Quantized, quantize_weights
from .types import weight_type


@overload
def quantize(
    x: Any,
    type: BlockName | BlockFormat,
    group: int | tuple[int, int] | None = None,
    *,
    axis: int = -1,
    scale_rule: str | None = None,
    round: str | None = None,
    random: Any = None,
    random_bits: int | None = None,
    hadamard: Hadamard | int | None = None,
) -> Blocks: ...


@overload
def quantize(
    x: Any,
    type: Any = "bitmod4",
    group: int | None = None,
    scale_bits: int | None = None,
    refine: bool = True,
    power: float | None = None,
) -> Quantized: ...


def quantize(
    x: Any, type: Any = "bitmod4", group: Any = None, *more: Any, **options: Any
) -> Quantized | Blocks:
    """Quantize numbers that share scales: weights to a `WeightType`, weights and activations to a
    `BlockFormat`.

    Parameters
    ----------
    x : numbers of shape (..., n). Finite ones of a weight type; of a format of blocks an infinity
        or NaN makes its block NaN, with elements of code 0.
    type : a weight type, a format of blocks, or the name of one (`weight_type`).
    group : how many share a scale; it divides n. Default: the block of the format; of weight types
        128, or all n if that is less. For blocks of two dimensions a pair (rows, elements), as
        (16, 16): so many rows of the other one of the last two axes share the scale as well.

    For a weight type, and then `Quantized` is returned: the scale brings the largest magnitude of a
    group to the largest level, each weight goes to the nearest level, and of several codebooks (the
    special values of BitMoD) the one with the least squared error is taken, the first of equals.

    scale_bits : 2 to 8: quantize the scales of a channel (all groups along the last axis) to
        integers from 1 to 2^(scale_bits-1) - 1, with a scale of the channel in fp16.
    refine : then search the nearest levels again, with the scales as they have become.
    power : the exponent of a power-exponent type; default: of `POWERS` the one with the least
        squared error for all weights.

    For a format of blocks, and then `Blocks` is returned; options by name:

    axis : along which blocks run; that of the sum of a matrix product.
    scale_rule : of MX ``exact_ceil`` (default), ``floor`` (the OCP's), ``ceil``, ``even``,
        ``rceil`` (`ScaleRule`); of mxfp4 also ``quartet`` (3/4 of the numbers with ``floor``, and
        values times 4/3: nothing is clipped) and ``quest`` (by the standard deviation, with a mask
        of what is clipped). Of NVFP4 and NVINT4 ``te`` (default: in fp32, in the order of
        TransformerEngine) and ``hw`` (the tensor's scale a power of two, nothing divided).
    round : of elements: a mode of `Format.encode`, or stochastic: ``sra srb src`` (`Stochastic`);
        by default ``rne``, of Anda ``rtz``.
    random, random_bits : random integers of the shape of x, of so many bits: by default 12 for
        elements of 4-bit floats, otherwise 16.
    hadamard : 16, 32, or a `Hadamard`: transform groups of so many along the axis before.

    Formats with metadata (RaZeR, MX+, M2XFP) have one scale rule and one rounding, and no blocks of
    two dimensions. MX, MX+ and M2XFP take numbers as they are, formats with a tensor scale in fp32,
    Anda in fp16. Elements saturate; integers are symmetric. The tensor's scale is that of the
    finite numbers.

    Raises `InvalidInput` for what is not as said here.

    Sources: BitMoD (HPCA 2025), algorithm 1 and section III; VS-Quant (MLSys 2021); OCP
    Microscaling Formats v1.0; arXiv 2510.25602 (INT or FP), 2509.25149 (NVFP4), 2505.14669
    (Quartet).
    """
    kind = weight_type(type)
    of_blocks = isinstance(kind, BlockFormat)
    function: Any = quantize_blocks if of_blocks else quantize_weights
    allowed = [*inspect.signature(function).parameters][3:]
    for name in options:
        if name not in allowed:
            raise InvalidInput(f"weight type {kind} has no {name}; it has {', '.join(allowed)}")
    if of_blocks and more:
        raise InvalidInput(f"weight type {kind}: options are given by name: {', '.join(allowed)}")
    found = function(x, kind, group, *more, **options)
    before = array_of(x, "numbers")
    if of_blocks and found.hadamard:
        before = found.hadamard(before, found.axis)
    return replace(found, nmse=nmse([before], [found.values()]))
