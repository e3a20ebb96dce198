"""The units of functions by linear pieces in each binade, such as sigmoid, tanh and gelu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...rtl import Values, read_table, wire
from ...rtl.floats import signed_exponent
from ..operations import (
    ERROR_FUNCTION,
    GELU,
    HYPERBOLIC_TANGENT,
    SILU,
    SOFTPLUS,
    Operation,
)
from ..parameters import choice_parameter
from .decays import Decaying
from .lookup import piece


@dataclass(frozen=True, kw_only=True, repr=False)
class Curve(Decaying):
    """Base of the functions that a table of linear pieces in each binade of the operand gives."""

    @property
    def weights(self) -> tuple[int, int]:
        if self.is_wide:
            return self.wide_weights
        t = self.approximation
        fields = range(len(t.binades))
        ends = [0]
        for i, b in zip(fields, t.binades, strict=True):
            field = max(i & ((1 << self.a.exponent_bits) - 1), 1) - self.a.bias
            rows = t.exponents[b.first : b.first + (1 << b.select)]
            ends += [k + (field if b.follows else 0) for k in rows]
        return min(ends) - 1, max(ends)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        if self.is_wide:
            return self.wide_steps()
        steps = [self._unpack, self._select, self._interpolate, self._normalize]
        return self.with_ports([*steps, self._denormalize, *self.rounder.after_normalization()])

    def _unpack(self, m: Module, x: Values) -> Values:
        """Fields and classes of the operand; which special results there are."""
        raws = self.unpacked(m, x)
        a, odd, f = raws["a"], self.approximation.odd, self.a
        specials = self._specials(m, x, raws)
        field = x["a"][f.fraction_bits : f.fraction_bits + f.exponent_bits]
        sided = Const(0, 1) if odd else a.sign & ~a.zero
        return specials | {
            "binade": wire(m, "binade", field if odd else Cat(field, sided)),
            "weight": a.exponent,
            "t": wire(m, "fraction", x["a"][: f.fraction_bits]),
        }

    def _select(self, m: Module, x: Values) -> Values:
        """Of the operand's binade the first piece, and the fraction's bits that choose one."""
        table, m_bits = self.approximation, self.a.fraction_bits
        first = read_table(m, "first", [b.first for b in table.binades], x["binade"])
        unused = read_table(m, "low_bits", [m_bits - b.select for b in table.binades], x["binade"])
        masks = [(1 << (m_bits - b.select)) - 1 for b in table.binades]
        mask = read_table(m, "mask", masks, x["binade"])
        follows = read_table(m, "follows", [b.follows for b in table.binades], x["binade"])
        part = rtl.move_right(m, "part", x["t"], unused)
        bits = (len(table.rows.c0) - 1).bit_length()
        row = wire(m, "row", first | part, bits)
        return self.handed_on(x, "one", "half") | {
            "row": row,
            "t": wire(m, "within", x["t"] & mask, m_bits),
            "weight": wire(m, "added", x["weight"] & follows.replicate(len(x["weight"]))),
        }

    def _interpolate(self, m: Module, x: Values) -> Values:
        """A linear piece, and its exponent."""
        t = self.approximation
        biased = [k + self.out.bias for k in t.exponents]
        for b in t.binades:
            if b.follows:
                rows = slice(b.first, b.first + (1 << b.select))
                biased[rows] = [k + self.out.bias - self.a.bias for k in t.exponents[rows]]
        padded = [*biased, *[0] * ((1 << len(x["row"])) - len(biased))]
        y = piece(m, t.rows, x["row"], x["t"], t.width + 1)
        k = read_table(m, "k", padded, x["row"])
        return self.handed_on(x, "one", "half", "weight") | {"y": y, "k": k}

    def _normalize(self, m: Module, x: Values) -> Values:
        """The first one of y on top, if it is among its two first bits; 1 or 1/2 where the result
        is that."""
        y, exact = x["y"], x["one"] | x["half"]
        low, high = self._fields
        shape = signed_exponent(min(low, -2), max(high, self.out.bias))
        small = wire(m, "below_one", ~y[-1])
        moved = Mux(small, Cat(Const(0, 1), y[:-1]), y)
        exponent = x["k"] + x["weight"] - small
        one = self.out.bias - x["half"]
        exponent = wire(m, "exponent", Mux(exact, one, exponent), shape)
        digits: Value = Cat(Const(0, max(0, self.digits - len(y))), moved)[-self.digits :]
        unit = Const(1 << (self.digits - 1), self.digits)
        return self.handed_on(x) | {
            "digits": wire(m, "digits", Mux(exact, unit, digits)),
            "rest": wire(m, "inexact", ~exact),
            "exponent": exponent,
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Tanh(Curve):
    """The hyperbolic tangent.

    Source: ISO C, 7.12.5.6 (tanh) and F.10.2.6 (special values).
    """

    family: ClassVar[str] = "tanh"
    summary: ClassVar[str] = "hyperbolic tangent of a, correctly rounded or faithful"
    operation: ClassVar[Operation] = HYPERBOLIC_TANGENT
    meanings: ClassVar[dict[str, str]] = {"a": "operand", "y": "its hyperbolic tangent"}


@dataclass(frozen=True, kw_only=True, repr=False)
class Silu(Curve):
    """x times the logistic function of x; of -infinity it is -0, its limit from below.

    Source: Elfwing, Uchibe and Doya, arXiv 1702.03118.
    """

    family: ClassVar[str] = "silu"
    summary: ClassVar[str] = "a/(1 + e^-a), correctly rounded or faithful"
    operation: ClassVar[Operation] = SILU
    meanings: ClassVar[dict[str, str]] = {"a": "operand", "y": "a/(1 + e^-a)"}


@dataclass(frozen=True, kw_only=True, repr=False)
class Softplus(Curve):
    """ln(1 + e^x).

    Source: Dugas et al., "Incorporating second-order functional knowledge for better option
    pricing", NIPS 2000; P3109 interim report v4.0 (Softplus), whose limits are these.
    """

    family: ClassVar[str] = "softplus"
    summary: ClassVar[str] = "ln(1 + e^a), correctly rounded or faithful"
    operation: ClassVar[Operation] = SOFTPLUS
    meanings: ClassVar[dict[str, str]] = {"a": "operand", "y": "ln(1 + e^a)"}


@dataclass(frozen=True, kw_only=True, repr=False)
class Gelu(Curve):
    """x times the normal distribution's probability of what is below x.

    ``form=tanh`` is x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), of which the constants are these
    numbers. Of -infinity both are -0, their limit from below.

    Source: Hendrycks and Gimpel, arXiv 1606.08415.
    """

    family: ClassVar[str] = "gelu"
    summary: ClassVar[str] = "a times the normal probability of less than a, or its form with tanh"
    operation: ClassVar[Operation] = GELU
    meanings: ClassVar[dict[str, str]] = {"a": "operand", "y": "a times the probability"}

    form: str = choice_parameter(
        "erf: by the normal distribution; tanh: the form with a hyperbolic tangent",
        ("erf", "tanh"),
        "erf",
        quiet=True,
        in_name=lambda _, value: f"by_{value}",
    )

    @property
    def function(self) -> str:
        return "gelu_tanh" if self.form == "tanh" else "gelu"


@dataclass(frozen=True, kw_only=True, repr=False)
class Erf(Curve):
    """The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.

    Source: ISO C, 7.12.8.1 (erf) and F.10.5.1 (special values).
    """

    family: ClassVar[str] = "erf"
    summary: ClassVar[str] = "error function of a, correctly rounded or faithful"
    operation: ClassVar[Operation] = ERROR_FUNCTION
    meanings: ClassVar[dict[str, str]] = {"a": "operand", "y": "its error function"}
