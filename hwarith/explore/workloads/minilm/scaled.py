"""The transformer with every operation on a unit, and operands of products in few bits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ....formats import Format, format
from ....formats.weights import quantize, weight_type
from ....matrix.int8 import int8_matmul
from ....matrix.product import matmul
from ....units import Unit, unit
from .floats import FP32, Floats
from .heads import Factors


class Quantized(NamedTuple):
    """Codes of a matrix, and what they are to be multiplied with, codes of fp32: for all (1, 1),
    for each row (m, 1), each column (1, n), or for groups of rows of each column (groups, n)."""

    codes: np.ndarray
    scales: np.ndarray


@dataclass
class Scaled(Floats):
    """`Floats` whose products have operands of few bits, with scales.

    A matrix of values is multiplied with one over its scale and rounded once. Floats have one scale
    for all matrices of a kind (of all texts): the power of two that brings the largest magnitude to
    the top of the format. Integers have one for each row of a left and each column of a right
    matrix: fl(fl(1/127) peak), and are multiplied with fl(127 / peak). Maxima are exact.

    Sums are multiplied with the scale of the right matrix in fp32, then with that of the left one,
    which has scores' 1/sqrt(size) in it, and of linear layers added to the bias; the last step
    rounds to `value`. Weights in groups have the sums of one group after the other multiplied with
    its scale and added up in fp32.

    Attributes
    ----------
    element : the format of values in products; of weights too, unless they have a type.
    weight_type : of `hwarith.quantize`, in groups of `GROUP` inputs; its levels are codes of the
        multiply-add's second operand.
    """

    element: Format = FP32
    weight_type: str | None = None

    @property
    def sums(self) -> Format:
        """The format of sums of products."""
        return FP32 if self.element.is_float else format("int32")

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        f, e, sums = self.value, self.element, self.sums
        of_values = f"fma:a={e},c={sums},out={sums}"
        by_scale = f"mul:a={sums},b=fp32,out=fp32"
        groups = (f"fma:a={sums},b=fp32,c=fp32,out=fp32",) if self.weight_type else ()
        scales = () if e.is_float else ("div:a=fp32", "mul:a=fp32")
        return super().units | {
            "linear layers": (self.multiply_add, by_scale, *groups, f"fma:a=fp32,c=fp32,out={f}"),
            "scores": (of_values, by_scale, "mul:a=fp32"),
            "context": (of_values, by_scale, f"mul:a=fp32,out={f}"),
            "quantization": (f"mul:a={f},b=fp32,out={e}" + _clipping(e), *scales),
        }

    # -- products of matrices --------------------------------------------------------------------

    def linear(self, x: np.ndarray, weights: np.ndarray, bias: np.ndarray, kind: str) -> np.ndarray:
        multiply_add, by_scale, *more = (unit(spec) for spec in self.units["linear layers"])
        (left,), right = self._quantized([x], 1), self._of_weights(weights)
        group = len(weights) // len(right.scales)
        sums = np.zeros((len(x), weights.shape[1]), np.uint32)
        for i, scales in enumerate(right.scales):
            part = slice(i * group, (i + 1) * group)
            products = matmul(multiply_add, left.codes[:, part], right.codes[part])
            sums = by_scale(products, scales) if i == 0 else more[0](products, scales, sums)
        self.counted(Factors(x, weights, weights.shape[1]).multiply_adds)
        return np.asarray(more[-1](sums, left.scales, FP32.encode(bias)))

    def scores(self, factors: Sequence[Factors], scale: float) -> list[np.ndarray]:
        return self._scaled_products(factors, "scores", scale)

    def context(self, factors: Sequence[Factors]) -> list[np.ndarray]:
        return self._scaled_products(factors, "context", 1)

    def _scaled_products(
        self, factors: Sequence[Factors], operation: str, scale: float
    ) -> list[np.ndarray]:
        multiply_add, by_right, by_left = (unit(spec) for spec in self.units[operation])
        times = unit("mul:a=fp32")
        lefts = self._quantized([f.left for f in factors], 1)
        rights = self._quantized([f.right for f in factors], 0)
        products = []
        for f, left, right in zip(factors, lefts, rights, strict=True):
            products.append(matmul(multiply_add, left.codes, right.codes))
            self.counted(f.multiply_adds)
        sums = _of_all(by_right, products, [x.scales for x in rights])
        scales = _of_all(times, [x.scales for x in lefts], [FP32.encode([[scale]])] * len(lefts))
        return _of_all(by_left, sums, scales)

    # -- quantization ----------------------------------------------------------------------------

    def _quantized(self, matrices: Sequence[np.ndarray], axis: int) -> list[Quantized]:
        """Matrices of values, of one kind; integers have a scale along an axis."""
        rounded = unit(self.units["quantization"][0])
        magnitudes = [np.abs(self.value.decode(x)) for x in matrices]
        if self.element.is_float:
            peak = max(float(x.max()) for x in magnitudes)
            power = _power(peak, self.element)
            scale, inverse = (FP32.encode([[2.0**p]]) for p in (power, -power))
            codes = _of_all(rounded, matrices, [inverse] * len(matrices))
            return [Quantized(x, scale) for x in codes]
        divide, times = (unit(spec) for spec in self.units["quantization"][1:])
        most = float(self.element.max)
        peaks = [x.max(axis=axis, keepdims=True) for x in magnitudes]
        ends = [FP32.encode(np.where(x > 0, x, 1)) for x in peaks]
        greatest, smallest = ([FP32.encode([[x]])] * len(ends) for x in (most, 1 / most))
        codes = _of_all(rounded, matrices, _of_all(divide, greatest, ends))
        scales = _of_all(times, ends, smallest)
        return [Quantized(*x) for x in zip(codes, scales, strict=True)]

    def _of_weights(self, weights: np.ndarray) -> Quantized:
        """Weights (inputs, outputs), which are quantized once and not by the units."""
        if self.weight_type is None:
            power = _power(float(np.abs(weights).max()), self.element)
            return Quantized(self.element.encode(weights / 2.0**power), FP32.encode([[2.0**power]]))
        group = math.gcd(GROUP, len(weights))
        found = quantize(weights.T, weight_type(self.weight_type), group)
        second = list(unit(self.multiply_add).operands.values())[1]
        return Quantized(second.encode(found.levels.T), FP32.encode(found.scales.T))


GROUP = 128
"""Weights of a type that share a scale."""


def _of_all(u: Unit, *operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Results of a unit for many matrices of codes of different shapes, in one call."""
    matrices = [np.broadcast_arrays(*codes) for codes in zip(*operands, strict=True)]
    columns = zip(*([x.ravel() for x in codes] for codes in matrices), strict=True)
    found = np.asarray(u(*map(np.concatenate, columns)))
    parts = np.split(found, np.cumsum([x[0].size for x in matrices])[:-1])
    return [part.reshape(x[0].shape) for part, x in zip(parts, matrices, strict=True)]


