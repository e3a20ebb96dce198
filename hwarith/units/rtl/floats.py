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
from .adders import increment
from .logic import Values, leading_zeros, one_hot, shift_left, wire


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


def round_and_pack(out: Format, mode: str, overflow: str, exponents: tuple[int, int]) -> list:
    """The shared rounder, as three steps: normalize, round, pack.

    They take ``sign``, ``exponent`` (in the range `exponents`), ``significand``, ``nan`` and
    ``inf``, and give the code ``y``. More may be given: ``sticky``, that the value is a little
    more than the significand says; ``plus_one``, that it is one more (which is left to do when a
    negative sum was inverted, and is done in rounding); ``difference``, that a zero is +0, or -0
    when rounding down.
    """
    lowest, highest = exponents

    def normalize(m: Module, x: Values) -> Values:
        """Shift the leading one to the top, but not below the lowest binade."""
        # With zeros in front, even the lowest exponent calls for a left shift.
        front = zeros_in_front(out, lowest)
        significand = Cat(x["significand"], Const(0, front))
        width = len(significand)
        exponent = x["exponent"] + front
        # A one where the lowest binade begins ends the count of leading zeros there.
        begins = one_hot(
            exponent[: exponent_bits(highest + front)], min(width, highest + front + 1)
        )
        if lowest + front < 0:
            begins[0] = begins[0] | (exponent < 0)
        begins_at = Cat(Const(0, width - len(begins)), *reversed(begins))
        marked = wire(m, "marked", significand | begins_at)
        return normalized(
            m, out, x, significand, leading_zeros(m, "shift", marked), exponent, highest + front
        )

    return [normalize, *round_normalized(out, mode, overflow)]


def zeros_in_front(out: Format, lowest: int) -> int:
    """Zeros to put in front of a significand, whose least exponent is `lowest`, so that it is
    never shifted right: what lies farther below the lowest binade is sticky anyway."""
    return max(0, min(-lowest, out.precision + 1))


def normalized(
    m: Module,
    out: Format,
    x: Values,
    significand: Value,
    shift: Value,
    exponent: Value,
    highest: int,
) -> Values:
    """Shift a significand left; what is kept is the result's precision and a guard bit."""
    plus_one = x.get("plus_one", Const(0, 1))
    kept, some, every = shift_left(
        m, "normalized", significand, shift, out.precision + 1, fill=plus_one
    )
    sticky = Mux(plus_one, ~every, some) | x.get("sticky", Const(0, 1))
    bits = exponent_bits(highest + 1)
    return {
        "sign": x["sign"], "nan": x["nan"], "inf": x["inf"],
        "kept": wire(m, "kept", kept),
        "sticky": wire(m, "sticky", sticky),
        "carry": wire(m, "carry_from_below", plus_one & every),
        "exponent": wire(
            m, "normalized_exponent", (exponent - shift + (not out.hidden_always))[:bits], bits
        ),
        "difference": x.get("difference", Const(0, 1)),
    }  # fmt: skip


def round_normalized(out: Format, mode: str, overflow: str) -> list:
    """The rounder behind the normalizer, as two steps: round, pack."""

    def round_(m: Module, x: Values) -> Values:
        """Round at the result's lsb. A carry out of the significand is the next binade."""
        hidden = x["kept"][-1]
        fraction = x["kept"][1:-1]
        guard = wire(m, "guard", x["kept"][0] ^ x["carry"])
        carry = wire(m, "carry", x["kept"][0] & x["carry"])
        field = x["exponent"] & hidden.replicate(len(x["exponent"]))
        mag = wire(m, "truncated", Cat(fraction, field))
        up = carry | _round_up(mode, x["sign"], mag[0], guard, x["sticky"])
        if out.hidden_always:
            up = up & hidden
        up = wire(m, "round_up", up)
        most = out.numbers.max_mag
        too_big = exceeds(mag, most) | ((mag == most) & up)
        bits = out.fraction_bits + out.exponent_bits
        exactly_zero = ~x["kept"].any() & ~x["sticky"] & ~x["carry"]
        cancelled = x["difference"] & exactly_zero
        values: Values = {name: x[name] for name in ("nan", "inf")}
        values["sign"] = wire(m, "signed", Mux(cancelled, int(mode == "rdn"), x["sign"]), 1)
        values["overflow"] = wire(m, "overflow", too_big)
        values["mag"] = wire(m, "rounded", _increment(m, mag, up)[:bits], bits)
        if out.hidden_always:
            values["zero"] = wire(m, "zero", exactly_zero)
        return values

    def pack(m: Module, x: Values) -> Values:
        """Choose between the rounded value, overflow, infinity and NaN."""
        return {"y": _pack(m, x, out, mode, overflow)}

    return [round_, pack]


def _increment(m: Module, mag: Value, up: Value) -> Value:
    """Above 16 bits ABC makes more of a plain sum than of an incrementer in blocks."""
    return increment(m, "incremented", mag, up) if len(mag) <= 16 else mag + up


def exceeds(x: Value, constant: int) -> Value:
    """Whether `x` is greater than a constant, without an adder: it has a one where the constant
    has none, and ones where it has ones above."""
    greater: Value = Const(0, 1)
    if constant >> len(x):
        return greater
    for i in range(len(x)):
        greater = x[i] & greater if constant >> i & 1 else x[i] | greater
    return greater


def exponent_bits(highest: int) -> int:
    """Width of a non-negative exponent that is at most `highest`."""
    return max(1, highest.bit_length())


def signed_exponent(lowest: int, highest: int) -> Shape:
    """Shape of a signed exponent in this range."""
    return Shape(max((~lowest if lowest < 0 else lowest).bit_length(), highest.bit_length()) + 1,
                 signed=True)  # fmt: skip


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
    sign = x["sign"]
    bits = out.bits
    policy = int(golden.overflow(overflow))
    rounding = int(golden.rounding(mode))

    def by_sign(codes: tuple[int, int]) -> Value:
        positive, negative = (Const(code, bits) for code in codes)
        return positive if codes[0] == codes[1] else Mux(sign, negative, positive)

    finite = _finite(m, x, out, policy)
    overflowed = by_sign(tuple(golden.pack_overflow(s, n, rounding, policy) for s in (0, 1)))
    infinite = by_sign(tuple(golden.pack_infinity(s, n, policy) for s in (0, 1)))
    if out.hidden_always:
        zero = Const(golden.pack_zero(0, n, policy), bits)
        finite = Mux(x["zero"], zero, finite)
    special = Mux(x["nan"], Const(golden.pack_nan(n), bits), infinite)
    ordinary = Mux(x["overflow"], overflowed, finite)
    return wire(m, "code", Mux(x["nan"] | x["inf"], special, ordinary), bits)


def _finite(m: Module, x: Values, out: Format, policy: int) -> Value:
    """A rounded magnitude in range, with its sign where the format has one."""
    n = out.numbers
    mag_bits = out.fraction_bits + out.exponent_bits
    mag = x["mag"]
    if out.signed:
        sign = x["sign"] if out.has_negative_zero else x["sign"] & mag.any()
        return Cat(mag, sign)
    below = golden.pack_unsigned(1, 1, n, policy)
    negative = x["sign"] & (mag.any() | int(out.hidden_always))
    code = Mux(negative, Const(below, mag_bits), mag)
    return Cat(code, Const(0, out.bits - mag_bits))
