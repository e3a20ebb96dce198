"""The encoder: BERT with mean pooling, in numpy, with products of matrices by others.

Source: Devlin et al., BERT (NAACL 2019); the configuration of sentence-transformers'
all-MiniLM-L6-v2: hidden size 384, 12 heads, GELU by the error function, LayerNorm behind each sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .model import Model


class Factors(NamedTuple):
    """Matrices (m, k) and (k, n) to be multiplied, and of how many columns of the product each row
    is used."""

    left: np.ndarray
    right: np.ndarray
    columns: int


Multiply = Callable[[list[Factors], str], list[np.ndarray]]
"""What multiplies matrices of one kind, which it is told by name: float32 in and out."""


def encode(
    model: Model,
    texts: Sequence[np.ndarray],
    multiply: Multiply,
    rows: int = 1,
    layers: int | None = None,
) -> np.ndarray:
    """Embeddings of texts: float32 (texts, 384), of length 1.

    Parameters
    ----------
    texts : the tokens of each, which are not padded.
    multiply : computes all products of matrices: kinds ``query``, ``key``, ``value``, ``scores``,
        ``context``, ``attention``, ``up`` and ``down``. All else (biases, softmax, LayerNorm,
        GELU, sums) is float32 with means and the error function in float64.
    rows : heads of one text are multiplied together in matrices of up to so many rows and columns
        (or alone). A few large products may be faster than many small ones, though those between
        different heads are for nothing.
    layers : how many of the model's, from the first on (default: all).
    """
    w = model.weights
    ends = np.cumsum([0, *map(len, texts)])
    spans = [slice(i, j) for i, j in pairwise(ends.tolist())]
    positions = np.concatenate([np.arange(len(text)) for text in texts])
    x = w["embeddings.word_embeddings.weight"][np.concatenate(texts)]
    x = x + w["embeddings.position_embeddings.weight"][positions]
    x = x + w["embeddings.token_type_embeddings.weight"][0]
    x = _normalized(model, x, "embeddings.LayerNorm")
    for i in range(model.layers if layers is None else layers):
        x = _layer(model, x, spans, f"encoder.layer.{i}", multiply, rows)
    means = np.array([x[span].mean(axis=0, dtype=np.float64) for span in spans])
    return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


def _layer(
    model: Model, x: np.ndarray, spans: list[slice], name: str, multiply: Multiply, rows: int
) -> np.ndarray:
    def linear(x: np.ndarray, part: str, kind: str) -> np.ndarray:
        weights, bias = (model.weights[f"{name}.{part}.{what}"] for what in ("weight", "bias"))
        return multiply([Factors(x, weights.T, len(weights))], kind)[0] + bias

    q, k, v = (linear(x, f"attention.self.{kind}", kind) for kind in ("query", "key", "value"))
    context = _attention(q, k, v, spans, model.heads, multiply, rows)
    x = x + linear(context, "attention.output.dense", "attention")
    x = _normalized(model, x, f"{name}.attention.output.LayerNorm")
    up = _gelu(linear(x, "intermediate.dense", "up"))
    x = x + linear(up, "output.dense", "down")
    return _normalized(model, x, f"{name}.output.LayerNorm")


def _attention(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    spans: list[slice],
    heads: int,
    multiply: Multiply,
    rows: int,
) -> np.ndarray:
    """softmax(q k^T / sqrt(size)) v for each head of each text; (tokens, heads * size)."""
    size = q.shape[1] // heads
    groups = [
        (span, slice(first * size, min(first + together, heads) * size))
        for span in spans
        for together in [max(1, rows // (span.stop - span.start))]
        for first in range(0, heads, together)
    ]
    q = q / np.float32(np.sqrt(size))
    factors = [
        Factors(_stacked(q[s, h], size), _stacked(k[s, h], size).T, s.stop - s.start)
        for s, h in groups
    ]
    products = multiply(factors, "scores")
    # Of all products of heads with heads those of each with itself.
    shares = [
        _softmax(_own(x, s.stop - s.start)) for x, (s, _) in zip(products, groups, strict=True)
    ]
    factors = [Factors(x, v[s, h], size) for x, (s, h) in zip(shares, groups, strict=True)]
    products = multiply(factors, "context")
    context = np.empty_like(q)
    for x, (s, h) in zip(products, groups, strict=True):
        tokens = s.stop - s.start
        for i in range(len(x) // tokens):
            columns = slice(i * size, (i + 1) * size)
            context[s, h][:, columns] = x[i * tokens : (i + 1) * tokens, columns]
    return context


def _stacked(x: np.ndarray, size: int) -> np.ndarray:
    """Heads side by side (tokens, heads * size) below each other: (heads * tokens, size)."""
    return x.reshape(len(x), -1, size).swapaxes(0, 1).reshape(-1, size)


def _own(x: np.ndarray, tokens: int) -> np.ndarray:
    """The square blocks on the diagonal, below each other."""
    starts = range(0, len(x), tokens)
    return np.concatenate([x[i : i + tokens, i : i + tokens] for i in starts])


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    y = x.astype(np.float64)
    return (y * (1 + erf(y / np.sqrt(2))) / 2).astype(np.float32)


def _normalized(model: Model, x: np.ndarray, name: str) -> np.ndarray:
    y = x.astype(np.float64)
    y -= y.mean(axis=1, keepdims=True)
    y /= np.sqrt(np.mean(y**2, axis=1, keepdims=True) + model.epsilon)
    y = y * model.weights[f"{name}.weight"] + model.weights[f"{name}.bias"]
    return y.astype(np.float32)
