"""Which unit to build: error metrics, workloads, sweeps over design points."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .metrics import evaluate
    from .sweeps.sweep import run_sweep
    from .weights import measure_weights

__all__ = ["evaluate", "measure_weights", "run_sweep"]

_MODULES = {"evaluate": ".metrics", "measure_weights": ".weights", "run_sweep": ".sweeps.sweep"}


def __getattr__(name: str) -> Any:
    """Imported on first use: `hwarith cycles` answers before numpy is loaded."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)
