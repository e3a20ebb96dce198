"""Single instructions of the processor, for compiled functions.

They are functions for compiled code only, made for numba's types (such as `numba.int64`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def instruction(emit: Callable[..., Any], result: Any, *operands: Any) -> Callable:
    """A function of one to three operands that is what `emit` makes of LLVM's builder and the
    operands' values."""
    from numba.extending import intrinsic

    signature = result(*operands)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return emit(builder, *values)

    def unary(typing_context: Any, x: Any) -> Any:
        return signature, codegen

    def binary(typing_context: Any, x: Any, y: Any) -> Any:
        return signature, codegen

    def ternary(typing_context: Any, x: Any, y: Any, z: Any) -> Any:
        return signature, codegen

    return intrinsic((unary, binary, ternary)[len(operands) - 1])


def leading_zeros(word: Any) -> Callable:
    """The number of zeros above the leading one of a word; all of its bits if it is zero."""

    def emit(builder: Any, x: Any) -> Any:
        from llvmlite import ir

        return builder.ctlz(x, ir.Constant(ir.IntType(1), 0))

    return instruction(emit, word, word)


def shifts(word: Any) -> tuple[Callable, Callable]:
    """A word shifted to the left, and to the right with zeros from above, by fewer places than it
    has bits."""
    return (
        instruction(lambda builder, x, n: builder.shl(x, n), word, word, word),
        instruction(lambda builder, x, n: builder.lshr(x, n), word, word, word),
    )


def fused_multiply_add(number: Any) -> Callable:
    """``x * y + z`` of floating-point numbers, rounded once."""
    return instruction(
        lambda builder, x, y, z: builder.fma(x, y, z), number, number, number, number
    )


def bit_cast(source: Any, target: Any) -> Callable:
    """The same bits as another type of as many."""

    def emit(builder: Any, x: Any) -> Any:
        from llvmlite import ir

        kinds = {
            "int32": ir.IntType(32),
            "int64": ir.IntType(64),
            "float32": ir.FloatType(),
            "float64": ir.DoubleType(),
        }
        return builder.bitcast(x, kinds[target.name])

    return instruction(emit, target, source)
