"""The tile: rows times columns of bit-serial processing elements, as one matrix product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from amaranth.hdl import Module, Value
from amaranth.lib import wiring

from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import side_by_side, vector
from ...formats.weights import Quantized
from ...lazily import np
from ...rtl import Values
from ..contract import Contract, Unit
from ..conventions import of_parts
from ..operations import MATRIX_PRODUCT, Operation
from ..parameters import integer_parameter
from ..parts import ArrayUnit, matrix_shape
from ..registry import unit, unit_parameter
from ..transfers import Transfers
from .definitions import SCALE_BITS, of_bank
from .dequant import MOST_SCALE_BITS, BsDequant
from .pe import ACTIVATION, BitSerialPe
from .terms import BANK_BITS, TermGen, specials_parameter
from .tile_hardware import SUM, Cell, ColumnSum, Encoder, Tile
from .tile_transfers import OF_A_SUM, ChunkTransfers
from .tile_weights import bank_of, by_column
from .weights import MIXED, SOURCE, WEIGHTS, Weights, element_type

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST = 64
"""Most rows and columns."""

_AROUND = 3
"""Clocks from a group's last term to the first row's sum, beside one for each bit of the scale: for
the element, to leave it, and to become a float."""


@dataclass(frozen=True, kw_only=True, repr=False)
class BsTile(ArrayUnit):
    """Tile of bit-serial processing elements: sums over groups of weights, times their scales.

    Element (r, c) sums activations of row r times weights of column c, group by group
    (`BitSerialPe`); each group's sum is multiplied with its scale (`BsDequant`), converted to fp32
    and added to the output in fp32, groups in ascending order, rounded to nearest even. A column
    has one generator of terms for each lane, one adder, and an output for each row.

    A transfer brings `lanes` activations of each row and codes of weights of each column, and takes
    as many clocks as a weight has terms; ``last`` marks the last one of a group, and besides it
    ``last_of_sum`` that of a sum, after which ``y`` comes, all rows of the first column at the lsb.
    ``scale`` and ``special``, of each column, belong to the group; with ``specials=bank`` there are
    in place of the latter a ``selector`` of two bits, and for the sum a ``bank`` of four values.
    Groups that take at least `sfw` clocks, and as many as there are rows, follow each other without
    a pause. With weights of
    several types (``mixed``) `mode` is the number of a weight's terms less one, and 4 more for fp3
    and fp4; the codes are then as in `TermGen`.

    In software (of any number of axes in front): activations (..., rows, k), codes of weights
    (..., columns, k), scales and, for fp3 and fp4, codes of special values (..., columns, groups),
    for mixed types the mode (...). Results are fp32 codes (..., rows, columns). `matmul` takes
    quantized weights of any shape.

    Source: BitMoD (HPCA 2025), section IV-C. That sums are in fp32 is a decision of this project.
    """

    family: ClassVar[str] = "bstile"
    combinational_parts = ("encoder",)
    summary: ClassVar[str] = "tile of bit-serial PEs with term generators and dequantization"
    operation: ClassVar[Operation] = MATRIX_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "activations: the lanes of row 0 at the lsb, then those of row 1, ...",
        "w": "codes of weights: the lanes of column 0 at the lsb, then those of column 1, ...",
        "scale": "of the group, of each column, column 0 at the lsb",
        "special": "what a code of -0 stands for in the group, of each column, column 0 at the lsb",
        "selector": "which value of the bank -0 stands for in the group, of each column",
        "bank": "special values of the sum: sign and magnitude each, the first at the lsb",
        "mode": "terms of a weight less one, and 4 more for fp3 and fp4",
        "last": "1: a group ends with this transfer",
        "last_of_sum": "1, with last: a sum ends, its results follow",
        "y": "sums in fp32: all rows of column 0 at the lsb, then those of column 1, ...",
    }

    pe: BitSerialPe = unit_parameter(
        "the processing element, its spec in parentheses", "bspe:type=fp4"
    )
    rows: int = integer_parameter("rows, which share weights", 1, MOST, 8)
    columns: int = integer_parameter("columns, which share activations", 1, MOST, 8)
    dqm: int = integer_parameter("bits of a sum that is multiplied (default: 11 + fx)", 4, 28, None)
    sfw: int = integer_parameter(
        "bits of a group's scale", 2, MOST_SCALE_BITS, SCALE_BITS, quiet=True
    )
    specials: str = specials_parameter()
    stages: int = integer_parameter("follows from rows and sfw", 0, None, 0, quiet=True)

    def validate(self) -> None:
        if not isinstance(self.pe, BitSerialPe):
            raise InvalidInput(f"bstile: parameter pe: must be a bspe, not {unit(self.pe).spec}")
        if self.pe.stages != 1:
            raise InvalidInput(
                f"bstile: parameter pe: must have one stage in a tile, not {self.pe.stages}"
            )
        object.__setattr__(self, "dqm", self.dequant.dqm)
        if self.specials == "bank" and not self.encoder.takes_floats:
            raise InvalidInput(
                f"bstile: parameter specials: must be port for weights of {self.pe.type}, which "
                "have no special values, not bank"
            )
        if self.stages:
            raise InvalidInput("bstile: stages follow from rows and sfw; they cannot be given")
        object.__setattr__(self, "stages", self.rows + self.sfw + _AROUND)

    def stages_for(self, target_delay: int) -> int:
        raise InvalidInput("bstile: parameter target_delay: its elements have one register")

    def shown_parameters(self) -> dict[str, Any]:
        shown = super().shown_parameters()
        del shown["stages"]
        if self.dqm == 11 + self.pe.fx:
            del shown["dqm"]
        return shown

    @property
    def name(self) -> str:
        """``bstile_8x8_`` and the name of its element."""
        narrow = "" if self.dqm == 11 + self.pe.fx else f"_dqm{self.dqm}"
        narrow += "_bank" if self.encoder.has_bank else ""
        narrow += "" if self.sfw == SCALE_BITS else f"_sfw{self.sfw}"
        return f"bstile_{self.rows}x{self.columns}{narrow}_{self.pe.name}"

    @property
    def latency(self) -> str:
        return f"{self.stages} clocks after a sum's last transfer"

    @cached_property
    def dequant(self) -> BsDequant:
        """What multiplies a group's sum with its scale."""
        return BsDequant(
            fx=self.pe.fx, aw=self.pe.aw, expw=self.pe.expw, dqm=self.dqm, sfw=self.sfw
        )

    @cached_property
    def encoder(self) -> TermGen:
        """The generator of terms."""
        return TermGen(type=self.pe.type, specials=self.specials)

    @cached_property
    def adder(self) -> Unit:
        return unit(f"add:a={SUM}")

    @property
    def is_mixed(self) -> bool:
        return self.pe.type == MIXED

    @property
    def weight(self) -> Format:
        return format(f"uint{self.encoder.bits}")

    @property
    def operands(self) -> dict[str, Format]:
        ports = {"a": ACTIVATION, "w": self.weight, "scale": format(f"uint{self.sfw}")}
        if self.encoder.has_bank:
            ports |= {"selector": format("uint2"), "bank": format(f"uint{BANK_BITS}")}
        elif self.encoder.takes_floats:
            ports |= {"special": format("uint6")}
        return ports | ({"mode": format("uint3")} if self.is_mixed else {})

    @property
    def code_formats(self) -> dict[str, Format]:
        return super().code_formats | {"y": SUM}

    @property
    def operand_axes(self) -> dict[str, int]:
        return {name: 0 if name in OF_A_SUM else 2 for name in self.operands}

    @property
    def transfers(self) -> Transfers:
        return ChunkTransfers(self, clocks=(self.encoder.bits + 1) // 2)

    @property
    def results(self) -> dict[str, Format]:
        return {"y": vector(SUM, self.rows * self.columns)}

    @property
    def work(self) -> Fraction:
        return Fraction(self.rows * self.columns * self.pe.lanes)

    @property
    def contract(self) -> Contract:
        return Contract("approximate", f"of each group: {self.pe.contract.bound}", SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        parts = {"elements": self.pe, "dequantizers": self.dequant, "sums": self.adder}
        return of_parts({name: u.conventions for name, u in parts.items()})

    # -- the matrix product --------------------------------------------------------------------

    def check_operands(self, codes: tuple[ArrayLike, ...]) -> list[np.ndarray]:
        """Operands as arrays with the same axes in front (see the class). Raises `InvalidInput`."""
        self._check_number(codes)
        arrays = {
            name: f.check(x, f"operand {name} of bstile")
            for (name, f), x in zip(self.operands.items(), codes, strict=True)
        }
        self._check_shapes({name: x.shape for name, x in arrays.items()})
        axes = {name: x.ndim - self.operand_axes[name] for name, x in arrays.items()}
        try:
            front = np.broadcast_shapes(*(x.shape[: axes[name]] for name, x in arrays.items()))
        except ValueError:
            shapes = ", ".join(f"{name} {x.shape}" for name, x in arrays.items())
            raise InvalidInput(f"operands of bstile must fit together, not {shapes}") from None
        for mode in np.unique(arrays["mode"]).tolist() if self.is_mixed else ():
            self._check_mode(mode)
        return [np.broadcast_to(x, front + x.shape[axes[name] :]) for name, x in arrays.items()]

    def _check_number(self, codes: tuple[Any, ...]) -> None:
        if len(codes) != len(self.operands):
            raise InvalidInput(
                f"bstile takes {len(self.operands)} operands ({', '.join(self.operands)}), "
                f"not {len(codes)}"
            )

    def _check_shapes(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `InvalidInput` if no tile has operands of these shapes."""
        a, w, scale = shapes["a"], shapes["w"], shapes["scale"]
        k, groups = a[-1:], scale[-1:]
        fits = (
            a[-2:-1] == (self.rows,)
            and w[-2:] == (self.columns, *k)
            and scale[-2:] == (self.columns, *groups)
            and shapes.get("special", shapes.get("selector", scale))[-2:] == scale[-2:]
            and all((*k, *groups))
            and k[0] % (groups[0] * self.pe.lanes) == 0
        )
        if not fits:
            given = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise InvalidInput(
                f"operands of bstile are a (..., {self.rows}, k), w (..., {self.columns}, k), "
                f"scale and special (..., {self.columns}, groups) and mode (...), groups of a "
                f"multiple of {self.pe.lanes}, not {given}"
            )

    def _check_mode(self, mode: int) -> None:
        allowed = sorted({self.mode(name) for name in WEIGHTS})
        if mode not in allowed:
            raise InvalidInput(f"operand mode of bstile must be one of {allowed}, not {mode}")

    def mode(self, name: str) -> int:
        """The code of a type of weights on the port `mode`."""
        weights = WEIGHTS[name]
        return weights.terms - 1 + 4 * weights.floating

    def call(self, *codes: ArrayLike) -> np.ndarray:
        """The sums of tiles (see the class). Raises `InvalidInput`."""
        arrays = dict(zip(self.operands, self.check_operands(codes), strict=True))
        a, w, scale = arrays["a"], arrays["w"], arrays["scale"]
        front, groups = a.shape[:-2], scale.shape[-1]
        y = np.zeros((*front, self.rows, self.columns), SUM.dtype)
        for tile in np.ndindex(front):
            special = self._specials({name: x[tile] for name, x in arrays.items()})
            weights = self.weights_of_mode(int(arrays["mode"][tile]) if self.is_mixed else None)
            parts = (np.split(x[tile], groups, axis=-1) for x in (a, w))
            for x, v, s, sv in zip(*parts, scale[tile].T, special.T, strict=True):
                y[tile] = self.adder(y[tile], self._group(weights, x, v, s, sv))
        return y

    def golden(self, *codes: Any) -> list[list[int]]:
        """The definition on plain integers, of one tile: lists of codes in (of mode one code), row
        by row; lists of results. Raises `InvalidInput` for what is no tile."""
        self._check_number(codes)
        tile = dict(zip(self.operands, codes, strict=True))
        mode, bank = tile.pop("mode", None), tile.pop("bank", 0)
        shapes = {name: matrix_shape(x, f"operand {name} of bstile") for name, x in tile.items()}
        self._check_shapes(shapes)
        if mode is not None:
            self._check_mode(mode)
        weights = self.weights_of_mode(mode)
        mask = (1 << weights.bits) - 1
        length = shapes["a"][1] // shapes["scale"][1]
        rows = []
        for acts in tile["a"]:
            row = []
            for j, column in enumerate(tile["w"]):
                y = 0
                for g, scale in enumerate(tile["scale"][j]):
                    group = slice(g * length, (g + 1) * length)
                    w = [code & mask for code in column[group]]
                    special = tile["special"][j][g] if "special" in tile else 0
                    if "selector" in tile:
                        special = of_bank(tile["selector"][j][g], bank)
                    acc = self.pe.sum_of(weights, acts[group], w, special)
                    product = self.dequant.golden_float(acc, scale, int(weights.floating), SUM)
                    y = self.adder.golden(y, product)
                row.append(y)
            rows.append(row)
        return rows

    def _specials(self, tile: Mapping[str, np.ndarray]) -> np.ndarray:
        """Codes of the special values of a tile, (columns, groups)."""
        if not self.encoder.has_bank:
            return tile.get("special", np.zeros_like(tile["scale"]))
        places = 6 * tile["selector"].astype(np.uint32)
        return (tile["bank"] >> places & np.uint32(63)).astype(np.uint8)

    def weights_of_mode(self, mode: int | None) -> Weights:
        """The type of the weights; of a mode the widest one, as its types differ in the bits of
        their codes only."""
        if mode is None:
            return WEIGHTS[self.pe.type]
        name = "fp4" if mode >= 4 else f"int{2 * (mode + 1)}"
        return WEIGHTS[name]

    def _group(
        self, weights: Weights, a: np.ndarray, w: np.ndarray, scale: np.ndarray, special: np.ndarray
    ) -> np.ndarray:
        """Codes in fp32 (rows, columns) of a group: sums times scales."""
        codes = w & ((1 << weights.bits) - 1)
        steps = self.pe.coded_steps(weights, a[:, None], codes[None], special[None])
        acc = side_by_side(self.pe(*steps), self.pe.state.values())
        return self.dequant.as_float(self.dequant(acc, scale, int(weights.floating)))

    def matmul(self, a: ArrayLike, weights: Quantized) -> np.ndarray:
        """Activations times quantized weights, tile by tile, in fp16.

        Parameters
        ----------
        a : fp16 codes (m, k).
        weights : n channels of k, with scales in `sfw` bits (``quantize(..., scale_bits=8)``), of a
            type that the element takes.

        Sums in fp32 are multiplied with the scale of the channel in fp32 and rounded to fp16, both
        to nearest even; what is too large for fp16 becomes infinite. Returns fp16 codes (m, n).
        Raises `InvalidInput` for what is not so.
        """
        left = ACTIVATION.check(a, "activations of bstile")
        if not isinstance(weights, Quantized) or weights.scale_bits != self.sfw:
            raise InvalidInput(f"bstile: weights must be quantized, with scale_bits={self.sfw}")
        if left.ndim != 2 or weights.codes.ndim != 2 or left.shape[1] != weights.codes.shape[1]:
            raise InvalidInput(
                f"bstile: matrices must be of shapes (m, k) and (n, k), not {left.shape} and "
                f"{weights.codes.shape}"
            )
        name = element_type(weights.type)
        types = {w.name: w for w in self.pe.types}
        if name not in types:
            raise InvalidInput(f"{self.spec} takes codes of {', '.join(types)}, not {weights.type}")
        sums = self._sums(left, types[name], weights)
        channel = ACTIVATION.encode(weights.channel_scales)
        return unit(f"convert:a={SUM},out=fp16")(
            unit(f"mul:a={SUM},b=fp16,out={SUM}")(sums, channel)
        )

    def _sums(self, left: np.ndarray, kind: Weights, weights: Quantized) -> np.ndarray:
        """What the tiles give, in fp32 (m, n), of activations (m, k) and weights of a type."""
        sums = np.zeros((len(left), len(weights.codes)), SUM.dtype)
        operands = by_column(self.encoder, kind, weights)
        of_all = [bank_of(weights)] if self.encoder.has_bank else []
        of_all += [self.mode(kind.name)] if self.is_mixed else []
        for i in range(0, len(left), self.rows):
            x = left[i : i + self.rows]
            x = np.pad(x, ((0, self.rows - len(x)), (0, 0)))
            for j in range(0, sums.shape[1], self.columns):
                parts = (part[j : j + self.columns] for part in operands)
                parts = (np.pad(p, ((0, self.columns - len(p)), (0, 0))) for p in parts)
                y = self(x, *list(parts), *of_all)
                tile = sums[i : i + self.rows, j : j + self.columns]
                tile[:] = y[: tile.shape[0], : tile.shape[1]]
        return sums

    # -- hardware ------------------------------------------------------------------------------

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("cell", "encoder", "column")

    def part(self, kind: str) -> wiring.Component:
        """A component of the tile: a ``cell`` (processing element and dequantizer), an ``encoder``
        (the terms of a column's weights), or the sums of a ``column``."""
        if kind == "cell":
            return Cell(self.pe, self.dequant)
        return Encoder(self.encoder, self.pe) if kind == "encoder" else ColumnSum(self)

    def build(
        self, m: Module, inputs: Values, valid: Value, o_ready: Value, instances: bool
    ) -> tuple[Value, Value, Values]:
        return Tile(self, instances).build(m, inputs, valid, o_ready)
