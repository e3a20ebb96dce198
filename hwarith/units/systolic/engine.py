"""The systolic array as a unit: a matrix product with the arithmetic of its elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Module, Value
from amaranth.lib import wiring

from ...exceptions import InvalidInput
from ...formats import Format
from ...formats.lanes import vector
from ...lazily import np
from ...rtl import Values
from ..chain import FACTORS, RIGHT, Chain, chain, without_memory
from ..contract import Contract, Unit
from ..conventions import of_parts
from ..operations import MATRIX_PRODUCT, Operation
from ..parameters import integer_parameter
from ..parts import ArrayUnit, matrix_shape
from ..registry import unit_parameter
from ..transfers import Transfers
from .hardware import END_CLOCKS, Array, Cell, End
from .tile_transfers import TileTransfers

MOST = 256
"""Most rows and columns."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Engine(ArrayUnit):
    """Weight-stationary systolic array: sums y[j] = sum of a[r] * b[r, j] over its rows, from c[j].

    Each element of the array multiplies with the weight that it holds and adds to the sum that
    comes from above, as the unit `pe` (and for a product unit the adder `add`) does; what is
    computed is `hwarith.matmul` with these, in ascending order of the rows. An element that is a
    dot product (``dot``) holds n weights and takes n activations at a time, codes side by side in a
    lane, so that a sum has n products of each row; scales ``sa`` and ``sb`` of their blocks go with
    them. A transfer with ``load`` set brings a row of weights ``b``, the last row of the array
    first; after as many as there are rows, each transfer of activations ``a`` with what the sums
    begin with, ``c``, gives a result. Weights and activations may follow each other without a gap.

    In software the operands are tiles: activations of shape (..., m, depth), weights of shape
    (..., depth, columns), where there are scales these, of shapes (..., m, depth / block) and
    (..., depth / block, columns), and optionally what the sums begin with, of shape
    (..., m, columns), as is the result. `matmul` takes matrices of any shape.

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
        "sa": "scales of activations, a lane for each row, block 0 at the lsb; taken with a",
        "sb": "scales of weights, a lane for each column, block 0 at the lsb; taken with b",
        "c": "what the sums begin with, a lane for each column; taken where load=0",
        "load": "1: the transfer brings a row of weights, the last row first; 0: activations",
        "y": "sums, a lane for each column, column 0 at the lsb",
    }

    pe: Unit = unit_parameter(
        "the element: a multiply-add, a dot product or a product, its spec in parentheses; of a "
        "unit that holds its sum, such as mac, its step",
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
            units = chain(without_memory(self.pe), self.add)
            object.__setattr__(self, "pe", units.units[0])
        except InvalidInput as error:
            raise InvalidInput(f"engine: parameter pe: {error}") from None
        for u in units.units:
            if u.stages:
                name = "pe" if u is self.pe else "add"
                raise InvalidInput(
                    f"engine: parameter {name}: must be combinational, for the array has a register"
                    f" behind each element; {u.spec} has {u.stages} stages"
                )
        if units.first.hidden_always:
            raise InvalidInput(f"engine: {units.first} has no zero for sums to begin with")
        object.__setattr__(self, "add", units.add if units.multiply else None)
        stages = self.rows + self.columns + (END_CLOCKS if units.finish else 1)
        object.__setattr__(self, "stages", stages)

    def stages_for(self, target_delay: int) -> int:
        raise InvalidInput("engine: parameter target_delay: its elements have one register")

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        del shown["stages"]
        return shown

    @property
    def name(self) -> str:
        """``engine_8x8_`` and the names of its units."""
        return "_".join([f"engine_{self.rows}x{self.columns}", *(u.name for u in self.units.units)])

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
        factors = zip(self.units.factors, self.units.units[0].operands.values(), strict=False)
        found = {
            name: vector(f, self.columns if name in RIGHT else self.rows) for name, f in factors
        }
        return found | {"c": vector(self.units.first, self.columns)}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": vector(self.units.last, self.columns)}

    @property
    def code_formats(self) -> dict[str, Format]:
        return self.units.code_formats

    @property
    def transfers(self) -> Transfers:
        return TileTransfers(self)

    @property
    def work(self) -> Fraction:
        return Fraction(self.columns * self.depth)

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
        """The definition on plain integers: lists of activations, weights, scales if there are
        any, and (or zeros) what sums begin with, of a tile, row by row; lists of results. Raises
        `InvalidInput` for what is no tile."""
        self._check_number(codes)
        units, tiles = self.units, dict(zip(self.code_formats, codes, strict=False))
        shapes = {name: matrix_shape(x, f"operand {name} of engine") for name, x in tiles.items()}
        for name in units.factors:
            self._tile_shape(name, shapes[name])
        m, n = begin = (shapes["a"][0], self.columns)
        if shapes.get("c", begin) != begin or shapes.get("sa", begin)[0] != m:
            raise self._unlike(shapes, begin)
        c = tiles.pop("c", [[0] * n] * m)
        rows = []
        for i in range(m):
            row = []
            for j in range(n):
                acc = units.begin_one(c[i][j])
                for r in range(self.rows):
                    factors = []
                    for name, (_, each) in units.factors.items():
                        x = tiles[name]
                        line = [weights[j] for weights in x] if name in RIGHT else x[i]
                        lanes = line[r * each : (r + 1) * each]
                        factors.append(lanes if units.add.lane_formats else lanes[0])
                    if units.multiply:
                        factors = [units.multiply.golden(*factors)]
                    acc = units.add.golden(*factors, acc)
                row.append(units.end_one(acc))
            rows.append(row)
        return rows

    def check_operands(self, codes: tuple[Any, ...]) -> list[np.ndarray]:
        """Tiles as arrays with the same axes in front, of c zeros by default, or `InvalidInput`."""
        self._check_number(codes)
        arrays = {
            name: f.check(x, f"operand {name} of engine")
            for (name, f), x in zip(self.code_formats.items(), codes, strict=False)
        }
        given = {name: x.shape for name, x in arrays.items()}
        shapes = {name: self._tile_shape(name, given[name]) for name in self.units.factors}
        begin = shapes["c"] = (shapes["a"][0], self.columns)
        arrays.setdefault("c", np.zeros(begin, self.units.first.dtype))
        try:
            front = np.broadcast_shapes(*(x.shape[:-2] for x in arrays.values()))
            return [np.broadcast_to(x, front + shapes[name]) for name, x in arrays.items()]
        except ValueError:
            raise self._unlike(given, begin) from None

    def _check_number(self, codes: tuple[Any, ...]) -> None:
        factors = self.units.factors
        if not 0 <= len(codes) - len(factors) <= 1:
            raise InvalidInput(
                f"engine takes {', '.join(factors)} and optionally c, not {len(codes)} operands"
            )

    def _tile_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The last two axes of an operand's shape. Raises `InvalidInput` if no tile has them."""
        depth = self.rows * self.units.factors[name][1]
        if name in RIGHT:
            fits = shape[-2:] == (depth, self.columns)
            wanted = f"(..., {depth}, {self.columns})"
        else:
            fits = len(shape) >= 2 and shape[-2] > 0 and shape[-1] == depth
            wanted = f"(..., m, {depth}) with m at least 1"
        if not fits:
            raise InvalidInput(f"operand {name} of engine must be of shape {wanted}, not {shape}")
        return shape[-2:]

    def _unlike(
        self, shapes: Mapping[str, tuple[int, ...]], begin: tuple[int, ...]
    ) -> InvalidInput:
        given = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        return InvalidInput(
            f"operands of engine must fit together: {given} "
            f"for results of shape (..., {begin[0]}, {begin[1]})"
        )

    def call(self, *codes: Any) -> np.ndarray:
        """The matrix products of tiles of codes (see the class). Raises `InvalidInput`."""
        return self.units.accumulate(*self.check_operands(codes))

    def matmul(self, a: Any, b: Any, c: Any = None, sa: Any = None, sb: Any = None) -> np.ndarray:
        """The product of matrices (m, k) and (k, n) of codes of any size, tile by tile; of elements
        with scales these are (m, k / block) and (k / block, n), k a multiple of block.

        Where k exceeds `depth`, sums go on from what the tile before gave, as codes of the format
        that sums begin with; rows and columns that are left over get codes 0, and sums go through
        their elements (of a dot product that truncates they are truncated there). Raises
        `InvalidInput` for what are no such matrices, and if sums do not end as they begin.
        """
        factors = self._factors(a, b, sa, sb)
        (m, k), n = factors["a"].shape, factors["b"].shape[1]
        begin = self._begin(c, (m, n))
        if self.units.last != self.units.first and k > self.depth:
            raise InvalidInput(
                f"engine: sums begin as {self.units.first} and end as {self.units.last}; only "
                f"where these are the same can more than {self.depth} products be summed up"
            )
        results = []
        for j in range(0, n, self.columns):
            part = slice(j, j + self.columns)
            sums = _filled(begin[:, part], m, self.columns)
            for tile in range(-(-k // self.depth)):
                codes = []
                for name, x in factors.items():
                    depth = self.rows * self.units.factors[name][1]
                    rows = slice(tile * depth, (tile + 1) * depth)
                    if name in RIGHT:
                        codes.append(_filled(x[rows, part], depth, self.columns))
                    else:
                        codes.append(_filled(x[:, rows], m, depth))
                sums = self(*codes, sums)
            results.append(sums)
        return np.concatenate(results, axis=1)[:, :n]

    def _factors(self, a: Any, b: Any, sa: Any, sb: Any) -> dict[str, np.ndarray]:
        """The matrices, and the scales of elements that have any. Raises `InvalidInput`."""
        given = dict(zip(FACTORS, (a, b, sa, sb), strict=True))
        formats = self.units.factors
        if any((given[name] is not None) != (name in formats) for name in FACTORS[2:]):
            which = "takes scales: give sa and sb" if "sa" in formats else "has no scales"
            raise InvalidInput(f"engine: {self.pe.spec} {which}")
        found = {
            name: f.check(given[name], f"operand {name} of engine")
            for name, (f, _) in formats.items()
        }
        left, right = found["a"].shape, found["b"].shape
        if len(left) != 2 or len(right) != 2 or left[1] != right[0] or 0 in left + right:
            raise InvalidInput(
                f"engine: matrices must be of shapes (m, k) and (k, n), not {left} and {right}"
            )
        for name in FACTORS[2 : len(found)]:
            block = self.units.lanes // formats[name][1]
            if left[1] % block:
                raise InvalidInput(
                    f"engine: k={left[1]} must be a multiple of block={block} of {self.pe.spec}"
                )
            blocks = left[1] // block
            shape = (blocks, right[1]) if name in RIGHT else (left[0], blocks)
            if found[name].shape != shape:
                raise InvalidInput(
                    f"operand {name} of engine must be of shape {shape}, not {found[name].shape}"
                )
        return found

    def _begin(self, c: Any, shape: tuple[int, int]) -> np.ndarray:
        first = self.units.first
        begin = np.zeros(shape, first.dtype) if c is None else first.check(c, "operand c of engine")
        try:
            return np.broadcast_to(begin, shape)
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


def _filled(codes: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A matrix of that size, filled up with codes 0."""
    return np.pad(codes, ((0, rows - codes.shape[0]), (0, columns - codes.shape[1])))
