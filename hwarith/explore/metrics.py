"""Error metrics with the field's definitions, and their evaluation for any unit.

Sources: Liang, Han and Lombardi, "New metrics for the reliability of approximate and
probabilistic adders" (IEEE Trans. Computers 62(9), 2013) for error rate, MED, NMED and MRED;
Muller et al., "Handbook of Floating-Point Arithmetic" for the ulp.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..exceptions import InvalidInput
from ..formats.lanes import split
from ..pictures import Picture, drawing, new_figure, saved
from ..tables import Table, Tabled
from ..units import Unit
from ..units import unit as make_unit
from ..units.accumulator import Accumulator
from ..units.chain import ChainOfOne, chain_of_one
from ..units.parts import ArrayUnit
from ..units.rows import RowUnit
from ..units.wrapped import Wrapper, unwrapped
from .operands_file import read_operands
from .reference import Errors, compare

EXHAUSTIVE_BITS = 16
"""Units whose operands have at most so many bits together are evaluated on all of them."""

OPERAND_SETS = 1 << 16
"""Random operand sets, for units of too many to take all."""

SOURCES = {
    "all": "all operand codes",
    "normal": f"{OPERAND_SETS} random sets, normally distributed, of standard deviation 1 (of "
    "integers and narrow formats a quarter of the largest value), of what has no sign their "
    "magnitudes; of blocks and matrices as many numbers and multiply-adds",
    "workload": "the operands that the unit met in the workload",
}
"""Where the operands come from that errors are computed on."""

_BARS, _FAR_END = 48, 0.005
"""Of histograms: how many bars, and the share of the inexact results beyond each end."""


@dataclass(frozen=True)
class Metric:
    """One figure of merit: its definition is the text that the report prints.

    `compute` takes `Errors` of at least one operand set and gives a number, or None where the
    metric has no value; `terms` gives what it is the mean of, if it is one. ``unit`` is empty for
    plain ratios; "value" means the result's own unit.
    """

    key: str
    title: str
    definition: str
    unit: str
    compute: Callable[[Errors], float | None]
    terms: Callable[[Errors], np.ndarray] | None = None

    def deviation(self, errors: Errors) -> float | None:
        """The standard deviation of a metric that is the mean of `terms`, where operand sets are
        samples; None of others, and of fewer than two terms."""
        terms = np.asarray(self.terms(errors), float) if self.terms else np.empty(0)
        if terms.size < 2:
            return None
        return float(np.std(terms, ddof=1) / np.sqrt(terms.size))


def _relative(errors: Errors) -> np.ndarray:
    nonzero = errors.exact != 0
    return errors.distance[nonzero] / errors.exact[nonzero]


def _max_relative(errors: Errors) -> float | None:
    relative = _relative(errors)
    return float(np.max(np.abs(relative))) if relative.size else None


def _mean(terms: Callable[[Errors], np.ndarray]) -> tuple[Any, Any]:
    """The `compute` and `terms` of a metric that is a mean."""

    def compute(errors: Errors) -> float | None:
        found = terms(errors)
        return float(np.mean(found)) if found.size else None

    return compute, terms


def _nmed(errors: Errors) -> float | None:
    largest = np.abs(errors.exact).max()
    return float(np.mean(np.abs(errors.distance)) / largest) if largest else None


def _sqnr(errors: Errors) -> float | None:
    noise, signal = np.sum(errors.distance**2), np.sum(errors.exact**2)
    return float(10 * np.log10(signal / noise)) if noise > 0 and signal > 0 else None


METRICS = {
    metric.key: metric
    for metric in (
        Metric(
            "error_rate",
            "Error rate (ER)",
            "Share of the operand sets whose result y differs from the exact result z.",
            "",
            *_mean(lambda e: e.distance != 0),
        ),
        Metric(
            "mred",
            "Mean relative error distance (MRED)",
            "Mean of |y - z| / |z| over the operand sets with z ≠ 0.",
            "",
            *_mean(lambda e: np.abs(_relative(e))),
        ),
        Metric(
            "mean_relative_error",
            "Mean signed relative error",
            "Mean of (y - z) / z over the operand sets with z ≠ 0; negative where magnitudes "
            "come out too small.",
            "",
            *_mean(_relative),
        ),
        Metric(
            "max_relative_error",
            "Largest relative error",
            "Largest |y - z| / |z| over the operand sets with z ≠ 0.",
            "",
            _max_relative,
        ),
        Metric(
            "mean_error",
            "Mean signed error",
            "Mean of y - z, also called bias.",
            "value",
            *_mean(lambda e: e.distance),
        ),
        Metric(
            "med",
            "Mean error distance (MED)",
            "Mean of |y - z|.",
            "value",
            *_mean(lambda e: np.abs(e.distance)),
        ),
        Metric(
            "nmed",
            "Normalised mean error distance (NMED)",
            "Mean of |y - z|, divided by the largest |z| that occurs.",
            "",
            _nmed,
        ),
        Metric(
            "mse",
            "Mean squared error (MSE)",
            "Mean of (y - z)².",
            "value²",
            *_mean(lambda e: e.distance**2),
        ),
        Metric(
            "wce",
            "Worst-case error (WCE)",
            "Largest |y - z|.",
            "value",
            lambda e: float(np.max(np.abs(e.distance))),
        ),
        Metric(
            "mean_ulp",
            "Mean error in ulps",
            "Mean of |y - z| / ulp(z), where ulp(z) is the weight of the last place of the "
            "result's format in the binade of z (the subnormal step below the smallest normal "
            "number; 1 for integers). Correct rounding to nearest stays at or below ½.",
            "ulp",
            *_mean(lambda e: np.abs(e.distance) / e.ulp),
        ),
        Metric(
            "max_ulp",
            "Largest error in ulps",
            "Largest |y - z| / ulp(z).",
            "ulp",
            lambda e: float(np.max(np.abs(e.distance) / e.ulp)),
        ),
        Metric(
            "sqnr",
            "Signal-to-quantisation-noise ratio (SQNR)",
            "10 · log₁₀(Σ z² / Σ (y - z)²). No value where nothing errs.",
            "dB",
            _sqnr,
        ),
    )
}
"""Every metric by its key. In the definitions y is the unit's result and z the exact one."""

