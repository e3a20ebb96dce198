"""Quotients and square roots of non-negative integers for the compiler, rounded down.

In words of 64 bits they are an instruction of the processor and a correction. In wider ones, of
which LLVM divides only some, digits of about 30 bits are found from the leading bits and taken off
until nothing is left to divide.

To be imported when something is compiled: it imports the compiler.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.extending import intrinsic

from .wide import WideInteger
from .wide import bit_length as _bit_length

bit_length: Any = _bit_length


@intrinsic
def divide(typing_context: Any, a: Any, b: Any) -> Any:
    """`hwarith.golden.divide`, for compiled functions."""
    return _of_widest((a, b), _emit_quotient, _long_division)


@intrinsic
def square_root(typing_context: Any, x: Any) -> Any:
    """`hwarith.golden.square_root`, for compiled functions."""
    return _of_widest((x,), _emit_root, _long_root)


_divide: Any = divide
_square_root: Any = square_root


def _of_widest(kinds: tuple, emit: Any, wide: Any) -> Any:
    """A function of such numbers as words of 64 bits, or as the wide integers that are among
    them: with instructions that `emit` makes, or as the Python function `wide` says."""
    widest = max((k for k in kinds if isinstance(k, WideInteger)), key=_bits, default=numba.int64)
    signature = widest(*kinds)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        words = [context.cast(builder, x, k, widest) for x, k in zip(values, kinds, strict=True)]
        if not isinstance(widest, WideInteger):
            return emit(builder, *words)
        return context.compile_internal(builder, wide, widest(*[widest] * len(kinds)), words)

    return signature, codegen


def _bits(kind: Any) -> int:
    return kind.bitwidth


def _emit_quotient(builder: Any, a: Any, b: Any) -> Any:
    return builder.udiv(a, b)


def _emit_root(builder: Any, x: Any) -> Any:
    """That of the nearest float is at most one too large, or too small."""
    root = builder.module.declare_intrinsic("llvm.sqrt", [ir.DoubleType()])
    near = builder.fptosi(builder.call(root, [builder.sitofp(x, ir.DoubleType())]), x.type)
    one = x.type(1)
    above = builder.icmp_signed(">", builder.mul(near, near), x)
    low = builder.select(above, builder.sub(near, one), near)
    next_one = builder.add(low, one)
    fits = builder.icmp_signed("<=", builder.mul(next_one, next_one), x)
    return builder.select(fits, next_one, low)


@intrinsic
def _low_word(typing_context: Any, x: Any) -> Any:
    """The low 64 bits of a wide integer."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.trunc(values[0], ir.IntType(64))

    return numba.int64(x), codegen


_low: Any = _low_word


def _long_division(a: Any, b: Any) -> Any:
    """A digit is the leading bits of what is left over those of the divisor, and one: at most what
    fits, and short of it by a 2^-29th."""
    place = max(bit_length(b) - 31, 0)
    leading = _low(b >> place) + 1
    quotient = a ^ a
    while a >= b:
        drop = max(bit_length(a) - 62, 0)
        digit = (b ^ b) + _divide(_low(a >> drop), leading)
        digit = max((digit << max(drop - place, 0)) >> max(place - drop, 0), 1)
        quotient += digit
        a -= digit * b
    return quotient


def _long_root(x: Any) -> Any:
    """Newton's steps from the root of the leading bits, each of which doubles the right ones and
    gives no less than the root."""
    drop = max(bit_length(x) - 61, 0)
    drop += drop & 1
    root = ((x ^ x) + _square_root(_low(x >> drop))) << (drop >> 1)
    right = 29
    while right < bit_length(root):
        if root * root <= x:
            root += _divide(x - root * root, 2 * root)
        else:
            root -= _divide(root * root - x, 2 * root)
        right = 2 * right - 1
    while root * root > x:
        root -= 1
    return root
