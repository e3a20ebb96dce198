"""Compiled loops over arrays, made for the types of their arguments and kept on disk.

What is kept is object code with one function of a block of machine words (`entries`), so that a
process that finds it neither compiles nor imports the compiler. Its name is a digest of all that
it was made of (`fingerprints`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Hashable
from functools import cache
from itertools import count
from struct import Struct
from threading import RLock
from typing import Any, NamedTuple

import numpy as np

from ..caching import kept
from . import fingerprints

ENTRY = "kernel"
"""Name of the function in object code."""

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


class Kernel:
    """A compiled function of arrays, numbers and tuples of them, which returns nothing.

    `make` is called with the `parameters` to compile it for types of arguments that were never
    met: it gives a Python function for the compiler. What it gives must follow from its own text,
    from what that refers to, and from the parameters: functions, types, numbers and tuples.

    A call raises `ArithmeticError` where the function raises anything.
    """

    def __init__(self, make: Callable[..., Callable], *parameters: Hashable) -> None:
        self._make, self._parameters = make, parameters
        self._entries: dict[Signature, Callable[[Any], int]] = {}
        self._libraries: list[Any] = []  # what keeps their code in memory

    def __call__(self, *arguments: Any) -> None:
        words: list[bytes] = []
        signature = tuple([_describe(x, words) for x in arguments])
        entry = self._entries.get(signature)
        if entry is None:
            with _preparing:
                entry = self._entries.get(signature) or self._prepare(signature)
        if entry(b"".join(words)):
            raise ArithmeticError(f"compiled {self._parameters or self._make} raised an error")

    def _prepare(self, signature: Signature) -> Callable[[Any], int]:
        name = fingerprints.digest(self._make, self._parameters, signature)
        code = kept("compiled", name, lambda: self.compile(signature)[1])
        library = _load(code)
        self._libraries.append(library)
        self._entries[signature] = entry = _ENTRY_TYPE(library[ENTRY])
        return entry

    def compile(self, signature: Signature) -> tuple[str, bytes]:
        """The function for arguments of these types: LLVM's text of it, and object code."""
        from . import entries

        return entries.compile(self._make(*self._parameters), signature)


_preparing = RLock()


def _describe(x: Any, words: list[bytes]) -> Signature:
    """The type of an argument; the words that it is passed in are put behind the others."""
    if isinstance(x, Constants):
        words.append(x.words)
        return x.signature
    if isinstance(x, np.ndarray):
        words.append(_PACKED[2 * x.ndim](x.ctypes.data, *x.shape, *x.strides))
        return "array", x.dtype.str, x.ndim, x.flags.c_contiguous
    if isinstance(x, tuple):
        named = type(x) if hasattr(x, "_fields") else None
        return named, *[_describe(element, words) for element in x]
    if isinstance(x, int):
        words.append(_PACKED[0](x))
        return "i64"
    scalar = np.asarray(x)
    words.append(scalar.tobytes().ljust(8, b"\0"))
    return scalar.dtype.str


_PACKED = [Struct(f"<{'q' * (1 + n)}").pack for n in range(9)]
"""For so many numbers behind the first one: they as machine words."""


def _load(code: bytes) -> Any:
    from llvmlite import binding as llvm

    builder = llvm.JITLibraryBuilder().add_object_img(code).export_symbol(ENTRY)
    return builder.add_current_process().link(_linker(), f"{ENTRY} {next(_numbers)}")


_ENTRY_TYPE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)
_numbers = count()


@cache
def _linker() -> Any:
    from llvmlite import binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler()
