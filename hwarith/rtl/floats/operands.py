"""Operands as a datapath takes them apart: unpacking, and the shapes of exponents."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Shape, Value

from ...formats import Format
from ..logic import leading_zeros
from ..shifters import shift_left
from ..wires import wire
from .specials import Specials


@dataclass(frozen=True)
class Raw:
    """An unpacked operand. The significand has the hidden bit on top (0 for subnormals)."""

    sign: Value
    exponent: Value  # biased, 1 in the lowest binade (0 for formats without subnormals)
    significand: Value
    nan: Value
    inf: Value
    zero: Value
    special: Value  # infinite, or (where that takes fewer gates) NaN
    signaling: Value


@dataclass(frozen=True)
class Operand:
    """A format as a datapath takes it apart.

    An integer is a float that is always in its lowest binade: its magnitude is a significand whose
    leading one may be anywhere, below an msb of constant weight. With `daz` a float has no
    subnormals, as they are taken as zeros. A posit has none either: its significand has the bits of
    its longest fraction, and its exponent is regime and exponent side by side, biased by a power of
    two.
    """

    format: Format
    daz: bool = False

    @property
    def precision(self) -> int:
        return self.format.precision

    @property
    def lsb(self) -> int:
        """Weight of the significand's lsb in the lowest binade."""
        f = self.format
        if not f.is_float:
            return f.exponent
        return self.exponents[0] - self.bias - f.fraction_bits

    @property
    def emin(self) -> int:
        """Weight of the significand's msb in the lowest binade."""
        return self.lsb + self.precision - 1

    @property
    def bias(self) -> int:
        if self.format.is_posit:
            return 1 << (_run_bits(self.format) + self.format.exponent_bits)
        return self.format.bias if self.format.is_float else -self.emin

    @property
    def exponents(self) -> tuple[int, int]:
        """Least and greatest of the exponents that `unpack` gives."""
        f = self.format
        if not f.is_float:
            return 0, 0
        if f.is_posit:
            most = (f.bits - 2) << f.exponent_bits
            return self.bias - most, self.bias + most
        return lowest_exponent(f), (1 << f.exponent_bits) - 1

    @property
    def weights(self) -> tuple[int, int]:
        """Least and greatest weight of the significand's msb."""
        low, high = self.exponents
        return low - self.bias, high - self.bias

    @property
    def can_be_normal(self) -> bool:
        return self.format.is_float

    @property
    def is_normal(self) -> bool:
        """Whether the msb of a significand is a one, unless all of it is zero."""
        f = self.format
        return f.is_posit or (f.is_float and (f.hidden_always or self.daz))

    def unpack(self, m: Module, name: str, code: Value) -> Raw:
        """Split a code into its fields and classes."""
        unpacks = {"float": _unpack_float, "int": _unpack_integer, "posit": _unpack_posit}
        return unpacks[self.format.kind](m, name, code, self)


def lowest_exponent(f: Format) -> int:
    """The biased exponent of a float's lowest binade."""
    return 0 if f.hidden_always else 1


def unpack(m: Module, name: str, code: Value, f: Format) -> Raw:
    """Split a code of a format into its fields and classes."""
    return Operand(f).unpack(m, name, code)


