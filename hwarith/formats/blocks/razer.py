"""RaZeR: a special value in the place of an element's redundant zero, which each block chooses.

Source: github.com/yc2367/NVFP4-RaZeR (82ecc9a) and arXiv 2501.04052. The method is subject to a
patent application by Cornell University.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...exceptions import InvalidInput
from ...golden import golden
from ...golden.columns import column_sums, each_element, quotient
from ...lazily import np
from .. import rounding as r
from ..codec import convert
from ..names import NAMED, bit_patterns
from ..scalar import Format
from .e2m1 import code_of, nearest_away, nearest_low
from .metadata import Found, Metadata, element_values, first_least

FP32 = NAMED["fp32"]

MAGNITUDES = (0, 0.5, 1, 1.5, 2, 3, 4, 6)
"""Of E2M1, by their codes."""

MOST_SPECIAL = 15.5
"""A special value is a multiple of a half, of five bits."""


@dataclass(frozen=True)
class SpecialValue(Metadata):
    """Which special value the code `sv_code` of a block's E2M1 elements stands for.

    A block takes the one of the least squared error, of equal ones the first that is tried; errors
    are in float64.

    sv_code : 8, in the place of -0, as in BitMoD; or 0, as in the authors' packed format, where 8
        is zero.
    """

    span = None
    in_scale = True
    meaning = "special value"
    choices: ClassVar[dict[str, tuple[object, ...]]] = {"sv_code": (8, 0)}

    scale: ClassVar[str]
    least_scale: ClassVar[float]
    most_scale: ClassVar[float]

    sv_code: int = 8

    @property
    def values(self) -> tuple[float, ...]:
        """The special values by their codes."""
        raise NotImplementedError

    def tensor_scale(self, largest: Any) -> np.float32:
        """It brings the largest magnitude to 6 times the largest scale of a block, in fp32."""
        return np.float32(largest) / np.float32(6 * self.most_scale)

    def levels(self, f: Format, found: Found) -> np.ndarray:
        table = np.tile(element_values(f), (len(self.values), 1))
        table[:, 8] = 0.0
        table[:, self.sv_code] = self.values
        return table.ravel().take(found.codes | found.metadata << np.uint8(f.bits))

    def _scales(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes and values of the scales nearest to fp32 numbers."""
        to = NAMED[self.scale]
        clamped = np.clip(wanted, np.float32(self.least_scale), np.float32(self.most_scale))
        codes = convert(bit_patterns(clamped), FP32, to, r.RNE, r.SATURATE)
        return codes, convert(codes, to, FP32, r.RNE, r.SATURATE).view(np.float32)


@dataclass(frozen=True)
class WeightSpecial(SpecialValue):
    """Of weights: 5, -5, or an outlier of either sign, chosen with the scale; a weight half-way
    between two levels goes to the lower one.

    outlier : the greater special value, a multiple of 0.5 up to 15.5 that is no level. The authors
        choose it by the model.
    """

    bits = 2
    scale = "ue3m3"
    least_scale, most_scale = 2.0**-5, 28.0

    outlier: float = 8.0

    def __post_init__(self) -> None:
        o = self.outlier
        if not 0 < o <= MOST_SPECIAL or o * 2 % 1 or o in MAGNITUDES or o == 5:
            raise InvalidInput(
                "outlier of razer_w must be a multiple of 0.5, at most 15.5, and neither 5 nor a "
                f"level of e2m1fn, not {o:g}"
            )

    @property
    def values(self) -> tuple[float, ...]:
        """Of the codes 2 * negative + outlier."""
        return 5.0, self.outlier, -5.0, -self.outlier

    def quantize(self, f: Format, v: np.ndarray) -> Found:
        columns = np.ascontiguousarray(v.T, np.float64)
        largest = np.abs(columns).max(axis=0).astype(np.float32)
        most = 6, max(6, self.outlier)
        found = [self._scales(largest / np.float32(x)) for x in most]
        inner, outer = (scale.astype(np.float64) for _, scale in found)
        errors = column_sums(_errors, 4, columns, (inner, outer), (5.0, float(self.outlier)))
        _, chosen = first_least(errors)
        scale_codes = np.where(chosen < 2, found[0][0], found[1][0])
        metadata = np.array([0, 2, 1, 3], np.uint8)[chosen]
        shared = np.where(chosen < 2, inner, outer), np.array(self.values)[metadata]
        codes = each_element(_code_of_weight, np.uint8, columns, shared, (float(8 - self.sv_code),))
        return Found(codes.T, scale_codes, metadata[:, None])


