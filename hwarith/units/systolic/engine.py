"""The systolic array as a unit: a matrix product with the arithmetic of its elements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from numpy.typing import ArrayLike

from ...errors import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join, split, vector
from ...rtl import Values
from ..chain import Chain, chain
from ..contract import Contract, Unit
from ..conventions import of_parts
from ..operations import MATRIX_PRODUCT, Operation
from ..parameters import integer_parameter
from ..parts import ArrayUnit
from ..registry import unit_parameter
from ..transfers import Transfers, runs
from .hardware import END_CLOCKS, Array, Cell, End

MOST = 256
"""Most rows and columns."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Engine(ArrayUnit):
    """Weight-stationary systolic array: sums y[j] = sum of a[r] * b[r, j] over its rows, from c[j].

    Each element of the array multiplies with the weight that it holds and adds to the sum that
    comes from above, as the unit `pe` (and for a product unit the adder `add`) does; what is
    computed is `hwarith.matmul` with these, in ascending order of the rows. An element that is a
    dot product (``dot`` without scales) holds n weights and takes n activations at a time, codes
    side by side in a lane, so that a sum has n products of each row. A transfer with ``load`` set
    brings a row of weights ``b``, the last row of the array first; after as many as there are rows,
    each transfer of activations ``a`` with what the sums begin with, ``c``, gives a result. Weights
    and activations may follow each other without a gap.

    In software the operands are tiles: activations of shape (..., m, depth), weights of shape
    (..., depth, columns), and optionally what the sums begin with, of shape (..., m, columns); the
    result is of shape (..., m, columns). `matmul` takes matrices of any shape.

    Source: Kung and Leiserson, "Systolic arrays (for VLSI)", 1978; the dataflow is that of Jouppi
    et al., "In-datacenter performance analysis of a tensor processing unit", ISCA 2017.
    """

    family: ClassVar[str] = "engine"
    combinational_parts = ("start",)
    summary: ClassVar[str] = "weight-stationary systolic array of any multiply-add"
    operation: ClassVar[Operation] = MATRIX_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "activations, a lane for each row, row 0 at the lsb; taken where load=0",
        "b": "weights of one row, a lane for each column, column 0 at the lsb; taken where load=1",
        "c": "what the sums begin with, a lane for each column; taken where load=0",
        "load": "1: the transfer brings a row of weights, the last row first; 0: activations",
        "y": "sums, a lane for each column, column 0 at the lsb",
    }

    pe: Unit = unit_parameter(
        "the element: a multiply-add, a dot product or a product unit, its spec in parentheses",
        "fma:a=bf16,b=bf16,c=fp32,out=fp32",
    )
    add: Unit = unit_parameter(
        "adder behind a product unit (default: an exact one into fp32)", None, quiet=True
    )
    rows: int = integer_parameter("rows of elements, which sums go down", 1, MOST, 8)
    columns: int = integer_parameter("columns: sums side by side", 1, MOST, 8)
    stages: int = integer_parameter("follows from rows and columns", 0, None, 0, quiet=True)

    def validate(self) -> None:
        if self.stages:
            raise InvalidInput("engine: stages follow from rows and columns; they cannot be given")
        try:
            units = chain(self.pe, self.add)
        except InvalidInput as error:
            raise InvalidInput(f"engine: parameter pe: {error}") from None
        for u in units.units:
            if u.stages:
                raise InvalidInput(
                    f"engine: parameter {'pe' if u is self.pe else 'add'}: must be combinational, "
                    f"for the array has a register behind each element; {u.spec} has "
                    f"{u.stages} stages"
                )
        if units.first.hidden_always:
            raise InvalidInput(f"engine: {units.first} has no zero for sums to begin with")
        object.__setattr__(self, "add", units.add if units.multiply else None)
        last = END_CLOCKS if units.finish else 1
        object.__setattr__(self, "stages", self.rows + self.columns + last)

    def stages_for(self, target_delay: int) -> int:
        raise InvalidInput("engine: parameter target_delay: its elements have one register")

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        del shown["stages"]
        return shown

    @property
    def name(self) -> str:
        """``engine_8x8_`` and the names of its units."""
        names = "_".join(u.name for u in self.units.units)
        return f"engine_{self.rows}x{self.columns}_{names}"

    @property
    def latency(self) -> str:
        return f"{self.stages} clocks, one transfer a clock"

    @cached_property
    def units(self) -> Chain:
        """What an element computes."""
        return chain(self.pe, self.add)

    @property
    def depth(self) -> int:
        """The length of a sum: products of all rows."""
        return self.rows * self.units.lanes

    @property
    def operands(self) -> dict[str, Format]:
        a, b = self.units.operand_formats
        return {
            "a": vector(a, self.rows),
            "b": vector(b, self.columns),
            "c": vector(self.units.first, self.columns),
        }

    @property
    def results(self) -> dict[str, Format]:
        return {"y": vector(self.units.last, self.columns)}

    @property
    def transfers(self) -> Transfers:
        return TileTransfers(self)

    @property
    def contract(self) -> Contract:
        kind, bound, source = self.pe.contract
        return Contract(kind, f"at each step: {bound}", source)

    @property
    def conventions(self) -> dict[str, str]:
        units = self.units
        parts = {"products": units.multiply, "sums": units.units[-1], "columns' ends": units.finish}
        return of_parts({name: u.conventions for name, u in parts.items() if u})

    # -- the matrix product --------------------------------------------------------------------

    def golden(self, *codes: Any) -> list[list[int]]:
        """The definition on plain integers: lists of activations, weights and (or zeros) what sums
        begin with, of a tile, row by row; lists of results."""
        a, b, c = codes if len(codes) == 3 else (*codes, None)
        units = self.units
        step, n = units.units[-1].golden, units.lanes
        rows = []
        for i, activations in enumerate(a):
            row = []
            for j in range(self.columns):
                acc = int(units.begin(np.array([c[i][j] if c else 0], units.first.dtype))[0])
                weights = [row[j] for row in b]
                for k in range(0, self.depth, n):
                    factors = [activations[k], weights[k]]
                    if units.add.lane_formats:
                        factors = [activations[k : k + n], weights[k : k + n]]
                    if units.multiply:
                        factors = [units.multiply.golden(*factors)]
                    acc = step(*factors, acc)
                row.append(int(units.end(np.array([acc], units.accumulator.dtype))[0]))
            rows.append(row)
        return rows

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Tiles as arrays (..., m, depth), (..., depth, columns), (..., m, columns), with the same
        axes in front. Raises `InvalidInput`."""
        if len(codes) not in (2, 3):
            raise InvalidInput(f"engine takes a, b and optionally c, not {len(codes)} operands")
        formats = (*self.units.factors, self.units.first)
        a, b, *given = (
            f.check(x, f"operand {name} of engine")
            for x, f, name in zip(codes, formats, "abc", strict=False)
        )
        if a.ndim < 2 or a.shape[-1] != self.depth or a.shape[-2] == 0:
            raise InvalidInput(
                f"operand a of engine must be of shape (..., m, {self.depth}) with m at least 1, "
                f"not {a.shape}"
            )
        if b.ndim < 2 or b.shape[-2:] != (self.depth, self.columns):
            raise InvalidInput(
                f"operand b of engine must be of shape (..., {self.depth}, {self.columns}), "
                f"not {b.shape}"
            )
        begin = (a.shape[-2], self.columns)
        c = given[0] if given else np.zeros(begin, formats[2].dtype)
        try:
            front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], c.shape[:-2])
            return [
                np.broadcast_to(x, front + shape)
                for x, shape in ((a, a.shape[-2:]), (b, b.shape[-2:]), (c, begin))
            ]
        except ValueError:
            raise InvalidInput(
                f"operands of engine must fit together: a {a.shape}, b {b.shape}, c {c.shape} "
                f"for results of shape (..., {begin[0]}, {begin[1]})"
            ) from None

    def __call__(self, *codes: Any) -> np.ndarray:
        """The matrix products of tiles of codes (see the class). Raises `InvalidInput`."""
        return self.units.accumulate(*self.check_operands(codes))

    def matmul(self, a: ArrayLike, b: ArrayLike, c: ArrayLike | None = None) -> np.ndarray:
        """The product of matrices (m, k) and (k, n) of codes of any size, tile by tile.

        Where k exceeds `depth`, sums go on from what the tile before gave, as codes of the format
        that sums begin with; rows and columns that are left over get codes 0, and sums go through
        their elements (of a dot product that truncates they are truncated there). Raises
        `InvalidInput` for what are no such matrices, and if sums do not end as they begin.
        """
        left, right, begin = self._matrices(a, b, c)
        if self.units.last != self.units.first and left.shape[1] > self.depth:
            raise InvalidInput(
                f"engine: sums begin as {self.units.first} and end as {self.units.last}; only "
                f"where these are the same can more than {self.depth} products be summed up"
            )
        k, n = right.shape
        deep, wide = (
            -(-size // tile) * tile for size, tile in ((k, self.depth), (n, self.columns))
        )
        left = np.pad(left, ((0, 0), (0, deep - k)))
        right = np.pad(right, ((0, deep - k), (0, wide - n)))
        sums = np.pad(begin, ((0, 0), (0, wide - n)))
        for r in range(0, deep, self.depth):
            acts, weights = left[:, r : r + self.depth], right[r : r + self.depth]
            slices = [slice(j, j + self.columns) for j in range(0, wide, self.columns)]
            tiles = [self(acts, weights[:, part], sums[:, part]) for part in slices]
            sums = np.concatenate(tiles, axis=1)
        return sums[:, :n]

    def _matrices(self, a: ArrayLike, b: ArrayLike, c: ArrayLike | None) -> list[np.ndarray]:
        fa, fb = self.units.factors
        left, right = fa.check(a, "operand a of engine"), fb.check(b, "operand b of engine")
        if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0] or not left.size:
            raise InvalidInput(
                f"engine: matrices must be of shapes (m, k) and (k, n), not {left.shape} and "
                f"{right.shape}"
            )
        shape = (left.shape[0], right.shape[1])
        first = self.units.first
        begin = np.zeros(shape, first.dtype) if c is None else first.check(c, "operand c of engine")
        try:
            return [left, right, np.broadcast_to(begin, shape)]
        except ValueError:
            raise InvalidInput(
                f"operand c of engine must be of shape {shape}, not {begin.shape}"
            ) from None

    # -- hardware ------------------------------------------------------------------------------

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("cell", *self._ends)

    @property
    def _ends(self) -> dict[str, Unit]:
        """The units at the ends of the columns."""
        ends = {"start": self.units.start, "end": self.units.finish}
        return {kind: u for kind, u in ends.items() if u}

    def part(self, kind: str) -> wiring.Component:
        """A component of the array: a ``cell``, or what is at the ``start`` and ``end`` of its
        columns."""
        if kind == "cell":
            return Cell(self.units)
        return End(self._ends[kind], END_CLOCKS if kind == "end" else 0)

    def build(
        self, m: Module, inputs: Values, valid: Value, o_ready: Value, instances: bool
    ) -> tuple[Value, Value, Values]:
        return Array(self, instances).build(m, inputs, valid, o_ready)


class TileTransfers(Transfers[Engine]):
    """A tile's weights, last row first, and then its activations, one tile after the other."""

    completes = ("load", 0)
    fills = False

    @property
    def controls(self) -> dict[str, Format]:
        return {"load": format("uint1")}

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        rows, units = self.unit.rows, self.unit.units
        a, b, c = arrays
        n = a.shape[-2]
        fa, fb = units.factors
        of_rows = b.reshape(*b.shape[:-2], rows, units.lanes, -1).swapaxes(-1, -2)
        of_rows = of_rows.reshape(*b.shape[:-2], rows, -1)  # column after column
        weights = join(of_rows[..., ::-1, :], fb).reshape(-1, rows)
        lanes = [
            _behind(join(a, fa).reshape(-1, n), rows),
            _before(weights, n),
            _behind(join(c, units.first).reshape(-1, n), rows),
        ]
        load = np.repeat(np.array([1, 0], np.uint8), (rows, n))
        return [*lanes, np.tile(load, lanes[0].size // load.size)]

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        rows, width, units = self.unit.rows, self.unit.columns, self.unit.units
        a, b, c, load = columns
        (fa, fb), n = units.factors, units.lanes
        tiles = []
        for tile in runs(np.append(load[1:], 1) & ~load & 1, "load=0"):
            weights = slice(tile.start, tile.start + int(load[tile].sum()))
            if weights.stop - weights.start != rows:
                raise InvalidInput(
                    f"transfer {tile.start + 1} begins {weights.stop - weights.start} rows of "
                    f"weights (load=1); before activations come {rows}"
                )
            vectors = slice(weights.stop, tile.stop)
            activations = split(a[vectors], fa, rows * n)
            begin = split(c[vectors], units.first, width)
            of_rows = split(b[weights], fb, width * n)[::-1].reshape(rows, width, n)
            tiles.append([activations, of_rows.swapaxes(1, 2).reshape(-1, width), begin])
        return tiles

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        n = arrays[0].shape[-2]
        tiles = arrays[2].size // (n * self.unit.columns)
        return [self.unit.rows + 1, *([1] * (n - 1))] * tiles

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        return arrays[2].shape[:-1]

    def collect(self, columns: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        u = self.unit
        return split(columns[0], u.units.last, u.columns).reshape(*shape, u.columns)

    def result_codes(self, results: np.ndarray) -> list[np.ndarray]:
        return [join(results, self.unit.units.last)]


def _behind(codes: np.ndarray, empty: int) -> np.ndarray:
    """Rows of codes, each behind so many transfers without one, one row after the other."""
    return np.pad(codes, ((0, 0), (empty, 0))).ravel()


def _before(codes: np.ndarray, empty: int) -> np.ndarray:
    """Rows of codes, each before so many transfers without one, one row after the other."""
    return np.pad(codes, ((0, 0), (0, empty))).ravel()
