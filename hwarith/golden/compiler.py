"""Golden definitions compiled by numba, once each: formats and modes are run-time numbers."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

DEFINITIONS = 512
"""Most compiled definitions that are remembered, parts of others among them."""

LOOPS = 128
"""Most compiled loops of each kind that are remembered."""


def signed_words(x: np.ndarray) -> np.ndarray:
    """Unsigned 64-bit words as signed ones; other arrays as they are."""
    return x.view(np.int64) if x.dtype == np.uint64 else x


def machine_words(constants: tuple) -> tuple:
    """The same integers as signed 64-bit machine words, in the same named tuples."""
    return tuple(
        type(c)(*machine_words(c)) if isinstance(c, tuple) else ((c + 2**63) % 2**64) - 2**63
        for c in constants
    )


def inlined(function: Callable) -> Any:
    """A plain function, compiled into whatever compiled function calls it."""
    import numba

    return numba.njit(nogil=True, forceinline=True)(function)


@lru_cache(maxsize=DEFINITIONS)
def compiled(definition: Callable) -> Any:
    """A golden function, compiled into whatever compiled function calls it, together with the
    golden functions that it calls."""
    make = getattr(definition, "make_compiled", None)
    if make is not None:
        return make()
    env = dict(definition.__globals__)
    env.update({name: compiled(part) for name, part in _parts(definition).items()})
    return inlined(
        types.FunctionType(
            definition.__code__,
            env,
            definition.__name__,
            definition.__defaults__,
            definition.__closure__,
        )
    )


def _parts(definition: Callable) -> dict[str, Callable]:
    """The golden functions among the global names of a function."""
    known = ((name, definition.__globals__.get(name)) for name in definition.__code__.co_names)
    return {name: f for name, f in known if f is not None and getattr(f, "is_golden", False)}
