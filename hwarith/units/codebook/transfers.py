"""How a codebook and the codes that read it enter, and how weights leave."""

from __future__ import annotations

import math
from typing import Protocol

from ...formats import Format, format
from ...formats.lanes import join, split
from ...lazily import np
from ..transfers import Ported, Transfers, between, loads

WRITTEN = ("word", "address")
"""Operands of what is written, of which address is the last operand of all."""


class Tabulated(Ported, Protocol):
    """What has a table of entries."""

    @property
    def lanes(self) -> dict[str, tuple[Format, int]]:
        """Of operands and results whose codes have an axis of lanes, their format and number."""


class TableTransfers(Transfers[Tabulated]):
    """What writes the entries of a table, and then what reads it, one call after the other."""

    completes = ("load", 0)

    @property
    def controls(self) -> dict[str, Format]:
        return {"load": format("uint1")}

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        named = dict(zip(self.unit.operands, arrays, strict=True))
        writes, reads = named["address"].shape[-1], self.result_shape(arrays)[-1]
        found = []
        for name, x in named.items():
            joined = join(x, self.unit.lanes[name][0]) if name in self.unit.lanes else x
            ends = (0, reads) if name in WRITTEN else (writes, 0)
            found.append(between(joined.reshape(-1, joined.shape[-1]), *ends))
        load = np.repeat(np.array([1, 0], np.uint8), (writes, reads))
        return [*found, np.tile(load, found[0].size // load.size)]

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        *operands, load = columns
        found = []
        for written, read in loads(load):
            arrays = []
            for name, x in zip(self.unit.operands, operands, strict=True):
                part = x[written if name in WRITTEN else read]
                lanes = self.unit.lanes.get(name)
                arrays.append(split(part, *lanes) if lanes else part)
            found.append(arrays)
        return found

    def together(self, arrays: list[np.ndarray]) -> list[int]:
        *front, reads = self.result_shape(arrays)
        return [reads] * math.prod(front)

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        writes = arrays[-1].shape[-1]
        return [x for n in self.together(arrays) for x in (writes + 1, *([1] * (n - 1)))]

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        code = arrays[1]
        return code.shape[:-1] if "code" in self.unit.lanes else code.shape

    def collect(self, columns: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        f, n = self.unit.lanes["y"]
        return split(columns[0], f, n).reshape(*shape, n)

    def result_codes(self, results: np.ndarray) -> list[np.ndarray]:
        f, _ = self.unit.lanes["y"]
        return [join(results, f).ravel()]
