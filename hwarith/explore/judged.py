"""A unit's errors and its energy: on the operands that it met in a workload, or on others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..exceptions import InvalidInput
from ..flow.stimuli.families import stimuli_of
from ..units import Unit
from ..units.accumulator import Accumulator
from ..units.chain import ChainOfOne, chain_of_one, chained_accumulators, rounded_accumulators
from ..units.dot import Dot
from .hardware import Flow
from .metrics import EXHAUSTIVE_BITS, OPERAND_SETS, Evaluation, evaluate
from .reference import check_measurable
from .workloads import Outcome

if TYPE_CHECKING:
    from ..flow.energy.measure import Energy
    from ..formats import Format

OPERATIONS = 1 << 12
"""Random operand sets that energy is the mean of."""

_EXACT = ("exact", "exact integer")
"""Contracts of units whose results are those that they are defined as."""

_WIDE_ENOUGH, _SHARE, _SEED = 4, 0.25, 1


class Judged(NamedTuple):
    """A unit's errors and where its operands come from (a key of
    `hwarith.explore.metrics.SOURCES`), or else the ``reason`` why there are none."""

    evaluation: Evaluation | None
    source: str | None
    reason: str | None


def errors_of(unit: Unit, outcome: Outcome | None) -> Judged:
    """A unit's errors, on the operands that it met in a workload; without one on all operand codes
    or, where those are too many, on random ones: of a unit with a memory in groups."""
    one = chain_of_one(unit)
    try:
        check_measurable(one)
        operands: Sequence[np.ndarray] | None
        if outcome:
            source, operands = "workload", rounded_accumulators(unit, outcome.operands)
        elif _bits(one) <= EXHAUSTIVE_BITS and not isinstance(unit, Accumulator):
            source, operands = "all", None
        else:
            drawn = tuple(random_operands(unit, OPERAND_SETS))
            source, operands = "normal", stimuli_of(unit).usual_call(drawn)
        return Judged(evaluate(unit, operands), source, None)
    except InvalidInput as error:
        kind = unit.contract.kind
        why = f"{unit.family}: {kind} by contract" if kind in _EXACT else str(error)
        return Judged(None, None, why)


def _bits(unit: Unit | ChainOfOne) -> int:
    return sum(f.bits for f in unit.operands.values())


def energy_of(
    unit: Unit, outcome: Outcome | None, library: str | Path, flow: Flow, *, at_random: bool
) -> tuple[Energy | None, str | None]:
    """A unit's energy, or else why there is none: on the operands of a workload; without one on
    `OPERATIONS` random sets, if it is to be so, but for arrays, and else on those of
    `hwarith.energy`."""
    operands: Sequence[np.ndarray]
    if outcome:
        operands = outcome.operands
    elif unit.parts or not at_random:
        operands = ()
    else:
        codes = chained_accumulators(unit, random_operands(unit, OPERATIONS))
        operands = stimuli_of(unit).usual_call(codes)
    try:
        return flow.energy(unit, *operands, library=library), None
    except InvalidInput as error:
        return None, str(error)


def random_operands(unit: Unit, sets: int) -> list[np.ndarray]:
    """Codes of normally distributed values, of one operand after the other."""
    rng = np.random.default_rng(_SEED)
    lanes = unit.lane_formats if isinstance(unit, Dot) else {}
    found = []
    for name, port in chain_of_one(unit).operands.items():
        f, *count = lanes.get(name, (port,))
        x = _deviation(f) * rng.normal(size=(sets, *count))
        found.append(f.encode(np.abs(x) if f.is_float and not f.signed else x))
    return found


def _deviation(f: Format) -> float:
    return 1.0 if f.is_float and f.max >= _WIDE_ENOUGH else float(f.max) * _SHARE
