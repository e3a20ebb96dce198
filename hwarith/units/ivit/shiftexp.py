"""The exponential of integers by shifts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Module, Mux

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...rtl import Values, wire
from ..contract import Contract, Unit
from ..conventions import conventions
from ..operations import POWER_OF_TWO, Operation
from ..parameters import format_parameter, integer_parameter
from . import definitions
from .hardware import shift_exp

EXPONENTIAL = Operation("exponential", noun="exponential unit", rank=POWER_OF_TWO.rank)

SOURCE = "arXiv 2207.01405"


def halvings_parameter(default: int) -> Any:
    """A field that holds the n of `ShiftExp`."""
    return integer_parameter("halvings: results count units of S / 2^n", 1, 31, default)


def checked(family: str, a: Format, x0: Format) -> None:
    """Refuse operands that are no integers of at most 16 bits. Raises `InvalidInput`."""
    for name, f, signed in (("a", a, True), ("x0", x0, False)):
        if f.is_float or f.exponent or f.symmetric or f.bits > 16 or f.signed != signed:
            kind = "a signed" if signed else "an unsigned"
            raise InvalidInput(
                f"{family}: parameter {name}: must be {kind} integer of up to 16 bits, not {f.name}"
            )


@dataclass(frozen=True, kw_only=True, repr=False)
class ShiftExp(Unit):
    """The exponential exp(S a) of an integer a <= 0 of scale S, in units of S / 2^n, by shifts.

    x0 is the magnitude of floor(-1 / S), that is the integer at which the exponent of two is -1.
    With floors of all shifts and p = a + (a >> 1) - (a >> 4), which is 1.4375 a in place of
    1.4427 a, no less than -n x0: q = floor(p / -x0), r = p + q x0, and the result is
    ((r + 2 x0) << (n - q)) >> 1, as 2^(r / x0) is 1 + r / 2 x0, too large by up to 6.1 %.

    An a above 0 counts as 0, an x0 of 0 gives 0; both are decisions of this project.

    Source: I-ViT, arXiv 2207.01405 (quant_modules.py: n = 15 in Shiftmax, 23 in ShiftGELU).
    """

    family: ClassVar[str] = "shiftexp"
    summary: ClassVar[str] = "exponential of an integer by shifts (I-ViT)"
    operation: ClassVar[Operation] = EXPONENTIAL
    meanings: ClassVar[dict[str, str]] = {
        "a": "integer of scale S, at most 0; above it counts as 0",
        "x0": "magnitude of floor(-1 / S); 0 gives 0",
        "y": "exp(S a) in units of S / 2^n",
    }

    a: Format = format_parameter("argument, a signed integer", "int9")
    x0: Format = format_parameter("x0, an unsigned integer", "uint8")
    n: int = halvings_parameter(15)

    def validate(self) -> None:
        checked(self.family, self.a, self.x0)

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a, "x0": self.x0}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"uint{self.x0.bits + self.n}")}

    @property
    def contract(self) -> Contract:
        bound = "of x0 = 256 up to 10.1 % too large down to exp(-10), of 16 by -0.6 to 13.4 %"
        return Contract("approximate", bound, SOURCE)

    @property
    def conventions(self) -> dict[str, str]:
        return conventions("shifts and quotients down", "none, every value has a code", "", "")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.shiftexp, (self.a.bits, self.n)

    @property
    def word_bits(self) -> int:
        return max(self.x0.bits + self.n + 1, self.a.bits + 1)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._distance, self._exponential]

    def _distance(self, m: Module, x: Values) -> Values:
        """How far below 0 the argument is."""
        a = x["a"]
        below = wire(m, "below", Mux(a[-1], -a, 0)[: self.a.bits])
        return {"distance": below, "x0": x["x0"]}

    def _exponential(self, m: Module, x: Values) -> Values:
        """As many halvings as x0 fits into the distance in octaves, and a line between them."""
        return {"y": shift_exp(m, "exp", x["distance"], x["x0"], self.n)}
