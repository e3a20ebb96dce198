"""Units that look at the fields of a code, or change them: its class, its sign, its exponent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...exceptions import InvalidInput
from ...formats import Format, format
from ...rtl import Operand, Values, wire
from ...rtl.floats import signed_exponent
from ..contract import Contract, Unit
from ..conventions import EXACT, SUBNORMALS, conventions
from ..flags import flag_results, flags_parameter
from ..operations import CLASSIFICATION, EXPONENT, SIGN, Operation
from ..parameters import choice_parameter, format_parameter
from . import definitions


@dataclass(frozen=True, kw_only=True, repr=False)
class Class(Unit):
    """The class of a code, one of ten bits, those of RISC-V's ``fclass``.

    From the lsb up: negative infinity, normal, subnormal and zero, positive zero, subnormal,
    normal and infinity; signaling and quiet NaN, of which a format's single NaN is a quiet one, as
    posits' NaR is. A posit, or an integer, that is none and not zero is normal.

    Source: IEEE 754-2019, 5.7.2 (class).
    """

    family: ClassVar[str] = "class"
    summary: ClassVar[str] = "the class of a code, one of ten bits"
    operation: ClassVar[Operation] = CLASSIFICATION
    meanings: ClassVar[dict[str, str]] = {
        "a": "code to classify",
        "y": "from the lsb up -inf, -normal, -subnormal, -0, +0, ... +inf, signaling NaN, NaN",
    }

    takes_posits: ClassVar[bool] = True

    a: Format = format_parameter("operand", "fp32")

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format("uint10")}

    @property
    def contract(self) -> Contract:
        return Contract("exact", "exact", "IEEE 754-2019, 5.7.2")

    @property
    def conventions(self) -> dict[str, str]:
        if not self.a.is_float:
            return conventions(EXACT, "", "", "")
        if self.a.is_posit:
            return conventions(EXACT, "", "", "NaR is a quiet one")
        return conventions(EXACT, "", "a class of their own", "signaling or quiet")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        return definitions.classify, (self.a.numbers,)

    @property
    def word_bits(self) -> int:
        return max(self.a.word_bits + 1, 10)

    def datapath(self) -> list[rtl.Step]:
        return [self._classify]

    def _classify(self, m: Module, x: Values) -> Values:
        """Each class of each sign."""
        a = rtl.unpack(m, "a", x["a"], self.a)
        is_number = wire(m, "is_number", ~(a.nan | a.inf | a.zero))
        hidden = a.significand[-1] if self.a.is_float else Const(1, 1)
        normal = wire(m, "normal", is_number & hidden)
        subnormal = wire(m, "subnormal", is_number & ~hidden)
        classes = [a.inf, normal, subnormal, a.zero]
        below = [x & a.sign for x in classes]
        above = [x & ~a.sign for x in reversed(classes)]
        return {"y": Cat(*below, *above, a.nan & a.signaling, a.nan & ~a.signaling)}


_SIGNS = {
    "copy": definitions.COPY,
    "neg": definitions.NEGATED,
    "xor": definitions.XOR,
    "abs": definitions.ABSOLUTE,
    "negate": definitions.NEGATE,
}
_UNARY = ("abs", "negate")


@dataclass(frozen=True, kw_only=True, repr=False)
class SignInjection(Unit):
    """A code with another sign: that of b (``copy``), its inverse (``neg``), or both signs' XOR;
    and of a alone without a sign (``abs``), or with the other one (``negate``).

    An operation on bits, of NaN too; nothing is raised. In formats without -0 zero and NaN stay as
    they are. Of posits there are ``abs`` and ``negate``, the two's complement of the code.
    Source: IEEE 754-2019, 5.5.1; RISC-V's ``fsgnj``; Posit Standard (2022), 5.2.
    """

    takes_posits: ClassVar[bool] = True

    family: ClassVar[str] = "sgnj"
    summary: ClassVar[str] = "a code with the sign of another: copy neg xor; abs, negate of one"
    operation: ClassVar[Operation] = SIGN
    meanings: ClassVar[dict[str, str]] = {
        "a": "code whose magnitude is kept",
        "b": "code that gives the sign",
        "y": "the magnitude of a with its new sign",
    }

    a: Format = format_parameter("of operands and result", "fp32")
    op: str = choice_parameter("the new sign", tuple(_SIGNS), "copy")

    def validate(self) -> None:
        if not self.a.is_float or not self.a.signed:
            raise InvalidInput(
                f"sgnj: parameter a: {self.a.name} has no sign bit; allowed: signed float formats"
            )
        if self.a.is_posit and self.op not in _UNARY:
            raise InvalidInput(
                f"sgnj: parameter op: the sign of {self.a.name} is no bit of its own, and so not "
                f"{self.op}; allowed: {', '.join(_UNARY)}"
            )

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a} if self.op in _UNARY else {"a": self.a, "b": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.a}

    @property
    def contract(self) -> Contract:
        source = "Posit Standard (2022), 5.2" if self.a.is_posit else "IEEE 754-2019, 5.5.1"
        return Contract("exact", "exact", source)

    @property
    def conventions(self) -> dict[str, str]:
        if self.a.is_posit:
            return conventions(EXACT, "", "", "NaR stays as it is, as zero does")
        nan = "as any other code" if self.a.has_negative_zero else "stays as it is, as zero does"
        return conventions(EXACT, "", SUBNORMALS["keep"], nan)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        function = definitions.with_own_sign if self.op in _UNARY else definitions.with_sign
        if self.a.is_posit:
            function = definitions.posit_with_own_sign
        return function, (self.a.numbers, _SIGNS[self.op])

    @property
    def word_bits(self) -> int:
        return self.a.word_bits + 1

    def datapath(self) -> list[rtl.Step]:
        return [self._negate if self.a.is_posit else self._sign]

    def _negate(self, m: Module, x: Values) -> Values:
        """The two's complement of a posit that is to change its sign."""
        a = x["a"]
        negative = Const(1, 1) if self.op == "negate" else a[-1]
        inverted = a ^ negative.replicate(len(a))
        return {"y": wire(m, "negated", (inverted + negative)[: len(a)], len(a))}

    def _sign(self, m: Module, x: Values) -> Values:
        """The magnitude below the new sign."""
        f, a = self.a, x["a"]
        top = f.bits - f.ignored_bits - 1
        b: Value = x.get("b", a)
        sign = {
            "copy": b[top],
            "neg": ~b[top],
            "xor": a[top] ^ b[top],
            "abs": Const(0, 1),
            "negate": ~a[top],
        }[self.op]
        if not f.has_negative_zero:
            sign = Mux(a[:top].any(), sign, a[top])
        return {"y": Cat(a[:top], wire(m, "sign", sign), Const(0, f.ignored_bits))}


