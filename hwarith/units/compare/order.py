"""Hardware that tells which of two codes is less: an unsigned comparison of the codes.

The magnitudes of a floating-point format are ordered as their codes are (IEEE 754-2019, 3.4), so
that nothing needs to be taken apart but the sign. Operands of formats that have other codes for
the same values become codes of a format that has all of them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Value

from ... import rtl
from ...formats import Format, fixed_point
from ...rtl import Operand, wire
from ...rtl.integers import as_integer
from ..convert import Convert


class Order(NamedTuple):
    """How two codes compare, if neither is NaN; -0 is less than +0.

    Of two negative floats with the same code `less` may say anything.
    """

    less: Value
    same: Value


def ordered(f: Format) -> Format:
    """The format by whose values codes are compared: of a posit the fraction, from -1 to below 1,
    that its code is in two's complement, which of posits of as many exponent bits is ordered like
    their values; NaR, -1, is less than all (Posit Standard 2022, 5.2)."""
    return fixed_point(f.bits, 1 - f.bits) if f.is_posit else f


def are_ordered(a: Format, b: Format) -> bool:
    """Whether codes of two formats, padded to one width, are ordered as their values are."""
    if a == b:
        return True
    if a.is_float and b.is_float:
        layouts = [(f.exponent_bits, f.bias, f.infinity, f.nan, f.hidden_always) for f in (a, b)]
        # P3109's infinity is the last magnitude: other ones of more fraction bits lie above it.
        return layouts[0] == layouts[1] and (a.nan == "ieee" or not a.infinity)
    return (a.kind, a.exponent) == (b.kind, b.exponent)


def common_format(*formats: Format) -> Format:
    """A float format that has every value of these, and infinities."""
    fraction = max(1, *(f.precision - 1 for f in formats))
    emin = min(Operand(f).lsb for f in formats) + fraction
    emax = max(math.floor(max(f.max, -f.min)).bit_length() for f in formats)
    exponent_bits = max(2, (max(emax - emin, 0) + 3).bit_length())
    bits = 1 + exponent_bits + fraction
    return Format(
        "common", "float", bits, exponent_bits, fraction, 1 - emin, infinity=True, nan="ieee"
    )


def widened(m: Module, code: Value, f: Format, common: Format) -> Value:
    """A code as one of a format that has all values of its own."""
    return rtl.run_steps(m, Convert(a=f, out=common).datapath(), {"a": code})["y"]


def compare_codes(m: Module, a: Value, b: Value, fa: Format, fb: Format) -> Order:
    """Compare two codes of comparable formats."""
    if not fa.is_float:
        # The sign bit inverted makes an unsigned number that is ordered like the signed one.
        width = max(f.bits + (not f.signed and fa.signed != fb.signed) for f in (fa, fb))
        flip = Const((fa.signed or fb.signed) << (width - 1), width)
        keys = [as_integer(code, f) | Const(0, width) for code, f in ((a, fa), (b, fb))]
        return _compare_unsigned(m, *(key[:width] ^ flip for key in keys))
    fraction = max(fa.fraction_bits, fb.fraction_bits)
    signs = [_sign(code, f) for code, f in ((a, fa), (b, fb))]
    keys = [
        Cat(
            Const(0, fraction - f.fraction_bits),
            code[: f.fraction_bits + f.exponent_bits],
            sign,
        )
        for code, f, sign in zip((a, b), (fa, fb), signs, strict=True)
    ]
    order = _compare_unsigned(m, *keys)
    # Codes with a sign are above all others, and the greater the more negative.
    return Order(wire(m, "less", order.less ^ (signs[0] | signs[1])), order.same)


def compare_magnitudes(m: Module, a: Value, b: Value, f: Format) -> Order:
    """Compare two codes of a signed float by their magnitudes, and if these are equal by sign."""
    top = f.bits - f.ignored_bits - 1
    order = _compare_unsigned(m, a[:top], b[:top])
    return Order(wire(m, "less", order.less | (order.same & a[top])), order.same)


def _sign(code: Value, f: Format) -> Value:
    return code[f.bits - f.ignored_bits - 1] if f.signed else Const(0, 1)


def _compare_unsigned(m: Module, a: Value, b: Value) -> Order:
    """Compare unsigned numbers of one width."""
    below, within = rtl.compare(m, "order", b, a)
    return Order(wire(m, "below", below), wire(m, "same", within & ~below))
