"""Floating-point unpack, and the one rounder that all units share: normalize, round, pack.

Exponents in a datapath are relative to the smallest normal exponent of the result format, so
that 0 is the lowest binade and a negative one calls for a right shift. A significand of width W
has its msb at the weight of the exponent: value = significand / 2^(W-1) * 2^(emin + exponent).
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value

from ...formats import Format
from ...formats import rounding as golden
from .logic import Values, leading_zeros, shift_left, shift_right_jam, wire


@dataclass(frozen=True)
class Raw:
    """An unpacked operand. The significand has the hidden bit on top (0 for subnormals)."""

    sign: Value
    exponent: Value  # biased, 1 in the lowest binade (0 for formats without subnormals)
    significand: Value
    nan: Value
    inf: Value
    zero: Value


def unpack(m: Module, name: str, code: Value, f: Format) -> Raw:
    """Split a code into its fields and classes."""
    n = f.numbers
    t = code[: f.fraction_bits]
    field = code[f.fraction_bits : f.fraction_bits + f.exponent_bits]
    mag = code[: f.fraction_bits + f.exponent_bits]
    sign = code[n.bits - 1] if f.signed else Const(0, 1)
    if f.hidden_always:
        hidden: Value = Const(1, 1)
        exponent = field
        zero: Value = Const(0, 1)
    else:
        hidden = wire(m, f"{name}_normal", field.any())
        exponent = Cat(field[0] | ~hidden, field[1:])
        zero = ~hidden & ~t.any() if f.fraction_bits else ~hidden
    nan: Value = Const(0, 1)
    if f.nan == "ieee":
        nan = field.all() & t.any()
    elif f.nan == "all_ones":
        nan = mag.all()
    elif f.nan == "negative_zero":
        nan = sign & ~mag.any()
        zero = zero & ~sign
    inf = mag == Const(n.inf_mag, len(mag)) if f.infinity else Const(0, 1)
    return Raw(
        sign=wire(m, f"{name}_sign", sign),
        exponent=wire(m, f"{name}_exponent", exponent),
        significand=wire(m, f"{name}_significand", Cat(t, hidden)),
        nan=wire(m, f"{name}_nan", nan),
        inf=wire(m, f"{name}_inf", inf),
        zero=wire(m, f"{name}_zero", zero),
    )


def exponent_range(f: Format) -> tuple[int, int]:
    """Least and greatest of the exponents that `unpack` gives."""
    return (0 if f.hidden_always else 1), (1 << f.exponent_bits) - 1


def round_and_pack(out: Format, mode: str, overflow: str, exponent_range: tuple[int, int]) -> list:
    """The shared rounder, as three steps: normalize, round, pack.

    They take ``sign``, ``exponent`` (within `exponent_range`), ``significand`` (its lsb may be
    sticky), ``nan`` and ``inf``, and give the code ``y``.
    """
    lowest, highest = exponent_range

    def normalize(m: Module, x: Values) -> Values:
        """Shift the leading one to the top, but not below the lowest binade."""
        significand, exponent = x["significand"], x["exponent"]
        zeros = leading_zeros(m, "leading_zeros", significand)
        limited = wire(m, "subnormal", exponent < zeros)
        below = wire(m, "below_lowest_binade", exponent < 0) if lowest < 0 else Const(0, 1)
        left = wire(
            m, "normalize_left",
            Mux(below, 0, Mux(limited, exponent[: len(zeros)], zeros)), len(zeros),
        )  # fmt: skip
        normalized = shift_left(m, "normalized", significand, left)
        if lowest < 0:
            normalized = _shift_below(m, normalized, exponent, below, out, lowest)
        top = exponent_bits(highest)
        return {
            "sign": x["sign"], "nan": x["nan"], "inf": x["inf"],
            "zero": wire(m, "zero", ~significand.any()),
            "significand": normalized,
            "exponent": wire(
                m, "normalized_exponent",
                Mux(limited, 0, (exponent - zeros)[: top]), top,
            ),
        }  # fmt: skip

    def round_(m: Module, x: Values) -> Values:
        """Round at the result's lsb. A carry out of the significand is the next binade."""
        precision = out.precision
        significand = x["significand"]
        missing = precision + 2 - len(significand)
        if missing > 0:
            significand = Cat(Const(0, missing), significand)
        hidden = significand[-1]
        fraction = significand[-precision:-1]
        guard = wire(m, "guard", significand[-precision - 1])
        sticky = wire(m, "sticky", significand[: -precision - 1].any())
        if out.hidden_always:
            field = x["exponent"]
        else:
            field = (x["exponent"] + hidden)[: len(x["exponent"]) + 1]
        mag = wire(m, "truncated", Cat(fraction, field))
        up = wire(m, "round_up", _round_up(mode, x["sign"], mag[0], guard, sticky))
        if out.hidden_always:
            up = up & hidden
        mag = wire(m, "rounded", mag + up, len(mag) + 1)
        return {name: x[name] for name in ("sign", "nan", "inf", "zero")} | {"mag": mag}

    def pack(m: Module, x: Values) -> Values:
        """Choose between the rounded value, zero, overflow, infinity and NaN."""
        return {"y": _pack(m, x, out, mode, overflow)}

    return [normalize, round_, pack]