def _unpack_float(m: Module, name: str, code: Value, operand: Operand) -> Raw:
    f = operand.format
    codes = Specials(f)
    t = code[: f.fraction_bits]
    field = code[f.fraction_bits : f.fraction_bits + f.exponent_bits]
    mag = code[: f.fraction_bits + f.exponent_bits]
    sign = code[codes.code_bits - 1] if f.signed else Const(0, 1)
    if f.hidden_always:
        hidden: Value = Const(1, 1)
        exponent = field
        zero: Value = Const(0, 1)
    else:
        hidden = wire(m, f"{name}_normal", field.any())
        exponent = Cat(field[0] | ~hidden, field[1:])
        zero = ~hidden if operand.daz or not f.fraction_bits else ~hidden & ~t.any()
    nan: Value = Const(0, 1)
    signaling: Value = Const(0, 1)
    if f.nan == "ieee":
        nan = field.all() & t.any()
        signaling = nan & ~t[-1]
    elif f.nan == "all_ones":
        nan = mag.all()
    elif f.nan == "negative_zero":
        nan = sign & ~mag.any()
        zero = zero & ~(nan if operand.daz else sign)
    inf = mag == Const(codes.infinity, len(mag)) if f.infinity else Const(0, 1)
    special = field.all() if f.nan == "ieee" and f.infinity else inf
    if operand.daz:
        t = t & hidden.replicate(len(t))
    return Raw(
        sign=wire(m, f"{name}_sign", sign),
        exponent=wire(m, f"{name}_exponent", exponent),
        significand=wire(m, f"{name}_significand", Cat(t, hidden)),
        nan=wire(m, f"{name}_nan", nan),
        inf=wire(m, f"{name}_inf", inf),
        zero=wire(m, f"{name}_zero", zero),
        special=wire(m, f"{name}_special", special),
        signaling=signaling,
    )


def _unpack_integer(m: Module, name: str, code: Value, operand: Operand) -> Raw:
    f = operand.format
    sign = wire(m, f"{name}_sign", code[f.bits - 1] if f.signed else Const(0, 1))
    inverted = code ^ sign.replicate(f.bits) if f.signed else code
    return Raw(
        sign=sign,
        exponent=Const(0, 1),
        significand=wire(m, f"{name}_magnitude", inverted + sign, f.bits),
        nan=Const(0, 1),
        inf=Const(0, 1),
        zero=wire(m, f"{name}_zero", ~code.any()),
        special=Const(0, 1),
        signaling=Const(0, 1),
    )


def _unpack_posit(m: Module, name: str, code: Value, operand: Operand) -> Raw:
    """Negate, count the run of the regime, and shift regime and the bit that ends it out.

    The exponent of a zero, of which the significand has no ones, is the lowest one.
    """
    f = operand.format
    n = f.bits - 1
    sign = wire(m, f"{name}_sign", code[n])
    some = wire(m, f"{name}_some", code[:n].any())
    negated = (code[:n] ^ sign.replicate(n)) + sign
    magnitude = wire(m, f"{name}_magnitude", negated[:n], n)
    ones = magnitude[-1]
    # What follows the first bit of the run, and differs from it; after a run of zeros there is a
    # one at least at the lsb, and a run of ones ends below it.
    differs = magnitude[1:-1] ^ ones.replicate(n - 2)
    ends = Cat(Const(1, 1), ~(ones & magnitude[0]), differs)
    run = leading_zeros(m, f"{name}_run", wire(m, f"{name}_run_ends", ends))
    run = run[: _run_bits(f)]
    rest = magnitude[: n - 2]
    room = f.exponent_bits + f.fraction_bits
    rest = Cat(Const(0, room - len(rest)), rest) if room > len(rest) else rest
    fields: Value = rest
    if len(rest):
        fields, _ = shift_left(m, f"{name}_fields", rest, run, len(rest))
    fraction, exponent = fields[: f.fraction_bits], fields[f.fraction_bits : room]
    scale = Cat(exponent, run ^ ~ones.replicate(len(run)), ones)
    return Raw(
        sign=sign,
        exponent=wire(m, f"{name}_exponent", scale),
        significand=wire(m, f"{name}_significand", Cat(fraction, some)),
        nan=wire(m, f"{name}_nan", sign & ~some),
        inf=Const(0, 1),
        zero=wire(m, f"{name}_zero", ~sign & ~some),
        special=Const(0, 1),
        signaling=Const(0, 1),
    )


def _run_bits(f: Format) -> int:
    """Bits of a posit's run, counted behind its first bit."""
    return (f.bits - 2).bit_length()


def exponent_bits(highest: int) -> int:
    """Width of a non-negative exponent that is at most `highest`."""
    return max(1, highest.bit_length())


def signed_exponent(lowest: int, highest: int) -> Shape:
    """Shape of a signed exponent in this range."""
    widest = max((~lowest if lowest < 0 else lowest).bit_length(), highest.bit_length())
    return Shape(widest + 1, signed=True)
