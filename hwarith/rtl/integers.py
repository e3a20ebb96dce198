"""Integer results: wrap or clamp an exact integer into its format."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Shape, Value

from ..formats import Format
from .wires import wire


def as_integer(code: Value, f: Format) -> Value:
    """A code as the signed or unsigned integer that it means."""
    return code.as_signed() if f.signed else code


def in_finer_units(x: Value, places: int) -> Value:
    """An integer times 2^places."""
    return x.shift_left(places) if places else x


def negated_if(x: Value, negate: Value) -> Value:
    """An integer, or its negative."""
    if isinstance(negate, Const):
        return -x if negate.value else x
    return Mux(negate, -x, x)


def integer_range(f: Format) -> tuple[int, int]:
    """The least and the greatest integer that a format gives, in units of its lsb."""
    if not f.signed:
        return 0, (1 << f.bits) - 1
    highest = (1 << (f.bits - 1)) - 1
    return -highest - (not f.symmetric), highest


def fit_integer(m: Module, x: Value, out: Format, overflow: str) -> Value:
    """An exact integer as a code of `out`: its low bits (``wrap``), or clamped (``saturate``)."""
    bits, signed = out.bits, out.signed
    extended = wire(m, "exact", x, Shape(max(len(x), bits) + 1, signed=True))
    if overflow == "wrap":
        return extended[:bits]
    low, high = integer_range(out)
    # In range while every bit above the result's is the sign (or zero, for unsigned results).
    above = extended[bits - 1 :] if signed else extended[bits:]
    sign = extended[-1]
    fits = wire(m, "fits", ~above.any() | (above.all() if signed else 0))
    if out.symmetric:
        fits = fits & (extended[:bits] != 1 << (bits - 1))
    limit = Mux(sign, Const(low % (1 << bits), bits), Const(high, bits))
    return Mux(fits, extended[:bits], limit)
