"""The transformer as a workload of sweeps, with the operands that the unit met."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np

from ....units import Unit
from ..datapath import datapath
from ..protocol import Outcome, Workload
from . import model, retrieval
from .products import METHOD, SAMPLED_PAIRS, Products
from .task import reference, run, run_in


class MiniLM(Workload):
    """The retrieval task with 24 pairs of texts, cut to 16 tokens.

    Its accuracy is recall@1, its output error that of the embeddings.
    """

    name = "minilm"
    summary = (
        "The transformer all-MiniLM-L6-v2 (six layers, 384 wide) finds for the first lines of 24 "
        "docstrings of numpy and scipy the rest of each, among those of all; texts are cut to 16 "
        "tokens. The accuracy is the share that is found first."
    )
    item = "text"
    baseline = "float32"
    sample = "of some rows, columns and steps of each kind of product"
    pairs, tokens = 24, 16
    method = METHOD

    @property
    def count(self) -> int:
        """The pairs."""
        return self.pairs

    @property
    def digest(self) -> str:
        """SHA-256 of the model, and the versions of what the texts are from."""
        return hashlib.sha256(f"{model.load().digest} {retrieval.versions()}".encode()).hexdigest()

    @cached_property
    def baseline_accuracy(self) -> float:
        """Share of the texts that float32 arithmetic finds."""
        return run(None, self.pairs, self.tokens).recall

    def check(self, unit: Unit) -> None:
        """Raise `InvalidInput` if the transformer cannot run on a unit, and `MissingTool` if it
        is not installed."""
        model.load()
        datapath(unit)

    def run(self, unit: Unit) -> Outcome:
        """Run all texts with a unit in every product of matrices. Raises `InvalidInput`."""
        return outcome(unit, self.pairs, self.tokens)


def outcome(unit: Unit, pairs: int, tokens: int) -> Outcome:
    """The retrieval task as a network's `Outcome`: recall@1 as accuracy, the root mean square of
    the embeddings' deviation from float32's over that of float32's as output error, and operands
    of some rows, columns and steps of each kind of product (`products.SAMPLE`)."""
    products = Products(unit)
    found = run_in(products, pairs, tokens)
    expected = reference(pairs, tokens)
    deviation = np.sqrt(np.mean((found.embeddings - expected) ** 2) / np.mean(expected**2))
    assert products.path is not None
    met: list[tuple[np.ndarray, ...]] = []
    for x, w in products.met:
        zeros = products.path.first.encode(np.zeros(w.codes.shape[1]))
        met.append(products.path.operands_met(x, w, zeros, SAMPLED_PAIRS))
    return Outcome(
        found.recall,
        float(deviation) if np.isfinite(deviation) else None,
        tuple(np.concatenate(codes) for codes in zip(*met, strict=True)),
    )
