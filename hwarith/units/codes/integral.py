"""Rounding to an integral value of the same format: parameters, contract and hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import ROUNDINGS, Format, format
from ...formats import rounding as r
from ...rtl import PORT, Operand, Values, increment, wire
from ...rtl.floats import Specials, goes_up, rounder_of, signed_exponent
from ..contract import Contract, Unit
from ..conventions import (
    MODE_PORT,
    SUBNORMALS,
    conventions,
    nan_words,
    rounding_bound,
    rounding_words,
)
from ..exact.options import round_parameter
from ..flags import flag_results, flags_parameter
from ..operations import ROUNDING, Operation
from ..parameters import choice_parameter, format_parameter
from . import definitions


@dataclass(frozen=True, kw_only=True, repr=False)
class RoundInt(Unit):
    """A code rounded to an integral value of its own format; infinities stay, zeros keep the sign.

    With ``round=port`` the mode comes with the operand, on a port ``rm`` (the numbers of
    `Rounding`). With ``flags=on`` there is a second result of five bits, those of RISC-V's
    ``fflags``: NV for a signaling NaN, and with ``exact=on`` NX where the result is another value.
    A NaN becomes the canonical one. Formats whose largest values have fractions are refused. Posits
    are rounded to nearest even alone, and have no flags.

    Source: IEEE 754-2019, 5.3.1 and 5.9 (roundToIntegralExact; ``exact=off``: roundToIntegral);
    Posit Standard (2022), 5.2 (nearestInt).
    """

    family: ClassVar[str] = "roundint"
    summary: ClassVar[str] = "a float rounded to an integral value of the same format"
    operation: ClassVar[Operation] = ROUNDING
    meanings: ClassVar[dict[str, str]] = {
        "a": "code to round",
        "rm": MODE_PORT,
        "y": "code of its value, rounded to an integer",
        "flags": "exceptions, from the lsb up: NX, UF (never), OF (never), DZ (never), NV",
    }

    takes_posits: ClassVar[bool] = True

    a: Format = format_parameter("of operand and result", "fp32")
    round: str = round_parameter((*ROUNDINGS, PORT))
    exact: str = choice_parameter(
        "whether flag NX says that the result is another value", ("on", "off"), "on", quiet=True
    )
    flags: str = flags_parameter()

    def validate(self) -> None:
        a = self.a
        whole = a.is_float and Operand(a).weights[1] >= a.fraction_bits
        if not whole or a.hidden_always:
            raise InvalidInput(
                "roundint: parameter a: must be a float with a zero whose largest values are "
                f"integers, not {a.name}; allowed: such as fp16, bf16, e4m3fn, e2m1fn"
            )
        for name, only in (("round", "rne"), ("flags", "off")) if a.is_posit else ():
            if getattr(self, name) != only:
                raise InvalidInput(
                    f"roundint: parameter {name}: posits as {a.name} are rounded to nearest even, "
                    f"and have no exception flags; allowed: {only}"
                )
        if self.exact == "off" and self.flags == "off":
            raise InvalidInput("roundint: parameter exact: it is about flag NX; set flags=on")

    @property
    def _fraction(self) -> int:
        return self.a.fraction_bits

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a} | ({"rm": format("uint3")} if self.round == PORT else {})

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.a} | flag_results(self.flags)

    @property
    def contract(self) -> Contract:
        source = "Posit Standard (2022), 5.2" if self.a.is_posit else "IEEE 754-2019, 5.9"
        return Contract("correctly rounded", rounding_bound(self.round), source)

    @property
    def conventions(self) -> dict[str, str]:
        words = f"to an integer, {rounding_words(self.round)}"
        subnormals = "" if self.a.is_posit else SUBNORMALS["keep"]
        return conventions(words, "", subnormals, nan_words(self.a))

    def definition(self) -> tuple[Callable[..., int], tuple]:
        mode = () if self.round == PORT else (int(r.rounding(self.round)),)
        rules = int(self.exact == "on"), int(self.flags == "on")
        return definitions.round_to_integral, (*mode, self.a.numbers, *rules)

    @property
    def word_bits(self) -> int:
        rounded = self.a.magnitude_bits(self.a.smallest, self.a.max) if self.a.is_posit else 0
        return max(self.a.precision + 2, self.a.word_bits + 5, rounded)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        if self.a.is_posit:
            operand = Operand(self.a)
            low, high = operand.weights
            first, second = rtl.handing_on(("exponent",), [self._unpack, self._round])
            rounder = rounder_of(self.a, "rne", "saturate")
            return [first, second, self._whole, *rounder.steps((low + 1, high + 1))]
        unpack: rtl.Step = self._unpack
        if self.round == PORT:
            (unpack,) = rtl.handing_on(("rm",), [unpack])
        return [unpack, self._round, self._pack]

    def _unpack(self, m: Module, x: Values) -> Values:
        """Which bits of the significand, and of the code below its exponent, are below the point:
        all of them of what is less than one."""
        a = rtl.unpack(m, "a", x["a"], self.a)
        top = Operand(self.a).bias + self._fraction
        below = Cat(a.exponent < top - i for i in range(self._fraction + 2))
        posit = {"exponent": a.exponent, "code": a.significand} if self.a.is_posit else {}
        return {
            "code": x["a"],
            "sign": a.sign,
            "nan": a.nan,
            "signaling": wire(m, "signaling", a.signaling),
            "significand": a.significand,
            "below": wire(m, "below_the_point", below),
        } | posit

    def _round(self, m: Module, x: Values) -> Values:
        """Whether to round up, by the bits below the point, the first of which is the guard bit."""
        significand, below = x["significand"], x["below"]
        rest = below[1:]
        guard = wire(m, "guard", (significand & below[:-1] & ~rest).any())
        sticky = wire(m, "sticky", (significand & rest).any())
        lowest = Cat(Const(1, 1), below[:-2]) & ~below[:-1]
        lsb = wire(m, "lsb", (significand & lowest).any())
        up = goes_up(self.round, x, lsb, guard, sticky)
        names = ("code", "sign", "nan", "signaling", "below")
        return {name: x[name] for name in names} | {
            "up": wire(m, "round_up", up),
            "inexact": wire(m, "inexact", guard | sticky),
        }

    def _whole(self, m: Module, x: Values) -> Values:
        """Of a posit's significand ones below the point hand a carry on to the integer, and are
        cleared; it may reach a place higher. Less than one half is nothing."""
        significand, operand = x["code"], Operand(self.a)
        below = x["below"][: len(significand)]
        carried = increment(m, "carried", wire(m, "filled", significand | below), x["up"])
        low, high = operand.weights
        weight = x["exponent"] - operand.bias + 1
        return {
            "sign": x["sign"],
            "nan": x["nan"],
            "inf": Const(0, 1),
            "significand": wire(m, "whole", carried & ~Cat(below, Const(0, 1)), len(below) + 1),
            "exponent": wire(m, "weight", weight, signed_exponent(low + 1, high + 1)),
        }

    def _pack(self, m: Module, x: Values) -> Values:
        """Ones below the point hand a carry on to the integer. What is less than one becomes zero
        or one; NaN the canonical one."""
        f, codes = self.a, Specials(self.a)
        below = x["below"][: self._fraction]
        mag = x["code"][: codes.magnitude_bits]
        filled = wire(m, "filled", mag | below)
        carried = increment(m, "carried", filled, x["up"])
        cleared = carried[: len(mag)] & ~Cat(below, Const(0, f.exponent_bits))
        bias = max(f.bias, 0)  # with one below 0 but zero nothing is less than one
        one = Const(bias << self._fraction, len(mag)) & x["up"].replicate(len(mag))
        rounded = wire(m, "rounded", Mux(x["below"][self._fraction], one, cleared))
        sign = x["sign"] if f.has_negative_zero else x["sign"] & rounded.any()
        code: Value = Cat(rounded, sign) if f.signed else rounded
        code = Cat(code, Const(0, f.ignored_bits))
        y = code if codes.nan is None else Mux(x["nan"], Const(codes.nan, f.bits), code)
        if self.flags == "off":
            return {"y": y}
        inexact = x["inexact"] & ~x["nan"] if self.exact == "on" else Const(0, 1)
        return {"y": y, "flags": Cat(inexact, Const(0, 3), x["signaling"])}
