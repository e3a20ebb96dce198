"""Golden definitions at array speed.

A golden definition is a scalar function on plain Python integers. `golden` marks it; it stays an
ordinary function, exact for any width. `apply` runs it over numpy arrays: interpreted for a few
elements or where an integer may exceed a machine word, otherwise compiled by numba, once per
definition (formats and modes are run-time numbers). Where as much time went into one choice of
formats and modes as compiling takes, it is compiled again with these as constants, for vector
instructions. `lookup` and `lookup_top` read tables that were made by `apply`. All of them return
the same; callers choose by the widths of their operands alone.
"""

from __future__ import annotations

import os
import tempfile
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

WORD_BITS = 61
"""Widest magnitude that a compiled definition may form (signed 64-bit words, two bits spare)."""

SMALL = 64
"""Up to this many elements the interpreter answers sooner than the compiler."""

HOT = 1 << 24
"""After this many elements with the same constants, which take a fraction of a second, the
definition is compiled for these constants, which takes about as long."""

TABLE_BITS = 18
"""Widest index of a table of conversions: of codes of 8 bits, it fits the second-level cache."""

_CHUNK = 1 << 18

_VECTOR_WIDTH = 32
"""Elements that a specialized kernel works on side by side: four vectors of AVX-512 hide the
latency of its instructions (measured against 8, 16 and 64)."""

_elements: Counter = Counter()


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
    words = _machine_words(constants)
    _elements[definition, words] += out.size
    if _elements[definition, words] < HOT:
        run = _kernel(definition, len(flat))
        _in_chunks(out.size, lambda part: run(out[part], *(x[part] for x in flat), *words))
    else:
        run = _specialized(definition, words, (out.dtype, *(x.dtype for x in flat)))
        _in_chunks(out.size, lambda part: run(out[part], *(x[part] for x in flat)))
    return out.reshape(shape)


def lookup(table: np.ndarray, operands: Sequence[np.ndarray], widths: Sequence[int]) -> np.ndarray:
    """Read a table of results, indexed by the operands' codes side by side (first one on top)."""
    flat = [np.ascontiguousarray(x).ravel() for x in operands]
    out = np.empty(flat[0].size, table.dtype)
    run = _lookup_kernel(len(flat))
    _in_chunks(out.size, lambda p: run(out[p], table, *(x[p] for x in flat), *widths[1:]))
    return out.reshape(operands[0].shape)


def lookup_top(table: np.ndarray, codes: np.ndarray, drop: int) -> np.ndarray:
    """Read a table by codes without their low `drop` bits; ones among these set the index's lsb.

    This is rounding to odd: a definition that rounds further on cannot tell the codes of one
    index apart if at least two bits more than its result has are left in the index.
    """
    out = np.empty(codes.size, table.dtype)
    flat = np.ascontiguousarray(codes).ravel()
    run = _lookup_top_kernel()
    _in_chunks(out.size, lambda p: run(out[p], table, flat[p], drop))
    return out.reshape(codes.shape)


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
    """A loop over arrays of codes, which takes the constants behind the arrays."""
    return _loop(_compile(definition), arity)


@cache
def _specialized(definition: Callable, words: tuple, dtypes: tuple[np.dtype, ...]) -> Callable:
    """The same loop for one choice of constants and of the arrays' types (the result's first)."""
    import numba

    f = _compile(definition)

    def specialized(*codes):
        return f(*codes, *words)

    loop = _loop(numba.njit(nogil=True, forceinline=True)(specialized), len(dtypes) - 1)
    with _vectorized():
        no_constants = numba.typeof(())
        loop.compile((*(numba.from_dtype(dtype)[::1] for dtype in dtypes), no_constants))
    return loop


@contextmanager
def _vectorized() -> Iterator[None]:
    """Have LLVM vectorize the loops that are compiled meanwhile, branches and all.

    Its cost model would not, but is wrong: two to three times slower, measured with AVX-512, and
    up to twice with AVX2. Older instruction sets have no shifts by varying amounts.
    """
    from llvmlite import binding
    from numba.core.compiler_lock import global_compiler_lock

    width = _VECTOR_WIDTH if binding.get_host_cpu_features().get("avx2") else 0
    with global_compiler_lock, _without_remarks():
        binding.set_option("", f"--force-vector-width={width}")
        try:
            yield
        finally:
            binding.set_option("", "--force-vector-width=0")


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Keep LLVM from printing that it could not vectorize a loop, which is no one's mistake."""
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            said.seek(0)
            os.write(2, b"".join(line for line in said if not line.startswith(b"remark:")))


def _loop(f: Callable, arity: int) -> Any:
    import numba

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

    def quaternary(out, a, b, c, d, *constants):
        for i in range(out.size):
            out[i] = f(word(a[i]), word(b[i]), word(c[i]), word(d[i]), *constants)

    return numba.njit(nogil=True)((unary, binary, ternary, quaternary)[arity - 1])


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


@cache
def _lookup_top_kernel() -> Callable:
    import numba

    def top(out, table, codes, drop):
        low = (np.uint64(1) << np.uint64(drop)) - np.uint64(1)
        for i in range(out.size):
            code = np.uint64(codes[i])
            out[i] = table[(code >> np.uint64(drop)) | np.uint64((code & low) != 0)]

    return numba.njit(nogil=True)(top)
