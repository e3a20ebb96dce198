"""What a unit is tried with, in tests and for energy: a default, and how a kind of unit departs
from it."""

from __future__ import annotations

import numpy as np

from ...formats import Format
from ...units import Unit
from ...units.accumulator import Accumulator
from .corner_weighted import corner_weighted, end_codes, every_vector


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

    least_group: int = 1
    """Vectors of the shortest group."""

    @property
    def longest_group(self) -> int:
        """Vectors of the longest group that tests need to try all of the hardware."""
        return 8

    @property
    def usual_group(self) -> int:
        """Vectors that a group usually has where the unit is put to use."""
        return 32

    @property
    def greatest_group(self) -> int:
        """Vectors of the longest group that the unit is made for; where there is no end, of one
        that overflows an accumulator of 32 bits."""
        return 1 << 17

    def steady_groups(self, n: int, seed: int = 0) -> list[tuple[np.ndarray, ...]]:
        """Groups up to `greatest_group`, a quarter of them and the first as long as that: at most
        about `n` vectors if one has no more, and no more than 1024 groups.

        All vectors of a group are the same, so that the memory gets as far as it can: in half of
        the groups ends of the ranges of floats and signed integers.
        """
        length = self.greatest_group
        groups = min(max(n // length, 1), 1024)
        rng = np.random.default_rng(seed)
        found = self.operands(groups, seed)
        rows = rng.integers(len(found[0]), size=groups)
        at_ends = rng.integers(2, size=groups) > 0
        lengths = np.where(
            np.arange(groups) % 4, rng.integers(self.least_group, length + 1, groups), length
        )
        columns = []
        for f, x in zip(self.call_formats, found, strict=True):
            column = x[rows]
            if f.is_float or f.signed:
                column = np.where(
                    at_ends, rng.choice(np.array(end_codes(f), f.dtype), groups), column
                )
            columns.append(column)
        calls = zip(lengths, *columns, strict=True)
        return [tuple(np.repeat(x, n) for x in vector) for n, *vector in calls]

    def usual_call(self, operands: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """Groups of `usual_group` vectors, side by side."""
        n = self.usual_group
        return tuple(x[: x.size // n * n].reshape(-1, n) for x in operands)
