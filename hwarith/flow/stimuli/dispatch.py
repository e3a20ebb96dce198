"""The stimuli of a unit, found by its class."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from ...units import Unit
from .default import Stimuli


@singledispatch
def stimuli_of(unit: Unit) -> Stimuli:
    """The stimuli of a unit: what is registered for its class or the nearest of its bases, and
    otherwise the default (`Stimuli`).

    ``stimuli_of.register(SomeUnit)`` is a decorator for a class derived from `Stimuli` or from what
    a base of `SomeUnit` has, or for any function of a unit that gives such an object.
    """
    return Stimuli(unit)


def stimulus(unit: Unit, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Operands of at most `n` vectors to try a unit with: see `Stimuli.operands`."""
    return stimuli_of(unit).operands(n, seed)
