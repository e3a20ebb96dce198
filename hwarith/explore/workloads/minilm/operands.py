"""The transformer as a workload of sweeps: with the operands that the unit met."""

from __future__ import annotations

import numpy as np

from ....units import Unit
from ..network import Outcome, operands_met
from .products import Products
from .run import reference, run_products


def outcome(unit: Unit, pairs: int, tokens: int) -> Outcome:
    """The retrieval task as a network's `Outcome`: recall@1 as accuracy, the root mean square of
    the embeddings' deviation from float32's over that of float32's as output error, and operands
    of some rows, columns and steps of each kind of product (`products.SAMPLE`)."""
    products = Products(unit)
    found = run_products(products, pairs, tokens)
    expected = reference(pairs, tokens)
    deviation = np.sqrt(np.mean((found.embeddings - expected) ** 2) / np.mean(expected**2))
    assert products.path is not None
    met: list[tuple[np.ndarray, ...]] = []
    for x, w in products.met:
        zeros = products.path.first.encode(np.zeros(w.shape[1]))
        met.append(operands_met(products.path, unit, x, w, zeros))
    return Outcome(
        found.recall,
        float(deviation) if np.isfinite(deviation) else None,
        tuple(np.concatenate(codes) for codes in zip(*met, strict=True)),
    )
