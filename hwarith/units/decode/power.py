"""The decoder of the power-exponent code, a table of inverse powers and a sign; and its encoder, a
row of thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from functools import cache
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module

from ... import rtl
from ...exceptions import InvalidInput, quoted
from ...formats import Format, format
from ...rtl import Values, wire
from ...rtl.integers import negated_if
from ..contract import Contract, Unit
from ..conventions import conventions
from ..operations import DECODING, ENCODING, Operation
from ..parameters import choice_parameter, integer_parameter, text_parameter
from . import definitions

FORMS = ("sm", "twos", "unsigned")
"""Forms of a code: sign and magnitude, two's complement, a magnitude alone."""

FRACTION = 15
"""Fraction bits of a decoded weight."""

_LOW, _HIGH, _PLACES, _DIGITS = Decimal("0.1"), Decimal(2), 6, 60


def _exponent(value: object) -> str:
    """A decimal text in its shortest form. Raises `InvalidInput` for what is not allowed."""
    allowed = f"a decimal from {_LOW} to {_HIGH} with up to {_PLACES} places"
    try:
        a = Decimal(str(value))
    except (InvalidOperation, ValueError):
        raise InvalidInput(f"must be {allowed}, not {quoted(value)}") from None
    if not a.is_finite() or not _LOW <= a <= _HIGH or a != round(a, _PLACES):
        raise InvalidInput(f"must be {allowed}, not {quoted(value)}")
    return f"{a.normalize():f}"


def powers(largest: int, a: str) -> list[Decimal]:
    """The magnitudes (k / largest)^(1/a) to 60 digits, for k from 0 to `largest`."""
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_EVEN):
        return [(Decimal(k) / largest) ** (1 / Decimal(a)) for k in range(largest + 1)]


def power(x: Fraction, a: str) -> Decimal:
    """x^a to 60 digits, of a number of at least 0."""
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_EVEN):
        return (Decimal(x.numerator) / x.denominator) ** Decimal(a)


def table(largest: int, a: str) -> list[int]:
    """Decoded magnitudes: (k / largest)^(1/a) * 2^15 to the nearest integer, for k from 0 to an odd
    `largest`.

    No value is a tie: a power that is not 0 or 1 of a fraction of odd denominator is either
    irrational or of odd denominator.
    """
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_EVEN):
        return [int((x * (1 << FRACTION)).to_integral_value()) for x in powers(largest, a)]


@cache
def thresholds(largest: int, a: str) -> tuple[int, ...]:
    """The least magnitude, in units of 2^-15, that each code from 1 to an odd `largest` stands for:
    of which (x / 2^15)^a * largest is k - 1/2 or more; a tie goes to the even code.

    A tie is only where k - 1/2 is half of `largest`: any other fraction has an odd factor below.
    """
    found = []
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_EVEN):
        for k in range(1, largest + 1):
            least = (Decimal(2 * k - 1) / (2 * largest)) ** (1 / Decimal(a)) * (1 << FRACTION)
            whole = int(least.to_integral_value(ROUND_HALF_EVEN))
            if abs(least - whole) < Decimal(10) ** (10 - _DIGITS):
                found.append(whole + k % 2)
            else:
                found.append(int(least.to_integral_value(ROUND_CEILING)))
    return tuple(found)


