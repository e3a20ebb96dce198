"""Weights by groups: each with a scale, the nearest levels, and the codebook that suits it best."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ...exceptions import InvalidInput, quoted, shown
from ...lazily import np
from ...tables import Table, Tabled
from ..codec import array_of
from ..quantized import quantized_table
from .types import WeightType

LEAST_SCALE, GREATEST_SCALE = 1e-5, 1e4

FLOAT_SCALE_BITS = 16
"""Bits that a scale which is not quantized is counted with."""

CHUNK = 1 << 16
"""Weights that are worked on at a time."""

POWERS = tuple(hundredths / 100 for hundredths in range(30, 101))
"""Exponents that are tried for a power-exponent type."""


@dataclass(frozen=True, eq=False)
class Quantized(Tabled):
    """Weights as codes, with what is needed to get them back; made by `hwarith.quantize`.

    Attributes
    ----------
    type, group : of the weights, and how many of them share a scale.
    codes : unsigned integers of the weights' shape (..., n).
    levels : the levels that the codes stand for, float64 of that shape.
    scales : float64 (..., n / group), which the levels are multiplied with.
    selectors : which codebook each group has, uint8 (..., n / group).
    specials : the special value of each group, float64 (..., n / group); 0 where the type has none.
    scale_bits : of second-level scales; None where scales are not quantized.
    scale_codes, channel_scales : then `scales` = `scale_codes` * `channel_scales` [..., None].
    power : the exponent of a power-exponent type.
    nmse : the squared error as a share of the weights' squares; None if it is no number.
    """

    type: WeightType
    group: int
    codes: np.ndarray
    levels: np.ndarray
    scales: np.ndarray
    selectors: np.ndarray
    specials: np.ndarray
    scale_bits: int | None = None
    scale_codes: np.ndarray | None = None
    channel_scales: np.ndarray | None = None
    power: float | None = None
    nmse: float | None = None

    @property
    def zero_points(self) -> np.ndarray:
        """The code of each group that stands for zero, uint8 (..., n / group): 0 but for types
        with an offset."""
        if self.type.kind != "offset":
            return np.zeros(self.scales.shape, np.uint8)
        first = slice(None, None, self.group)
        return (self.codes[..., first] - self.levels[..., first]).astype(np.uint8)

    def values(self) -> np.ndarray:
        """The weights that the codes stand for: float64 of the weights' shape."""
        return self.levels * np.repeat(self.scales, self.group, axis=-1)

    def tables(self) -> list[Table]:
        """Its type, shape, group, bits and error."""
        return [quantized_table(self.type.name, self)]

    @property
    def bits_per_weight(self) -> float:
        """Bits of a weight's code, and its share of its group's scale (16 bits if it is not
        quantized), selector and zero point and of its channel's scale (16 bits)."""
        beside = float(self.type.selector_bits + (self.scale_bits or FLOAT_SCALE_BITS))
        beside += self.type.bits if self.type.kind == "offset" else 0
        channel = FLOAT_SCALE_BITS / self.codes.shape[-1] if self.scale_bits else 0
        return self.type.bits + beside / self.group + channel


