"""M2XFP: two bits for each eight elements, of weights to refine their scale, of activations to
refine the largest one.

Source: github.com/SJTU-ReArch-Group/M2XFP_ASPLOS26 (2ed16eb), arXiv 2601.19213. Magnitudes below
1e-8 are not treated apart, as they are there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...lazily import np
from .. import rounding as r
from ..codec import convert
from ..names import bit_patterns, of_dtype
from ..scalar import NAMED, Format
from .definitions import BIAS
from .metadata import Found, Metadata, element_values, floor_log2

SUBGROUP = 8
FINER = NAMED["e2m3fn"]


@dataclass(frozen=True)
class FinerTop(Metadata):
    """Of activations: two more bits of fraction of the largest element of eight. Which one that
    is, the codes say: the first of the largest magnitude.

    The scale is floor(log2) of the largest magnitude of a block, less 2. The element's E2M3 code is
    4 times its E2M1 code, less 1, and the two bits: what is out of their reach goes to their ends.
    """

    bits = 2
    span = SUBGROUP
    meaning = "fraction of the largest element"

    def levels(self, f: Format, found: Found) -> np.ndarray:
        codes = found.codes.reshape(-1, SUBGROUP)
        first, rows = (codes & 7).argmax(axis=1), np.arange(len(codes))
        values = element_values(f)[codes]
        code = codes[rows, first].astype(int)
        finer = np.clip(4 * (code & 7) - 1 + found.metadata.ravel(), 0, 31)
        values[rows, first] = element_values(FINER)[finer | (code & 8) << 2]
        return values.reshape(found.codes.shape)

    def quantize(self, f: Format, v: np.ndarray) -> Found:
        exponent = exponents(v)
        scaled = v * np.exp2(-np.float64(exponent))[:, None]
        of = of_dtype(scaled.dtype)
        codes = convert(bit_patterns(scaled), of, f, r.RNE, r.SATURATE)
        groups = codes.reshape(-1, SUBGROUP) & 7
        first, rows = groups.argmax(axis=1), np.arange(len(groups))
        exact = np.abs(scaled.reshape(-1, SUBGROUP)[rows, first])
        finer = convert(bit_patterns(exact), of, FINER, r.RNE, r.SATURATE).astype(int)
        least = 4 * groups[rows, first].astype(int)
        metadata = (np.clip(finer + 1, least, least + 3) - least).astype(np.uint8)
        return Found(codes, (exponent + BIAS).astype(np.uint8), metadata.reshape(len(v), -1))


@dataclass(frozen=True)
class FinerScale(Metadata):
    """Of weights: the scale of eight elements is 1, 1.25, 1.5 or 1.75 times that of their block.

    Eight take the one of the least squared error, the first of equals; a block the exponent of the
    least sum, of floor(log2) of its largest magnitude less 2, and -1, 0 and 1 more, the first of
    equals. Errors are in float64.
    """

    bits = 2
    span = SUBGROUP
    meaning = "factor of the scale"

    def levels(self, f: Format, found: Found) -> np.ndarray:
        factors = np.repeat(1 + found.metadata / 4, SUBGROUP, axis=1)
        return element_values(f)[found.codes] * factors

    def quantize(self, f: Format, v: np.ndarray) -> Found:
        lowest = exponents(v)
        best = np.full(len(v), np.inf)
        spans = v.shape[1] // SUBGROUP
        codes, scales = np.empty(v.shape, np.uint8), np.empty(len(v), np.uint8)
        metadata = np.empty((len(v), spans), np.uint8)
        for bias in (-1, 0, 1):
            exponent = np.clip(lowest + bias, -BIAS, BIAS)
            x = v * np.exp2(-np.float64(exponent))[:, None]
            least, chosen = np.full((len(v), spans), np.inf), np.empty((len(v), spans), np.uint8)
            nearest = np.empty(v.shape, np.uint8)
            for factor in range(4):
                ratio = 1 + factor / 4
                q = convert(bit_patterns(x / ratio), of_dtype(x.dtype), f, r.RNE, r.SATURATE)
                error = (element_values(f)[q] * ratio - x) ** 2
                error = error.reshape(len(v), spans, SUBGROUP).sum(axis=2)
                better = error < least
                least[better], chosen[better] = error[better], factor
                nearest = np.where(np.repeat(better, SUBGROUP, axis=1), q, nearest)
            of_block = least.sum(axis=1) * np.exp2(2 * np.float64(exponent))
            better = of_block < best
            best[better], scales[better] = of_block[better], exponent[better] + BIAS
            codes[better], metadata[better] = nearest[better], chosen[better]
        return Found(codes, scales, metadata)


def exponents(v: np.ndarray) -> np.ndarray:
    """floor(log2) of the largest magnitude of each block, less that of E2M1's largest; of zeros the
    least."""
    largest = np.abs(v).max(axis=1)
    return np.where(largest == 0, -BIAS, np.clip(floor_log2(largest) - 2, -BIAS, BIAS))
