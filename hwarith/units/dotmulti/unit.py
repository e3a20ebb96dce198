"""The dot product of four 8-bit or eight 4-bit elements, of a format that a port chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from ... import rtl
from ...formats import Format, format, rounding
from ..contract import Contract, Unit
from ..conventions import conventions, nan_words, overflow_words, rounding_words
from ..exact.options import round_parameter
from ..operations import MULTIPLY_ADDS, Operation
from . import definitions
from .hardware import Hardware

MODES = {
    0: "mxint8_element",
    1: "e2m3fn",
    2: "e2m1fn",
    4: "e4m3fn",
    5: "e5m2",
    6: "e3m2fn",
}
"""The format of the elements by the code on port `mode`; 3 is as 2, 7 as 6."""

MULTI_FORMAT_DOT_PRODUCT = Operation(
    "multi-format dot product", noun="multi-format dot product", rank=27, piece=MULTIPLY_ADDS
)


@dataclass(frozen=True, kw_only=True, repr=False)
class DotMulti(Unit):
    """c plus the products of the elements of a and b, exactly, rounded once to fp32.

    `mode` chooses the elements' format (`MODES`). Of 8 bits there are four, element i at bits
    8i to 8i + 7; those of 6 bits are the low ones of a byte, whose upper two mean nothing. Of 4
    bits there are eight, element i at bits 4i to 4i + 3. Integers are those of MXINT8, of weight
    2^-6, so that a product has 2^-12; -128 counts as it is.

    All bits of all products and of `c` take part, however far they lie apart. NaN, infinity times
    zero, and infinities of both signs give NaN. A sum of zero is -0 if all of its terms are -0 (a
    product of integers never is), else +0, or with round=rdn -0 if not all of them are +0.

    Source: operands and modes as of KU Leuven's MX multiply-accumulate unit (ASP-DAC 2026).
    The definition is IEEE 754-2019's, 5.4.1 and 9.4 (dot), with one rounding.
    """

    family: ClassVar[str] = "dotmulti"
    summary: ClassVar[str] = "c + dot product of 4 or 8 elements of a format by mode, rounded once"
    operation: ClassVar[Operation] = MULTI_FORMAT_DOT_PRODUCT
    meanings: ClassVar[dict[str, str]] = {
        "a": "elements, the first one at the lsb: four of a byte, or eight of e2m1fn",
        "b": "the same, each to be multiplied with that of a",
        "c": "addend",
        "mode": "format: " + ", ".join(f"{code} {name}" for code, name in MODES.items()),
        "y": "a·b + c",
    }
    shared_operands: ClassVar[tuple[str, ...]] = ("mode",)

    round: str = round_parameter()

    @property
    def operands(self) -> dict[str, Format]:
        word = format("uint32")
        return {"a": word, "b": word, "c": format("fp32"), "mode": format("uint3")}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format("fp32")}

    @property
    def work(self) -> Fraction:
        """Of formats of 6 and 8 bits; twice as much of 4."""
        return Fraction(4)

    @property
    def contract(self) -> Contract:
        half = self.round in ("rne", "rna")
        bound = f"error at most {'1/2 ulp' if half else 'less than 1 ulp'}, one rounding"
        return Contract("correctly rounded", bound, "IEEE 754-2019, 5.4.1")

    @property
    def conventions(self) -> dict[str, str]:
        fp32 = format("fp32")
        return conventions(
            f"once, {rounding_words(self.round)}",
            overflow_words("nosat", fp32, self.round),
            "kept",
            nan_words(fp32),
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        formats = [format(name).numbers for name in (*MODES.values(), "fp32")]
        lsb = 2 * min(f.lsb for f in formats[:-1])
        modes = int(rounding.rounding(self.round)), int(rounding.Overflow.NOSAT)
        return definitions.dot, (*formats, lsb, *modes)

    @property
    def word_bits(self) -> int:
        return definitions.WIDTH + 2

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return Hardware(self.round).steps()
