"""Dot products as what computes sums of products: n pairs at a time, with the scales of blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...exceptions import InvalidInput
from ...formats import Format
from ...formats.blocks import BlockFormat, block_format, quantize_blocks
from ...matrix.product import matmul
from ...units.dot import Dot
from .paths import Datapath, Encoded, check_weights, is_wide


@dataclass(frozen=True)
class DotPath(Datapath):
    """A dot product that goes on from what it gave before, n pairs at a time (`Dot.dot`).

    Matrices are padded along k with zeros up to a multiple of n. With scales both matrices are
    quantized in blocks along k (`hwarith.quantize`, by the first of its scale rules): elements of
    the unit's formats, scales of its own for each block, and with ``ue4m3`` one for each matrix
    besides, which products are multiplied with outside the unit.

    Raises `InvalidInput` for a dot product that does not go on from its results, without signs, or
    with scales that `quantize` has no blocks for.
    """

    unit: Dot

    def __post_init__(self) -> None:
        u = self.unit
        if not u.goes_on:
            raise InvalidInput(
                f"{u.spec}: sums go on where c is of the format of out, and without flags"
            )
        check_weights(u, u.b)
        if not u.scale:
            return
        for f in self.operand_formats:
            if not f.signed or f.bits > 8:
                raise InvalidInput(
                    f"{u.spec}: networks have blocks of signed elements of up to 8 bits, not {f}"
                )
        if self.kinds[0].tensor_scale and not is_wide(u.out):
            raise InvalidInput(
                f"{u.spec}: with scales in {u.scale} networks take sums in a float of 8 exponent "
                f"bits, not {u.out}: values come to the top of elements and scales"
            )

    @property
    def block_scaled(self) -> bool:  # type: ignore[override]
        return self.unit.scale is not None

    @property
    def operand_formats(self) -> tuple[Format, Format]:
        return self.unit.a, self.unit.b

    @property
    def first(self) -> Format:
        return self.unit.result

    @property
    def last(self) -> Format:
        return self.unit.result

    @property
    def kinds(self) -> tuple[BlockFormat, BlockFormat]:
        """The formats of the blocks of left and right matrices, of a unit with scales."""
        scale = self.unit.scale
        assert scale
        if self.unit.readers:
            first, second = self.unit.readers
            return first.kind, second.kind
        left, right = (block_format(f, scale) for f in self.operand_formats)
        return left, right

    def left(self, x: np.ndarray, scale: ArrayLike = 1.0) -> Encoded:
        return self._encoded(x, scale, 0, axis=1)

    def right(self, w: np.ndarray, scale: ArrayLike = 1.0) -> Encoded:
        return self._encoded(w, scale, 1, axis=0)

    def _encoded(self, x: np.ndarray, scale: ArrayLike, side: int, axis: int) -> Encoded:
        u, factor = self.unit, np.asarray(scale, float)
        room = [(0, 0), (0, 0)]
        room[axis] = (0, -x.shape[axis] % u.n)
        values = np.pad(x / factor, room)
        if not u.scale:
            return Encoded(self.operand_formats[side].encode(values), factor)
        found = quantize_blocks(values, self.kinds[side], u.block, axis=axis)
        of_all = 1.0 if found.tensor_scale is None else float(found.tensor_scale)
        return Encoded(found.codes, factor * of_all, found.words)

    def accumulate(self, x: Encoded, w: Encoded, bias: np.ndarray | None = None) -> np.ndarray:
        return matmul(self.unit, x.codes, w.codes, bias, sa=x.scale_codes, sb=w.scale_codes)

    def operands_met(
        self, x: Encoded, w: Encoded, bias: np.ndarray, most: int | None = None
    ) -> tuple[np.ndarray, ...]:
        u = self.unit
        k = len(w.codes)
        count = (k if most is None else min(k, max(most, u.n))) // u.n
        left, right = [(x.codes, u.n)], [(w.codes.T, u.n)]
        if x.scale_codes is not None and w.scale_codes is not None:
            left.append((x.scale_codes, u.blocks))
            right.append((w.scale_codes.T, u.blocks))
        acc = np.broadcast_to(bias, (len(x.codes), len(bias)))
        steps = []
        for i in range(count):
            pairs = [
                (a[:, None, i * n : (i + 1) * n], b[None, :, i * n : (i + 1) * n])
                for (a, n), (b, _) in zip(left, right, strict=True)
            ]
            lanes = [np.broadcast_arrays(*pair) for pair in pairs]
            met = [side for pair in lanes for side in pair]
            steps.append([*met, acc])
            acc = u(*met, acc)
        return tuple(
            np.stack(codes, axis=2).reshape(-1, *codes[0].shape[2:])
            for codes in zip(*steps, strict=True)
        )
