"""Decoders of codes whose steps grow with their values: ANT's flint, and OliVe's pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format, format
from ...rtl import Values, wire
from ...rtl.integers import negated_if
from ..contract import Contract, Unit
from ..conventions import of_integers
from ..operations import DECODING, Operation
from ..parameters import integer_parameter
from . import definitions


@dataclass(frozen=True, kw_only=True, repr=False)
class FlintDecode(Unit):
    """The integer that a code of ANT's flint stands for, for an integer multiplier.

    A code is a sign and a magnitude of b - 1 bits, the place among the magnitudes of
    ``hwarith.quantize(w, "flint4")``: 0 1 2 3 4 6 8 16 with b=4, 0 to 8, 10 12 14 16 24 32 64 with
    b=5. Ones at the top of the magnitude count binades, each of which has half as many steps as the
    one below, so that a code has exponent bits where numbers are large and fraction bits where they
    are small. -0 is 0.

    Source: Guo et al., ANT, MICRO 2022 (arXiv 2208.14286), for the numbers; that codes are in the
    order of the magnitudes is this project's.
    """

    family: ClassVar[str] = "flintdecode"
    summary: ClassVar[str] = "code of ANT's flint as an integer"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {"q": "code to decode", "y": "its number"}

    b: int = integer_parameter("bits of a code", 3, 8, 4)

    @property
    def _n(self) -> int:
        """Bits of a magnitude."""
        return self.b - 1

    @property
    def operands(self) -> dict[str, Format]:
        return {"q": format(f"uint{self.b}")}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"int{2 * self._n}")}

    @property
    def contract(self) -> Contract:
        return Contract("exact integer", "exact", "arXiv 2208.14286")

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers("none, every number has a code")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.flint, (self._n,)

    @property
    def word_bits(self) -> int:
        return 2 * self.b

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._magnitude, self._negate]

    def _magnitude(self, m: Module, x: Values) -> Values:
        """The magnitude by how many ones are on top: from all of them down to none."""
        n, p = self._n, x["q"][:-1]
        found: Value = Const(1 << (2 * n - 2), 2 * n - 1)
        for z in range(n - 1, 0, -1):
            fraction = p[: n - 1 - z]
            number = Cat(Const(0, 2 * z - 1), fraction, Const(1, 1))
            found = Mux(p[n - 1 - z], found, number)
        return {"magnitude": wire(m, "magnitude", Mux(p[-1], found, p)), "sign": x["q"][-1]}

    def _negate(self, m: Module, x: Values) -> Values:
        y = negated_if(x["magnitude"], x["sign"])[: 2 * self._n]
        return {"y": wire(m, "number", y, 2 * self._n)}


@dataclass(frozen=True, kw_only=True, repr=False)
class OliveDecode(Unit):
    """The two integers of a byte of OliVe: a pair of weights in four bits, or an outlier alone.

    A code is two's complement, -7 to 7. The code -8 says that its partner is an outlier, and stands
    for 0 itself (the victim): the partner is a float of a sign, two bits of exponent and one of
    fraction, with the numbers 12, 16, 24, 32, 48, 64 and 96; its code of no magnitude is 0. Two
    victims are two zeros. The first code is at the lsb.

    Source: Guo et al., OliVe, ISCA 2023 (arXiv 2304.07493); what codes without a meaning are read
    as is this project's.
    """

    family: ClassVar[str] = "olivedecode"
    summary: ClassVar[str] = "outlier-victim pair of OliVe as two integers"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {
        "q": "pair of codes, the first one at the lsb",
        "y0": "number of the first code",
        "y1": "number of the second code",
    }

    @property
    def operands(self) -> dict[str, Format]:
        return {"q": format("uint8")}

    @property
    def results(self) -> dict[str, Format]:
        return {"y0": format("int8"), "y1": format("int8")}

    @property
    def contract(self) -> Contract:
        return Contract("exact integer", "exact", "arXiv 2304.07493")

    @property
    def conventions(self) -> dict[str, str]:
        return of_integers("none, every number has a code")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.olive, ()

    @property
    def word_bits(self) -> int:
        return 16

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._classify, self._decode]

    def _classify(self, m: Module, x: Values) -> Values:
        """Which codes are victims."""
        codes = [x["q"].word_select(i, 4) for i in range(2)]
        victims = {f"victim{i}": wire(m, f"victim{i}", c == 8) for i, c in enumerate(codes)}
        return {"q": x["q"]} | victims

    def _decode(self, m: Module, x: Values) -> Values:
        """An outlier's significand moved by its exponent, or the code itself."""
        found: Values = {}
        for i in range(2):
            code, alone = x["q"].word_select(i, 4), x[f"victim{1 - i}"]
            exponent, fraction = code[1:3], code[0]
            some = wire(m, f"some{i}", code[:3].any())
            significand = wire(m, f"significand{i}", Cat(Const(0, 2), fraction & some, some))
            magnitude = rtl.scaled(m, f"outlier{i}", significand, exponent)
            outlier = wire(m, f"outlier{i}", negated_if(magnitude, code[3])[:8], 8)
            plain = Cat(code, code[3].replicate(4)) & (~x[f"victim{i}"]).replicate(8)
            # A victim beside a victim is an outlier of no magnitude
            found[f"y{i}"] = wire(m, f"number{i}", Mux(alone, outlier, plain))
        return found
