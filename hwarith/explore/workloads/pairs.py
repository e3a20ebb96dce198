"""Dynamic fixed point as what computes sums of products: two pairs of integers at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ...formats import Format
from ...units.mac.pair import PairMac
from .dots import DotPath
from .paths import Datapath, Encoded

GROUP = 4
"""Transfers of a group that operands are kept in: sums of networks have many lengths, and the
groups of one array have one."""


@dataclass(frozen=True)
class PairPath(Datapath):
    """The sum of two products and the accumulator, which begins with the bias (`PairMac`).

    Its memory begins at zero; the sum is exact modulo 2^32, and so is the bias added anywhere.
    """

    unit: PairMac

    @cached_property
    def _steps(self) -> DotPath:
        return DotPath(self.unit.chain_step)

    @property
    def operand_formats(self) -> tuple[Format, Format]:
        return self._steps.operand_formats

    @property
    def first(self) -> Format:
        return self._steps.first

    @property
    def last(self) -> Format:
        return self._steps.last

    def left(self, x: np.ndarray, scale: ArrayLike = 1.0) -> Encoded:
        return self._steps.left(x, scale)

    def right(self, w: np.ndarray, scale: ArrayLike = 1.0) -> Encoded:
        return self._steps.right(w, scale)

    def accumulate(self, x: Encoded, w: Encoded, bias: np.ndarray | None = None) -> np.ndarray:
        return self._steps.accumulate(x, w, bias)

    def operands_met(
        self, x: Encoded, w: Encoded, bias: np.ndarray, most: int | None = None
    ) -> tuple[np.ndarray, ...]:
        """Both factors of the first products and of the second ones, in groups of `GROUP`."""
        pairs = np.broadcast_arrays(x.codes[:, None, :most], w.codes.T[None, :, :most])
        more = -pairs[0].shape[-1] % (2 * GROUP)
        factors = [np.pad(p, [(0, 0), (0, 0), (0, more)]).reshape(-1, GROUP, 2) for p in pairs]
        return tuple(p[..., lane] for lane in range(2) for p in factors)
