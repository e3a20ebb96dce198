"""Workloads: computations whose arithmetic runs through the units under study, found by name."""

from __future__ import annotations

import hashlib
import inspect
import sys
from importlib import import_module
from pathlib import Path

from ...exceptions import InvalidInput, quoted, shown, unknown
from .digits import DIGITS
from .minilm.workload import MiniLM
from .protocol import Outcome, Workload

WORKLOADS: dict[str, Workload] = {one.name: one for one in (DIGITS, MiniLM())}
"""The workloads that come with hwarith, by name."""

_MEMBERS = tuple(name for name in vars(Workload) if not name.startswith("_"))


def workload(name: str | Workload) -> Workload:
    """The workload of this name; a `Workload` is returned as it is.

    A name is one of `WORKLOADS`, or ``package.module:NAME`` of a workload of your own: an object
    called ``NAME`` in a module that Python can import (worker processes have the same path as the
    process that starts them). Raises `InvalidInput` if there is none, or if it is no workload.
    """
    if not isinstance(name, str):
        return _checked(name, repr(name))
    if ":" in name:
        return _imported(name)
    if name not in WORKLOADS:
        raise unknown("workload", name, WORKLOADS)
    return WORKLOADS[name]


def code_digest(name: str) -> str | None:
    """SHA-256 of the file of the module that a workload of the user's own is in; None for those of
    `WORKLOADS`, which are part of hwarith's sources."""
    if ":" not in name:
        return None
    workload(name)
    file = sys.modules[name.partition(":")[0]].__file__
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else None


def _imported(name: str) -> Workload:
    module_name, _, attribute = name.partition(":")
    what = f"workload {quoted(name)}"
    if module_name == "__main__":
        raise InvalidInput(f"{what}: give the module's own name; other processes import it")
    try:
        module = import_module(module_name)
    except Exception as error:  # whatever the user's module does
        raise InvalidInput(
            f"{what}: module {quoted(module_name)} cannot be imported: "
            f"{type(error).__name__}: {shown(error)}"
        ) from None
    if not hasattr(module, attribute):
        raise InvalidInput(f"{what}: module {quoted(module_name)} has no {quoted(attribute)}")
    return _checked(getattr(module, attribute), what)


def _checked(found: object, what: str) -> Workload:
    """An object, if it has the members of a workload, without computing any of them."""
    if isinstance(found, type):
        raise InvalidInput(f"{what} must be an object, not the class {found.__name__}")
    missing = [m for m in _MEMBERS if inspect.getattr_static(found, m, None) is None]
    if missing:
        raise InvalidInput(f"{what} is no workload; it has no {', '.join(missing)}")
    return found  # type: ignore[return-value]


__all__ = ["DIGITS", "WORKLOADS", "MiniLM", "Outcome", "Workload", "code_digest", "workload"]
