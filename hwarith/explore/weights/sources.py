"""Weights that types are compared on: those of the digits network, or arrays of the user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from ...exceptions import InvalidInput, quoted, shown
from ...formats.weights import quantize
from ...formats.weights.quantizer import checked_weights
from ...inputs import read_arrays
from ..workloads.digits import DIGITS
from ..workloads.digits import Digits as DigitsWorkload
from ..workloads.network import run_with_sums
from .elements import Element, Sums, sums_through
from .types import Coded


class WeightSource(Protocol):
    """Weights, and what else can be found out with them."""

    @property
    def name(self) -> str:
        """What they are called, for readers."""
        ...

    @property
    def arrays(self) -> list[np.ndarray]:
        """The weights: arrays (..., n), of which groups run along the last axis."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of what they come from."""
        ...

    def check_group(self, group: int) -> None:
        """Raise `InvalidInput` for a group that does not go with the arrays."""

    def network_figures(self, weights: Sequence[np.ndarray]) -> dict[str, float | None]:
        """What a network does with these weights, of the shapes of `arrays`, if there is one."""
        ...

    def element_figures(
        self, element: Element | None, found: Sequence[Coded | np.ndarray]
    ) -> dict[str, float | None]:
        """What it does with quantized weights on a processing element, if there is one."""
        ...


@dataclass(frozen=True)
class Digits:
    """The weights of the digits network, (outputs, inputs) of each layer."""

    workload: DigitsWorkload

    @property
    def name(self) -> str:
        return self.workload.name

    @property
    def arrays(self) -> list[np.ndarray]:
        return [layer.weights.T for layer in self.workload.network.layers]

    @property
    def digest(self) -> str:
        return self.workload.digest

    def check_group(self, group: int) -> None:
        """Raise `InvalidInput` for groups that no layer fills."""
        most = max(w.shape[-1] for w in self.arrays)
        if not 1 <= group <= most:
            raise InvalidInput(f"group must be 1 to {most} (inputs of a layer), not {group}")

    def network_figures(self, weights: Sequence[np.ndarray]) -> dict[str, float | None]:
        """Accuracy and output error with these weights, of the shapes of `arrays`."""
        accuracy, error = run_with_sums(self.workload.network, [_float64_sums(w) for w in weights])
        return {"accuracy": accuracy, "output_error": error}

    def element_figures(
        self, element: Element | None, found: Sequence[Coded | np.ndarray]
    ) -> dict[str, float | None]:
        """Output error through a processing element, None without one."""
        if element is None:
            return {"pe_output_error": None}
        sums = [sums_through(element, q) for q in found]
        return {"pe_output_error": run_with_sums(self.workload.network, sums)[1]}


def _float64_sums(w: np.ndarray) -> Sums:
    return lambda x: x.astype(np.float64) @ w.T


def digits() -> Digits:
    """The weights that types are compared on, unless the user gives others."""
    return Digits(DIGITS)


@dataclass(frozen=True, eq=False)
class Arrays:
    """Arrays of weights of shape (..., n) by name (a single one's is empty), from a file; made by
    `read_weights`."""

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
        return _digest(self.arrays)

    def check_group(self, group: int) -> None:
        """Raise `InvalidInput` for arrays that are no weights, or that groups do not divide."""
        for name, w in self.named.items():
            with self._named_in_errors(name):
                quantize(w, "int8", group)
        if not any(w.any() for w in self.arrays):
            raise InvalidInput(f"weights file {shown(self.path)}: all weights are zero")

    def checked(self) -> dict[str, np.ndarray]:
        """The arrays as float64. Raises `InvalidInput` for one of no weights, or of zeros."""
        found = {}
        for name, w in self.named.items():
            with self._named_in_errors(name):
                found[name] = checked_weights(w)
                if not found[name].any():
                    raise InvalidInput("all weights are zero")
        return found

    @contextmanager
    def _named_in_errors(self, name: str) -> Iterator[None]:
        array = f", array {quoted(name)}" if name else ""
        try:
            yield
        except InvalidInput as error:
            raise InvalidInput(f"weights file {shown(self.path)}{array}: {error}") from None

    def network_figures(self, weights: Sequence[np.ndarray]) -> dict[str, float | None]:
        """None: these weights are of no network that is known."""
        return {}

    def element_figures(
        self, element: Element | None, found: Sequence[Coded | np.ndarray]
    ) -> dict[str, float | None]:
        """None either."""
        return {}


def read_weights(path: Path) -> Arrays:
    """The arrays of an ``.npy`` or ``.npz`` file. Raises `InvalidInput` if it is none."""
    loaded = read_arrays(path, "weights file")
    if isinstance(loaded, np.ndarray):
        return Arrays(path, {"": loaded})
    if not loaded:
        raise InvalidInput(f"weights file {shown(path)} has no array in it")
    return Arrays(path, loaded)


def _digest(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of arrays, of their shapes and types too."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
