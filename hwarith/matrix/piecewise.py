"""Functions of arrays of codes that are built of piecewise-affine operations: no multiplication.

Products, quotients, powers, logarithms and roots are those of the units ``pam``, ``pad``,
``paexp2``, ``palog2`` and ``pasqrt``; sums are exact additions, each rounded to nearest even, in
ascending order. What goes from one operation to the next is a code.

Source: Kosson and Jaggi, arXiv 2305.17190, equations 18 to 20 and their published code.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from .. import golden
from ..exceptions import InvalidInput, unknown
from ..formats import format as find_format
from ..units import evaluation, unit
from .product import matmul


class PiecewiseAffine:
    """Piecewise-affine arithmetic in one float format.

    Parameters
    ----------
    format : of all operands and results, a signed float with a fraction.
    ofs : the constant that compensates the mean error of products and quotients (see ``pam``).

    Every method takes and returns arrays of codes of `format`, with numpy's broadcasting, and
    raises `InvalidInput` for what are no such codes.
    """

    def __init__(self, format: Any = "fp32", ofs: int = 0):
        self.format = find_format(format)
        self.ofs = ofs
        name = self.format.name
        self._mul = unit(f"pam:format={name},ofs={ofs}")
        self._div = unit(f"pad:format={name},ofs={ofs}")
        self._exp2, self._log2, self._sqrt = (
            unit(f"{family}:format={name}") for family in ("paexp2", "palog2", "pasqrt")
        )
        self._add = unit(f"add:a={name}")
        self._sub = unit(f"add:a={name},op=sub")
        self._larger = unit(f"minmax:a={name},op=max")
        self._slopes = {
            op: unit(f"paslope:format={name},op={op}" + (f",ofs={ofs}" if op in _WITH_OFS else ""))
            for op in ("mul", "div_a", "div_b", "exp2", "log2", "sqrt")
        }

    def __repr__(self) -> str:
        return f"PiecewiseAffine({self.format.name!r}, ofs={self.ofs})"

    def encode(self, x: Any) -> np.ndarray:
        """Codes of real numbers, rounded to nearest even."""
        return self.format.encode(x, overflow="nosat")

    # -- operations ----------------------------------------------------------------------------

    def mul(self, a: Any, b: Any) -> np.ndarray:
        return self._mul(a, b)

    def div(self, a: Any, b: Any) -> np.ndarray:
        return self._div(a, b)

    def add(self, a: Any, b: Any) -> np.ndarray:
        """The exact sum, rounded once."""
        return self._add(a, b)

    def sub(self, a: Any, b: Any) -> np.ndarray:
        """The exact difference, rounded once."""
        return self._sub(a, b)

    def exp2(self, x: Any) -> np.ndarray:
        return self._exp2(x)

    def log2(self, x: Any) -> np.ndarray:
        return self._log2(x)

    def sqrt(self, x: Any) -> np.ndarray:
        return self._sqrt(x)

    def slope(self, op: str, *operands: Any) -> np.ndarray:
        """The slope of an operation, by the name that ``paslope`` has for it."""
        if op not in self._slopes:
            raise unknown("operation", op, self._slopes)
        return self._slopes[op](*operands)

    def maximum(self, a: Any, b: Any) -> np.ndarray:
        """The larger one, as IEEE 754's maximum."""
        return self._larger(a, b)

    # -- compositions --------------------------------------------------------------------------

    def exp(self, x: Any) -> np.ndarray:
        """e^x: 2^(x log2 e) (equation 18)."""
        return self.exp2(self.mul(x, self.encode(math.log2(math.e))))

    def log(self, x: Any) -> np.ndarray:
        """The natural logarithm: log2(x) / log2(e) (equation 19)."""
        return self.div(self.log2(x), self.encode(math.log2(math.e)))

    def power(self, a: Any, b: Any) -> np.ndarray:
        """a^b of a not negative: 2^(b log2 a), and 0 of a = 0."""
        a, b = (self.format.check(x, "power") for x in (a, b))
        a, b = np.broadcast_arrays(a, b)
        result = self.exp2(self.mul(self.log2(a), b))
        return np.where(self.format.decode(a) == 0, result.dtype.type(0), result)

    def sum(self, x: Any, axis: int = -1) -> np.ndarray:
        """The sum over an axis, from its first element on. Raises `InvalidInput` for none."""
        rows = np.ascontiguousarray(np.moveaxis(self.format.check(x, "sum"), axis, -1))
        if rows.shape[-1] == 0:
            raise InvalidInput("sum: there must be at least one element")
        definition, constants = self._add.definition()
        bits = evaluation.word_bits(self._add)
        nothing = int(self.encode(-0.0))  # what added to any number leaves it as it is
        return golden.reduce(definition, [rows], constants, rows.dtype, bits, nothing)

    def matmul(self, a: Any, b: Any) -> np.ndarray:
        """The matrix product (m, k) by (k, n), with sums in `format`."""
        return matmul(self._mul, a, b, add=self._add)

    def relu(self, x: Any) -> np.ndarray:
        return self.maximum(x, self.encode(0.0))

    def softmax(self, x: Any, axis: int = -1) -> np.ndarray:
        """exp(x - max x), divided by its sum. An element of -infinity has no share."""
        x = self.format.check(x, "softmax")
        greatest = np.asarray(reduce(self.maximum, np.moveaxis(x, axis, 0)))
        shares = self.exp(self.sub(x, np.expand_dims(greatest, axis)))
        return self.div(shares, np.expand_dims(self.sum(shares, axis), axis))

    def layer_norm(self, x: Any, gain: Any, bias: Any, epsilon: float = 1e-5) -> np.ndarray:
        """Over the last axis: gain (x - mean) / sqrt(variance + epsilon) + bias."""
        x = self.format.check(x, "layer_norm")
        count = self.encode(float(x.shape[-1]))
        centred = self.sub(x, self.div(self.sum(x), count)[..., None])
        variance = self.div(self.sum(self.mul(centred, centred)), count)
        deviation = self.sqrt(self.add(variance, self.encode(epsilon)))[..., None]
        return self.add(self.mul(self.div(centred, deviation), gain), bias)


_WITH_OFS = ("mul", "div_a", "div_b")
