"""Golden definitions compiled by numba, once each: formats and modes are run-time numbers."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

DEFINITIONS = 512
"""Most compiled definitions that are remembered, parts of others among them."""

LOOPS = 128
"""Most compiled loops of each kind that are remembered."""


def inlined(function: Callable) -> Any:
    """A plain function, compiled into whatever compiled function calls it: not to be called
    otherwise, for what Python needs to call it takes half of the compiler's time."""
    import numba

    only_inside: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(nogil=True, forceinline=True, **only_inside)(function)


@lru_cache(maxsize=DEFINITIONS)
def compiled(definition: Callable) -> Any:
    """A golden function, compiled into whatever compiled function calls it, together with the
    golden functions that it calls by global names or has in its closure."""
    make = getattr(definition, "make_compiled", None)
    if make is not None:
        return make()
    env = dict(definition.__globals__)
    env.update({name: compiled(part) for name, part in _parts(definition).items()})
    cells = [_compiled_part(cell.cell_contents) for cell in definition.__closure__ or ()]
    return inlined(
        types.FunctionType(
            definition.__code__,
            env,
            definition.__name__,
            definition.__defaults__,
            tuple(map(types.CellType, cells)),
        )
    )


def _parts(definition: Callable) -> dict[str, Callable]:
    """The golden functions among the global names of a function."""
    known = definition.__globals__
    names = [name for name in definition.__code__.co_names if name in known]
    return {name: known[name] for name in names if getattr(known[name], "is_golden", False)}


def _compiled_part(value: Any) -> Any:
    return compiled(value) if getattr(value, "is_golden", False) else value
