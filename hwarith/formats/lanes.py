"""Codes side by side in one code, the first one at its lsb."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..lazily import np
from .scalar import Format


def vector(f: Format, n: int) -> Format:
    """Codes of a format side by side in one code, the first one at its lsb."""
    return Format(f"{n} x {f.name}", "int", n * f.bits, signed=False)


def join(codes: np.ndarray, f: Format) -> np.ndarray:
    """The last axis of an array of codes as one code (`vector`)."""
    whole = vector(f, codes.shape[-1])
    if whole.dtype.hasobject and not f.dtype.hasobject:
        return _join_bytes(codes.astype(f.dtype), f)
    joined = np.zeros(codes.shape[:-1], whole.dtype)
    for i in range(codes.shape[-1]):
        lane = codes[..., i].astype(whole.dtype)
        joined |= lane << (i * f.bits if whole.dtype.hasobject else whole.dtype.type(i * f.bits))
    return joined


def _join_bytes(codes: np.ndarray, f: Format) -> np.ndarray:
    """The same of codes that make Python integers, by way of their bytes."""
    *shape, n = codes.shape
    little = np.ascontiguousarray(codes, codes.dtype.newbyteorder("<")).view(np.uint8)
    if f.bits % 8 or f.bits != 8 * codes.itemsize:
        bits = np.unpackbits(little.reshape(*shape, n, codes.itemsize), axis=-1, bitorder="little")
        bits = bits[..., : f.bits].reshape(*shape, n * f.bits)
        little = np.packbits(bits, axis=-1, bitorder="little")
    rows = little.reshape(math.prod(shape), -(-n * f.bits // 8))
    joined = np.empty(len(rows), object)
    joined[:] = [int.from_bytes(row, "little") for row in map(bytes, rows)]
    return joined.reshape(shape)


def split(codes: np.ndarray, f: Format, n: int) -> np.ndarray:
    """The inverse of `join`: an array with an axis of `n` more."""
    word = int if codes.dtype.hasobject else codes.dtype.type
    mask = (1 << f.bits) - 1
    lanes = [np.asarray(codes >> word(i * f.bits) & mask) for i in range(n)]
    return np.stack([lane.astype(f.dtype) for lane in lanes], axis=-1)


def side_by_side(codes: Iterable[np.ndarray], formats: Iterable[Format]) -> np.ndarray:
    """Codes of different formats, arrays of one shape, in one code of up to 64 bits: uint64."""
    packed, at = np.zeros((), np.uint64), 0
    for x, f in zip(codes, formats, strict=True):
        packed = packed | np.asarray(x).astype(np.uint64) << np.uint64(at)
        at += f.bits
    return packed