COUNTS = {
    "operand_sets": "operand sets that were looked at; of blocks and matrices their results",
    "counted": "of these, sets that the metrics are computed over",
    "nonfinite_operands": "left out: an operand is infinite or NaN",
    "out_of_range": "left out: the exact result is beyond the result format's finite range, or "
    "there is none (a division by zero)",
    "nonfinite_results": "left out: the unit gives infinity or NaN for a result within range",
    "zero_exact": "counted, but not in relative errors: the exact result is zero",
    "underflowed": "counted: the exact result is smaller than the smallest normal number",
}
"""What became of the operand sets: keys of `Evaluation.counts` with their meaning."""


@dataclass(frozen=True)
class Evaluation(Tabled):
    """Error metrics of the unit of a ``spec``: ``metrics`` by key (None: no value), ``counts`` by
    kind, the `histogram` of its errors, and by key the ``deviations`` of those metrics that are
    means, where the operand sets are a sample of all."""

    spec: str
    metrics: dict[str, float | None]
    counts: dict[str, int]
    histogram: dict[str, Any]
    deviations: dict[str, float] = field(default_factory=dict)

    def tables(self) -> list[Table]:
        """Metrics, and what became of the operand sets."""
        return [Table(self.table()), Table(self.table_of_counts())]

    def plot(self) -> Picture:
        """How its errors are spread, in ulps (`histogram`). Raises `MissingTool` without
        matplotlib."""
        found = self.histogram
        with drawing():
            figure = new_figure(6, 3)
            axes = figure.subplots()
            if found["counts"]:
                edges = np.linspace(found["low"], found["high"], len(found["counts"]) + 1)
                axes.stairs(found["counts"], edges, fill=True, color="#4477aa")
            apart = ", ".join(
                f"{found[key]:,} {key}" for key in ("exact", "below", "above") if found[key]
            )
            axes.set(xlabel="error (ulp)", ylabel="operand sets", title=f"{self.spec}\n{apart}")
            axes.spines[["top", "right"]].set_visible(False)
            return saved(figure)

    def as_dict(self) -> dict[str, Any]:
        """Metrics and counts as plain data, for JSON."""
        return {"spec": self.spec, "metrics": self.metrics, "counts": self.counts}

    def table(self) -> list[dict[str, object]]:
        """A row for each metric: its title (under an empty one), value and unit."""
        return [
            {"": METRICS[key].title, "value": value, "unit": METRICS[key].unit}
            for key, value in self.metrics.items()
        ]

    def table_of_counts(self) -> list[dict[str, object]]:
        """A row for each of the `COUNTS`: how many operand sets, and of which kind."""
        return [{"sets": number, "": COUNTS[key]} for key, number in self.counts.items()]


