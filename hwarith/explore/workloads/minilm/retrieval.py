"""The task: which docstring does a first line belong to?

Every public function of numpy and scipy gives a pair: the first line of its docstring (its summary,
or of a ufunc its signature) asks, the rest is to be found. Which functions these are and their
order follow from the versions of the two packages alone: module by module, numpy first, and in
alphabetical order, so that those next to each other are often alike.
"""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np

from ....exceptions import InvalidInput

SOURCES = ("numpy", "scipy")

_NOT_PUBLIC = ("tests", "testing", "f2py", "conftest")


class Pair(NamedTuple):
    """A function's qualified name, its docstring's first line, and the rest."""

    name: str
    summary: str
    rest: str


class Score(NamedTuple):
    """``recall``: the share of summaries whose own text is the nearest; ``mrr``: the mean of one
    over the place of their own text among all."""

    recall: float
    mrr: float


def versions() -> str:
    """The packages that texts are from, with their versions."""
    return ", ".join(f"{name} {metadata.version(name)}" for name in SOURCES)


def pairs(count: int) -> list[Pair]:
    """The first `count` pairs. Raises `InvalidInput` if there are not so many, or fewer than two
    are asked for."""
    found = _all_pairs()
    if not 2 <= count <= len(found):
        raise InvalidInput(f"pairs must be 2 to {len(found)} ({versions()}), not {count}")
    return list(found[:count])


@cache
def _all_pairs() -> tuple[Pair, ...]:
    found: dict[str, Pair] = {}
    for name, f in _functions():
        lines = inspect.cleandoc(f.__doc__).strip().split("\n")
        pair = Pair(name, lines[0].strip(), " ".join(" ".join(lines[1:]).split()))
        if pair.rest:  # of two that ask the same, the first
            found.setdefault(pair.summary, pair)
    return tuple(found.values())


def _functions() -> Iterator[tuple[str, Any]]:
    """Public functions and their names; each of them once."""
    modules: list[types.ModuleType] = [__import__(name) for name in SOURCES]
    seen: set[int] = set()
    for module in modules:  # which grows
        names = getattr(module, "__all__", None) or vars(module)
        for name in sorted(n for n in names if not n.startswith("_") and n not in _NOT_PUBLIC):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = getattr(module, name, None)
            if isinstance(value, types.ModuleType):
                if value.__name__.startswith(f"{module.__name__}.") and value not in modules:
                    modules.append(value)
            elif _is_function(value) and id(value) not in seen:
                seen.add(id(value))
                yield f"{module.__name__}.{name}", value


def _is_function(value: Any) -> bool:
    return (
        callable(value)
        and not inspect.isclass(value)
        and hasattr(value, "__name__")
        and isinstance(value.__doc__, str)
    )


def score(queries: np.ndarray, texts: np.ndarray) -> Score:
    """How well queries (n, size) find the texts (n, size) of the same number by their dot product.

    Equal ones share their places, the worst counts; and a NaN is never nearest.
    """
    similar = queries.astype(np.float64) @ texts.astype(np.float64).T
    similar = np.where(np.isnan(similar), -np.inf, similar)
    places = (similar >= np.diag(similar)[:, None]).sum(axis=1)
    return Score(float(np.mean(places == 1)), float(np.mean(1 / places)))