def exponent_bits(highest: int) -> int:
    """Width of a non-negative exponent that is at most `highest`."""
    return max(1, highest.bit_length())


def signed_exponent(lowest: int, highest: int) -> Shape:
    """Shape of a signed exponent in this range."""
    return Shape(max((~lowest if lowest < 0 else lowest).bit_length(), highest.bit_length()) + 1,
                 signed=True)  # fmt: skip


def _shift_below(
    m: Module, significand: Value, exponent: Value, below: Value, out: Format, lowest: int
) -> Value:
    """Right shift into the lowest binade; farther than the rounder can see it is all sticky."""
    farthest = min(-lowest, out.precision + 1)
    amount = wire(m, "distance_below", -exponent, exponent_bits(-lowest) + 1)
    far = amount > farthest
    width = exponent_bits(farthest)
    right = wire(
        m, "denormalize_right",
        Mux(below, Mux(far, Const(farthest, width), amount[:width]), 0), width,
    )  # fmt: skip
    missing = max(0, out.precision + 2 - len(significand))
    if missing:
        significand = wire(m, "widened", Cat(Const(0, missing), significand))
    return shift_right_jam(m, "denormalized", significand, right)


def _round_up(mode: str, sign: Value, lsb: Value, guard: Value, sticky: Value) -> Value:
    if mode == "rne":
        return guard & (sticky | lsb)
    if mode == "rna":
        return guard
    inexact = guard | sticky
    return {
        "rtz": Const(0, 1),
        "rup": inexact & ~sign,
        "rdn": inexact & sign,
        "rto": inexact & ~lsb,
    }[mode]


def _pack(m: Module, x: Values, out: Format, mode: str, overflow: str) -> Value:
    n = out.numbers
    sign, mag = x["sign"], x["mag"]
    bits = out.bits
    mag_bits = out.fraction_bits + out.exponent_bits
    policy = int(golden.overflow(overflow))
    rounding = int(golden.rounding(mode))

    def by_sign(codes: tuple[int, int]) -> Value:
        positive, negative = (Const(code, bits) for code in codes)
        return positive if codes[0] == codes[1] else Mux(sign, negative, positive)

    too_big = wire(m, "overflow", mag > Const(n.max_mag, mag_bits))
    finite = _finite(m, x, out, policy)
    overflowed = by_sign(tuple(golden.pack_overflow(s, n, rounding, policy) for s in (0, 1)))
    infinite = by_sign(tuple(golden.pack_infinity(s, n, policy) for s in (0, 1)))
    zero = by_sign(tuple(golden.pack_zero(s, n, policy) for s in (0, 1)))
    ordinary = Mux(x["zero"], zero, Mux(too_big, overflowed, finite))
    special = Mux(x["nan"], Const(golden.pack_nan(n), bits), infinite)
    return wire(m, "code", Mux(x["nan"] | x["inf"], special, ordinary), bits)


def _finite(m: Module, x: Values, out: Format, policy: int) -> Value:
    """A rounded magnitude in range, with its sign where the format has one."""
    n = out.numbers
    mag_bits = out.fraction_bits + out.exponent_bits
    mag = Cat(x["mag"], Const(0, max(0, mag_bits - len(x["mag"]))))[:mag_bits]
    if out.signed:
        sign = x["sign"] if out.has_negative_zero else x["sign"] & mag.any()
        return Cat(mag, sign)
    below = golden.pack_unsigned(1, 1, n, policy)
    negative = x["sign"] & (mag.any() | int(out.hidden_always))
    code = Mux(negative, Const(below, mag_bits), mag)
    return Cat(code, Const(0, out.bits - mag_bits))
