"""Slopes of the piecewise-affine operations, for training (arXiv 2305.17190)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ... import rtl
from ...formats import Format
from ..contract import Contract
from ..operations import SLOPE, Operation
from ..parameters import choice_parameter
from . import definitions, hardware
from .base import PAM_SOURCE, Logarithmic

_BINARY = {
    "mul": definitions.slope_of_product,
    "div_a": definitions.slope_of_dividend,
    "div_b": definitions.slope_of_divisor,
}
_UNARY = {"log2": definitions.slope_of_log2, "sqrt": definitions.slope_of_square_root}


@dataclass(frozen=True, kw_only=True, repr=False)
class PaSlope(Logarithmic):
    """Derivative of a piecewise-affine operation: a signed power of two.

    ``op`` is ``mul`` (of the product a*b to a), ``div_a`` and ``div_b`` (of the quotient a/b to
    either), ``exp2``, ``log2`` or ``sqrt``. A gradient is multiplied with it by ``pam``, which is
    exact for a power of two. `ofs` is that of the product or quotient itself. Infinite operands and
    NaN, and negative ones of ``log2`` and ``sqrt``, give NaN; where the slope is infinite, the
    result is as of a division by zero. (The published kernel gives ``div_b`` the wrong sign for
    negative divisors; here it has the derivative's.)

    Source: Kosson and Jaggi, arXiv 2305.17190, exact derivatives.
    """

    family: ClassVar[str] = "paslope"
    summary: ClassVar[str] = "slope of a piecewise-affine operation, a power of two"
    operation: ClassVar[Operation] = SLOPE
    meanings: ClassVar[dict[str, str]] = {
        "a": "first operand of the operation",
        "b": "its second operand",
        "y": "slope",
    }

    op: str = choice_parameter(
        "the operation, and the operand of a quotient", (*_BINARY, "exp2", *_UNARY), "mul"
    )

    @property
    def operands(self) -> dict[str, Format]:
        names = "ab" if self.op in _BINARY else "a"
        return {name: self.format for name in names}

    @property
    def contract(self) -> Contract:
        return Contract("exact", "the derivative of the piecewise-affine operation", PAM_SOURCE)

    @property
    def word_bits(self) -> int:
        return self._field_bits + self.format.precision + 3

    def definition(self) -> tuple[Callable[..., int], tuple]:
        f = self.format.numbers
        if self.op == "exp2":
            return definitions.slope_of_exp2, (f, self.fixed.numbers, self.rules)
        return (_BINARY | _UNARY)[self.op], (f, self.rules)

    def datapath(self) -> list[rtl.Step]:
        return hardware.slope(self.op, self.format, self.rules, self.fixed)
