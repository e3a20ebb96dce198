"""Networks whose arithmetic runs through the units under study."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING

from ...errors import unknown

if TYPE_CHECKING:
    from ...units import Unit
    from .network import Network, Outcome


@dataclass(frozen=True)
class Workload:
    """A network with its data in a file of this package, loaded when first used."""

    name: str
    summary: str
    file: str
    item = "image"
    sample = "from every 5th image"

    @property
    def method(self) -> tuple[str, ...]:
        """How it is run, in sentences for readers of a report."""
        from .network import METHOD

        return METHOD

    @property
    def count(self) -> int:
        """The images."""
        return len(self.network.labels)

    @cached_property
    def _data(self) -> bytes:
        return (resources.files(__name__) / self.file).read_bytes()

    @property
    def digest(self) -> str:
        """SHA-256 of the data."""
        return hashlib.sha256(self._data).hexdigest()

    @cached_property
    def network(self) -> Network:
        import numpy as np

        from .network import Layer, Network

        with np.load(io.BytesIO(self._data)) as data:
            layers: list[Layer] = []
            while f"weights{len(layers)}" in data:
                w, b, peaks = (data[f"{key}{len(layers)}"] for key in ("weights", "bias", "peaks"))
                layers.append(Layer(w.astype(float), b.astype(float), *map(float, peaks)))
            images = data["images"] / data["images"].max()
            return Network(tuple(layers), images, data["labels"])

    @cached_property
    def float64_accuracy(self) -> float:
        """Share of images that float64 arithmetic classifies right."""
        from .network import accuracy, exact_outputs

        return accuracy(exact_outputs(self.network), self.network.labels)

    def check(self, unit: Unit) -> None:
        """Raise `InvalidInput` if this workload cannot run on a unit."""
        from .network import datapath

        datapath(unit)

    def run(self, unit: Unit) -> Outcome:
        """Run every image with a unit in its place. Raises `InvalidInput`."""
        from .network import run

        return run(self.network, unit)


class MiniLM:
    """A transformer as a workload (`hwarith.explore.workloads.minilm`): 24 pairs of texts, cut to
    16 tokens. Its accuracy is recall@1, its output error that of the embeddings."""

    name = "minilm"
    summary = (
        "The transformer all-MiniLM-L6-v2 (six layers, 384 wide) finds for the first lines of 24 "
        "docstrings of numpy and scipy the rest of each, among those of all; texts are cut to 16 "
        "tokens. The accuracy is the share that is found first."
    )
    item = "text"
    sample = "of some rows, columns and steps of each kind of product"
    pairs, tokens = 24, 16
    count = pairs

    @property
    def method(self) -> tuple[str, ...]:
        """How it is run, in sentences for readers of a report."""
        from .minilm.products import METHOD

        return METHOD

    @property
    def digest(self) -> str:
        """SHA-256 of the model, and the versions of what the texts are from."""
        from .minilm import model, retrieval

        return hashlib.sha256(f"{model.load().digest} {retrieval.versions()}".encode()).hexdigest()

    @cached_property
    def float64_accuracy(self) -> float:
        """Share of the texts that float32 arithmetic finds."""
        from .minilm import run

        return run(None, self.pairs, self.tokens).recall

    def check(self, unit: Unit) -> None:
        """Raise `InvalidInput` if the transformer cannot run on a unit, and `MissingTool` if it
        is not installed."""
        from .minilm import model
        from .network import datapath

        model.load()
        datapath(unit)

    def run(self, unit: Unit) -> Outcome:
        """Run all texts with a unit in every product of matrices. Raises `InvalidInput`."""
        from .minilm.operands import outcome

        return outcome(unit, self.pairs, self.tokens)


DIGITS = Workload(
    "digits",
    "A multilayer perceptron (64 inputs, hidden layers of 24 and 16 with ReLU, 10 outputs), "
    "trained in floating point, classifies 500 held-out images of scikit-learn's handwritten "
    "digits (8 by 8 pixels with 17 grey levels).",
    "digits.npz",
)

WORKLOADS: dict[str, Workload | MiniLM] = {
    "digits": DIGITS,
    "minilm": MiniLM(),
}
"""The workloads by name."""


def workload(name: str) -> Workload | MiniLM:
    """The workload of this name. Raises `InvalidInput` if there is none."""
    if name not in WORKLOADS:
        raise unknown("workload", name, WORKLOADS)
    return WORKLOADS[name]
