"""Products as rows of partial products, compressed to two rows by full adders (`carry_save`).

Addends can be put among these rows, so that a multiply-add has one carry-propagate adder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value

from .adders import add
from .carry_save import Rows
from .parts import make_part
from .wires import wire

WIDEST = 64
"""Bits of the widest product that is made of partial products here. Wider ones are left to the
synthesizer: their Verilog would be large, and slow to compile for simulation."""

_plain = ContextVar("_plain", default=False)

SIGNED_BOOTH_BITS = (4, 7)
"""From this many bits of a signed multiplier on, an even and an odd number, radix-4 Booth rows are
used. Unsigned ones take fewer gates with them from 11 bits on (a multiplier of fp16 2 %, a
multiply-add of fp32 5 %), but ABC then takes minutes on wide ones, and leaves longer paths between
the registers of pipelines."""

RIPPLE_BITS = 16
"""Up to this many bits the rows are summed up by a plain sum (`adders`): of 22 bits the blocks take
8 % from the path of a multiplier of fp16 for .3 % more gates, of 16 bits 3 % of bf16 for 3 %."""


@contextmanager
def plain_products() -> Iterator[None]:
    """Leave products of all widths to the synthesizer, which may use multiplier blocks for them."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


@dataclass(frozen=True)
class Structure:
    """How products are made. ``auto`` is what was measured to be best for a width and signedness.

    Parameters
    ----------
    booth : ``on``: rows of radix-4 Booth digits; ``off``: one row for each bit.
    adder : of the last two rows, ``ripple`` or ``blocks``.
    """

    booth: str = "auto"
    adder: str = "auto"

    def has_booth_rows(self, multiplier: Value) -> bool:
        bits = len(multiplier)
        if self.booth != "auto":
            return bits > 1 and self.booth == "on"
        return _is_signed(multiplier) and bits >= SIGNED_BOOTH_BITS[bits % 2]

    def add(self, m: Module, name: str, low: Value, high: Value) -> Value:
        """The sum of the last two rows, with the carry out on top."""
        if self.adder == "blocks" or (self.adder == "auto" and len(low) > RIPPLE_BITS):
            return add(m, name, low, high)
        return make_part(m, "adder", wire, name, low + high)


AUTOMATIC = Structure()


class Columns(Rows):
    """Bits by weight, to be summed up; partial products of numbers can be put among them."""

    def __init__(self, m: Module, name: str, width: int, structure: Structure = AUTOMATIC):
        super().__init__(m, name, width)
        self.structure = structure

    def add_product(self, a: Value, b: Value, weight: int = 0, negate: Value | None = None) -> bool:
        """Put the partial products of two numbers, signed or unsigned as their shapes say, into
        the columns. Where the bit `negate` is set, for which `b` is to be signed, the product is
        subtracted: Booth digits are negated.

        Returns whether their sum is 2^(len(a) + len(b)) more than the product, as it is with
        Booth recoding of unsigned numbers.
        """
        if len(a) + len(b) > WIDEST or _plain.get():
            product = a * b if negate is None else Mux(negate, -(a * b), a * b)
            self.add_integer(wire(self.m, f"{self.name}_plain", product), weight)
            return False
        if negate is not None:
            return self._add_booth_rows(a, b, weight, negate)
        # A signed multiplier makes fewer Booth rows, with none above its msb, and a short one too.
        if _is_signed(a) and not (_is_signed(b) and len(b) <= len(a)):
            a, b = b, a
        if self.structure.has_booth_rows(b) and len(b) <= len(a) + 1:
            return self._add_booth_rows(a, b, weight)
        if len(b) > len(a):
            a, b = b, a
        top = 1 << (len(a) - 1)
        for i, bit in enumerate(b):
            row = a.as_unsigned() & bit.replicate(len(a))
            negative = top if _is_signed(a) else 0
            if _is_signed(b) and i == len(b) - 1:
                negative ^= 2 * top - 1
            self.add_weighted(row, negative, weight + i)
        return False

    def _add_booth_rows(self, a: Value, b: Value, weight: int, negate: Value | None = None) -> bool:
        """Radix-4 Booth recoding: a row for each pair of bits of b, with a digit from -2 to 2.

        Returns what `add_product` does.
        """
        signed = _is_signed(b)
        padded = Cat(Const(0, 1), b, (b[-1] if signed else Const(0, 1)).replicate(2))
        for row in range((len(b) + 1) // 2 if signed else len(b) // 2 + 1):
            below, bit, above = padded[2 * row], padded[2 * row + 1], padded[2 * row + 2]
            one = wire(self.m, f"{self.name}_one{row}", below ^ bit)
            two = wire(self.m, f"{self.name}_two{row}", (bit ^ above) & ~one)
            can_be_negative = signed or 2 * row + 1 < len(b)
            negative = above if negate is None else above ^ negate
            self._add_booth_row(
                a, one, two, negative if can_be_negative else None, weight + 2 * row
            )
        if not signed:
            self.add_constant(1 << (weight + len(a) + len(b)))
        return not signed

    def _add_booth_row(
        self, a: Value, one: Value, two: Value, negative: Value | None, at: int
    ) -> None:
        """Add or subtract once or twice a. What is subtracted is inverted, and lacks one at its
        lsb; its sign counts negative."""
        signed = _is_signed(a)
        once = Cat(a, a[-1] if signed else Const(0, 1))
        twice = Cat(Const(0, 1), a)
        bits = len(once)
        row = (once & one.replicate(bits)) | (twice & two.replicate(bits))
        if negative is not None:
            row = row ^ negative.replicate(bits)
        self.add_weighted(row, 1 << len(a) if signed else 0, at)
        if negative is not None:
            self.add(at, negative)
            if not signed:
                self.add_weighted(negative, 1, at + bits)


def _is_signed(x: Value) -> bool:
    return x.shape().signed


def product(m: Module, name: str, a: Value, b: Value, structure: Structure = AUTOMATIC) -> Value:
    """The product of two numbers, signed or unsigned, in as many bits as both have together."""
    return sum_of_products(m, name, [(a, b)], [], len(a) + len(b), structure)


def square(m: Module, name: str, x: Value) -> Value:
    """The square of an unsigned number, of which each product of two bits is put in once, and of a
    bit with itself as it is."""
    columns = Columns(m, name, 2 * len(x))
    for i in range(len(x)):
        others = x[i + 1 :] & x[i].replicate(len(x) - i - 1)
        columns.add_integer(Cat(x[i], Const(0, 1), others), 2 * i)
    low, high, _ = columns.compress()
    return wire(m, name, columns.structure.add(m, f"{name}_rows", low, high)[: 2 * len(x)])


def sum_of_products(
    m: Module,
    name: str,
    products: list[tuple[Value, Value]],
    addends: list[Value],
    width: int,
    structure: Structure = AUTOMATIC,
) -> Value:
    """Products and addends, each signed or unsigned as their shapes say, summed modulo 2^width.

    The sum is signed if any of them is.
    """
    columns = Columns(m, name, width, structure)
    for a, b in products:
        if columns.add_product(a, b):
            columns.add_constant(-1 << (len(a) + len(b)))
    for x in addends:
        columns.add_integer(x)
    low, high, _ = columns.compress()
    terms = [x for pair in products for x in pair] + addends
    signed = any(_is_signed(x) for x in terms)
    total = structure.add(m, f"{name}_rows", low, high)
    return wire(m, name, total[:width], Shape(width, signed=signed))
