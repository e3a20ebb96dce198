"""What units of rows are tried with."""

from __future__ import annotations

import numpy as np

from ...units import Unit
from ...units.rows import RowUnit
from .default import GroupStimuli


class RowStimuli(GroupStimuli):
    """Rows, of one length where the unit says so; the values of most of them near each other."""

    unit: RowUnit  # type: ignore[assignment]

    def __init__(self, unit: Unit):
        super().__init__(unit)
        length = self.unit.row_length
        self.least_group = length or 1
        self._length = length

    def operands(self, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        """Vectors of whole rows: if there are no more than `n`, some of them twice."""
        found = super().operands(n, seed)
        whole = -(-len(found[0]) // self.least_group) * self.least_group
        return tuple(np.resize(x, whole) for x in found)

    @property
    def longest_group(self) -> int:
        return self._length or super().longest_group

    @property
    def usual_group(self) -> int:
        return self._length or 64

    @property
    def greatest_group(self) -> int:
        return self._length or 1024

    def refined(self, codes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        for i, f in enumerate(self.call_formats):
            if f.is_float:
                values = f.encode(rng.normal(size=len(codes[i])) * 2.0 ** rng.integers(-2, 3))
                few = rng.integers(0, 16, len(values)) == 0
                codes[i] = np.where(few, codes[i], values)
        return codes
