"""The decoder of the power-exponent code: a table of inverse powers, and a sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Value

from ... import rtl
from ...exceptions import InvalidInput, quoted
from ...formats import Format, format
from ...rtl import Values, wire
from ...rtl.integers import negated_if
from ..contract import Contract, Unit
from ..conventions import conventions
from ..operations import DECODING, Operation
from ..parameters import choice_parameter, integer_parameter, text_parameter
from . import definitions

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


def powers(b: int, a: str) -> list[Decimal]:
    """The magnitudes (k / qmax)^(1/a) to 60 digits, for k from 0 to qmax = 2^(b-1) - 1."""
    largest = (1 << (b - 1)) - 1
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_EVEN):
        return [(Decimal(k) / largest) ** (1 / Decimal(a)) for k in range(largest + 1)]


def table(b: int, a: str) -> list[int]:
    """Decoded magnitudes: (k / qmax)^(1/a) * 2^15 to the nearest integer, for k from 0 to qmax.

    Here qmax is 2^(b-1) - 1. No value is a tie: a power that is not 0 or 1 of a fraction of odd
    denominator is either irrational or of odd denominator.
    """
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_EVEN):
        return [int((x * (1 << FRACTION)).to_integral_value()) for x in powers(b, a)]


@dataclass(frozen=True, kw_only=True, repr=False)
class PowDecode(Unit):
    """The weight that a power-exponent code stands for: sign(q) * (|q| / qmax)^(1/a).

    The result is two's complement of 17 bits, in units of 2^-15: from -32768 to 32768, an integer
    for an ordinary multiply-accumulator. The scale of a channel, its greatest magnitude, is left
    to what follows. `table` has the magnitudes; they are the nearest ones.

    A code is sign and magnitude, with -0 the same as 0, or two's complement, where -2^(b-1), which
    an encoder never gives, counts as -qmax.

    Source: Yvinec et al., PowerQuant (ICLR 2023, arXiv 2301.09858) and NUPES (arXiv 2308.05600);
    the width of the result and both forms of the code are this project's.
    """

    family: ClassVar[str] = "powdecode"
    summary: ClassVar[str] = "power-exponent code (PowerQuant, NUPES) as a fixed-point weight"
    operation: ClassVar[Operation] = DECODING
    meanings: ClassVar[dict[str, str]] = {
        "q": "code to decode",
        "y": "its value in units of 2^-15",
    }

    b: int = integer_parameter("bits of a code", 2, 8, 4)
    a: str = text_parameter(
        "exponent, a decimal text",
        _exponent,
        f"{_LOW} to {_HIGH}",
        "0.55",
        in_name=lambda _, value: f"a{value}".replace(".", "p"),
    )
    code: str = choice_parameter(
        "sm: sign and magnitude; twos: two's complement", ("sm", "twos"), "sm"
    )

    @property
    def operands(self) -> dict[str, Format]:
        if self.code == "twos":
            return {"q": format(f"int{self.b}")}
        # A float of one exponent bit is evenly spaced: sign and magnitude of an integer
        m = self.b - 2
        return {"q": Format(f"sm{self.b}", "float", self.b, 1, m, bias=1 - m)}

    @property
    def results(self) -> dict[str, Format]:
        return {"y": format(f"int{FRACTION + 2}")}

    @property
    def contract(self) -> Contract:
        return Contract("correctly rounded", "error at most 1/2 step of 2^-15", "arXiv 2308.05600")

    @property
    def table(self) -> list[int]:
        """The magnitudes of this code: see `table`."""
        return table(self.b, self.a)

    @property
    def conventions(self) -> dict[str, str]:
        rounding = "a magnitude is the nearest one in units of 2^-15"
        return conventions(rounding, "none, every value has a code", "", "")

    def definition(self) -> tuple[Callable[..., int], tuple]:
        side_by_side = sum(x << (FRACTION + 1) * k for k, x in enumerate(self.table))
        return definitions.power, (self.b, int(self.code == "twos"), side_by_side)

    @property
    def word_bits(self) -> int:
        return max((FRACTION + 1) << (self.b - 1), FRACTION + 2)

    # -- hardware ------------------------------------------------------------------------------

    def datapath(self) -> list[rtl.Step]:
        return [self._magnitude, self._look_up, self._negate]

    def _magnitude(self, m: Module, x: Values) -> Values:
        """Sign of the weight, and its place in the table."""
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
        y: Value = negated_if(x["entry"], x["sign"])[: FRACTION + 2]
        return {"y": wire(m, "weight", y, FRACTION + 2)}