def metrics(spec: Any, operands: Sequence[Any] | Path | str | None = None) -> Evaluation:
    """Error metrics of a unit against the exact real result: `evaluate`, of operands that may also
    be those of a file, ``.npy`` or ``.npz`` (`hwarith.explore.operands_file.read_operands`)."""
    unit = make_unit(spec)
    if isinstance(operands, Path | str):
        operands = read_operands(unit, Path(operands))
    return evaluate(unit, operands)


def evaluate(spec: Any, operands: Sequence[Any] | None = None) -> Evaluation:
    """Error metrics of a unit against the exact real result.

    Parameters
    ----------
    spec : a unit or its spec.
    operands : arrays of operand codes, one for each operand, which broadcast together (of a chained
        unit the last are codes of what its chains begin with; of a dot product blocks are arrays
        (..., lanes)); without them the unit is evaluated
        on every combination of operand codes. Of `hwarith.units.lanes.Lanes` each lane is a set.

    What counts as what is said in `METRICS` and `COUNTS`. The exact result is the infinitely
    precise product, sum, multiply-add or dot product of the operands' values; each error is right
    to a relative 2^-51 (`hwarith.explore.reference`), the metrics to float64's precision.

    Raises `InvalidInput` for a wrong spec or operands, for more than 2^16 combinations without
    `operands`, for no operands at all, and for formats beyond float64's range.
    """
    whole = make_unit(spec)
    unit = chain_of_one(unwrapped(whole))
    if operands is not None and isinstance(whole, Wrapper):
        operands = whole.spread(whole.check_operands(tuple(operands)))
    given = unit.check_operands(tuple(operands)) if operands is not None else _all_codes(unit)
    if given[0].size == 0:
        raise InvalidInput(f"{unit.family}: operands to evaluate must not be empty")
    errors, counts = compare(unit, given)
    with np.errstate(over="ignore", invalid="ignore"):
        metrics = {
            key: _finite(metric.compute(errors)) if errors.exact.size else None
            for key, metric in METRICS.items()
        }
        deviations = {key: _finite(metric.deviation(errors)) for key, metric in METRICS.items()}
    known = {key: x for key, x in deviations.items() if x is not None}
    return Evaluation(whole.spec, metrics, counts, histogram(errors), known)


def histogram(errors: Errors) -> dict[str, Any]:
    """How errors are spread, in ulps: ``counts`` in bars of equal width from ``low`` to ``high``.

    Results that are exact are counted apart, in ``exact``; so are the far ends, half a percent
    of the others at most on each side, in ``below`` and ``above``.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        ulps = errors.distance / errors.ulp
    inexact = ulps[(ulps != 0) & np.isfinite(ulps)]
    found = {
        "exact": int(np.sum(errors.distance == 0)),
        "low": 0.0,
        "high": 0.0,
        "below": 0,
        "above": 0,
        "counts": [],
    }
    if inexact.size:
        low, high = map(float, np.quantile(inexact, (_FAR_END, 1 - _FAR_END), method="nearest"))
        inside = inexact[(inexact >= low) & (inexact <= high)]
        bars, edges = np.histogram(inside, _BARS, (low, high))
        found |= {"low": float(edges[0]), "high": float(edges[-1]), "counts": bars.tolist()}
        found |= {"below": int(np.sum(inexact < low)), "above": int(np.sum(inexact > high))}
    return found


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def has_few_operands(unit: Unit | ChainOfOne) -> bool:
    """Whether a unit can be evaluated on every combination of operand codes."""
    bits = sum(f.bits for f in unit.operands.values())
    return bits <= EXHAUSTIVE_BITS and not isinstance(unit, Accumulator | ArrayUnit | RowUnit)


def _all_codes(unit: Unit | ChainOfOne) -> list[np.ndarray]:
    bits = sum(f.bits for f in unit.operands.values())
    if bits > EXHAUSTIVE_BITS:
        raise InvalidInput(
            f"{unit.spec} has 2^{bits} operand combinations, too many to evaluate all "
            f"(2^{EXHAUSTIVE_BITS}); give operands, an array of codes for each of "
            + ", ".join(unit.operands)
        )
    codes = np.meshgrid(*(f.codes() for f in unit.operands.values()), indexing="ij")
    lanes = unit.lane_formats
    return [
        split(x, *lanes[name]) if name in lanes else x
        for name, x in zip(unit.operands, codes, strict=True)
    ]


__all__ = ["COUNTS", "METRICS", "Evaluation", "Metric", "evaluate", "histogram", "metrics"]
