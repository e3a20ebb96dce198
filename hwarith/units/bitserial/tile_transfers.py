"""How operands enter a tile of bit-serial elements, and how its sums leave it."""

from __future__ import annotations

from typing import Any, Protocol

from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join, split, vector
from ...lazily import np
from ..transfers import Ported, Transfers, runs
from .pe import BitSerialPe
from .tile_hardware import SUM

OF_A_SUM = ("bank", "mode")
"""Operands of which there is one for a whole sum."""


class Tiled(Ported, Protocol):
    """A tile: so many rows and columns of an element."""

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> int: ...

    @property
    def pe(self) -> BitSerialPe: ...

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Operand codes as arrays of the shapes that the tile takes."""


class ChunkTransfers(Transfers[Tiled]):
    """Chunk by chunk of the lanes, one sum after the other."""

    completes = ("last_of_sum", 1)
    fills = False

    @property
    def controls(self) -> dict[str, Format]:
        return {"last": format("uint1"), "last_of_sum": format("uint1")}

    @property
    def inputs(self) -> dict[str, Format]:
        u = self.unit
        lanes = {"a": u.rows * u.pe.lanes, "w": u.columns * u.pe.lanes}
        lanes |= dict.fromkeys(OF_A_SUM, 1)
        ports = {name: vector(f, lanes.get(name, u.columns)) for name, f in u.operands.items()}
        return ports | self.controls

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        formats = self.unit.operands
        named = dict(zip(formats, arrays, strict=True))
        lanes, k = self.unit.pe.lanes, named["a"].shape[-1]
        chunks, groups = k // lanes, named["scale"].shape[-1]
        columns = []
        for name, x in named.items():
            if name in ("a", "w"):
                x = x.reshape(-1, x.shape[-2], chunks, lanes).swapaxes(1, 2)
                lane = join(x.reshape(*x.shape[:2], -1), formats[name])
            elif name in OF_A_SUM:
                lane = np.repeat(x.reshape(-1, 1), chunks, axis=1)
            else:
                by_group = x.reshape(-1, self.unit.columns, groups).swapaxes(1, 2)
                lane = np.repeat(join(by_group, formats[name]), chunks // groups, axis=1)
            columns.append(lane.ravel())
        place = np.tile(np.arange(1, chunks + 1), columns[0].size // chunks)
        last, end = place % (chunks // groups) == 0, place == chunks
        return [*columns, last.astype(np.uint8), end.astype(np.uint8)]

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        formats = self.unit.operands
        *named, last, end = columns
        found = []
        for part in runs(end, "last_of_sum=1"):
            groups = int(last[part].sum())
            chunks = part.stop - part.start
            if groups == 0 or chunks % groups:
                raise InvalidInput(
                    f"transfers {part.start + 1} to {part.stop}, a sum, must be groups of one "
                    f"length (last=1 ends a group), not {groups} groups in {chunks} transfers"
                )
            call = [
                self._operand(name, x[part], chunks // groups)
                for name, x in zip(formats, named, strict=True)
            ]
            again = self.of(self.unit.check_operands(tuple(call)))
            if any((x[part] != y).any() for x, y in zip(columns, again, strict=True)):
                raise InvalidInput(
                    f"transfers {part.start + 1} to {part.stop}, a sum: scale, special and mode "
                    "must stay the same while a group lasts, and groups must be of one length"
                )
            found.append(call)
        return found

    def _operand(self, name: str, words: np.ndarray, length: int) -> np.ndarray:
        """The operand of a call that is made of these words, groups of so many."""
        u = self.unit
        if name in OF_A_SUM:
            return words[0]
        if name not in ("a", "w"):
            return split(words[::length], u.operands[name], u.columns).T
        side = u.rows if name == "a" else u.columns
        lanes = split(words, u.operands[name], side * u.pe.lanes)
        return lanes.reshape(-1, side, u.pe.lanes).swapaxes(0, 1).reshape(side, -1)

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        a = arrays[0]
        return [a.shape[-1] // self.unit.pe.lanes] * (a.size // a.shape[-1] // self.unit.rows)

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        return arrays[0].shape[:-2]

    def collect(self, columns: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        rows, width = self.unit.rows, self.unit.columns
        y = split(columns[0], SUM, rows * width)
        return y.reshape(*shape, width, rows).swapaxes(-1, -2)

    def result_codes(self, results: np.ndarray) -> list[np.ndarray]:
        by_column = results.swapaxes(-1, -2)
        return [join(by_column.reshape(*by_column.shape[:-2], -1), SUM)]
