"""Weights of the user's own: arrays in an .npy or .npz file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidInput
from ..files import read_arrays
from ..formats.weights import quantize


@dataclass(frozen=True, eq=False)
class Arrays:
    """Arrays of weights of shape (..., n) by name, from a file; made by `read_weights`."""

    path: Path
    named: dict[str, np.ndarray]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def arrays(self) -> list[np.ndarray]:
        return list(self.named.values())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file's arrays."""
        from .weights import digest

        return digest(self.arrays)

    def check_group(self, group: int) -> None:
        """Raise `InvalidInput` for arrays that are no weights, or that groups do not divide."""
        for name, w in self.named.items():
            try:
                quantize(w, "int8", group)
            except InvalidInput as error:
                raise InvalidInput(f"weights file {self.path}{name}: {error}") from None
        if not any(w.any() for w in self.arrays):
            raise InvalidInput(f"weights file {self.path}: all weights are zero")

    def network_figures(self, weights: Sequence[np.ndarray]) -> dict[str, float | None]:
        """None: these weights are of no network that is known."""
        return {}

    def element_figures(self, *_: Any) -> dict[str, float | None]:
        """None either."""
        return {}


def read_weights(path: Path) -> Arrays:
    """The arrays of an ``.npy`` or ``.npz`` file. Raises `InvalidInput` if it is none."""
    loaded = read_arrays(path, "weights file")
    if isinstance(loaded, np.ndarray):
        named = {"": loaded}
    else:
        named = {f", array {name!r}": array for name, array in loaded.items()}
    if not named:
        raise InvalidInput(f"weights file {path} has no array in it")
    return Arrays(path, named)
