"""How rows enter a unit that goes over them several times, and how their results leave it."""

from __future__ import annotations

from typing import Protocol

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...lazily import np
from ..transfers import Ported, Transfers, runs


class Passed(Ported, Protocol):
    """What takes each row so many times."""

    @property
    def passes(self) -> int: ...

    @property
    def waits(self) -> int: ...


class RowTransfers(Transfers[Passed]):
    """A value in each transfer: those of a row in order, and all of them again in each pass."""

    def __init__(self, unit: Passed):
        super().__init__(unit)
        self.completes = (rtl.PHASE, unit.passes - 1)
        self.waits = unit.waits

    @property
    def controls(self) -> dict[str, Format]:
        return {rtl.PHASE: format(f"uint{(self.unit.passes - 1).bit_length()}")}

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        passes, length = self.unit.passes, arrays[0].shape[-1]
        again = [np.repeat(x.reshape(-1, 1, length), passes, axis=1).ravel() for x in arrays]
        phases = np.repeat(np.arange(passes, dtype=np.uint8), length)
        return [*again, np.tile(phases, arrays[0].size // length)]

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        *values, phase = columns
        passes = self.unit.passes
        last = passes - 1
        found = []
        for row in runs((phase == last) & (np.append(phase[1:], 0) != last), f"phase={last}"):
            length = (row.stop - row.start) // passes
            call = [x[row][:length] for x in values]
            again = self.of(call) if length else columns
            whole = length * passes == row.stop - row.start
            if not whole or any((x[row] != y).any() for x, y in zip(columns, again, strict=True)):
                raise InvalidInput(
                    f"transfers {row.start + 1} to {row.stop}, a row, must be the same values in "
                    f"each of {passes} passes, with phase=0 to {last}"
                )
            found.append(call)
        return found

    def together(self, arrays: list[np.ndarray]) -> list[int]:
        length = arrays[0].shape[-1]
        return [length] * (arrays[0].size // length)

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        length = arrays[0].shape[-1]
        of_row = [(self.unit.passes - 1) * length + 1, *([1] * (length - 1))]
        return of_row * (arrays[0].size // length)
