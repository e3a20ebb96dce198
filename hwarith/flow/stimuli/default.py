"""What a unit is tried with, in tests and for energy: a default, and how a kind of unit departs
from it."""

from __future__ import annotations

import numpy as np

from ...formats import Format
from ...units import Unit
from ...units.accumulator import Accumulator
from .corner_weighted import corner_weighted, every_vector


class Stimuli:
    """What a unit is tried with; this class serves every unit for which there is no other one.

    Units whose operands are no independent codes, or whose random codes rarely try what is hard,
    have a class derived from this one, which `hwarith.flow.stimuli.families.stimuli_of` finds. It
    overrides as little as it needs to: most often `refined` alone.

    Attributes
    ----------
    unit : the unit.
    """

    unit: Unit

    def __init__(self, unit: Unit):
        self.unit = unit

    @property
    def call_formats(self) -> list[Format]:
        """The formats of the operands of a call."""
        return list(self.unit.operands.values())

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        """At most `n` operand vectors: for each operand an array of codes, one after the other.

        All vectors, in ascending order, if there are no more than `n`; otherwise exactly `n` that
        are random, the same ones for the same `seed`.
        """
        formats = list(self.unit.operands.values())
        if 1 << sum(f.bits for f in formats) <= n:
            return every_vector(formats)
        rng = np.random.default_rng(seed)
        columns = self.refined(corner_weighted(self.unit, n, rng), rng)
        return tuple(x.astype(f.dtype) for f, x in zip(formats, columns, strict=True))

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        """Random codes of the operands, changed where they would hardly ever try what is hard.

        `codes` has an array of `n` codes for each operand, and what is returned has as well; `rng`
        is to be the only source of chance.
        """
        return codes

    def usual_call(self, operands: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """Such operands as those of one call whose shape is usual where the unit is put to use,
        for figures that depend on it, such as energy. What is too little to fill it is left out.
        """
        return operands


class GroupStimuli(Stimuli):
    """What units with a memory are tried with (`Accumulator`): groups of vectors."""

    unit: Accumulator

    @property
    def longest_group(self) -> int:
        """Vectors of the longest group that tests need to try all of the hardware."""
        return 8

    @property
    def usual_group(self) -> int:
        """Vectors that a group usually has where the unit is put to use."""
        return 32

    def usual_call(self, operands: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """Groups of `usual_group` vectors, side by side."""
        n = self.usual_group
        return tuple(x[: x.size // n * n].reshape(-1, n) for x in operands)
