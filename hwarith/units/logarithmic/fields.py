"""Hardware of the logarithmic units: classes of operands, sums of fields, range test, pack."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ...formats import Format
from ...formats import rounding as r
from .. import rtl
from ..rtl import Step, Values, wire
from ..rtl.floats import exceeds
from .golden import Rules, infinite, one, overflow


def product(f: Format, rules: Rules, drop: int = 0, nearest: bool = False) -> list[Step]:
    """L-Mul and PAM; operands lose `drop` bits of their fractions."""
    n = f.numbers

    def unpack(m: Module, x: Values) -> Values:
        a, b = (_Operand(m, name, x[name], f, rules) for name in "ab")
        inf = wire(m, "inf", a.inf | b.inf)
        flushed = wire(m, "flushed", a.zero | b.zero)
        return {
            "sign": wire(m, "sign", a.sign ^ b.sign),
            "nan": wire(m, "nan", a.nan | b.nan | (inf & flushed)),
            "infinite": inf,
            "zero": flushed,
            "a": _reduced(m, "a_field", a.field, drop, nearest),
            "b": _reduced(m, "b_field", b.field, drop, nearest),
        }

    def add(m: Module, x: Values) -> Values:
        constant = rules.ofs - one(n)
        # What the constant has below the operands' lsb passes by the adder.
        total = _sum(m, x["a"], x["b"], constant >> drop, f.bits - 1 - drop)
        t = Cat(Const(constant % (1 << drop), drop), total["t"])
        return _others(x) | total | {"t": t}

    return [unpack, add, _pack(f, rules)]


def quotient(f: Format, rules: Rules) -> list[Step]:
    """PAD."""
    n = f.numbers

    def unpack(m: Module, x: Values) -> Values:
        a, b = (_Operand(m, name, x[name], f, rules) for name in "ab")
        return {
            "sign": wire(m, "sign", a.sign ^ b.sign),
            "nan": wire(m, "nan", a.nan | b.nan | (a.inf & b.inf) | (a.zero & b.zero)),
            "infinite": wire(m, "infinite", a.inf | b.zero),
            "zero": wire(m, "zero", b.inf | a.zero),
            "a": a.field,
            "b": b.field,
        }

    def subtract(m: Module, x: Values) -> Values:
        # The inverse of b is 2^(its width) - 1 - b.
        constant = one(n) - rules.ofs + 1 - (1 << (f.bits - 1))
        return _others(x) | _sum(m, x["a"], wire(m, "inverse", ~x["b"]), constant, f.bits - 1)

    return [unpack, subtract, _pack(f, rules)]


# -- parts ---------------------------------------------------------------------------------------


class _Operand:
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


def _others(x: Values) -> Values:
    return {name: x[name] for name in ("sign", "nan", "infinite", "zero")}


def _reduced(m: Module, name: str, field: Value, drop: int, nearest: bool) -> Value:
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


def _sum(m: Module, a: Value, b: Value, constant: int, width: int) -> Values:
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
    """Where a sum lies by its upper bits, to which `high` is added: in the ``low_half`` of the fields or
    below, and if so ``negative``; else ``beyond`` the fields, if its ``msb`` is set or it is ``far``
    beyond. (How this is put decides on a tenth of all gates of a unit.)
    """
    low_half = ~exceeds(upper, -high)
    if high == -1:  # 0 is negative, 1 and 2 are the halves, 3 and 4 are beyond
        return {"low_half": low_half, "negative": ~upper[0], "msb": upper[1],
                "beyond": upper[0], "far": upper[2:].any()}  # fmt: skip
    beyond = exceeds(upper, 1 - high)
    return {"low_half": low_half, "negative": ~exceeds(upper, -high - 1),
            "msb": upper[0] ^ (high & 1), "beyond": beyond, "far": beyond}  # fmt: skip


def _increased(m: Module, name: str, x: Value, constant: int) -> Value:
    """`x` and a constant of no more bits, with the carry out on top: a half adder a bit."""
    carry: Value = Const(0, 1)
    bits: list[Value] = []
    for i, bit in enumerate(x):
        is_one = constant >> i & 1
        bits.append(wire(m, f"{name}_bit{i}", ~(bit ^ carry) if is_one else bit ^ carry))
        carry = wire(m, f"{name}_carry{i}", bit | carry if is_one else bit & carry)
    return Cat(*bits, carry)


def _ripple(m: Module, name: str, a: Value, b: Value) -> Value:
    """`a` + `b`, where `b` has one bit more, with the carry out on top: a full adder a bit."""
    carry: Value = Const(0, 1)
    bits: list[Value] = []
    for i, (x, y) in enumerate(zip(Cat(a, Const(0, 1)), b, strict=True)):
        half = wire(m, f"{name}_half{i}", x ^ y)
        bits.append(wire(m, f"{name}_bit{i}", half ^ carry))
        carry = wire(m, f"{name}_carry{i}", (x & y) | (half & carry))
    return Cat(*bits, carry)


def _pack(f: Format, rules: Rules) -> Step:
    """The code of a field, if it is in range."""
    n = f.numbers
    mag_bits = f.bits - 1

    def pack(m: Module, x: Values) -> Values:
        t, sign = x["t"], x["sign"]
        exponent, half = t[f.fraction_bits : -1], 1 << (mag_bits - 1)
        below = wire(m, "below", x["low_half"] & (x["negative"] | ~exponent.any()))
        zero = wire(m, "is_zero", x["zero"] | below)
        largest = exceeds(t[:-1], n.max_mag - half)
        above = wire(m, "above", x["far"] | (t[-1] & (x["beyond"] | largest)))
        too_big = overflow(0, n, rules)
        # A NaN for an overflow has no sign.
        kept = wire(m, "kept_sign", sign if too_big != n.nan_code else sign & ~above)
        zero_sign = Const(0, 1) if rules.zero_pos or not n.negative_zero else sign
        mag = Mux(above, Const(too_big & n.mag_mask, mag_bits), t) & ~zero.replicate(mag_bits)
        code: Value = Cat(mag, Mux(zero, zero_sign, kept))
        if rules.specials:
            infinity = infinite(0, n, rules)
            inf_sign = sign if infinity != n.nan_code else Const(0, 1)
            code = Mux(x["infinite"], Cat(Const(infinity & n.mag_mask, mag_bits), inf_sign), code)
            code = Mux(x["nan"], Const(r.pack_nan(n), f.bits), code)
        return {"y": wire(m, "code", code, f.bits)}

    return pack
