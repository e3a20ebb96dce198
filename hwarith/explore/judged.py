"""A unit's errors and its energy: on the operands that it met in a workload, or on others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..exceptions import InvalidInput
from ..flow.stimuli.families import stimuli_of
from ..units import Unit
from ..units.chain import chain_of_one, chained_accumulators, rounded_accumulators
from ..units.wrapped import Wrapper, unwrapped
from .drawn import port_codes
from .hardware import Flow
from .metrics import OPERAND_SETS, Evaluation, evaluate, has_few_operands
from .outcomes import reference_of
from .reference import check_measurable
from .workloads import Outcome

if TYPE_CHECKING:
    from ..flow.energy.measure import Energy

OPERATIONS = 1 << 12
"""Random operand sets that energy is the mean of."""

_SEED = 1


class Judged(NamedTuple):
    """A unit's errors and where its operands come from (a key of
    `hwarith.explore.metrics.SOURCES`), or else the ``reason`` why there are none."""

    evaluation: Evaluation | None
    source: str | None
    reason: str | None


def errors_of(unit: Unit, outcome: Outcome | None) -> Judged:
    """The errors of a unit, or of what is in each of its lanes, on the operands that it met in a
    workload; without one on all operand codes or, where those are too many, on random ones: of a
    unit with a memory in groups."""
    unit = unwrapped(unit)
    one = chain_of_one(unit)
    try:
        check_measurable(one)
        operands: Sequence[np.ndarray] | None
        if outcome:
            source, operands = "workload", rounded_accumulators(unit, outcome.operands)
        elif has_few_operands(one):
            source, operands = "all", None
        else:
            source, operands = "normal", random_operands(unit, OPERAND_SETS)
        return Judged(evaluate(unit, operands), source, None)
    except InvalidInput as error:
        return Judged(None, None, str(error))


def energy_of(
    unit: Unit, outcome: Outcome | None, library: str | Path, flow: Flow, *, at_random: bool
) -> tuple[Energy | None, str | None]:
    """A unit's energy, or else why there is none: on the operands of a workload; without one on
    `OPERATIONS` random sets, if it is to be so, but for arrays, and else on those of
    `hwarith.energy`."""
    operands: Sequence[np.ndarray]
    if outcome:
        operands = outcome.operands
        if isinstance(unit, Wrapper):
            operands = unit.grouped(list(np.broadcast_arrays(*operands)))
    elif unit.parts or not at_random:
        operands = ()
    else:
        operands = chained_accumulators(unit, random_operands(unit, OPERATIONS))
    try:
        return flow.energy(unit, *operands, library=library), None
    except InvalidInput as error:
        return None, str(error)


def random_operands(unit: Unit, pieces: int) -> tuple[np.ndarray, ...]:
    """Codes of normally distributed values for a call: so many sets, of a unit with a memory in
    groups; of blocks, words and matrices so many pieces of their operation (`Unit.work`)."""
    rng = np.random.default_rng(_SEED)
    reference, one = reference_of(unit), chain_of_one(unit)
    if reference:
        return tuple(reference.operands(pieces, rng))
    drawn = [
        port_codes(name, f, (pieces, *count), rng)
        for name, port in one.operands.items()
        for f, *count in [one.lane_formats.get(name, (port,))]
    ]
    return stimuli_of(unit).usual_call(tuple(drawn))
