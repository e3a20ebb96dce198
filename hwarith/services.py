"""What a lower layer asks of a higher one.

Arrows between layers run one way: a lower one names a service, and the package itself, which stands
above all layers, says which function that is. It is imported when it is first called.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {}


def provide(name: str, function: str) -> None:
    """Say that a service is this function, given as ``package.module:function``."""
    _HOMES[name] = function


def service(name: str) -> Callable[..., Any]:
    """The function that a service is."""
    module, _, function = _HOMES[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
