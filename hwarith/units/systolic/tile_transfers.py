"""How matrices enter a systolic array, and how sums leave it."""

from __future__ import annotations

from typing import Protocol

from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join, split
from ...lazily import np
from ..chain import RIGHT, Chain
from ..transfers import Ported, Transfers, between, loads


class Tiled(Ported, Protocol):
    """An array: so many rows and columns of an element."""

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> int: ...

    @property
    def units(self) -> Chain:
        """What an element computes."""


class TileTransfers(Transfers[Tiled]):
    """A tile's weights, last row first, and then its activations, one tile after the other."""

    completes = ("load", 0)
    fills = False

    @property
    def controls(self) -> dict[str, Format]:
        return {"load": format("uint1")}

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        rows, units = self.unit.rows, self.unit.units
        vectors = arrays[-1].shape[-2]
        formats = units.factors | {"c": (units.first, 1)}
        lanes = []
        for x, (name, (f, n)) in zip(arrays, formats.items(), strict=True):
            if name not in RIGHT:
                lanes.append(between(join(x, f).reshape(-1, vectors), rows, 0))
                continue
            of_rows = x.reshape(*x.shape[:-2], rows, n, -1).swapaxes(-1, -2)
            of_rows = of_rows.reshape(*x.shape[:-2], rows, -1)  # column after column
            codes = join(of_rows[..., ::-1, :], f).reshape(-1, rows)
            lanes.append(between(codes, 0, vectors))
        load = np.repeat(np.array([1, 0], np.uint8), (rows, vectors))
        return [*lanes, np.tile(load, lanes[0].size // load.size)]

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        rows, width, units = self.unit.rows, self.unit.columns, self.unit.units
        *factors, c, load = columns
        tiles = []
        for weights, vectors in loads(load):
            if weights.stop - weights.start != rows:
                raise InvalidInput(
                    f"transfer {weights.start + 1} begins {weights.stop - weights.start} rows of "
                    f"weights (load=1); before activations come {rows}"
                )
            found = []
            for x, (name, (f, n)) in zip(factors, units.factors.items(), strict=True):
                if name not in RIGHT:
                    found.append(split(x[vectors], f, rows * n))
                    continue
                of_rows = split(x[weights], f, width * n)[::-1].reshape(rows, width, n)
                found.append(of_rows.swapaxes(1, 2).reshape(-1, width))
            tiles.append([*found, split(c[vectors], units.first, width)])
        return tiles

    def together(self, arrays: list[np.ndarray]) -> list[int]:
        n = arrays[0].shape[-2]
        return [n] * (arrays[-1].size // (n * self.unit.columns))

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        return [x for n in self.together(arrays) for x in (self.unit.rows + 1, *([1] * (n - 1)))]

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        return arrays[-1].shape[:-1]

    def collect(self, columns: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        u = self.unit
        return split(columns[0], u.units.last, u.columns).reshape(*shape, u.columns)

    def result_codes(self, results: np.ndarray) -> list[np.ndarray]:
        return [join(results, self.unit.units.last)]