@golden
def _errors(elements, specials):
    """Squared errors of a block with the special values 5, -5, the outlier and its negative, of
    which each two have a scale."""
    b, inner, outer, e0, e1, e2, e3 = elements
    five, outlier = specials
    near = nearest_low(quotient(b, inner)) * inner - b
    far = nearest_low(quotient(b, outer)) * outer - b
    return (
        e0 + least_square(near, five * inner - b),
        e1 + least_square(near, five * inner + b),
        e2 + least_square(far, outlier * outer - b),
        e3 + least_square(far, outlier * outer + b),
    )


@golden
def least_square(x, y):
    """The lesser one of two squares."""
    return x * x if x * x < y * y else y * y


@golden
def _code_of_weight(elements, constants):
    """The code of what is nearest to a weight, of two the lower one; that of the special value is
    8 - `zero`, the one of zero."""
    b, scale, special = elements
    (zero,) = constants
    x = quotient(b, scale)
    level = nearest_low(x)
    to_level, to_special = abs(x - level), abs(x - special)
    if to_special < to_level or (to_special == to_level and special < level):
        return 8.0 - zero
    return zero if level == 0 else code_of(level)


@dataclass(frozen=True)
class ActivationSpecial(SpecialValue):
    """Of activations: -5 or 5, chosen after the scale, which does not depend on it; half-way
    between two levels of E2M1 the greater magnitude is taken, and the special value where it is as
    near.

    select : by the squared ``error``; or as ``published`` in the authors' accuracy code, by the
        squares of what levels differ from the scale.
    """

    bits = 1
    scale = "ue4m3"
    least_scale, most_scale = 2.0**-9, 448.0
    choices: ClassVar[dict[str, tuple[object, ...]]] = {
        **SpecialValue.choices,
        "select": ("error", "published"),
    }

    select: str = "error"

    @property
    def values(self) -> tuple[float, ...]:
        return 5.0, -5.0

    def quantize(self, f: Format, v: np.ndarray) -> Found:
        columns = np.ascontiguousarray(v.T)
        scales, scale = self._scales(np.abs(columns).max(axis=0) / np.float32(6))
        columns = (columns / scale).astype(np.float64)
        shared = (scale.astype(np.float64),)
        published = (float(self.select == "published"),)
        minus, plus = column_sums(_errors_of_signs, 2, columns, shared, published)
        metadata = (minus <= plus).astype(np.uint8)
        special = (np.array(self.values)[metadata],)
        zero = (float(8 - self.sv_code),)
        codes = each_element(_code_of_activation, np.uint8, columns, special, zero)
        return Found(codes.T, scales, metadata[:, None])


@golden
def _errors_of_signs(elements, constants):
    """Squared errors of a block with the special values -5 and 5; as published, squares of what
    levels differ from the scale."""
    x, scale, minus, plus = elements
    (published,) = constants
    of = scale if published else x
    low, high = level_of_activation(x, -5.0) - of, level_of_activation(x, 5.0) - of
    return minus + low * low, plus + high * high


@golden
def level_of_activation(x, special):
    """The level nearest to a number, of two the one of greater magnitude, or the special value if
    it is as near."""
    level = nearest_away(abs(x))
    level = -level if x < 0 else level
    return level if abs(x - level) < abs(x - special) else special


@golden
def _code_of_activation(elements, constants):
    """The code of that level; that of the special value is 8 - `zero`, the one of zero."""
    x, special = elements
    (zero,) = constants
    level = level_of_activation(x, special)
    if level == special:
        return 8.0 - zero
    return zero if level == 0 else code_of(level)
