"""The conversion unit: parameters, contract and golden definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import STOCHASTIC, Format, codec
from ...formats import rounding as r
from ...lazily import np
from ...rtl import Operand, Rounder, Values, wire
from ...rtl.floats import IntegerRounder, as_places, signed_exponent
from ...rtl.integers import as_integer
from ..contract import Contract
from ..conventions import rounding_bound
from ..exact import definitions
from ..exact.base import Exact
from ..exact.integers import FLOAT_TO_INTEGER_POLICIES
from ..operations import CONVERSION, Operation
from ..parameters import format_parameter
from . import hardware


@dataclass(frozen=True, kw_only=True, repr=False)
class Convert(Exact):
    """A code of one format as a code of another, rounded once.

    Floats, integers and fixed-point formats to any of them. A float becomes an integer by
    rounding; beyond its range it is clamped, and so are infinities; NaN becomes the largest
    integer, all three with the flag NV alone (``docs/rounding.md``). What is too large for a float
    becomes infinite, as IEEE 754 says; quantizers take ``overflow=saturate``.

    Source: IEEE 754-2019, 5.4.1 and 5.4.2 (formatOf conversions), 5.8 and 7.2; RISC-V, F extension
    (conversions to integers); P3109 interim report v4.0, 4.7 (round to odd, stochastic rounding);
    OCP OFP8 (saturation).
    """

    family: ClassVar[str] = "convert"
    summary: ClassVar[str] = "conversion of any format to any, rounded once, stochastically too"
    operation: ClassVar[Operation] = CONVERSION
    meanings: ClassVar[dict[str, str]] = {
        "a": "code to convert",
        "y": "code of its value, rounded",
    }

    a: Format = format_parameter("operand", "fp32")
    out: Format = format_parameter("result", "e4m3fn")

    def validate(self) -> None:
        super().validate()
        if self.flags != "none" and self.overflow == "wrap":
            raise InvalidInput(
                "convert: parameter flags: what wraps raises none; allowed: overflow=saturate"
            )

    @property
    def terms(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def has_exceptions(self) -> bool:
        """Integers that are out of the result's range are invalid, too."""
        return True

    @property
    def _integer_policies(self) -> tuple[str, ...]:
        return FLOAT_TO_INTEGER_POLICIES if self.a.is_float else ("saturate", "wrap")

    @property
    def _shows_rounding(self) -> bool:
        return True

    @property
    def contract(self) -> Contract:
        if self.round in STOCHASTIC:
            low = {"sra": f"-2^-{self.n} to 0"}.get(self.round, f"±2^-{(self.n or 0) + 1}")
            bound = f"error less than 1 ulp, over all random bits a mean error of {low} ulp"
            return Contract("faithful", bound, "P3109 interim report v4.0, 4.7.4")
        if self.n:
            return super().contract
        bound = rounding_bound(self.round, "ulp" if self.out.is_float else "step")
        return Contract("correctly rounded", bound, "IEEE 754-2019, 5.4.1 and 5.4.2")

    # -- golden --------------------------------------------------------------------------------

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.convert, self.constants()

    @property
    def word_bits(self) -> int:
        return max(codec.conversion_bits(self.a, self.out), self._result_bits, (self.n or 0) + 2)

    def evaluate(self, arrays: list[np.ndarray]) -> Any:
        if not self._is_plain:
            return super().evaluate(arrays)
        modes = int(r.rounding(self.round)), int(r.overflow(self.overflow))
        return codec.convert(arrays[0], self.a, self.out, *modes)

    @property
    def _is_plain(self) -> bool:
        """Whether it is what formats do by themselves, by table if that is faster."""
        options = (self.subnormals, self.nan, self.flags) == ("keep", "canonical", "none")
        return options and self.overflow != "indefinite" and self.operands == self.terms

    # -- hardware ------------------------------------------------------------------------------

    @cached_property
    def rounder(self) -> Rounder:
        """What rounds and packs the value; an integer that wraps has all places of the operand."""
        rounder = super().rounder
        if self.overflow != "wrap":
            return rounder
        assert isinstance(rounder, IntegerRounder)
        places = self.a.bits + self.a.exponent - self.out.exponent
        wide = as_places(self.out, max(self.out.bits, places))
        return IntegerRounder(wide, self.round, "wrap", self.n or 0, integer=self.out)

    def datapath(self) -> list[rtl.Step]:
        if self.is_integer and self.flags == "none" and not self.n:
            return [self._refit]
        operand, rounder = self._terms["a"], self.rounder
        if isinstance(rounder, IntegerRounder):
            least, _ = self._exponents
            normal = (least, 0) if self.a.is_float else None
            steps = rounder.steps(self._exponents, normal, self._offset)
            return self.with_ports([self._unpack, *steps])
        if hardware.is_exact(operand, self.out, self.ftz) and not self.out.is_posit:
            return self.with_ports([self._unpack, *hardware.exact_steps(operand, rounder)])
        if self.a.is_float and not rounder.ftz:
            return self.with_ports([self._unpack, *hardware.steps(operand, rounder)])
        first = self._unpack_and_bias if self.a.is_float or self.n else self._widen
        return self.with_ports([first, *rounder.steps(self._exponents)])

    @property
    def _exponents(self) -> tuple[int, int]:
        """Range of the operand's exponents, biased as the rounder's."""
        low, high = self._terms["a"].exponents
        return low + self._offset, high + self._offset

    @property
    def _offset(self) -> int:
        """From the operand's biased exponent to the rounder's."""
        return Operand(self.rounder.out).bias - self._terms["a"].bias

    def _refit(self, m: Module, x: Values) -> Values:
        """From integer to integer."""
        return self.fitted(m, x, as_integer(x["a"], self.a))

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and class of the operand."""
        raws = self.unpacked(m, x)
        a = raws["a"]
        return self.nan_values(m, x, raws, Const(0, 1)) | {
            "sign": a.sign,
            "inf": a.special,
            "exponent": a.exponent,
            "significand": a.significand,
        }

    def _unpack_and_bias(self, m: Module, x: Values) -> Values:
        """Fields and class of the operand, its exponent biased as the result's."""
        values = self._unpack(m, x)
        exponent = values["exponent"] + self._offset
        shape = signed_exponent(*self._exponents)
        return values | {"exponent": wire(m, "exponent", exponent, shape)}

    def _widen(self, m: Module, x: Values) -> Values:
        """An integer as a significand with its sign. The rounder negates a negative one; it wants
        a zero below the lsb."""
        sign = x["a"][-1] if self.a.signed else Const(0, 1)
        exponent, _ = self._exponents
        none = {"nan", "inf"} | ({"invalid"} if self.flags != "none" else set())
        return {name: Const(0, 1) for name in sorted(none)} | {
            "sign": wire(m, "sign", sign),
            "significand": wire(m, "widened", Cat(Const(0, 1), x["a"])),
            "negative": sign,
            "exponent": Const(exponent, signed_exponent(exponent, exponent)),
        }