def _power(peak: float, f: Format) -> int:
    """The exponent of the power of two that brings a peak to the top of a float."""
    return math.ceil(math.log2(peak / float(f.max))) if 0 < peak < math.inf else 0


def _clipping(f: Format) -> str:
    return ",overflow=saturate" if f.is_float else ""


@dataclass
class MixedInt8(Floats):
    """`Floats` whose linear layers are LLM.int8()'s (`hwarith.int8_matmul`): int8 with scales of
    rows and columns, but for the features with outliers, which stay in `value`. The bias is added
    to its result in `value`."""

    integers: str = "mac:a=int8"

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        f = self.value
        scaling = ("div:a=fp32", "mul:a=fp32", "mul:a=fp32,out=int8", "add:a=fp32")
        rounding = (f"convert:a=fp32,out={f}", f"add:a={f}")
        return super().units | {
            "linear layers": (self.integers, f"mac:a={f},acc=fp32", *scaling, *rounding)
        }

    def linear(self, x: np.ndarray, weights: np.ndarray, bias: np.ndarray, kind: str) -> np.ndarray:
        integers, floats, *_, add = self.units["linear layers"]
        found = int8_matmul(
            self.value.decode(x),
            weights,
            integers,
            floats,
            format=self.value,
            division="reciprocal",
        )
        self.counted(Factors(x, weights, weights.shape[1]).multiply_adds)
        return np.asarray(unit(add)(found.codes, self.value.encode(bias)))
