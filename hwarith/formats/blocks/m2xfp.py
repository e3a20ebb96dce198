"""M2XFP: two bits for each eight elements, of weights to refine their scale, of activations to
refine the largest one.

Source: github.com/SJTU-ReArch-Group/M2XFP_ASPLOS26 (2ed16eb), arXiv 2601.19213. Magnitudes below
1e-8 are not treated apart, as they are there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...golden import golden
from ...golden.columns import column_sums, each_element, quotient
from ...lazily import np
from .. import rounding as r
from ..codec import convert
from ..names import bit_patterns, of_dtype
from ..scalar import NAMED, Format
from .definitions import BIAS
from .e2m1 import code_of, nearest_even
from .metadata import Found, Metadata, element_values, first_least, floor_log2

SUBGROUP = 8
FACTORS = 1.0, 1.25, 1.5, 1.75
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
        values = element_values(f).take(codes)
        code = codes[rows, first].astype(int)
        finer = np.clip(4 * (code & 7) - 1 + found.metadata.ravel(), 0, 31)
        values[rows, first] = element_values(FINER)[finer | (code & 8) << 2]
        return values.reshape(found.codes.shape)

    def quantize(self, f: Format, v: np.ndarray) -> Found:
        exponent = exponents(np.abs(v).max(axis=1))
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
        return element_values(f).take(found.codes) * factors

    def quantize(self, f: Format, v: np.ndarray) -> Found:
        blocks, spans = len(v), v.shape[1] // SUBGROUP
        x = v.reshape(blocks, spans, SUBGROUP).transpose(2, 1, 0).astype(np.float64, order="C")
        lowest = exponents(np.maximum(x.max(axis=(0, 1)), -x.min(axis=(0, 1))))
        x *= np.exp2(-np.float64(lowest))
        columns = x.reshape(SUBGROUP, -1)
        least, place = first_least(
            column_sums(_errors, 3, columns, (), (factor,)) for factor in FACTORS
        )
        errors = least.reshape(3, spans, blocks).sum(axis=1)
        errors[np.abs(lowest + [[-1], [0], [1]]) > BIAS] = np.inf
        bias = errors.argmin(axis=0)
        metadata = np.choose(bias, place.reshape(3, spans, blocks))
        bias -= 1
        units = np.exp2(np.float64(bias)) * (1 + metadata / 4)
        codes = each_element(_code, np.uint8, columns, (units.ravel(),))
        codes = codes.reshape(SUBGROUP, spans, blocks).transpose(2, 1, 0).reshape(v.shape)
        return Found(codes, (lowest + bias + BIAS).astype(np.uint8), metadata.T)


@golden
def _errors(elements, constants):
    """Squared errors of eight weights in multiples of a factor times 1/2, 1 and 2."""
    x, low, usual, high = elements
    (factor,) = constants
    magnitude = abs(x)
    y = quotient(magnitude, factor)
    return (
        low + _square(nearest_even(2 * y) * (0.5 * factor) - magnitude),
        usual + _square(nearest_even(y) * factor - magnitude),
        high + _square(nearest_even(0.5 * y) * (2 * factor) - magnitude),
    )


@golden
def _square(x):
    return x * x


@golden
def _code(elements, nothing):
    """The code of a weight in multiples of a unit; a zero keeps its sign."""
    x, unit = elements
    code = code_of(nearest_even(quotient(abs(x), unit)))
    return code + 8.0 if x < 0 else code


def exponents(largest: np.ndarray) -> np.ndarray:
    """floor(log2) of the largest magnitudes of blocks, less that of E2M1's largest; of zeros the
    least."""
    return np.where(largest == 0, -BIAS, np.clip(floor_log2(largest) - 2, -BIAS, BIAS))
