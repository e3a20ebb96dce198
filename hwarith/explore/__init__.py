"""Which unit to build: error metrics, workloads, sweeps over design points."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .metrics import evaluate
    from .sweep import run_sweep
    from .weights import measure_weights

_HOMES = {"evaluate": "metrics", "measure_weights": "weights", "run_sweep": "sweep"}

__all__ = ["evaluate", "measure_weights", "run_sweep"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hwarith.explore' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