def code_parameter(default: str) -> Any:
    """A field that holds the form of a code."""
    return choice_parameter(
        "sm: sign and magnitude; twos: two's complement; unsigned", FORMS, default
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class PowerCode(Unit):
    """Base of the units of the power-exponent code: its width, exponent and form."""

    b: int = integer_parameter("bits of a code", 2, 8, 4)
    a: str = text_parameter(
        "exponent, a decimal text",
        _exponent,
        f"{_LOW} to {_HIGH}",
        "0.55",
        in_name=lambda _, value: f"a{value}".replace(".", "p"),
    )
    code: str = code_parameter("sm")

    @property
    def magnitude_bits(self) -> int:
        """Bits of a code's magnitude."""
        return self.b - (self.code != "unsigned")

    @property
    def largest(self) -> int:
        """The greatest magnitude of a code, qmax."""
        return (1 << self.magnitude_bits) - 1

    @property
    def code_format(self) -> Format:
        """The form of a code, as the integers that it is."""
        if self.code != "sm":
            return format(f"{'u' if self.code == 'unsigned' else ''}int{self.b}")
        # A float of one exponent bit is evenly spaced: sign and magnitude of an integer
        m = self.b - 2
        return Format(f"sm{self.b}", "float", self.b, 1, m, bias=1 - m)

    @property
    def value_format(self) -> Format:
        """What a code stands for, in units of 2^-15."""
        return format(f"uint{FRACTION + 1}" if self.code == "unsigned" else f"int{FRACTION + 2}")


@dataclass(frozen=True, kw_only=True, repr=False)
class PowDecode(PowerCode):
    """The weight or activation that a power-exponent code stands for: sign(q) * (|q| / qmax)^(1/a).

    The result is two's complement of 17 bits, in units of 2^-15: from -32768 to 32768, an integer
    for an ordinary multiply-accumulator. The scale of a channel, its greatest magnitude, is left
    to what follows. `table` has the magnitudes; they are the nearest ones.

    A code is sign and magnitude, with -0 the same as 0, or two's complement, where -2^(b-1), which
    an encoder never gives, counts as -qmax. Activations that have no negative values (``unsigned``)
    have codes from 0 to qmax = 2^b - 1, of which the result has 16 bits.

    Source: Yvinec et al., PowerQuant (ICLR 2023, arXiv 2301.09858) and NUPES (arXiv 2308.05600);
    the width of the result and the forms of the code are this project's.
    """

    family: ClassVar[str] = "powdecode"
    summary: ClassVar[str] = "power-exponent code (PowerQuant, NUPES) as a fixed-point weight"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {
        "q": "code to decode",
        "y": "its value in units of 2^-15",
    }

    @property
    def operands(self) -> dict[str, Format]:
        return {"q": self.code_format}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": self.value_format}

    @property
    def contract(self) -> Contract:
        return Contract("correctly rounded", "error at most 1/2 step of 2^-15", "arXiv 2308.05600")

    @property
    def table(self) -> list[int]:
        """The magnitudes of this code: see `table`."""
        return table(self.largest, self.a)

    @property
    def conventions(self) -> dict[str, str]:
        rounding = "a magnitude is the nearest one in units of 2^-15"
        return conventions(rounding, "none, every value has a code", "", "")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        side_by_side = sum(x << (FRACTION + 1) * k for k, x in enumerate(self.table))
        bits = self.magnitude_bits + 1
        return definitions.power, (bits, int(self.code == "twos"), side_by_side)

    @property
    def word_bits(self) -> int:
        return max((FRACTION + 1) << self.magnitude_bits, FRACTION + 2)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._magnitude, self._look_up, self._negate]

    def _magnitude(self, m: Module, x: Values) -> Values:
        """Sign of the weight, and its place in the table."""
        if self.code == "unsigned":
            return {"sign": Const(0, 1), "k": x["q"]}
        q, sign, k = x["q"], x["q"][-1], x["q"][:-1]
        if self.code == "twos":
            magnitude = wire(m, "magnitude", negated_if(q, sign)[: self.b])
            k = magnitude[:-1] | magnitude[-1].replicate(self.b - 1)
        return {"sign": sign, "k": wire(m, "k", k)}

    def _look_up(self, m: Module, x: Values) -> Values:
        """Each bit is the or of the entries where it is one."""
        # Bits have wires of their own: Verilator takes a vector of which one bit is made of
        # another for a loop
        entries = self.table
        hot = rtl.one_hot(m, "is_entry", x["k"], len(entries))
        here = [wire(m, f"here{k}", h) for k, h in enumerate(hot)]
        bits = []
        for i in range(FRACTION + 1):
            ones = [here[k] for k, entry in enumerate(entries) if entry >> i & 1]
            bits.append(wire(m, f"entry{i}", Cat(*ones).any() if ones else Const(0, 1)))
        return {"sign": x["sign"], "entry": Cat(*bits)}

    def _negate(self, m: Module, x: Values) -> Values:
        """The entry with its sign."""
        bits = self.results["y"].bits
        return {"y": wire(m, "weight", negated_if(x["entry"], x["sign"])[:bits], bits)}


