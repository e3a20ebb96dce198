"""Which of many design points to measure next, so that the Pareto front is found soon."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...exceptions import InvalidInput, quoted, unknown
from ...extras import require
from ...formats import Format
from ...units import Unit
from ...units.wrapped import Wrapper
from ..metrics import METRICS
from ..point import COSTS, NETWORK, Result

_HIGHER_IS_BETTER = ("accuracy",)
_NO_OBJECTIVES = ("mean_relative_error", "mean_error", "sqnr")
"""Signed figures, and one that the best units do not have."""


@dataclass(frozen=True)
class SearchGoal:
    """What a search looks for: at most `budget` points (None: to be given otherwise), finished
    ones that the folder holds included; the best in the figures `objectives` (keys of `COSTS`,
    `NETWORK` and `METRICS`); with `seed` for what is random.

    Raises `InvalidInput` for wrong values.
    """

    budget: int | None = None
    objectives: tuple[str, ...] = ("area", "output_error")
    seed: int = 0

    def __post_init__(self) -> None:
        allowed = [k for k in (*COSTS, *NETWORK, *METRICS) if k not in _NO_OBJECTIVES]
        if self.budget is not None and (type(self.budget) is not int or self.budget < 1):
            raise InvalidInput(f"budget must be an integer of 1 or more, not {quoted(self.budget)}")
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise InvalidInput(
                f"seed must be an integer from 0 to 2^32 - 1, not {quoted(self.seed)}"
            )
        if not isinstance(self.objectives, list | tuple) or not self.objectives:
            raise InvalidInput(
                f"objectives must be a list of figures, not {quoted(self.objectives)}"
            )
        for key in self.objectives:
            if key not in allowed:
                raise unknown("objective", key, allowed)
        if len(set(self.objectives)) < len(self.objectives):
            raise InvalidInput(f"objectives must differ: {', '.join(self.objectives)}")
        object.__setattr__(self, "objectives", tuple(self.objectives))


class FrontSearch:
    """Picks units one after the other by Optuna's multi-objective TPE, none twice.

    Units are told apart by their families and parameters, formats by their numbers of bits. What
    Optuna proposes is rounded to the nearest unit that has not been picked: conditions may have
    taken away the rest. Raises `MissingTool` without Optuna.
    """

    def __init__(self, units: Sequence[Unit], search: SearchGoal) -> None:
        self._optuna = require_optuna()
        self._objectives = search.objectives
        directions = [
            "maximize" if k in _HIGHER_IS_BETTER else "minimize" for k in self._objectives
        ]
        self._study = self._optuna.create_study(
            directions=directions, sampler=self._optuna.samplers.TPESampler(seed=search.seed)
        )
        self._units = list(units)
        self._index = {unit: i for i, unit in enumerate(self._units)}
        texts = [_coordinates(unit) for unit in self._units]
        keys = list(dict.fromkeys(key for coordinates in texts for key in coordinates))
        self._axes = {key: _Axis([c.get(key) for c in texts], self._optuna) for key in keys}
        self._grid = np.array([axis.codes for axis in self._axes.values()]).T
        self._free = np.ones(len(self._units), bool)

    def ask(self) -> Unit | None:
        """The next unit to measure; None if there is no more."""
        if not self._free.any():
            return None
        trial = self._study.ask(self._distributions())
        proposed = np.array([trial.params[key] for key in self._axes])
        self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)  # told as what it becomes
        far = np.zeros(len(self._units))
        for i, axis in enumerate(self._axes.values()):
            far += axis.distance(self._grid[:, i], proposed[i])
        i = int(np.argmin(np.where(self._free, far, np.inf)))
        self._free[i] = False
        return self._units[i]

    def tell(self, unit: Unit, result: Result) -> None:
        """What a unit, picked or not, was measured to be."""
        i = self._index[unit]
        self._free[i] = False
        figures = result.figures()
        values = [figures[key] for key in self._objectives]
        if None not in values:
            params = dict(zip(self._axes, map(int, self._grid[i]), strict=True))
            self._study.add_trial(
                self._optuna.create_trial(
                    params=params, distributions=self._distributions(), values=values
                )
            )

    def _distributions(self) -> dict[str, Any]:
        return {key: axis.distribution for key, axis in self._axes.items()}


class _Axis:
    """A parameter: ``codes`` are positions among its values, which are in order if they are
    integers. 0 stands for units that do not have it."""

    def __init__(self, texts: list[str | None], optuna: Any) -> None:
        given = {text for text in texts if text is not None}
        self._ordered = all(text.isdecimal() for text in given) and None not in texts
        values = sorted(given, key=int) if self._ordered else sorted(given)
        place = {value: i for i, value in enumerate(values, 1)}
        self.codes = np.array([0 if text is None else place[text] for text in texts])
        self._span = max(1, len(values) - 1)
        self.distribution = (
            optuna.distributions.IntDistribution(1, len(values))
            if self._ordered
            else optuna.distributions.CategoricalDistribution(range(len(values) + 1))
        )

    def distance(self, codes: Any, code: int) -> Any:
        """How far values are from one: 0 to 1."""
        return abs(codes - code) / self._span if self._ordered else codes != code


def _coordinates(unit: Unit) -> dict[str, str]:
    """What tells units apart. Formats are near each other by their bits, not by their names."""
    if isinstance(unit, Wrapper):
        return _coordinates(unit.one) | {f"{unit.family}.{unit.key}": unit.value}
    found = {"family": unit.family}
    for key in unit.parameters():
        value, name = getattr(unit, key), f"{unit.family}.{key}"
        if isinstance(value, Format):
            exponent = value.exponent_bits if value.is_float else 0
            found |= {name: "float" if value.is_float else "int"}
            found |= {f"{name} bits": str(value.bits), f"{name} exponent": str(exponent)}
        else:
            found[name] = str(value)
    return found


def require_optuna() -> Any:
    """The package. Raises `MissingTool` without it."""
    require("optuna", "a search")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna
