"""Presets: which unit each operation of the transformer runs on."""

from __future__ import annotations

from collections.abc import Callable

from ....formats import format
from .floats import Floats
from .integers import Integers
from .scaled import MixedInt8, Scaled

Advance = Callable[[int], None]


def bf16(advance: Advance) -> Floats:
    """Products of bf16 summed in fp32, all else in bf16."""
    return Floats("bf16", format("bf16"), "fma:a=bf16,c=fp32,out=fp32", advance=advance)


def fp8(advance: Advance) -> Floats:
    """Products of e4m3fn with scales, summed in fp32, all else in bf16."""
    element = format("e4m3fn")
    product = f"fma:a={element},c=fp32,out=fp32"
    return Scaled("fp8", format("bf16"), product, advance=advance, element=element)


def int8_llm(advance: Advance) -> Floats:
    """Linear layers by LLM.int8(), all else in fp16."""
    return MixedInt8("int8-llm", format("fp16"), "fma:a=fp16,c=fp32,out=fp32", advance=advance)


def int8_ivit(advance: Advance) -> Integers:
    """Integers alone: int8 between operations, I-ViT's functions."""
    return Integers("int8-ivit", advance=advance)


def w4a8(advance: Advance) -> Floats:
    """Weights of 4 bits in groups, activations of 8 bits, all else in bf16."""
    return Scaled(
        "w4a8",
        format("bf16"),
        "fma:a=int8,b=int4,c=int32,out=int32",
        advance=advance,
        element=format("int8"),
        weight_type="int4",
    )


PRESETS: dict[str, Callable[[Advance], Floats | Integers]] = {
    "bf16": bf16,
    "fp8": fp8,
    "int8-ivit": int8_ivit,
    "int8-llm": int8_llm,
    "w4a8": w4a8,
}
"""By name what makes the arithmetic, which tells the function that it is given of its
multiply-adds."""
