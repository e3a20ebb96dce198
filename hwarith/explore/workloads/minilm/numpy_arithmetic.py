"""The operations between products of matrices in numpy: float32, with means, roots and the error
function in float64."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from .heads import Factors, Heads


class NumpyArithmetic(ABC):
    """An `encoder.Arithmetic` on float32 numbers, but for the products of matrices."""

    @abstractmethod
    def __call__(self, factors: list[Factors], kind: str) -> list[np.ndarray]:
        """Products of float32 matrices of one kind: those of `linear`, ``scores``, ``context``."""

    def embedded(self, tables: Sequence[np.ndarray]) -> np.ndarray:
        x, *more = tables
        for table in more:
            x = x + table
        return x

    def linear(self, x: np.ndarray, weights: np.ndarray, bias: np.ndarray, kind: str) -> np.ndarray:
        return self([Factors(x, weights, weights.shape[1])], kind)[0] + bias

    def attention(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, heads: Heads) -> np.ndarray:
        q = q / np.float32(np.sqrt(heads.size))
        scores = heads.own(self(heads.of_scores(q, k), "scores"))
        factors = heads.of_context([_softmax(x) for x in scores], v)
        return heads.joined(self(factors, "context"))

    def gelu(self, x: np.ndarray) -> np.ndarray:
        from scipy.special import erf

        y = x.astype(np.float64)
        return (y * (1 + erf(y / np.sqrt(2))) / 2).astype(np.float32)

    def add(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return x + y

    def normalized(
        self, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float
    ) -> np.ndarray:
        y = x.astype(np.float64)
        y -= y.mean(axis=1, keepdims=True)
        y /= np.sqrt(np.mean(y**2, axis=1, keepdims=True) + epsilon)
        return (y * gamma + beta).astype(np.float32)

    def pooled(self, x: np.ndarray, spans: Sequence[slice]) -> np.ndarray:
        means = np.array([x[span].mean(axis=0, dtype=np.float64) for span in spans])
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
