"""Products of matrices of real numbers through a unit: scaled, encoded, multiplied, decoded."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ....formats import Format
from ....formats.weights import WeightKind, quantize
from ....units import Unit
from ..datapath import datapath
from ..network import HEADROOM
from ..paths import Datapath, Encoded, is_wide
from .heads import ROWS, Counting, Factors
from .numpy_arithmetic import NumpyArithmetic

METHOD = (
    "Every product of matrices (queries, keys, values, scores, context, output, both of the "
    "feed-forward network) runs through the unit, sums in ascending order from +0. Biases, "
    "softmax, LayerNorm, GELU, residual sums and pooling are computed in float32 and float64.",
    "Operands are rounded to nearest in the unit's formats. Formats with 8 or more exponent bits "
    "take values as they are. Narrower floats are scaled by a power of two for each tensor (of a "
    "kind, of a layer, of all texts together), and integers symmetrically for each row of the left "
    "and each column of the right matrix, so that the largest magnitude comes to the top of the "
    "format; but lower where a product, or the bound that Hoelder's inequality gives for sums, "
    "would come within a factor of two of the largest value of its format.",
    "A dot product takes its n pairs at a time, of matrices that are padded with zeros to a "
    "multiple of n. Those of one with scales are quantized in blocks along the sums, scales of "
    "powers of two by the rule floor, those in ue4m3 by the rule te with one more for each matrix "
    "that is multiplied (of attention those of one head and text).",
    "Weights in a type of their own are quantized in groups along the inputs, and their values "
    "then go the same way.",
)
"""How products are computed, in sentences for readers of a report."""

_ROWS = 1024
"""Rows that are multiplied at a time, between two reports of progress."""

SAMPLE = (4, 8)
"""Rows and columns of products whose operands are kept."""

SAMPLED_PAIRS = 64
"""Of each sum of these the first pairs are what the unit met."""

GROUP = 128
"""Weights that share a scale (of types that do not say it themselves)."""


@dataclass
class Products(Counting, NumpyArithmetic):
    """An `encoder.Arithmetic` that multiplies with a unit, or in float32 if it is None.

    ``weights`` is the type that weights are quantized in first (None: not). ``met`` has codes of
    left and right operands: `SAMPLE` rows, columns and steps of the first product of each kind and
    layer.

    Raises `InvalidInput` for a unit that cannot sum up products.
    """

    unit: Unit | None
    weights: WeightKind | None = None
    met: list[tuple[Encoded, Encoded]] = field(default_factory=list)
    path: Datapath | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.path = datapath(self.unit) if self.unit else None

    @property
    def spec(self) -> str | None:
        """Of the unit."""
        return self.unit.spec if self.unit else None

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        """Of operations beside the products: none."""
        return {}

    @property
    def rows(self) -> int:
        """How many rows of heads go well together (`Heads`)."""
        if self.path is None or self.path.block_scaled:
            return 1
        return ROWS

    def __call__(self, factors: list[Factors], kind: str) -> list[np.ndarray]:
        """Products of matrices of one kind."""
        if self.weights and kind not in ("scores", "context"):
            factors = [f._replace(right=self._in_weight_type(f.right)) for f in factors]
        if self.path is None:
            self.counted(sum(f.multiply_adds for f in factors))
            return [f.left @ f.right for f in factors]
        left, right = scales(self.path, factors)
        products: list[np.ndarray] = []
        for f in factors:
            x = self.path.left(f.left, left(f.left, 1))
            w = self.path.right(f.right, right(f.right, 0))
            if not products:
                rows, columns = SAMPLE
                self.met.append((x.rows(slice(rows)), w.columns(slice(columns))))
            products.append(self._product(f, x, w))
        return products

    def _product(self, f: Factors, x: Encoded, w: Encoded) -> np.ndarray:
        assert self.path is not None
        out = np.empty((len(f.left), f.right.shape[1]), np.float32)
        for i in range(0, len(out), _ROWS):
            part = x.rows(slice(i, i + _ROWS))
            sums = self.path.last.decode(self.path.accumulate(part, w))
            out[i : i + _ROWS] = sums * part.scale * w.scale
            self.counted(f._replace(left=f.left[i : i + _ROWS]).multiply_adds)
        return out

    def _in_weight_type(self, w: np.ndarray) -> np.ndarray:
        """Weights (inputs, outputs), quantized in groups along the inputs."""
        assert self.weights is not None
        group = None if self.weights.group else math.gcd(GROUP, len(w))
        return quantize(w.T, self.weights, group).values().T.astype(np.float32)


# -- scales --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """What codes of a format are multiplied with to get values of a matrix.

    ``tensor`` for floats, and for blocks (None), whose elements have scales of their own; integers
    have one for each row or column, times ``tensor``.
    """

    format: Format | None
    tensor: float = 1.0

    def __call__(self, x: np.ndarray, axis: int) -> np.ndarray:
        """The scales of a matrix, of a shape that goes with it: along an axis they are one."""
        if self.format is None or self.format.is_float:
            return np.full((1, 1), self.tensor)
        peaks = np.abs(x).max(axis=axis, keepdims=True).astype(np.float64)
        return self.tensor * np.where(peaks > 0, peaks, 1.0) / float(self.format.max)


def scales(path: Datapath, factors: list[Factors]) -> tuple[Scale, Scale]:
    """The scales of left and right matrices that are multiplied in the formats of a datapath."""
    formats = (None, None) if path.block_scaled else path.operand_formats
    peaks = [max(float(np.abs(f[side]).max()) for f in factors) for side in (0, 1)]
    left, right = (Scale(f, _top(f, peak)) for f, peak in zip(formats, peaks, strict=True))
    excess = HEADROOM * _excess(path, factors, left, right)
    if not excess > 1:
        return left, right
    binades = math.ceil(math.log2(excess))
    low = binades // 2
    high = binades - low
    return Scale(left.format, left.tensor * 2.0**low), Scale(right.format, right.tensor * 2.0**high)


def _top(f: Format | None, peak: float) -> float:
    """The power of two that brings a tensor's peak to the top of a narrow float."""
    if f is None or not f.is_float or is_wide(f) or not 0 < peak < math.inf:
        return 1.0
    return 2.0 ** math.ceil(math.log2(peak / float(f.max)))


def _excess(path: Datapath, factors: list[Factors], left: Scale, right: Scale) -> float:
    """The largest product, and what no sum exceeds, over the largest value of their formats; 0
    where the formats are wide."""
    limits = [0.0]
    narrow = {
        what: f
        for what, f in (("product", path.product_format), ("sum", path.last))
        if f and not is_wide(f)
    }
    for x, w, _ in factors if narrow else ():
        a, b = (np.abs(v, dtype=np.float32) for v in (x / left(x, 1), w / right(w, 0)))
        if "product" in narrow:
            product = float((a.max(axis=0) * b.max(axis=1)).max())
            limits.append(product / float(narrow["product"].max))
        if "sum" in narrow:
            limits.append(_most(a, b) / float(narrow["sum"].max))
    return max(limits)


def _most(a: np.ndarray, b: np.ndarray) -> float:
    """What no sum of products of a row and a column exceeds, nor any part of it, by Hoelder's
    inequality: of magnitudes (m, k) and (k, n)."""
    rows, columns = (
        (x.max(axis), np.sqrt(np.square(x).sum(axis)), x.sum(axis)) for x, axis in ((a, 1), (b, 0))
    )
    return min(float(x.max()) * float(y.max()) for x, y in zip(rows, columns[::-1], strict=True))
