"""Names of compiled functions: digests of all that they are made of."""

from __future__ import annotations

import hashlib
import platform
import sys
import types
from collections.abc import Callable, Iterator
from enum import EnumType
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ..lazily import np
from ..sources import digest as digest_of_files


def digest(*things: Any) -> str:
    """Of functions, types, numbers and tuples of them; of this package's sources, which compile
    them; of the compiler, numpy, and the processor.

    A function is what it does and refers to: its code, its defaults, and the values of global names
    and of its closure, functions among them. Where it stands, and what calls it, is no part of it.
    """
    text = "\n".join([*surroundings(), *_description(things, set())])
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def surroundings() -> tuple[str, ...]:
    """What compiles, and for which processor."""
    from llvmlite import binding

    return (
        sources(Path(__file__).parent),
        f"Python {platform.python_version()} {platform.system()}",
        *(f"{name} {metadata.version(name)}" for name in ("numba", "llvmlite", "numpy")),
        binding.get_default_triple(),
        binding.get_host_cpu_name(),
        binding.get_host_cpu_features().flatten(),
    )


def sources(folder: Path) -> str:
    """A digest of the Python files of a folder."""
    return digest_of_files({file.name: file for file in folder.glob("*.py")})


def _description(thing: Any, known: set[int]) -> Iterator[str]:
    """Lines that say all there is about a thing; of what is known already only its name."""
    if isinstance(thing, tuple | list):
        yield f"{_type_name(type(thing))} {len(thing)}"
        for element in thing:
            yield from _description(element, known)
    elif isinstance(thing, frozenset):
        yield f"{sorted(map(repr, thing))}"
    elif isinstance(thing, types.CodeType):
        yield f"code {thing.co_code.hex()} {thing.co_names} {thing.co_varnames}"
        yield f"{thing.co_argcount} {thing.co_freevars} {thing.co_cellvars} {thing.co_flags}"
        yield from _description(thing.co_consts, known)
    elif isinstance(thing, types.FunctionType):
        yield from _function(thing, known)
    elif isinstance(thing, type):
        yield f"{_type_name(thing)} {[*thing] if isinstance(thing, EnumType) else ''}"
    elif isinstance(thing, types.ModuleType):
        yield thing.__name__
    elif thing is None or isinstance(thing, int | float | str | bytes | np.generic | np.dtype):
        yield f"{_type_name(type(thing))} {thing!r}"
    elif isinstance(thing, np.ndarray):
        yield f"{thing.dtype} {thing.shape} {hashlib.sha256(thing.tobytes()).hexdigest()}"
    elif hasattr(thing, "__wrapped__"):
        yield from _description(thing.__wrapped__, known)
    else:
        yield f"{_type_name(type(thing))} {getattr(thing, '__qualname__', '')}"


def _function(function: types.FunctionType, known: set[int]) -> Iterator[str]:
    yield f"function {function.__module__}.{function.__qualname__}"
    root = function.__module__.partition(".")[0]
    if id(function) in known or root in _LIBRARIES or root in sys.stdlib_module_names:
        return
    known.add(id(function))
    yield from _description(function.__code__, known)
    yield from _description(function.__defaults__ or (), known)
    for cell in function.__closure__ or ():
        yield from _description(cell.cell_contents, known)
    for name in sorted(set(_names(function.__code__)) & function.__globals__.keys()):
        yield f"global {name}"
        yield from _description(function.__globals__[name], known)
    make: Callable | None = getattr(function, "make_compiled", None)
    if make is not None:
        yield from _description(make, known)


def _names(code: types.CodeType) -> Iterator[str]:
    """Names that a code refers to, and the functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


_LIBRARIES = ("numba", "llvmlite", "numpy")


def _type_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}{getattr(kind, '_fields', '')}"
