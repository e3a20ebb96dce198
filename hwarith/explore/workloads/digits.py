"""Handwritten digits: a small trained network and its held-out images, a file of this package."""

from __future__ import annotations

import hashlib
import io
from functools import cached_property
from importlib import resources

import numpy as np

from ...units import Unit
from .network import METHOD, Layer, Network, accuracy, exact_outputs, run
from .protocol import Outcome, Workload

FILE = "digits.npz"
"""Made by `hwarith.explore.workloads.make_digits`."""


class Digits(Workload):
    """The classification of 500 images by a multilayer perceptron."""

    name = "digits"
    summary = (
        "A multilayer perceptron (64 inputs, hidden layers of 24 and 16 with ReLU, 10 outputs), "
        "trained in floating point, classifies 500 held-out images of scikit-learn's handwritten "
        "digits (8 by 8 pixels with 17 grey levels)."
    )
    item = "image"
    sample = "from every 5th image"
    method = METHOD

    @property
    def count(self) -> int:
        """The images."""
        return len(self.network.labels)

    @cached_property
    def _data(self) -> bytes:
        return (resources.files(__package__) / FILE).read_bytes()

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self._data).hexdigest()

    @cached_property
    def network(self) -> Network:
        """The network and its images, read when first used."""
        with np.load(io.BytesIO(self._data)) as data:
            layers: list[Layer] = []
            while f"weights{len(layers)}" in data:
                w, b, peaks = (data[f"{key}{len(layers)}"] for key in ("weights", "bias", "peaks"))
                layers.append(Layer(w.astype(float), b.astype(float), *map(float, peaks)))
            images = data["images"] / data["images"].max()
            return Network(tuple(layers), images, data["labels"])

    @cached_property
    def baseline_accuracy(self) -> float:
        """Share of images that float64 arithmetic classifies right."""
        return accuracy(exact_outputs(self.network), self.network.labels)

    def run(self, unit: Unit) -> Outcome:
        """Run every image with a unit in its place. Raises `InvalidInput`."""
        return run(self.network, unit)


DIGITS = Digits()
