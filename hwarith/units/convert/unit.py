"""The conversion unit: parameters, contract and golden definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ... import rtl
from ...formats import ROUNDINGS, STOCHASTIC, Format, Stochastic, codec, format
from ...formats import rounding as r
from ...lazily import np
from ..contract import Contract, Unit
from ..conventions import SUBNORMALS, conventions, nan_words, overflow_words, rounding_words
from ..exact.base import random_bits, random_bits_parameter
from ..operations import CONVERSION, Operation
from ..overflow import checked_overflow, default_overflow, overflow_parameter
from ..parameters import choice_parameter, format_parameter
from . import hardware


@dataclass(frozen=True, kw_only=True, repr=False)
class Convert(Unit):
    """A code of one format as a code of another, rounded once.

    Floats, integers and fixed-point formats to any of them. A float becomes an integer by
    rounding; beyond its range it is clamped, and so are infinities; NaN becomes the largest
    integer (``docs/rounding.md``). Stochastic rounding takes its random bits as a second operand
    ``r``, an unsigned integer of `n` bits; `Stochastic` defines the variants. What is too large
    for a float becomes infinite, as IEEE 754 says; quantizers take ``overflow=saturate``.

    Source: IEEE 754-2019, 5.4.1 and 5.4.2 (formatOf conversions); P3109 interim report v4.0, 4.7
    (round to odd, stochastic rounding); OCP OFP8 (saturation).
    """

    family: ClassVar[str] = "convert"
    summary: ClassVar[str] = "conversion of any format to any, rounded once, stochastically too"
    operation: ClassVar[Operation] = CONVERSION
    meanings: ClassVar[dict[str, str]] = {
        "a": "code to convert",
        "r": "random bits, new ones with every operand",
        "y": "code of its value, rounded",
    }

    a: Format = format_parameter("operand", "fp32")
    out: Format = format_parameter("result", "e4m3fn")
    round: str = choice_parameter("rounding mode", ROUNDINGS + STOCHASTIC, "rne")
    overflow: str = overflow_parameter("to integers: saturate (default), between them wrap too")
    n: int | None = random_bits_parameter()

    def validate(self) -> None:
        policy = checked_overflow("convert", self.overflow, self.out, self._integer_overflows)
        object.__setattr__(self, "overflow", policy)
        object.__setattr__(self, "n", random_bits("convert", self.round, self.n, self.out))

    @property
    def _integer_overflows(self) -> tuple[str, ...]:
        return ("saturate",) if self.a.is_float else ("saturate", "wrap")

    def shown_parameters(self) -> dict[str, Any]:
        """The overflow policy goes without saying where it is the default."""
        shown = super().shown_parameters()
        if self.overflow == default_overflow(self.out, self._integer_overflows):
            del shown["overflow"]
        return shown

    @property
    def is_stochastic(self) -> bool:
        """Whether it rounds with random bits, which are then its second operand."""
        return self.round in STOCHASTIC

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a} | ({"r": format(f"uint{self.n}")} if self.is_stochastic else {})

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out}

    @property
    def contract(self) -> Contract:
        if self.is_stochastic:
            low = {"sra": f"-2^-{self.n} to 0"}.get(self.round, f"±2^-{(self.n or 0) + 1}")
            bound = f"error less than 1 ulp, over all random bits a mean error of {low} ulp"
            return Contract("faithful", bound, "P3109 interim report v4.0, 4.7.4")
        half = self.round in ("rne", "rna")
        unit = "ulp" if self.out.is_float else "step"
        bound = f"error at most {f'1/2 {unit}' if half else f'less than 1 {unit}'}, one rounding"
        return Contract("correctly rounded", bound, "IEEE 754-2019, 5.4.1 and 5.4.2")

    @property
    def conventions(self) -> dict[str, str]:
        floats = self.a.is_float or self.out.is_float
        return conventions(
            f"once, {rounding_words(self.round, self.n)}",
            overflow_words(str(self.overflow), self.out, self.round),
            SUBNORMALS["keep"] if floats else "",
            nan_words(self.out) if self.a.nan != "none" else "",
        )

    def definition(self) -> tuple[Callable[..., int], tuple]:
        formats = (self.a.numbers, self.out.numbers)
        policy = int(r.overflow(self.overflow))
        if self.is_stochastic:
            variant = int(Stochastic[self.round.upper()])
            return r.convert_stochastic, (*formats, variant, self.n, policy)
        return r.convert, (*formats, int(r.rounding(self.round)), policy)

    @property
    def word_bits(self) -> int:
        return max(codec.conversion_bits(self.a, self.out), (self.n or 0) + 2)

    def evaluate(self, arrays: list[np.ndarray]) -> np.ndarray:
        if self.is_stochastic:
            return super().evaluate(arrays)
        modes = int(r.rounding(self.round)), int(r.overflow(self.overflow))
        return codec.convert(arrays[0], self.a, self.out, *modes)

    def datapath(self) -> list[rtl.Step]:
        return hardware.steps(self.a, self.out, self.round, self.overflow, self.n or 0)
