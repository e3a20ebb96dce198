"""RaZeR: a special value in the place of an element's redundant zero, which each block chooses.

Source: github.com/yc2367/NVFP4-RaZeR (82ecc9a) and arXiv 2501.04052. The method is subject to a
patent application by Cornell University.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...exceptions import InvalidInput
from ...lazily import np
from .. import rounding as r
from ..codec import convert
from ..names import NAMED, bit_patterns
from ..scalar import Format
from .metadata import Found, Metadata, element_values

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
        return table[found.metadata, found.codes]

    def _scales(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes and values of the scales nearest to fp32 numbers."""
        to = NAMED[self.scale]
        clamped = np.clip(wanted, np.float32(self.least_scale), np.float32(self.most_scale))
        codes = convert(bit_patterns(clamped), FP32, to, r.RNE, r.SATURATE)
        return codes, convert(codes, to, FP32, r.RNE, r.SATURATE).view(np.float32)

    def _codes(self, levels: np.ndarray, special: float) -> np.ndarray:
        """Codes of levels, of which this is the special value."""
        codes = np.searchsorted(MAGNITUDES, np.abs(levels)).astype(np.uint8)
        codes |= (levels < 0).astype(np.uint8) << np.uint8(3)
        codes[codes == 0] = 8 - self.sv_code
        codes[levels == special] = self.sv_code
        return codes


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
        largest = np.abs(v).max(axis=1)
        best = np.full(len(v), np.inf)
        codes, scales, metadata = np.empty(v.shape, np.uint8), *np.empty((2, len(v)), np.uint8)
        for code in (0, 2, 1, 3):
            special = self.values[code]
            scale_codes, scale = self._scales(largest / np.float32(max(6, abs(special))))
            x = v.astype(np.float64) / scale[:, None]
            levels = lower_nearest(x, special)
            error = np.mean((levels * scale[:, None] - v) ** 2, axis=1)
            better = error < best
            best[better], metadata[better] = error[better], code
            scales[better] = scale_codes[better]
            codes[better] = self._codes(levels[better], special)
        return Found(codes, scales, metadata[:, None])


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
        scales, scale = self._scales(np.abs(v).max(axis=1) / np.float32(6))
        x = (v / scale[:, None]).astype(np.float64)
        q4 = np.copysign(away_nearest(np.abs(x)), x)
        best = np.full(len(v), np.inf)
        codes, metadata = np.empty(v.shape, np.uint8), np.empty(len(v), np.uint8)
        for code in (1, 0):
            special = self.values[code]
            levels = np.where(np.abs(x - q4) < np.abs(x - special), q4, special)
            of = scale[:, None] if self.select == "published" else x
            error = np.mean((levels - of) ** 2, axis=1)
            better = error < best
            best[better], metadata[better] = error[better], code
            codes[better] = self._codes(levels[better], special)
        return Found(codes, scales, metadata[:, None])


def lower_nearest(x: np.ndarray, special: float) -> np.ndarray:
    """The nearest of E2M1's numbers and a special value, of two the lower one."""
    levels = np.unique([*MAGNITUDES, *(-x for x in MAGNITUDES), special])
    return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, x)]


def away_nearest(magnitudes: np.ndarray) -> np.ndarray:
    """The nearest of E2M1's magnitudes, of two the greater one."""
    levels = np.array(MAGNITUDES)
    return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, magnitudes, "right")]
