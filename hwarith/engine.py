"""Golden definitions at array speed.

A golden definition is a scalar function on plain Python integers. `golden` marks it; it stays an
ordinary function, exact for any width. `apply` runs it over numpy arrays: interpreted for a few
elements or where an integer may exceed a machine word, otherwise compiled by numba, once per
definition (formats and modes are run-time numbers).
"""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

WORD_BITS = 61
"""Widest magnitude that a compiled definition may form (signed 64-bit words, two bits spare)."""

SMALL = 64
"""Up to this many elements the interpreter answers sooner than the compiler."""

_CHUNK = 1 << 18


def golden(definition: Callable) -> Callable:
    """Mark a scalar function on integers as a golden definition, or as a part of one."""
    definition.is_golden = True  # type: ignore[attr-defined]
    return definition


def bit_length(x: int) -> int:
    """Position of the leading one of a non-negative integer, counted from 1; 0 for 0."""
    return x.bit_length()


def apply(
    definition: Callable,
    operands: Sequence[np.ndarray],
    constants: tuple,
    dtype: np.dtype,
    word_bits: int,
) -> np.ndarray:
    """Evaluate `definition(*codes, *constants)` for each element of broadcast operand arrays.

    `operands` are unsigned integer (or object) arrays of one shape, `dtype` is the type of the
    result, `word_bits` the widest magnitude that the definition forms for these constants.
    """
    shape = operands[0].shape
    wide = word_bits > WORD_BITS or dtype.hasobject or any(x.dtype.hasobject for x in operands)
    if wide or operands[0].size <= SMALL:
        rows = zip(*(x.ravel().tolist() for x in operands), strict=True)
        values = [definition(*row, *constants) for row in rows]
        return np.array(values, dtype=dtype).reshape(shape)
    flat = [_signed_words(np.ascontiguousarray(x).ravel()) for x in operands]
    out = np.empty(flat[0].size, dtype)
    run = _kernel(definition, len(flat))
    words = _machine_words(constants)
    _in_chunks(out.size, lambda part: run(out[part], *(x[part] for x in flat), *words))
    return out.reshape(shape)


def lookup(table: np.ndarray, operands: Sequence[np.ndarray], widths: Sequence[int]) -> np.ndarray:
    """Read a table of results, indexed by the operands' codes side by side (first one on top)."""
    flat = [np.ascontiguousarray(x).ravel() for x in operands]
    out = np.empty(flat[0].size, table.dtype)
    run = _lookup_kernel(len(flat))
    _in_chunks(out.size, lambda p: run(out[p], table, *(x[p] for x in flat), *widths[1:]))
    return out.reshape(operands[0].shape)


def _in_chunks(size: int, work: Callable[[slice], object]) -> None:
    """Run a kernel that releases the interpreter lock, a slice of the range on each core."""
    parts = [slice(i, min(i + _CHUNK, size)) for i in range(0, size, _CHUNK)]
    if len(parts) == 1:
        work(parts[0])
    else:
        list(_pool(os.getpid()).map(work, parts))


@cache
def _pool(_pid: int) -> ThreadPoolExecutor:
    """One pool a process: threads do not survive a fork."""
    return ThreadPoolExecutor(os.cpu_count())


def _signed_words(x: np.ndarray) -> np.ndarray:
    return x.view(np.int64) if x.dtype == np.uint64 else x


def _machine_words(constants: tuple) -> tuple:
    """The same integers as signed 64-bit machine words, in the same named tuples."""
    return tuple(
        type(c)(*_machine_words(c)) if isinstance(c, tuple) else ((c + 2**63) % 2**64) - 2**63
        for c in constants
    )


@cache
def _compile(definition: Callable) -> Callable:
    """Compile a definition together with the golden functions that it calls."""
    import numba

    _register_bit_length()
    names = definition.__code__.co_names
    env = dict(definition.__globals__)
    for name in names:
        if getattr(env.get(name), "is_golden", False):
            env[name] = _compile(env[name])
    copy = types.FunctionType(
        definition.__code__, env, definition.__name__, definition.__defaults__, None
    )
    return numba.njit(nogil=True, forceinline=True)(copy)


@cache
def _register_bit_length() -> None:
    from numba.extending import intrinsic, overload

    @intrinsic
    def leading_zeros(typing_context: Any, x: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

        return x(x), codegen

    @overload(bit_length)
    def compiled_bit_length(x):  # unannotated: numba compares the signatures
        return lambda x: 64 - leading_zeros(np.int64(x))  # type: ignore[call-arg]


@cache
def _kernel(definition: Callable, arity: int) -> Callable:
    import numba

    f = _compile(definition)
    word = np.int64

    def unary(out, a, *constants):
        for i in range(out.size):
            out[i] = f(word(a[i]), *constants)

    def binary(out, a, b, *constants):
        for i in range(out.size):
            out[i] = f(word(a[i]), word(b[i]), *constants)

    def ternary(out, a, b, c, *constants):
        for i in range(out.size):
            out[i] = f(word(a[i]), word(b[i]), word(c[i]), *constants)

    return numba.njit(nogil=True)((unary, binary, ternary)[arity - 1])


@cache
def _lookup_kernel(arity: int) -> Callable:
    import numba

    index = np.uint32

    def unary(out, table, a):
        for i in range(out.size):
            out[i] = table[a[i]]

    def binary(out, table, a, b, width_b):
        for i in range(out.size):
            out[i] = table[(index(a[i]) << width_b) | index(b[i])]

    def ternary(out, table, a, b, c, width_b, width_c):
        for i in range(out.size):
            ab = (index(a[i]) << width_b) | index(b[i])
            out[i] = table[(ab << width_c) | index(c[i])]

    return numba.njit(nogil=True)((unary, binary, ternary)[arity - 1])
