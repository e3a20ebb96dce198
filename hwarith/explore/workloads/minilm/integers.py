"""The transformer in integers, every operation on a unit: as I-ViT has it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ....formats import Format, format
from ....matrix.product import matmul
from ....units import Unit, unit
from ....units.requant.multiplier import quantize_multiplier
from .floats import FP32, by_width, totals
from .heads import ROWS, Counting, Factors, Heads, apart

MOST = 255
"""Of x0, an unsigned integer of 8 bits."""

SIGMOID = 1.702
"""GELU is x sigmoid(1.702 x), about."""


class Quantity(NamedTuple):
    """Codes of integers, their format, and the scale that they count in: one, or one a column."""

    codes: np.ndarray
    format: Format
    scale: Any

    @property
    def integers(self) -> np.ndarray:
        return self.format.decode(self.codes)

    @property
    def peak(self) -> float:
        """The largest magnitude of what the integers stand for."""
        magnitudes = np.abs(self.integers).max(axis=0, initial=0)
        return float((magnitudes * np.abs(self.scale)).max()) or 1.0


@dataclass
class Integers(Counting):
    """An `encoder.Arithmetic` in integers, after I-ViT (arXiv 2207.01405).

    Between operations values are int8 with one scale, that of the largest magnitude (of all texts):
    scales are of the very texts, where I-ViT has those of others. Products are summed in int32 from
    the bias on, weights have a scale for each output. `requant` with dyadic numbers makes int8 of
    the sums, and adds what goes around layers to what comes out of them, in as many bits as layer
    normalization can square and sum up. That leaves out the epsilon, and its biases are clipped to
    int32. A text's sum becomes fp32 to be made of length 1, which its mean would be too.

    Attributes
    ----------
    features : of a token.
    """

    spec: str
    features: int = 384

    rows: ClassVar[int] = ROWS
    weights: ClassVar[None] = None

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        """Specs of the units of each operation."""
        product, to_int8 = "fma:a=int8,out=int32", "requant:a=int32,out=int8,mode=dyadic"
        wide = "requant:a=int8,out=int32,mode=dyadic"
        to_rows, n = ("int32", "int13"), self.features
        return {
            "embeddings": (wide, *(f"requant:a=int8,z=int32,out={f},mode=dyadic" for f in to_rows)),
            "linear layers": (product, to_int8),
            "scores": (product, to_int8),
            "softmax": ("shiftmax:a=int8,x0=uint8",),
            "context": (product, to_int8),
            "GELU": ("shiftgelu:a=int8,x0=uint8", "requant:a=int15,out=int8,mode=dyadic"),
            "residual sums": (wide, "requant:a=int32,z=int32,out=int13,mode=dyadic"),
            "layer normalization": (
                f"ilayernorm:a=int13,length={n}",
                "requant:a=int45,out=int8,mode=dyadic",
            ),
            "mean": ("add:a=int8,b=int32,out=int32", "convert:a=int32,out=fp32"),
            "length 1": (f"rmsnorm:a=fp32,length={n},eps=0",),
        }

    def _units(self, operation: str) -> list[Unit]:
        return [unit(spec) for spec in self.units[operation]]

    # -- scales ----------------------------------------------------------------------------------

    @staticmethod
    def _requantized(u: Unit, x: Quantity, scale: float, z: Any = 0) -> Quantity:
        """Integers that count in a scale, of those of another one, z added."""
        (f,) = u.results.values()
        ratios = np.asarray(x.scale, float) / scale
        m, e = quantize_multiplier(np.abs(ratios))
        return Quantity(np.asarray(u(x.codes, np.sign(ratios).astype(int) * m, e, z)), f, scale)

    def _to_int8(self, u: Unit, x: Quantity) -> Quantity:
        return self._requantized(u, x, x.peak / 127)

    def _with_x0(self, u: Unit, x: Quantity, factor: float) -> tuple[Quantity, int]:
        """Integers of 8 bits in the scale 1 / (factor x0), and x0: an integer, the greatest of
        which they are not clipped."""
        x0 = min(max(int(127 / (factor * x.peak)), 1), MOST)
        return self._requantized(u, x, 1 / (factor * x0)), x0

    def _scale_of_rows(self, peak: float, f: Format) -> float:
        """The scale of a format in which layer normalization can sum up the squares of a row."""
        return peak / min(int(f.max), math.isqrt((2**32 - 1) // self.features) - 1)

    # -- the operations --------------------------------------------------------------------------

    def embedded(self, tables: Sequence[np.ndarray]) -> Quantity:
        units = self._units("embeddings")
        (f,) = units[-1].results.values()
        quantities = [_quantized(x) for x in tables]
        scale = self._scale_of_rows(sum(x.peak for x in quantities), f)
        first, *others = zip(units, quantities, strict=True)
        total = self._requantized(*first, scale)
        for u, x in others:
            total = self._requantized(u, x, scale, total.codes)
        return total

    def linear(self, x: Quantity, weights: np.ndarray, bias: np.ndarray, kind: str) -> Quantity:
        """The sums, of which the operations behind make int8."""
        scales = np.abs(weights).max(axis=0).astype(float)
        scales = np.where(scales > 0, scales, 1) / 127
        w = x.format.encode(np.rint(weights / scales))
        product = self._units("linear layers")[0]
        (f,) = product.results.values()
        scales = scales * x.scale
        sums = matmul(product, x.codes, w, f.encode(np.rint(bias / scales)))
        self.counted(Factors(x.codes, w, w.shape[1]).multiply_adds)
        return Quantity(sums, f, scales)

    def attention(self, q: Quantity, k: Quantity, v: Quantity, heads: Heads) -> Quantity:
        _, to_int8 = self._units("linear layers")
        q, k, v = (self._to_int8(to_int8, x) for x in (q, k, v))
        sums = heads.own(self._products(heads.of_scores(q.codes, k.codes), "scores"))
        flat = np.concatenate([x.ravel() for x in sums])
        scale = q.scale * k.scale / math.sqrt(heads.size)
        scores, x0 = self._with_x0(to_int8, Quantity(flat, format("int32"), scale), 1)
        (softmax,) = self._units("softmax")
        shares = by_width(lambda x: np.asarray(softmax(x, x0)), apart(scores.codes, sums))
        products = self._products(heads.of_context(shares, v.codes), "context")
        context = Quantity(heads.joined(products), format("int32"), v.scale / 128)
        return self._to_int8(to_int8, context)

    def _products(self, factors: Iterable[Factors], operation: str) -> list[np.ndarray]:
        product = self._units(operation)[0]
        found = []
        for f in factors:
            found.append(matmul(product, f.left, f.right))
            self.counted(f.multiply_adds)
        return found

    def gelu(self, x: Quantity) -> Quantity:
        gelu, to_int8 = self._units("GELU")
        x, x0 = self._with_x0(self._units("linear layers")[1], x, SIGMOID)
        y = np.asarray(gelu(x.codes[..., None], x0))[..., 0]
        return self._to_int8(to_int8, Quantity(y, gelu.results["y"], x.scale / 128))

    def add(self, x: Quantity, y: Quantity) -> Quantity:
        wide, u = self._units("residual sums")
        (f,) = u.results.values()
        scale = self._scale_of_rows(x.peak + y.peak, f)
        return self._requantized(u, y, scale, self._requantized(wide, x, scale).codes)

    def normalized(
        self, x: Quantity, gamma: np.ndarray, beta: np.ndarray, epsilon: float
    ) -> Quantity:
        normal, to_int8 = self._units("layer normalization")
        f = normal.operands["bias"]
        scales = gamma.astype(float) * math.sqrt(self.features) / 2**30
        bias = np.clip(np.floor(beta / scales), float(f.min), float(f.max))
        y = np.asarray(normal(x.codes, f.encode(bias)))
        return self._to_int8(to_int8, Quantity(y, normal.results["y"], scales))

    def pooled(self, x: Quantity, spans: Sequence[slice]) -> np.ndarray:
        add, convert = self._units("mean")
        (length,) = self._units("length 1")
        sums = convert(totals(add, x.codes, spans))
        part = FP32.encode(1 / math.sqrt(self.features))
        return FP32.decode(length(sums, part)).astype(np.float32)


def _quantized(x: np.ndarray) -> Quantity:
    """Numbers in int8, with the scale of the largest magnitude."""
    f = format("int8")
    scale = (float(np.abs(x).max()) or 1.0) / 127
    return Quantity(f.encode(np.rint(x / scale)), f, scale)