@dataclass(frozen=True, kw_only=True, repr=False)
class PowEncode(PowerCode):
    """The power-exponent code of an activation: sign(x) * round(|x|^a * qmax), ties to even.

    The activation is an integer in units of 2^-15 of its scale, the greatest magnitude that there
    is to be: 16 bits, or with a sign 17 bits in two's complement; what is beyond the scale has the
    code of the scale. The power is a row of thresholds (`thresholds`), one for each code: those
    that are reached are counted. So the code is right to the last bit, for any exponent, where a
    Newton iteration of the power would do with a few steps.

    A negative activation that rounds to zero has the code of +0.

    Source: see `PowDecode`; the form of activations and the thresholds are this project's.
    """

    family: ClassVar[str] = "powencode"
    summary: ClassVar[str] = "fixed-point activation as a power-exponent code (PowerQuant, NUPES)"
    operation: ClassVar[Operation] = ENCODING
    meanings: ClassVar[dict[str, str]] = {
        "x": "activation in units of 2^-15 of its scale",
        "q": "its code",
    }

    code: str = code_parameter("unsigned")

    @property
    def operands(self) -> dict[str, Format]:
        return {"x": self.value_format}

    @property
    def results(self) -> dict[str, Format]:
        return {"q": self.code_format}

    @property
    def contract(self) -> Contract:
        return Contract("correctly rounded", "error at most 1/2 code", "arXiv 2308.05600")

    @property
    def conventions(self) -> dict[str, str]:
        return conventions(
            "the power is rounded once, to the nearest code, ties to even",
            "becomes the code of the scale",
            "",
            "",
        )

    @property
    def thresholds(self) -> tuple[int, ...]:
        """The least magnitude of each code from 1 on: see `thresholds`."""
        return thresholds(self.largest, self.a)

    def definition(self) -> tuple[Callable[..., int], tuple]:
        side_by_side = sum(x << (FRACTION + 1) * k for k, x in enumerate(self.thresholds))
        form = FORMS.index(self.code)
        return definitions.power_code, (self.b, form, self.largest, side_by_side)

    @property
    def word_bits(self) -> int:
        return max((FRACTION + 1) * self.largest, FRACTION + 3)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._take_sign, self._compare, self._code]

    def _take_sign(self, m: Module, x: Values) -> Values:
        """Sign and magnitude of the activation."""
        number = x["x"]
        if self.code == "unsigned":
            return {"sign": Const(0, 1), "magnitude": number}
        magnitude = negated_if(number, number[-1])[: len(number)]
        return {"sign": number[-1], "magnitude": wire(m, "magnitude", magnitude)}

    def _compare(self, m: Module, x: Values) -> Values:
        """Which thresholds are reached; each bit of their number is the parity of those at
        multiples of its weight, as all below one that is reached are."""
        reached = [
            wire(m, f"reaches{k}", x["magnitude"] >= least)
            for k, least in enumerate(self.thresholds, 1)
        ]
        bits = [
            wire(m, f"count{i}", Cat(*reached[(1 << i) - 1 :: 1 << i]).xor())
            for i in range(self.magnitude_bits)
        ]
        return {"sign": x["sign"], "k": Cat(*bits)}

    def _code(self, m: Module, x: Values) -> Values:
        """The number with the sign."""
        k, sign = x["k"], x["sign"]
        if self.code == "sm":
            return {"q": wire(m, "code", Cat(k, sign & k.any()))}
        return {"q": wire(m, "code", negated_if(k, sign)[: self.b], self.b)}
