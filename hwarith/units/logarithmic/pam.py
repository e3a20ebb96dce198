"""Piecewise-affine product and quotient (arXiv 2305.17190)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format
from ..contract import Contract
from ..operations import PRODUCT, QUOTIENT, Operation
from ..parameters import choice_parameter
from . import definitions, hardware
from .base import PAM_SOURCE, Logarithmic


@dataclass(frozen=True, kw_only=True, repr=False)
class _PiecewiseAffine(Logarithmic):
    """What product and quotient share: operands, and the profile of the published kernel."""

    profile: str = choice_parameter(
        "ref: results of the published kernel, by the true ones", ("hw", "ref"), "hw", quiet=True
    )

    def validate(self) -> None:
        super().validate()
        if self.profile == "ref" and self.format.name != "fp32":
            raise InvalidInput(
                f"{self.family}: parameter format: must be fp32 with profile=ref, "
                f"not {self.format.name}"
            )
        if self.profile == "ref" and (self.sat or self.zero_pos or self.stages):
            raise InvalidInput(
                f"{self.family}: profile=ref has no sat, zero_pos or stages; it is what it is"
            )

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.format, "b": self.format}

    @property
    def word_bits(self) -> int:
        return 56 if self.profile == "ref" else super().word_bits

    def _check_hardware(self) -> None:
        if self.profile == "ref":
            raise InvalidInput(
                f"{self.spec}: profile=ref is software only: it needs the true result, which "
                "hardware is to do without"
            )


@dataclass(frozen=True, kw_only=True, repr=False)
class Pam(_PiecewiseAffine):
    """Piecewise-affine product: the sum of exponents and of fractions, which carry into them.

    It is exact if a factor is a power of two, else too small by up to 1/9. ``ofs`` compensates the
    mean error: 0.0552 * 2^m. ``profile=ref`` (fp32) gives what the published CUDA kernel does: the
    same integer sum, but +0 where the true product's magnitude is below 1e-37 and NaN from 1e37 on
    and for infinite operands.

    Source: Kosson and Jaggi, arXiv 2305.17190, equations 5 to 8; profile=ref: the authors' kernel.
    """

    family: ClassVar[str] = "pam"
    summary: ClassVar[str] = "piecewise-affine product, by adding the fields"
    operation: ClassVar[Operation] = PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "first factor",
        "b": "second factor",
        "y": "approximate product",
    }

    @property
    def contract(self) -> Contract:
        bound = "relative error -11.12 % to 0 for normal operands and results"
        return Contract("approximate", "an offset" if self.ofs else bound, PAM_SOURCE)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        if self.profile == "ref":
            return definitions.reference_product, (self.format.numbers, self.rules)
        return definitions.product, (self.format.numbers, 0, 0, self.rules)

    def datapath(self) -> list[rtl.Step]:
        self._check_hardware()
        return hardware.product(self.format, self.rules)


@dataclass(frozen=True, kw_only=True, repr=False)
class Pad(_PiecewiseAffine):
    """Piecewise-affine quotient: the difference of exponents and of fractions, which borrow.

    It is exact if the divisor is a power of two, else too large by up to 1/8. ``profile=ref``: as
    `Pam`'s, by the true quotient.

    Source: Kosson and Jaggi, arXiv 2305.17190, equations 14 to 17 (in 17, whose printed condition
    is a misprint, M_A < M_B).
    """

    family: ClassVar[str] = "pad"
    summary: ClassVar[str] = "piecewise-affine quotient, by subtracting the fields"
    operation: ClassVar[Operation] = QUOTIENT
    meanings: ClassVar[dict[str, str]] = {
        "a": "dividend",
        "b": "divisor",
        "y": "approximate quotient",
    }

    @property
    def contract(self) -> Contract:
        bound = "relative error 0 to +12.5 % for normal operands and results"
        return Contract("approximate", "an offset" if self.ofs else bound, PAM_SOURCE)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        if self.profile == "ref":
            return definitions.reference_quotient, (self.format.numbers, self.rules)
        return definitions.quotient, (self.format.numbers, self.rules)

    def datapath(self) -> list[rtl.Step]:
        self._check_hardware()
        return hardware.quotient(self.format, self.rules)
