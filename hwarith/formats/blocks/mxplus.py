"""MX+ and MX++: the largest element of a block has a fraction in place of its exponent.

Source: arXiv 2510.14557, and the third-party hardware github.com/chatelao/ttihp-fp8-mul (34da8ab).
The rounding of the largest element at the top of its range, blocks of zeros, and the rule for the
scale of the others in MX++ are this project's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from ...exceptions import InvalidInput
from ...lazily import np
from .. import rounding as r
from ..codec import convert
from ..names import bit_patterns, of_dtype
from ..scalar import Format
from .definitions import BIAS
from .metadata import Found, Metadata, element_values, floor_log2

INDEX_BITS = 5
MOST_OFFSET = 7


@dataclass(frozen=True)
class LargestElement(Metadata):
    """Where a block's largest element is: an index in the low 5 bits, above them 0.

    As the scale is floor(log2) of that element, its exponent is the element format's largest one,
    and all bits below its sign x are a fraction: 2^emax (1 + x / 2^bits). Beyond that it saturates.
    A block of zeros, or below 2^(emax - 127), has scale, index and codes 0, and in a block of scale
    00 a largest element of code 0 is 0. Where an index is beyond the block, no element is read so.
    """

    bits = 8
    span = None
    meaning = "index of the largest element"

    def check_block(self, size: int, of: str) -> None:
        if size > 1 << INDEX_BITS:
            raise InvalidInput(
                f"group of {of} must be at most {1 << INDEX_BITS}, the elements that an index of "
                f"{INDEX_BITS} bits tells apart, not {size}"
            )

    def levels(self, f: Format, found: Found) -> np.ndarray:
        index = found.metadata & ((1 << INDEX_BITS) - 1)
        values = element_values(f).take(found.codes) * 2.0 ** -self.offsets(found.metadata)
        sign, x = found.codes >> (f.bits - 1), found.codes & ((1 << (f.bits - 1)) - 1)
        largest = (-1.0) ** sign * 2.0 ** top(f) * (1 + x / 2.0 ** (f.bits - 1))
        largest[(found.codes == 0) & (found.scales == 0)[:, None]] = 0
        return np.where(np.arange(found.codes.shape[1]) == index, largest, values)

    def offsets(self, metadata: np.ndarray) -> np.ndarray:
        """How much lower the scale's exponent is for the other elements, of codes of metadata."""
        return np.zeros(metadata.shape)

    def quantize(self, f: Format, v: np.ndarray) -> Found:
        magnitudes, rows = np.abs(v), np.arange(len(v))
        index = magnitudes.argmax(axis=1)
        largest = magnitudes[rows, index]
        exponent = np.minimum(floor_log2(largest) - top(f), BIAS)
        zero = (largest == 0) | (exponent < -BIAS)
        magnitudes[rows, index] = 0
        offset = self._offset(f, magnitudes.max(axis=1), exponent)
        scaled = v * np.exp2(np.float64(offset - exponent))[:, None]
        codes = convert(bit_patterns(scaled), of_dtype(scaled.dtype), f, r.RNE, r.SATURATE)
        steps = 1 << (f.bits - 1)
        x = np.rint((np.ldexp(largest, -exponent - top(f)) - 1) * steps)
        codes[rows, index] = np.minimum(x, steps - 1) + steps * (v[rows, index] < 0)
        codes[zero] = 0
        metadata = np.where(zero, 0, index | offset << INDEX_BITS).astype(np.uint8)
        scales = np.where(zero, 0, exponent + BIAS).astype(np.uint8)
        return Found(codes, scales, metadata[:, None])

    def _offset(self, f: Format, others: np.ndarray, exponent: np.ndarray) -> np.ndarray:
        """How much lower the scale's exponent is for the other elements, up to these magnitudes."""
        return np.zeros_like(exponent)


@dataclass(frozen=True)
class OffsetScale(LargestElement):
    """The same, and in the three bits above the index by how much the scale's exponent is less for
    the other elements: what the largest of them asks for, from 0 to 7.

    nbm : how the largest of the others asks: ``ceil``: so that it is not clipped; ``floor``: by
        floor(log2), as the scale itself.
    """

    meaning = "index of the largest element, offset of the scale of others"
    choices: ClassVar[dict[str, tuple[object, ...]]] = {"nbm": ("ceil", "floor")}

    nbm: str = "ceil"

    def offsets(self, metadata: np.ndarray) -> np.ndarray:
        return (metadata >> INDEX_BITS).astype(float)

    def _offset(self, f: Format, others: np.ndarray, exponent: np.ndarray) -> np.ndarray:
        wanted = floor_log2(others) - top(f)
        if self.nbm == "ceil":
            wanted += np.frexp(others)[0] > math.frexp(f.max)[0]
        return np.clip(exponent - np.where(others == 0, exponent - MOST_OFFSET, wanted), 0, 7)


def top(f: Format) -> int:
    """The exponent of the format's largest binade."""
    return math.frexp(f.max)[1] - 1
