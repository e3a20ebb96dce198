"""Tables of results that were made by `apply`, read at array speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from ..lazily import np
from .cores import in_slices
from .kernels import Kernel

TABLE_BITS = 18
"""Widest index of a table of conversions: of codes of 8 bits, it fits the second-level cache."""

_SLICE = 1 << 18


def lookup(table: np.ndarray, operands: Sequence[np.ndarray], widths: Sequence[int]) -> np.ndarray:
    """Read a table of results, indexed by the operands' codes side by side (first one on top)."""
    flat = [np.ascontiguousarray(x).ravel() for x in operands]
    out = np.empty(flat[0].size, table.dtype)
    run = _lookup_kernel(len(flat))
    places = widths[1:]
    in_slices(
        lambda part: run(out[part], table, *(x[part] for x in flat), *places), out.size, _SLICE
    )
    return out.reshape(operands[0].shape)


def lookup_top(table: np.ndarray, codes: np.ndarray, drop: int) -> np.ndarray:
    """Read a table by codes without their low `drop` bits; ones among these set the index's lsb.

    This is rounding to odd: a definition that rounds further on cannot tell the codes of one
    index apart if at least two bits more than its result has are left in the index.
    """
    out = np.empty(codes.size, table.dtype)
    flat = np.ascontiguousarray(codes).ravel()
    run = _lookup_top_kernel()
    in_slices(lambda part: run(out[part], table, flat[part], drop), out.size, _SLICE)
    return out.reshape(codes.shape)


@cache
def _lookup_kernel(arity: int) -> Kernel:
    return Kernel(_make_lookup, arity)


@cache
def _lookup_top_kernel() -> Kernel:
    return Kernel(_make_lookup_top)


def _make_lookup(arity: int) -> Callable:
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

    return (unary, binary, ternary)[arity - 1]


def _make_lookup_top() -> Callable:
    def top(out, table, codes, drop):
        low = (np.uint64(1) << np.uint64(drop)) - np.uint64(1)
        for i in range(out.size):
            code = np.uint64(codes[i])
            out[i] = table[(code >> np.uint64(drop)) | np.uint64((code & low) != 0)]

    return top
