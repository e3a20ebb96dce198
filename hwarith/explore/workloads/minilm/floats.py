"""The transformer with every operation on a unit, on values that are codes of one float format."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ....formats import Format, format
from ....matrix.product import matmul
from ....units import Unit, unit
from ....units.rows.base import Arrays
from .heads import ROWS, Counting, Factors, Heads, apart

FP32 = format("fp32")


@dataclass
class Floats(Counting):
    """An `encoder.Arithmetic` on units: values are codes of `value`, sums of products fp32.

    Sums run in ascending order. Those of linear layers begin with the bias, and are rounded to
    `value` once; scores are multiplied with 1/sqrt(size) in fp32, in which the softmax takes them.

    Attributes
    ----------
    spec : the preset's name.
    value : the format of values between operations.
    multiply_add : of products of matrices, its spec: ``fma:a=bf16,c=fp32,out=fp32``.
    features : of a token.
    """

    spec: str
    value: Format
    multiply_add: str
    features: int = 384

    rows: ClassVar[int] = ROWS
    weights: ClassVar[None] = None

    # -- the units -------------------------------------------------------------------------------

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        """Specs of the units of each operation."""
        f, n = self.value, self.features
        rounded = () if f == FP32 else (f"convert:a=fp32,out={f}",)
        return {
            "embeddings": (f"add:a={f}",),
            "linear layers": (self.multiply_add, *rounded),
            "scores": (self.multiply_add, "mul:a=fp32"),
            "softmax": (f"softmax:a=fp32,out={f},p={f}",),
            "context": (self.multiply_add, *rounded),
            "GELU": (f"gelu:a={f}",),
            "residual sums": (f"add:a={f}",),
            "layer normalization": (f"layernorm:a={f},length={n},eps=1e-12",),
            "mean": (f"add:a={f},b=fp32,out=fp32", "mul:a=fp32"),
            "length 1": (f"rmsnorm:a=fp32,length={n},eps=0",),
        }

    def _unit(self, operation: str, place: int = 0) -> Unit:
        return unit(self.units[operation][place])

    @cached_property
    def _product(self) -> Unit:
        return unit(self.multiply_add)

    # -- products of matrices --------------------------------------------------------------------

    def linear(self, x: np.ndarray, weights: np.ndarray, bias: np.ndarray, kind: str) -> np.ndarray:
        w = self.value.encode(weights)
        sums = matmul(self._product, x, w, FP32.encode(bias))
        self.counted(Factors(x, w, w.shape[1]).multiply_adds)
        return self._rounded(sums)

    def scores(self, factors: Sequence[Factors], scale: float) -> list[np.ndarray]:
        """Products of queries and keys, times a scale: codes of fp32."""
        times = self._unit("scores", -1)
        products = self._products(factors)
        return self._at_once(lambda x: times(x, FP32.encode(scale)), products)

    def context(self, factors: Sequence[Factors]) -> list[np.ndarray]:
        """Products of the scores' shares and values: codes of `value`."""
        return self._at_once(self._rounded, self._products(factors))

    def _products(self, factors: Iterable[Factors]) -> list[np.ndarray]:
        found = []
        for f in factors:
            found.append(matmul(self._product, f.left, f.right))
            self.counted(f.multiply_adds)
        return found

    def _rounded(self, sums: np.ndarray) -> np.ndarray:
        """Sums in fp32, rounded to values."""
        if self.value == FP32:
            return sums
        return np.asarray(unit(f"convert:a=fp32,out={self.value}")(sums))

    @staticmethod
    def _at_once(
        function: Callable[[np.ndarray], np.ndarray], arrays: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """What a function gives for each element of arrays, which it is applied to together."""
        return apart(np.asarray(function(np.concatenate([x.ravel() for x in arrays]))), arrays)

    # -- all other operations --------------------------------------------------------------------

    def embedded(self, tables: Sequence[np.ndarray]) -> np.ndarray:
        x, *more = map(self.value.encode, tables)
        for table in more:
            x = np.asarray(self._unit("embeddings")(x, table))
        return x

    def attention(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, heads: Heads) -> np.ndarray:
        scores = self.scores(heads.of_scores(q, k), 1 / math.sqrt(heads.size))
        shares = by_width(self._unit("softmax"), heads.own(scores))
        return heads.joined(self.context(heads.of_context(shares, v)))

    def gelu(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self._unit("GELU")(x))

    def add(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.asarray(self._unit("residual sums")(x, y))

    def normalized(
        self, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float
    ) -> np.ndarray:
        parameters = map(self.value.encode, (gamma, beta))
        return np.asarray(self._unit("layer normalization")(x, *parameters))

    def pooled(self, x: np.ndarray, spans: Sequence[slice]) -> np.ndarray:
        """A mean is a sum times 1/n; what has a root mean square of 1 is multiplied with
        1/sqrt(features)."""
        add, times = unit(self.units["mean"][0]), unit(self.units["mean"][1])
        sums = totals(add, x, spans)
        lengths = np.array([[1 / (s.stop - s.start)] for s in spans])
        means = times(sums, FP32.encode(lengths))
        part = FP32.encode(1 / math.sqrt(x.shape[1]))
        return FP32.decode(self._unit("length 1")(means, part)).astype(np.float32)


def totals(add: Unit, x: np.ndarray, spans: Sequence[slice]) -> np.ndarray:
    """Codes (texts, features) of the sums of each text's rows, in ascending order from zero on."""
    (f,) = add.results.values()
    found = np.empty((len(spans), x.shape[1]), f.dtype)
    lengths = [s.stop - s.start for s in spans]
    for n in sorted(set(lengths)):
        chosen = [i for i, length in enumerate(lengths) if length == n]
        texts = np.stack([x[spans[i]].T for i in chosen])
        found[chosen] = Arrays.over(add, texts)[..., 0]
    return found


def by_width(
    function: Callable[[np.ndarray], np.ndarray], arrays: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """What a function of rows gives for arrays (n, width) of several widths; those of one width go
    through it together."""
    found: dict[int, np.ndarray] = {}
    for width in sorted({x.shape[1] for x in arrays}):
        chosen = [i for i, x in enumerate(arrays) if x.shape[1] == width]
        results = np.asarray(function(np.concatenate([arrays[i] for i in chosen])))
        ends = np.cumsum([len(arrays[i]) for i in chosen])[:-1]
        found |= dict(zip(chosen, np.split(results, ends), strict=True))
    return [found[i] for i in range(len(arrays))]
