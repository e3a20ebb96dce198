"""What a workload takes of a unit: matrices encoded, multiplied, and the operands that were met."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...exceptions import InvalidInput
from ...formats import Format
from ...units import Unit

WIDE_EXPONENT_BITS = 8
"""Floats with so many exponent bits take a network's values, and products of them, unscaled."""


def is_wide(f: Format) -> bool:
    """Whether values, and products of them, are taken unscaled: of wide floats, and of posits, of
    which those near 1 have most bits."""
    return f.is_posit or (f.is_float and f.exponent_bits >= WIDE_EXPONENT_BITS)


@dataclass(frozen=True)
class Encoded:
    """A matrix as a unit takes it.

    Attributes
    ----------
    codes : of its elements: (m, k) of a left matrix, (k, n) of a right one.
    scale : what products are to be multiplied with for it, of a shape that broadcasts to (m, n).
    scale_codes : of the scales of blocks along k; None for a unit that has no such.
    """

    codes: np.ndarray
    scale: np.ndarray
    scale_codes: np.ndarray | None = None

    def rows(self, part: slice) -> Encoded:
        """Some rows of a left matrix."""
        scale = self.scale[part] if self.scale.ndim and len(self.scale) > 1 else self.scale
        return Encoded(self.codes[part], scale, _part(self.scale_codes, part))

    def columns(self, part: slice) -> Encoded:
        """Some columns of a right matrix."""
        turned = Encoded(self.codes.T, self.scale.T, _turned(self.scale_codes)).rows(part)
        return Encoded(turned.codes.T, turned.scale.T, _turned(turned.scale_codes))


def _part(codes: np.ndarray | None, part: slice) -> np.ndarray | None:
    return None if codes is None else codes[part]


def _turned(codes: np.ndarray | None) -> np.ndarray | None:
    return None if codes is None else codes.T


class Datapath(ABC):
    """What makes a unit compute sums of products, made by `datapath`.

    Attributes
    ----------
    unit : the unit under study.
    operand_formats : of the elements of left and right matrices.
    product_format : that products are rounded to before they are added; None: none.
    first, last : of what sums begin with, and of what they end as.
    block_scaled : whether blocks along k have scales, which their elements then need not share.
    """

    unit: Unit
    product_format: Format | None = None
    block_scaled: bool = False

    @property
    @abstractmethod
    def operand_formats(self) -> tuple[Format, Format]: ...

    @property
    @abstractmethod
    def first(self) -> Format: ...

    @property
    @abstractmethod
    def last(self) -> Format: ...

    @abstractmethod
    def left(self, x: np.ndarray, scale: ArrayLike = 1.0) -> Encoded:
        """Numbers (m, k), divided by a scale of a shape that fits and encoded."""

    @abstractmethod
    def right(self, w: np.ndarray, scale: ArrayLike = 1.0) -> Encoded:
        """Numbers (k, n), divided by a scale of a shape that fits and encoded."""

    @abstractmethod
    def accumulate(self, x: Encoded, w: Encoded, bias: np.ndarray | None = None) -> np.ndarray:
        """Codes of ``x w + bias`` (m, n), in the format `last`, for codes of the bias (n) in the
        format `first`; +0 if None."""

    @abstractmethod
    def operands_met(
        self, x: Encoded, w: Encoded, bias: np.ndarray, most: int | None = None
    ) -> tuple[np.ndarray, ...]:
        """The operands of `unit` in `accumulate`, one sum after the other, step by step; of each
        sum those of the first `most` pairs, if that is not None."""


def check_weights(unit: Unit, f: Format) -> None:
    """Raise `InvalidInput` if a unit's weights have no signs."""
    if not f.signed:
        raise InvalidInput(f"{unit.spec}: weights have signs, {f} has none")
