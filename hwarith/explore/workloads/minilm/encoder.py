"""The encoder: BERT with mean pooling, in any arithmetic.

Source: Devlin et al., BERT (NAACL 2019); the configuration of sentence-transformers'
all-MiniLM-L6-v2: hidden size 384, 12 heads, GELU by the error function, LayerNorm behind each sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from .heads import Heads
from .model import Model


class Arithmetic(Protocol):
    """What the encoder computes with, on values of its own kind, of shape (tokens, features)."""

    def embedded(self, tables: Sequence[np.ndarray]) -> Any:
        """The sum of embeddings, float32 (tokens, features) or (features)."""

    def linear(self, x: Any, weights: np.ndarray, bias: np.ndarray, kind: str) -> Any:
        """``x w + b`` for float32 weights (inputs, outputs); the kind says which: ``query``,
        ``key``, ``value``, ``attention``, ``up``, ``down``."""

    def attention(self, q: Any, k: Any, v: Any, heads: Heads) -> Any:
        """``softmax(q k^T / sqrt(size)) v`` for each head of each text."""

    def gelu(self, x: Any) -> Any: ...
    def add(self, x: Any, y: Any) -> Any:
        """The residual sum of what went into some layers and what came out of them."""

    def normalized(self, x: Any, gamma: np.ndarray, beta: np.ndarray, epsilon: float) -> Any:
        """LayerNorm of each row."""

    def pooled(self, x: Any, spans: Sequence[slice]) -> np.ndarray:
        """The mean of each text's rows, made of length 1: float32 (texts, features)."""


def encode(
    model: Model,
    texts: Sequence[np.ndarray],
    m: Arithmetic,
    rows: int = 1,
    layers: int | None = None,
) -> np.ndarray:
    """Embeddings of texts: float32 (texts, 384), of length 1.

    Parameters
    ----------
    texts : the tokens of each, which are not padded.
    m : the arithmetic of all operations.
    rows : of matrices in which heads are multiplied (`Heads`).
    layers : how many of the model's, from the first on (default: all).
    """
    w = model.weights
    ends = np.cumsum([0, *map(len, texts)])
    spans = [slice(i, j) for i, j in pairwise(ends.tolist())]
    positions = np.concatenate([np.arange(len(text)) for text in texts])
    tables = [
        w["embeddings.word_embeddings.weight"][np.concatenate(texts)],
        w["embeddings.position_embeddings.weight"][positions],
        w["embeddings.token_type_embeddings.weight"][0],
    ]
    heads = Heads(spans, model.heads, tables[0].shape[1] // model.heads, rows)
    x = _normalized(model, m.embedded(tables), "embeddings.LayerNorm", m)
    for i in range(model.layers if layers is None else layers):
        x = _layer(model, x, heads, f"encoder.layer.{i}", m)
    return m.pooled(x, spans)


def _layer(model: Model, x: Any, heads: Heads, name: str, m: Arithmetic) -> Any:
    def linear(x: Any, part: str, kind: str) -> Any:
        weights, bias = (model.weights[f"{name}.{part}.{what}"] for what in ("weight", "bias"))
        return m.linear(x, weights.T, bias, kind)

    q, k, v = (linear(x, f"attention.self.{kind}", kind) for kind in ("query", "key", "value"))
    context = m.attention(q, k, v, heads)
    x = m.add(x, linear(context, "attention.output.dense", "attention"))
    x = _normalized(model, x, f"{name}.attention.output.LayerNorm", m)
    up = m.gelu(linear(x, "intermediate.dense", "up"))
    x = m.add(x, linear(up, "output.dense", "down"))
    return _normalized(model, x, f"{name}.output.LayerNorm", m)


def _normalized(model: Model, x: Any, name: str, m: Arithmetic) -> Any:
    gamma, beta = (model.weights[f"{name}.{what}"] for what in ("weight", "bias"))
    return m.normalized(x, gamma, beta, model.epsilon)
