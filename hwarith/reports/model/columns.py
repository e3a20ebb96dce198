"""The columns of a report: what each figure is, and how it is written for readers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ...explore.metrics import METRICS, Metric
from ...explore.point import COSTS, NETWORK, Figure, Result

COST_KEYS = (*COSTS, "area_per_throughput", "area_time", "group_area")
_WHOLE = ("area", "lane_area", "area_per_throughput", "area_time", "group_area")
HIGHER_IS_BETTER = ("accuracy", "sqnr")
_SIGNED = ("mean_relative_error", "mean_error")
_IN_RESULT_UNITS = ("med", "mse", "wce")

PER_LANE = ("lane_area", "lane_energy")
"""Costs that differ from those of the whole unit only where a unit does more or less than one
piece of its operation at a time (`Unit.work`)."""

X_AXES = (
    "area",
    "lane_area",
    "delay",
    "energy",
    "lane_energy",
    "bits",
    "cmos_cells",
    "cmos_path",
)
Y_AXES = (
    *NETWORK,
    *(key for key in METRICS if key not in _SIGNED + _IN_RESULT_UNITS),
    "delay",
    "energy",
    "lane_energy",
)
"""What the picture can show: costs against all that compares units of different formats, and
against the other costs."""

MINUS, _NARROW_SPACE = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"
_NO_VALUE = "\N{EN DASH}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_TINY = 1e-5


@dataclass(frozen=True)
class Column:
    """A figure with its title, unit (empty: a ratio, written in percent) and definition."""

    key: str
    title: str
    unit: str
    definition: str

    @property
    def is_count(self) -> bool:
        """Whether values are whole numbers of things, such as cells."""
        return self.key in COSTS and self.unit in ("", "cells")

    @property
    def short(self) -> str:
        """The abbreviation that stands in brackets in the title, if there is one."""
        abbreviation = re.search(r"\(([^)]+)\)", self.title)
        return abbreviation[1] if abbreviation else self.title

    @property
    def label(self) -> str:
        """Title and unit, as on an axis."""
        return f"{self.title} ({self.unit})" if self.shown_unit else self.title

    @property
    def shown_unit(self) -> str:
        """The unit, where the title does not name it."""
        return "" if self.is_count or self.unit.lower() in self.title.lower() else self.unit

    def write(self, value: float | None) -> str:
        """A value for readers, with a percent sign where it is a ratio."""
        if value is None:
            return _NO_VALUE
        if not math.isfinite(value):
            return "exact"
        if self.is_count or self.key in _WHOLE:
            return grouped(value)
        if self.key == "accuracy":
            return f"{100 * value:.1f}{_NARROW_SPACE}%"
        if self.key in ("delay", "sqnr"):
            return f"{value:.1f}".replace("-", MINUS)
        return three_digits(value) if self.unit else percent(value)


def columns(results: list[Result]) -> dict[str, Column]:
    """Every column by key, with the units of area, delay and energy that the library gave."""
    keys = ("area", "delay", "energy")
    units = {key: getattr(result, f"{key}_unit") for key in keys for result in results[:1]}
    units |= {key: units.get(key.removeprefix("lane_")) for key in PER_LANE}
    figures: list[Figure | Metric] = [*COSTS.values(), *NETWORK.values(), *METRICS.values()]
    return {
        f.key: Column(f.key, f.title, units.get(f.key) or f.unit, f.definition) for f in figures
    }


def grouped(value: float) -> str:
    """A whole number, its thousands set apart from five digits on."""
    text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"
    return text.replace(",", _NARROW_SPACE).replace("-", MINUS)


def percent(ratio: float) -> str:
    """A ratio in percent with three digits; a plain power of ten when it is tiny."""
    if ratio and abs(ratio) < _TINY:
        return three_digits(ratio)
    return f"{three_digits(100 * ratio)}{_NARROW_SPACE}%"


def three_digits(value: float) -> str:
    """A number with three significant digits, as a power of ten when it is large or small."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if -3 <= exponent < 5:
        return f"{value:.{max(0, 2 - exponent)}f}".replace("-", MINUS)
    mantissa = f"{value / 10.0**exponent:.2f}".replace("-", MINUS)
    return f"{mantissa}·10{superscript(exponent)}"


def superscript(exponent: int) -> str:
    """A whole number in raised digits."""
    return str(exponent).translate(_SUPERSCRIPTS)
