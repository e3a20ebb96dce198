"""Arguments of compiled loops: their types, and the machine words that they are passed in."""

from __future__ import annotations

from collections.abc import Hashable
from struct import Struct
from typing import Any, NamedTuple

from ..lazily import np

ENTRY = "kernel"
"""Name of the function of such words in object code."""

Signature = Hashable
"""The type of an argument: ``("array", dtype, dimensions, contiguous)``, the name of a number's
dtype (``i128`` for integers of 128 bits), or a tuple of a named tuple's class, or None, and types.
"""


class Constants(NamedTuple):
    """A tuple of integers, or of such tuples, as a kernel takes it."""

    signature: Signature
    words: bytes


def machine_words(values: tuple, bits: int = 64) -> Constants:
    """Integers of so many bits, a multiple of 64; what is beyond them wraps."""
    integers: list[int] = []
    signature = _describe_integers(values, f"i{bits}", integers)
    size, mask = bits // 8, (1 << bits) - 1
    return Constants(signature, b"".join([(x & mask).to_bytes(size, "little") for x in integers]))


def _describe_integers(values: tuple, kind: Signature, integers: list[int]) -> Signature:
    kinds: list[Signature] = [type(values) if hasattr(values, "_fields") else None]
    for x in values:
        if isinstance(x, tuple):
            kinds.append(_describe_integers(x, kind, integers))
        else:
            kinds.append(kind)
            integers.append(x)
    return tuple(kinds)


def describe(x: Any, words: list[bytes]) -> Signature:
    """The type of an argument; the words that it is passed in are put behind the others."""
    if isinstance(x, Constants):
        words.append(x.words)
        return x.signature
    if isinstance(x, np.ndarray):
        words.append(_PACKED[2 * x.ndim](x.ctypes.data, *x.shape, *x.strides))
        return "array", x.dtype.str, x.ndim, x.flags.c_contiguous
    if isinstance(x, tuple):
        named = type(x) if hasattr(x, "_fields") else None
        return named, *[describe(element, words) for element in x]
    if isinstance(x, int):
        words.append(_PACKED[0](x))
        return "i64"
    scalar = np.asarray(x)
    words.append(scalar.tobytes().ljust(8, b"\0"))
    return scalar.dtype.str


_PACKED = [Struct(f"<{'q' * (1 + n)}").pack for n in range(9)]
"""For so many numbers behind the first one: they as machine words."""
