"""What the hardware of the logarithmic units is made of: operands, sums of fields, and the code of
a sum that is in range."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format
from ...rtl import Step, Values, wire
from ...rtl.floats import Specials
from ...rtl.logic import exceeds
from .definitions import Rules


def signed_place(m: Module, total: Value, f: Format) -> Values:
    """What `sum_of_fields` gives, of a signed number with more bits than a field has."""
    width = f.bits - 1
    negative = total[-1]
    beyond = wire(m, "beyond", ~negative & total[width:-1].any())
    return {
        "t": total[:width],
        "negative": negative,
        "beyond": beyond,
        "far": beyond,
        "low_half": negative | (~beyond & ~total[width - 1]),
    }


def choose_special(
    f: Format, rules: Rules, finite: Value, nan: Value, inf: Value, negative: Value
) -> Value:
    """NaN, or infinity of a sign, or else what is finite."""
    if not rules.specials:
        return finite
    plus, minus = (Const(_infinite(s, f, rules), f.bits) for s in (0, 1))
    number = Mux(inf, Mux(negative, minus, plus), finite)
    return Mux(nan, Const(Specials(f).nan_result, f.bits), number)


def _overflow(sign: int, f: Format, rules: Rules) -> int:
    """The code of a result beyond the largest value."""
    codes = Specials(f)
    return codes.extreme(sign) if rules.saturate else codes.infinite(sign, "nosat")


def _infinite(sign: int, f: Format, rules: Rules) -> int:
    """The code of an infinite result: what an overflow is in formats without infinity."""
    codes = Specials(f)
    held = codes.infinity is not None
    return codes.infinite(sign, "nosat") if held else _overflow(sign, f, rules)


def one(f: Format) -> int:
    """The field of 1."""
    return f.bias << f.fraction_bits


def zero_sign(sign: Value, f: Format, rules: Rules) -> Value:
    """The sign of a result that is zero."""
    return Const(0, 1) if rules.zero_pos or not f.has_negative_zero else sign


class FieldOperand:
    """Field and classes of an operand; of numbers alone where special values are not looked for."""

    def __init__(self, m: Module, name: str, code: Value, f: Format, rules: Rules):
        raw = rtl.Operand(f, daz=True).unpack(m, name, code)
        none = Const(0, 1)
        self.sign: Value = raw.sign
        self.field = wire(m, f"{name}_magnitude", code[: f.bits - 1])
        self.zero = wire(m, f"{name}_zero", ~raw.significand[-1])
        self.nan: Value = raw.nan if rules.specials else none
        self.inf: Value = raw.inf if rules.specials else none
        self.special: Value = self.nan | self.inf


def sign_and_classes(x: Values) -> Values:
    """What a step between unpacking and `pack_field` hands on: sign and classes of the result."""
    return {name: x[name] for name in ("sign", "nan", "infinite", "zero")}


def reduced(m: Module, name: str, field: Value, drop: int, nearest: bool) -> Value:
    """The field without the low fraction bits, rounded to nearest even or truncated."""
    kept = field[drop:]
    if not nearest or drop == 0:
        return wire(m, name, kept)
    below_half = field[: drop - 1].any() if drop > 1 else Const(0, 1)
    up = field[drop - 1] & (below_half | kept[0])
    return wire(m, name, kept + up, len(kept) + 1)


RIPPLE_BITS = 16
"""Up to this many bits a sum of fields ripples: the constant first, through one of the fields,
then the sum of both. Wider ones are saved first and added in blocks."""


def sum_of_fields(m: Module, a: Value, b: Value, constant: int, width: int) -> Values:
    """The sum of two fields and a constant: ``t``, of a field's width, and its `_place`.

    What the constant has at the field's msb and above is left to the latter: a few gates, in place
    of more full adders.
    """
    low, high = constant % (1 << (width - 1)), constant >> (width - 1)
    if len(a) <= RIPPLE_BITS:
        addend = _increased(m, "constant", b, low)
        total = _ripple(m, "sum", a, addend)
    else:
        columns = rtl.Columns(m, "sum", len(a) + 2)
        columns.add_integer(a)
        columns.add_integer(b)
        columns.add_constant(low)
        saved, carries, _ = columns.compress()
        total = rtl.add(m, "sum", saved, carries)[:-1]
    place = _place(total[width - 1 :], high)
    return place | {
        "t": Cat(total[: width - 1], wire(m, "msb", place["msb"])),
        "low_half": wire(m, "low_half", place["low_half"]),
    }


def _place(upper: Value, high: int) -> Values:
    """Where a sum lies by its upper bits, to which `high` is added: in the ``low_half`` of the
    fields or below, and if so ``negative``; else ``beyond`` the fields, if its ``msb`` is set or it
    is ``far`` beyond. (How this is put decides on a tenth of all gates of a unit.)
    """
    low_half = ~exceeds(upper, -high)
    if high == -1:  # 0 is negative, 1 and 2 are the halves, 3 and 4 are beyond
        return {
            "low_half": low_half,
            "negative": ~upper[0],
            "msb": upper[1],
            "beyond": upper[0],
            "far": upper[2:].any(),
        }
    beyond = exceeds(upper, 1 - high)
    return {
        "low_half": low_half,
        "negative": ~exceeds(upper, -high - 1),
        "msb": upper[0] ^ (high & 1),
        "beyond": beyond,
        "far": beyond,
    }


def _increased(m: Module, name: str, x: Value, constant: int) -> Value:
    """`x` and a constant of no more bits, with the carry out on top. Of a plain sum synthesizers
    make something smaller than of half adders one by one."""
    return wire(m, name, x + constant, len(x) + 1)


def _ripple(m: Module, name: str, a: Value, b: Value) -> Value:
    """`a` + `b`, where `b` has one bit more, with the carry out on top: a full adder a bit."""
    a = Cat(a, Const(0, 1))
    half = wire(m, f"{name}_half", a ^ b)
    both = wire(m, f"{name}_both", a & b)
    carries: list[Value] = [Const(0, 1)]
    for i in range(len(b)):
        carries.append(wire(m, f"{name}_carry{i}", both[i] | (half[i] & carries[i])))
    return wire(m, name, Cat(half, Const(0, 1)) ^ Cat(*carries))


def pack_field(f: Format, rules: Rules) -> Step:
    """The code of a field, if it is in range."""
    mag_bits, codes = f.bits - 1, Specials(f)
    too_big = _overflow(0, f, rules)

    def pack(m: Module, x: Values) -> Values:
        """The code of the field, or that of overflow, underflow, infinity or NaN."""
        t, sign = x["t"], x["sign"]
        exponent, half = t[f.fraction_bits : -1], 1 << (mag_bits - 1)
        below = wire(m, "below", x["low_half"] & (x["negative"] | ~exponent.any()))
        zero = wire(m, "is_zero", x["zero"] | below)
        largest = exceeds(t[:-1], codes.largest - half)
        above = wire(m, "above", x["far"] | (t[-1] & (x["beyond"] | largest)))
        # A NaN for an overflow has no sign.
        kept = wire(m, "kept_sign", sign if too_big != codes.nan else sign & ~above)
        mag = Mux(above, Const(too_big % (1 << mag_bits), mag_bits), t) & ~zero.replicate(mag_bits)
        code: Value = Cat(mag, Mux(zero, zero_sign(sign, f, rules), kept))
        if rules.specials:
            code = choose_special(f, rules, code, x["nan"], x["infinite"], sign)
        return {"y": wire(m, "code", code, f.bits)}

    return pack
