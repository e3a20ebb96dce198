"""Piecewise-affine square root, logarithm and power of two (arXiv 2305.17190)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ..contract import Contract
from ..operations import LOGARITHM, POWER_OF_TWO, SQUARE_ROOT, Operation
from ..parameters import choice_parameter
from . import definitions, hardware
from .base import PAM_SOURCE, Logarithmic


def _port_parameter(what: str) -> Any:
    help = f"{what} as a float or in fixed point"
    return choice_parameter(help, ("float", "fixed"), "float", quiet=True)


@dataclass(frozen=True, kw_only=True, repr=False)
class Unary(Logarithmic):
    """Base of the units of one operand: they have no offset."""

    def validate(self) -> None:
        super().validate()
        if self.ofs:
            raise InvalidInput(f"{self.family}: parameter ofs: must be 0, not {self.ofs}")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.format}

    @property
    def word_bits(self) -> int:
        return self._field_bits + self.format.precision + 3


@dataclass(frozen=True, kw_only=True, repr=False)
class PaSqrt(Unary):
    """Piecewise-affine square root: half the logarithm, the last half bit dropped.

    Too large by up to 6.07 %. Zeros keep their sign; of negative operands it is NaN.

    Source: Kosson and Jaggi, arXiv 2305.17190, equation 20.
    """

    family: ClassVar[str] = "pasqrt"
    summary: ClassVar[str] = "piecewise-affine square root, by halving the field"
    operation: ClassVar[Operation] = SQUARE_ROOT

    @property
    def contract(self) -> Contract:
        return Contract("approximate", "relative error 0 to +6.07 %, truncated", PAM_SOURCE)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.square_root, (self.format.numbers, self.rules)

    def datapath(self) -> list[rtl.Step]:
        return hardware.square_root(self.format, self.rules)


@dataclass(frozen=True, kw_only=True, repr=False)
class PaLog2(Unary):
    """Piecewise-affine logarithm: exponent plus fraction, E + M of 2^E * (1 + M).

    As a float it is rounded to nearest even, with a result of 0 positive. With ``port=fixed`` it
    is exact, in two's complement with the float's fraction bits and one integer bit more than its
    exponent has; the ends of that range stand for infinities, the lower one also for what has no
    logarithm. Of zero it is -infinity, of negative operands NaN.

    Source: Kosson and Jaggi, arXiv 2305.17190, equation 10 (which takes the operand's magnitude).
    """

    family: ClassVar[str] = "palog2"
    summary: ClassVar[str] = "piecewise-affine logarithm: the field itself, less the bias"
    operation: ClassVar[Operation] = LOGARITHM

    port: str = _port_parameter("the result")

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.fixed if self.port == "fixed" else self.format}

    @property
    def contract(self) -> Contract:
        return Contract("approximate", "error -0.0861 to 0, before rounding", PAM_SOURCE)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        if self.port == "fixed":
            return definitions.log2_fixed, (self.format.numbers, self.fixed.numbers, self.rules)
        return definitions.log2, (self.format.numbers, self.rules)

    def datapath(self) -> list[rtl.Step]:
        return hardware.log2(self.format, self.rules, self.fixed, self.port == "fixed")


@dataclass(frozen=True, kw_only=True, repr=False)
class PaExp2(Unary):
    """Piecewise-affine power of two: 2^floor(x) * (1 + x - floor(x)).

    The operand is rounded once, to nearest even, to as many fraction bits as the format has (with
    ``port=fixed`` it comes so, in two's complement). Too large by up to 6.15 %, beyond that
    rounding.

    Source: Kosson and Jaggi, arXiv 2305.17190, equation 9.
    """

    family: ClassVar[str] = "paexp2"
    summary: ClassVar[str] = "piecewise-affine power of two: a fixed-point number taken as a field"
    operation: ClassVar[Operation] = POWER_OF_TWO

    port: str = _port_parameter("the operand")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.fixed if self.port == "fixed" else self.format}

    @property
    def contract(self) -> Contract:
        return Contract(
            "approximate", "relative error 0 to +6.15 % of the rounded operand's", PAM_SOURCE
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        constants = (self.format.numbers, self.fixed.numbers, self.rules)
        return (definitions.exp2_fixed if self.port == "fixed" else definitions.exp2), constants

    def datapath(self) -> list[rtl.Step]:
        return hardware.exp2(self.format, self.rules, self.fixed, self.port == "fixed")