@dataclass(frozen=True, kw_only=True, repr=False)
class LogB(Unit):
    """The exponent of a code's value as an integer: the floor of log2 |a|, of subnormals too.

    Of zero it is the least integer, of infinity and NaN the greatest one, which with ``flags=on``
    raise NV. Source: IEEE 754-2019, 5.3.3 (logB with an integer result).
    """

    family: ClassVar[str] = "logb"
    summary: ClassVar[str] = "the exponent of a code's value, as an integer"
    operation: ClassVar[Operation] = EXPONENT
    meanings: ClassVar[dict[str, str]] = {
        "a": "code whose exponent is asked for",
        "y": "floor of log2 |a|; of zero the least integer, of infinity and NaN the greatest",
        "flags": "exceptions: NV, the msb, and four that are never raised",
    }

    a: Format = format_parameter("operand", "fp32")
    out: Format = format_parameter("result, a signed integer", "int16")
    flags: str = flags_parameter()

    def validate(self) -> None:
        most = max(self.a.max, -self.a.min)
        low, high = self._exponents[0], most.numerator.bit_length() - most.denominator.bit_length()
        out = self.out
        if out.is_float or out.exponent or not out.min <= low <= high <= out.max:
            raise InvalidInput(
                f"logb: parameter out: {out.name} does not hold the exponents of {self.a.name}, "
                f"{low} to {high}; allowed: integers that do, such as int16"
            )

    @property
    def _exponents(self) -> tuple[int, int]:
        """Least and greatest exponent of the first one of a code, infinity and NaN among them."""
        operand = Operand(self.a)
        low, high = operand.weights
        return (low if operand.is_normal else operand.lsb), high

    @property
    def operands(self) -> dict[str, Format]:
        return {"a": self.a}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.out} | flag_results(self.flags)

    @property
    def contract(self) -> Contract:
        return Contract("exact", "exact, the floor of log2 |a|", "IEEE 754-2019, 5.3.3")

    @property
    def conventions(self) -> dict[str, str]:
        nan = "the greatest integer" if self.a.is_float else ""
        return conventions(EXACT, "", "normalized" if self.a.is_float else "", nan)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        rules = self.out.bits, int(self.flags == "on")
        return definitions.exponent, (self.a.numbers, *rules)

    @property
    def word_bits(self) -> int:
        return max(self.a.word_bits + 1, self.out.bits + 5)

    def datapath(self) -> list[rtl.Step]:
        return [self._exponent]

    def _exponent(self, m: Module, x: Values) -> Values:
        """The exponent less the leading zeros of the significand, or what stands for none."""
        a, out = rtl.unpack(m, "a", x["a"], self.a), self.out
        operand = Operand(self.a)
        zeros: Value = Const(0, 1)
        if not operand.is_normal:
            zeros = rtl.leading_zeros(m, "zeros", a.significand)
        exponent = a.exponent - zeros - operand.bias
        exponent = wire(m, "exponent", exponent, signed_exponent(*self._exponents))
        endless = wire(m, "endless", a.inf | a.nan)
        least, greatest = Const(1 << (out.bits - 1), out.bits), Const(out.max.numerator, out.bits)
        finite = Mux(a.zero, least, Cat(exponent.as_unsigned(), *[exponent[-1]] * out.bits))
        y = wire(m, "code", Mux(endless, greatest, finite[: out.bits]), out.bits)
        if self.flags == "off":
            return {"y": y}
        return {"y": y, "flags": Cat(Const(0, 4), endless | a.zero)}
