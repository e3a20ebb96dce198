"""Axes of the pictures: which scale, which ticks, and where what cannot be on a log scale goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .columns import COST_KEYS, Column, grouped, superscript

_MAX_TICKS = 8
_ROOM, _ROOM_FOR_NAMES = 0.1, 0.25
"""Shares of an axis beyond its values; names stand to the left of points."""

_MANTISSAS = ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))
"""Of ticks: the second ones where only one of the first ones is among the values."""

_LINEAR = ("accuracy", "sqnr", "bits")


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high` with ticks.

    ``positions`` are where the values are drawn, None for those that are not: on a logarithmic
    scale a zero stands at a tick of its own below all others, and on the scale of SQNR a unit
    without error stands above all others. ``deviations`` are the standard deviations of values
    that are estimates from samples, None for others.
    """

    title: str
    is_log: bool
    low: float
    high: float
    ticks: list[float]
    tick_labels: list[str]
    positions: list[float | None]
    deviations: list[float | None] = field(default_factory=list)


def axis(
    column: Column,
    values: Sequence[float | None],
    lines: Sequence[float] = (),
    deviations: Sequence[float | None] = (),
) -> Axis:
    """The axis for the values of a column; `lines` are more values that must be in range. The
    `deviations` of values are the lengths of their error bars, none for what is exact."""
    found = _axis(column, values, lines)
    return replace(found, deviations=list(deviations or [None] * len(values)))


def _axis(column: Column, values: Sequence[float | None], lines: Sequence[float]) -> Axis:
    given = [v for v in (*values, *lines) if v is not None and math.isfinite(v)]
    title = column.label
    if column.key in _LINEAR:
        return _linear(column, title, values, given)
    positive = [v for v in given if v > 0] or [1.0]
    low, high = min(positive), max(positive)
    ticks = _log_ticks(low, high)
    labels = [_tick_label(column, tick) for tick in ticks]
    positions: list[float | None] = list(values)
    if 0 in given:
        step = max(10.0, ticks[1] / ticks[0]) if len(ticks) > 1 else 10.0
        floor = low / step**0.7
        ticks, labels = [floor, *ticks], ["0", *labels]
        positions = [floor if v == 0 else v for v in values]
        low = floor
    span = max(high / low, 2.0)
    below = _ROOM_FOR_NAMES if column.key in COST_KEYS else _ROOM
    return Axis(title, True, low / span**below, high * span**_ROOM, ticks, labels, positions)


def _linear(column: Column, title: str, values: Sequence[float | None], given: list[float]) -> Axis:
    low, high = (min(given), max(given)) if given else (0.0, 1.0)
    step = _round_step((high - low) / 5 or 1e-3)
    ticks = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    labels = [
        f"{100 * t:.{0 if step >= 0.01 else 1}f} %" if column.key == "accuracy" else f"{t:.0f}"
        for t in ticks
    ]
    positions: list[float | None] = list(values)
    if math.inf in values:
        high += step
        ticks, labels = [*ticks, high], [*labels, "exact"]
        positions = [high if v == math.inf else v for v in values]
    span = high - low or step
    return Axis(title, False, low - _ROOM * span, high + _ROOM * span, ticks, labels, positions)


def _round_step(step: float) -> float:
    decade = 10.0 ** math.floor(math.log10(step))
    return next(m * decade for m in (1, 2, 5, 10) if m * decade >= step * 0.999)


def _log_ticks(low: float, high: float) -> list[float]:
    decades = math.log10(high / low)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil(decades / _MAX_TICKS))
    ticks: list[float] = []
    for mantissas in _MANTISSAS if decades <= 3 else ((1,),):
        ticks = [m * 10.0**e for e in range(first, last + 1, every) for m in mantissas]
        ticks = [t for t in ticks if low * 0.8 <= t <= high * 1.25]
        if sum(low <= t <= high for t in ticks) > 1:
            break
    return ticks or [low]


def _tick_label(column: Column, tick: float) -> str:
    if column.unit or column.is_count:
        return grouped(tick) if 1 <= tick < 1e6 else _power(tick)
    return f"{100 * tick:.6g} %" if tick >= 0.9e-5 else _power(tick)


def _power(tick: float) -> str:
    exponent = math.floor(math.log10(tick) + 1e-9)
    mantissa = round(tick / 10.0**exponent)
    return ("" if mantissa == 1 else f"{mantissa}·") + f"10{superscript(exponent)}"


def value_on_axis(key: str, value: float | None, error_rate: float | None) -> float | None:
    """The value that is drawn: a unit without error has an infinite SQNR."""
    if key == "sqnr" and value is None and error_rate == 0:
        return math.inf
    return value
