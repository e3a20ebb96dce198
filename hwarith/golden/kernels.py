"""Compiled loops over arrays, made for the types of their arguments and kept on disk.

What is kept is object code with one function of a block of machine words (`entries`), so that a
process that finds it neither compiles nor imports the compiler. Its name is a digest of all that
it was made of (`fingerprints`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache
from itertools import count
from threading import RLock
from typing import Any

from ..caching import kept
from . import fingerprints
from .arguments import ENTRY, Signature, describe


class CannotCompile(Exception):
    """The compiler does not know what a function does with arguments of these types."""


def unless_refused(word: int) -> AbstractContextManager:
    """Leave what the compiler refuses to what follows, if it is of words of so many bits that they
    are not the machine's."""
    return suppress(CannotCompile) if word > 64 else nullcontext()


class Kernel:
    """A compiled function of arrays, numbers and tuples of them, which returns nothing.

    `make` is called with the `parameters` to compile it for types of arguments that were never
    met: it gives a Python function for the compiler. What it gives must follow from its own text,
    from what that refers to, and from the parameters: functions, types, numbers and tuples.

    A call raises `ArithmeticError` where the function raises anything, and `CannotCompile`.
    """

    def __init__(self, make: Callable[..., Callable], *parameters: Hashable) -> None:
        self._make, self._parameters = make, parameters
        self._entries: dict[Signature, Callable[[Any], int]] = {}
        self._refused: dict[Signature, str] = {}
        self._libraries: list[Any] = []  # what keeps their code in memory

    def __call__(self, *arguments: Any) -> None:
        words: list[bytes] = []
        signature = tuple([describe(x, words) for x in arguments])
        entry = self._entries.get(signature)
        if entry is None:
            with _preparing:
                entry = self._entries.get(signature) or self._prepare(signature)
        if entry(b"".join(words)):
            raise ArithmeticError(f"compiled {self._parameters or self._make} raised an error")

    def _prepare(self, signature: Signature) -> Callable[[Any], int]:
        if signature in self._refused:
            raise CannotCompile(self._refused[signature])
        name = fingerprints.digest(self._make, self._parameters, signature)
        code = kept("compiled", name, lambda: self.compile(signature)[1])
        library = _load(code)
        self._libraries.append(library)
        self._entries[signature] = entry = _ENTRY_TYPE(library[ENTRY])
        return entry

    def compile(self, signature: Signature) -> tuple[str, bytes]:
        """The function for arguments of these types: LLVM's text of it, and object code."""
        from . import entries

        try:
            return entries.compile(self._make(*self._parameters), signature)
        except entries.REFUSALS as error:
            self._refused[signature] = str(error)
            raise CannotCompile(str(error)) from None


_preparing = RLock()


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