def quantize_weights(
    weights: Any,
    type: WeightType,
    group: int | None = None,
    scale_bits: int | None = None,
    refine: bool = True,
    power: float | None = None,
) -> Quantized:
    """Quantize weights group by group to a type; `hwarith.quantize` says what the options are.

    Scales are kept between 1e-5 and 1e4, as in BitMoD's code (not for ``nupes``), and weights go to
    the nearest levels all the same. Decisions where the sources are silent: arithmetic is float64,
    and of errors that differ by its rounding alone either may be the least; a group of zeros has
    codes 0; the range of a type with a zero point takes zero in. The sign of the largest weight
    does not count for its scale.
    """
    kind = type
    w = checked_weights(weights)
    size = _group_size(group, w.shape[-1])
    scale_bits, power = _checked_options(kind, scale_bits, power)
    groups = w.reshape(-1, size)
    if kind.kind == "power" and power is None:
        power = _best_power(groups, kind)
    codes, levels = np.empty(groups.shape, np.uint8), np.empty(groups.shape)
    scales, selectors = np.empty(len(groups)), np.empty(len(groups), np.uint8)

    def work(part: slice) -> None:
        found = _quantize_groups(groups[part], kind, power)
        codes[part], levels[part], scales[part], selectors[part] = found

    _on_all_cores(work, groups)
    shape = (*w.shape[:-1], w.shape[-1] // size)
    scale_codes = channel_scales = None
    if scale_bits is not None:
        scale_codes, channel_scales = quantize_scales(scales.reshape(shape), scale_bits)
        scales = (scale_codes * channel_scales[..., None]).ravel()
        if refine:

            def again(part: slice) -> None:
                codes[part], levels[part] = _nearest(
                    groups[part], kind, selectors[part], scales[part]
                )

            _on_all_cores(again, groups)
    specials = np.array([book.special or 0.0 for book in kind.codebooks] or [0.0])
    return Quantized(
        type=kind,
        group=size,
        codes=codes.reshape(w.shape),
        levels=levels.reshape(w.shape),
        scales=scales.reshape(shape),
        selectors=selectors.reshape(shape),
        specials=specials[selectors].reshape(shape),
        scale_bits=scale_bits,
        scale_codes=scale_codes,
        channel_scales=channel_scales,
        power=power,
    )


def quantize_scales(scales: np.ndarray, bits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Scales (..., groups) of channels as integers from 1 to 2^(bits-1) - 1, uint8 of that shape,
    and the channels' scales (...), which are fp16 numbers.

    Source: VS-Quant (MLSys 2021), as BitMoD uses it. The channel's scale is rounded to nearest
    even; one that would be 0 is the least subnormal number.
    """
    most = (1 << (bits - 1)) - 1
    channel = (scales.max(axis=-1) / most).astype(np.float16).astype(np.float64)
    channel = np.where(channel == 0, 2.0**-24, channel)
    return np.clip(np.rint(scales / channel[..., None]), 1, most).astype(np.uint8), channel


# -- groups --------------------------------------------------------------------------------------


def _quantize_groups(
    w: np.ndarray, kind: WeightType, power: float | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Codes, levels, scales and selectors of groups (number, size)."""
    if kind.kind == "offset":
        return _with_offset(w, kind)
    if kind.kind == "power":
        assert power is not None
        return _powers(w, kind, power)
    magnitudes = np.abs(w)
    largest = magnitudes.mean(axis=1) if kind.scale == "absmean" else magnitudes.max(axis=1)
    if len(kind.codebooks) == 1:
        scales = np.clip(largest / kind.codebooks[0].largest, LEAST_SCALE, GREATEST_SCALE)
        selectors = np.zeros(len(w), np.uint8)
        return *_nearest(w, kind, selectors, scales), scales, selectors
    best, scales, places = np.empty(len(w)), np.empty(len(w)), np.empty(w.shape, np.intp)
    selectors = np.zeros(len(w), np.uint8)
    for k, book in enumerate(kind.codebooks):
        scale = np.clip(largest / book.largest, LEAST_SCALE, GREATEST_SCALE)
        found = book.nearest(w / scale[:, None])
        with np.errstate(over="ignore"):
            error = np.mean((book.levels[found] * scale[:, None] - w) ** 2, axis=1)
        better = error < best if k else np.full(len(w), True)
        best[better], scales[better], selectors[better] = error[better], scale[better], k
        places[better] = found[better]
    return *_of_places(places, kind, selectors), scales, selectors


def _of_places(
    places: np.ndarray, kind: WeightType, selectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Codes and levels of places in each group's codebook."""
    most = max(len(book.levels) for book in kind.codebooks)
    codes = np.array([np.resize(book.codes, most) for book in kind.codebooks])
    levels = np.array([np.resize(book.levels, most) for book in kind.codebooks])
    rows = selectors[:, None]
    return codes[rows, places], levels[rows, places]


def _nearest(
    w: np.ndarray, kind: WeightType, selectors: np.ndarray, scales: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Codes and levels of groups whose codebooks and scales are given."""
    if len(kind.codebooks) == 1:
        (book,) = kind.codebooks
        places = book.nearest(w / scales[:, None])
        return book.codes[places], book.levels[places]
    places = np.zeros(w.shape, np.intp)
    for k, book in enumerate(kind.codebooks):
        rows = selectors == k
        places[rows] = book.nearest(w[rows] / scales[rows, None])
    return _of_places(places, kind, selectors)


def _with_offset(
    w: np.ndarray, kind: WeightType
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Unsigned integers with a zero point, which is one of them; the range takes zero in."""
    most = (1 << kind.bits) - 1
    low, high = np.minimum(w.min(axis=1), 0), np.maximum(w.max(axis=1), 0)
    scales = np.clip(high / most - low / most, LEAST_SCALE, GREATEST_SCALE)
    zero = np.clip(np.rint(-low / scales), 0, most)
    codes = np.clip(np.rint(w / scales[:, None]) + zero[:, None], 0, most)
    return codes.astype(np.uint8), codes - zero[:, None], scales, np.zeros(len(w), np.uint8)


def _powers(
    w: np.ndarray, kind: WeightType, power: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sign and the rounded power of the magnitude; the levels are at most 1."""
    most = (1 << (kind.bits - 1)) - 1
    largest = np.abs(w).max(axis=1)
    scales = np.where(largest == 0, 1.0, largest)
    q = np.rint((np.abs(w) / scales[:, None]) ** power * most).astype(np.uint8)
    negative = (w < 0) & (q > 0)
    codes = q | (negative.astype(np.uint8) << np.uint8(kind.bits - 1))
    table = (np.arange(most + 1) / most) ** (1 / power)
    return codes, np.where(negative, -table[q], table[q]), scales, np.zeros(len(w), np.uint8)


def _best_power(groups: np.ndarray, kind: WeightType) -> float:
    """Of `POWERS` the one with the least squared error. The sum over all magnitudes x of a level L
    and scale s, s^2 (x - L)^2, needs but the sums of s^2, s^2 x and s^2 x^2, so that magnitudes are
    sorted once and for each power it is only looked up where a level begins."""
    most = (1 << (kind.bits - 1)) - 1
    inverse = 1 / np.array(POWERS)[:, None]
    levels = (np.arange(most + 1) / most) ** inverse
    begins = ((np.arange(most) + 0.5) / most) ** inverse
    greatest = max(np.abs(groups).max(), np.finfo(float).tiny)

    def errors(part: slice) -> np.ndarray:
        w = np.abs(groups[part])
        largest = w.max(axis=1, keepdims=True)
        x = (w / np.where(largest == 0, 1.0, largest)).ravel()
        order = np.argsort(x)
        x = x[order]
        square = np.broadcast_to((largest / greatest) ** 2, w.shape).ravel()[order]
        places = np.searchsorted(x, begins)

        def between(sums: np.ndarray) -> np.ndarray:
            ends = np.pad(np.append(0.0, np.cumsum(sums))[places], ((0, 0), (1, 0)))
            return np.diff(ends, axis=1, append=np.sum(sums))

        zeroth, first, second = (between(square * x**i) for i in range(3))
        return np.sum(second - 2 * levels * first + levels**2 * zeroth, axis=1)

    return float(POWERS[np.argmin(sum(_on_all_cores(errors, groups)))])


# -- what is given -------------------------------------------------------------------------------


def checked_weights(weights: Any) -> np.ndarray:
    """Weights (..., n) as float64. Raises `InvalidInput` for what is none."""
    array = array_of(weights, "weights")
    if array.dtype.kind not in "fiu" and array.dtype.type.__module__ != "ml_dtypes":
        raise InvalidInput(f"weights must be numbers, not an array of {shown(array.dtype)}")
    if array.ndim == 0 or array.size == 0:
        raise InvalidInput(f"weights must be of shape (..., n), and not empty, not {array.shape}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InvalidInput("weights must be finite: there is an infinity or NaN among them")
    return array


def _group_size(group: int | None, n: int) -> int:
    if group is not None and (not _is_integer(group) or group < 1):
        raise InvalidInput(f"group must be an integer of at least 1, not {quoted(group)}")
    size = int(group or min(n, 128))
    if n % size:
        raise InvalidInput(
            f"group must divide the last axis of the weights, {n}; {quoted(size)} does not"
        )
    return size


def _checked_options(
    kind: WeightType, scale_bits: int | None, power: float | None
) -> tuple[int | None, float | None]:
    if scale_bits is not None:
        if not _is_integer(scale_bits) or not 2 <= scale_bits <= 8:
            raise InvalidInput(
                f"scale_bits must be an integer from 2 to 8, not {quoted(scale_bits)}"
            )
        if kind.kind != "levels":
            raise InvalidInput(f"weight type {kind} has no second level of scales")
        scale_bits = int(scale_bits)
    if power is not None:
        if kind.kind != "power":
            raise InvalidInput(f"weight type {kind} has no power")
        number = isinstance(power, float | np.floating) or _is_integer(power)
        if not number or not 0 < power <= 4:
            raise InvalidInput(f"power must be a number above 0 and at most 4, not {quoted(power)}")
        power = float(power)
    return scale_bits, power


def _is_integer(x: Any) -> bool:
    return isinstance(x, int | np.integer) and not isinstance(x, bool)


def _on_all_cores(work: Callable[[slice], Any], groups: np.ndarray) -> list:
    """What `work` gives for slices of the groups, in order."""
    step = max(1, CHUNK // groups.shape[1])
    parts = [slice(i, i + step) for i in range(0, len(groups), step)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, parts))
