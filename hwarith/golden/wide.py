"""Integers of more than 64 bits for the compiler: LLVM has them of any width, numba has not.

In an operation of such an integer with any other the result
is wide as well; so are their shifts, whichever operand is wide. They wrap as machine words do.

To be imported when something is compiled: it imports the compiler.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.core.datamodel import register_default
from numba.core.datamodel.models import IntegerModel
from numba.core.typeconv import Conversion
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.cpython import numbers
from numba.extending import intrinsic, lower_builtin, lower_cast


class WideInteger(types.Hashable):
    """An integer of so many bits; signed, or as codes are, which only are loaded and stored."""

    def __init__(self, bits: int, signed: bool):
        super().__init__(f"{'' if signed else 'u'}int{bits}")
        self.bitwidth, self.signed = bits, signed

    def unify(self, typing_context: Any, other: Any) -> Any:
        return self if isinstance(other, _NARROW) else None

    def can_convert_from(self, typing_context: Any, other: Any) -> Any:
        return Conversion.safe if isinstance(other, _NARROW) else None


_NARROW = types.Integer, types.Boolean

register_default(WideInteger)(IntegerModel)
for pair in ((types.Integer, WideInteger), (WideInteger, types.Integer), (WideInteger,) * 2):
    lower_cast(*pair)(numbers.integer_to_integer)
lower_cast(types.Boolean, WideInteger)(numbers.boolean_to_any)


@cache
def word_type(bits: int) -> Any:
    """numba's type of signed integers of so many bits."""
    return numba.int64 if bits == 64 else WideInteger(bits, signed=True)


@cache
def code_type(bits: int) -> Any:
    """numba's type of codes in words of so many bits, more than 64."""
    return WideInteger(bits, signed=False)


@cache
def word(bits: int) -> Callable:
    """For compiled functions: a function that makes a number a signed integer of so many bits."""
    kind: Any = word_type(bits)

    @intrinsic
    def as_word(typing_context: Any, number: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return context.cast(builder, values[0], number, kind)

        return kind(number), codegen

    return as_word


@intrinsic
def bit_length(typing_context: Any, number: Any) -> Any:
    """`hwarith.golden.bit_length`, for compiled functions."""
    kind: Any = number if isinstance(number, WideInteger) else numba.int64

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        x = context.cast(builder, values[0], number, kind)
        zeros = builder.ctlz(x, ir.Constant(ir.IntType(1), 0))
        return builder.sub(x.type(kind.bitwidth), zeros)

    return kind(number), codegen


# -- operations ----------------------------------------------------------------------------------


def _chosen(comparison: str) -> Callable:
    """The one of two operands that compares so with the other."""

    def lowered(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pairs = zip(values, signature.args, strict=True)
        x, y = (context.cast(builder, v, kind, signature.return_type) for v, kind in pairs)
        return builder.select(builder.icmp_signed(comparison, x, y), x, y)

    return lowered


_ARITHMETIC = {
    min: _chosen("<"),
    max: _chosen(">"),
    operator.add: numbers.int_add_impl,
    operator.sub: numbers.int_sub_impl,
    operator.mul: numbers.int_mul_impl,
    operator.and_: numbers.int_and_impl,
    operator.or_: numbers.int_or_impl,
    operator.xor: numbers.int_xor_impl,
    operator.lshift: numbers.int_shl_impl,
    operator.rshift: numbers.int_shr_impl,
    operator.iadd: numbers.int_add_impl,
    operator.isub: numbers.int_sub_impl,
    operator.imul: numbers.int_mul_impl,
    operator.iand: numbers.int_and_impl,
    operator.ior: numbers.int_or_impl,
    operator.ixor: numbers.int_xor_impl,
    operator.ilshift: numbers.int_shl_impl,
    operator.irshift: numbers.int_shr_impl,
}
_COMPARISONS = {
    operator.eq: numbers.int_eq_impl,
    operator.ne: numbers.int_ne_impl,
    operator.lt: numbers.int_slt_impl,
    operator.le: numbers.int_sle_impl,
    operator.gt: numbers.int_sgt_impl,
    operator.ge: numbers.int_sge_impl,
}
_UNARY = {
    operator.neg: numbers.int_negate_impl,
    operator.invert: numbers.int_invert_impl,
    abs: numbers.int_abs_impl,
}
_TRUTH = {bool: numbers.int_as_bool, operator.not_: numbers.number_not_impl}


def _operation(function: Callable, lowered: Callable, operands: int, result: Any) -> None:
    """Have a function of so many integers, one of them wide, compiled by numba's own code for
    integers of any width; it takes them as wide ones and gives `result`, or a wide one."""

    class Template(AbstractTemplate):
        key = function

        def generic(self, arguments: Any, named: Any) -> Any:
            wide = [x for x in arguments if isinstance(x, WideInteger)]
            numeric = all(isinstance(x, (*_NARROW, WideInteger)) for x in arguments)
            if len(arguments) != operands or not wide or not numeric:
                return None
            kind = max(wide, key=lambda x: x.bitwidth)
            return signature(result or kind, *[kind] * operands)

    infer_global(function)(Template)
    lower_builtin(function, *[WideInteger] * operands)(lowered)


_KINDS: tuple[tuple[dict[Any, Callable], int, Any], ...] = (
    (_ARITHMETIC, 2, None),
    (_COMPARISONS, 2, types.boolean),
    (_UNARY, 1, None),
    (_TRUTH, 1, types.boolean),
)
for functions, operands, result in _KINDS:
    for function, lowered in functions.items():
        _operation(function, lowered, operands, result)
