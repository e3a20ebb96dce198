"""Hardware of the logarithmic units: classes of operands, sums of fields, range test, pack."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from ... import rtl
from ...formats import Format
from ...formats import rounding as r
from ...rtl import Step, Values, wire
from ...rtl.logic import exceeds
from ..convert import hardware as conversion
from .definitions import Rules, infinite, one, overflow


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


# -- of one operand ------------------------------------------------------------------------------


def square_root(f: Format, rules: Rules) -> list[Step]:
    """Half the sum of the field and that of one."""

    def halve(m: Module, x: Values) -> Values:
        a = _Operand(m, "a", x["a"], f, rules)
        total = wire(m, "sum", a.field + one(f.numbers), f.bits)
        root = Cat(total[1:], Const(0, 1))
        zero = Cat(Const(0, f.bits - 1), _zero_sign(a.sign, f, rules))
        invalid = a.nan | (a.sign & ~a.zero)
        finite = Mux(a.zero, zero, root)
        return {"y": wire(m, "code", _special(f, rules, finite, invalid, a.inf, Const(0, 1)))}

    return [halve]


def log2(f: Format, rules: Rules, fixed: Format, as_fixed: bool) -> list[Step]:
    """The field less that of one, as it is or as a float."""

    def subtract(m: Module, x: Values) -> Values:
        a = _Operand(m, "a", x["a"], f, rules)
        t = wire(m, "t", a.field - one(f.numbers), fixed.bits)
        invalid = wire(m, "invalid", a.nan | (a.sign & ~a.zero))
        if as_fixed:
            low, high = 1 << (fixed.bits - 1), (1 << (fixed.bits - 1)) - 1
            lowest = invalid | a.zero
            y = Mux(lowest, Const(low, fixed.bits), Mux(a.inf, Const(high, fixed.bits), t))
            return {"y": wire(m, "code", y, fixed.bits)}
        return {"a": t, "invalid": invalid, "infinite": a.inf | a.zero, "below": a.zero}

    def choose(m: Module, x: Values) -> Values:
        y = _special(f, rules, x["y"], x["invalid"], x["infinite"], x["below"])
        return {"y": wire(m, "code", y)}

    if as_fixed:
        return [subtract]
    to_float = conversion.steps(fixed, f, "rne", "saturate", 0)
    return [subtract, *rtl.handing_on(("invalid", "infinite", "below"), to_float), choose]


def exp2(f: Format, rules: Rules, fixed: Format, as_fixed: bool, slope: bool = False) -> list[Step]:
    """The fixed-point operand, or a float made one, as a field; for the slope without its
    fraction."""

    def classify(m: Module, x: Values) -> Values:
        a = _Operand(m, "a", x["a"], f, rules)
        return {
            "a": x["a"], "flushed": a.zero, "no_number": a.special if slope else a.nan,
            "minus_infinity": Const(0, 1) if slope else a.inf & a.sign,
            "plus_infinity": Const(0, 1) if slope else a.inf & ~a.sign,
        }  # fmt: skip

    def add(m: Module, x: Values) -> Values:
        none = Const(0, 1)
        number = x["a"] if as_fixed else x["y"] & ~x["flushed"].replicate(fixed.bits)
        number = wire(m, "number", number, fixed.bits)
        total = wire(m, "sum", number.as_signed() + one(f.numbers), signed(fixed.bits + 1))
        if slope:
            total = Cat(Const(0, f.fraction_bits), total[f.fraction_bits :]).as_signed()
        return {
            "sign": none, "nan": x.get("no_number", none), "zero": x.get("minus_infinity", none),
            "infinite": x.get("plus_infinity", none),
        } | _signed_place(m, total, f)  # fmt: skip

    if as_fixed:
        return [add, _pack(f, rules)]
    to_fixed = conversion.steps(f, fixed, "rne", "saturate", 0)
    names = ("flushed", "no_number", "minus_infinity", "plus_infinity")
    return [classify, *rtl.handing_on(names, to_fixed), add, _pack(f, rules)]


# -- slopes --------------------------------------------------------------------------------------


def slope(op: str, f: Format, rules: Rules, fixed: Format) -> list[Step]:
    """The slope of an operation."""
    if op == "exp2":
        return exp2(f, rules, fixed, as_fixed=False, slope=True)
    if op == "div_b":
        names = ("a_code", "b_code")

        def keep(m: Module, x: Values) -> Values:
            return {"a": x["a"], "b": x["b"], "a_code": x["a"], "b_code": x["b"]}

        divide = rtl.handing_on(names, quotient(f, rules))
        return [keep, *divide, _slope_of_divisor(f, rules), _pack(f, rules)]
    return [_slope(op, f, rules), _pack(f, rules)]


def _slope(op: str, f: Format, rules: Rules) -> Step:
    """A slope that follows from the fields."""
    m_bits, unit = f.fraction_bits, one(f.numbers)

    def find_slope(m: Module, x: Values) -> Values:
        a = _Operand(m, "a", x["a"], f, rules)
        b = _Operand(m, "b", x["b"], f, rules) if "b" in x else a
        fraction = wire(m, "a_fraction", a.field[:m_bits] & ~a.zero.replicate(m_bits))
        exponent = a.field[m_bits:]
        zero: Value = Const(0, 1)
        infinite_ = b.zero
        nan = a.special | b.special
        sign = b.sign
        if op == "mul":
            t = b.field + fraction + rules.ofs
            zero, infinite_ = b.zero, Const(0, 1)
        elif op == "div_a":
            t = 2 * unit + fraction - b.field - rules.ofs
        else:
            nan, sign = nan | (a.sign & ~a.zero), Const(0, 1)
            power = 2 * f.bias - exponent
            if op == "sqrt":
                half = wire(m, "half", exponent - f.bias, signed(f.exponent_bits + 1))[1:]
                power = power + half.as_signed() - 1
            t = Cat(Const(0, m_bits), wire(m, "power", power, signed(f.exponent_bits + 3)))
            t = t.as_signed()
        total = wire(m, "sum", t, signed(f.bits + 3))
        total = Cat(Const(0, m_bits), total[m_bits:]).as_signed()
        # A zero slope of a product is +0, whatever the sign of b.
        sign = sign & ~zero
        return {"sign": sign, "nan": nan, "zero": zero, "infinite": infinite_} | _signed_place(
            m, total, f
        )

    return find_slope


def _slope_of_divisor(f: Format, rules: Rules) -> Step:
    """From the quotient ``y``: its exponent less the divisor's, and the other sign than a's."""
    m_bits = f.fraction_bits

    def find_slope(m: Module, x: Values) -> Values:
        a, b = (_Operand(m, name, x[f"{name}_code"], f, rules) for name in "ab")
        q = wire(m, "quotient", x["y"])
        q_exponent = q[m_bits : f.bits - 1]
        zero = wire(m, "slope_zero", ~q_exponent.any() | (a.zero & b.zero))
        power = wire(
            m, "power", q_exponent - b.field[m_bits:] + f.bias, signed(f.exponent_bits + 3)
        )
        total = Cat(Const(0, m_bits), power).as_signed()
        return {
            "sign": ~a.sign & ~zero, "nan": a.special | b.special, "zero": zero,
            "infinite": Const(0, 1),
        } | _signed_place(m, total, f)  # fmt: skip

    return find_slope


# -- parts ---------------------------------------------------------------------------------------


def _signed_place(m: Module, total: Value, f: Format) -> Values:
    """What `_sum` gives, of a signed number."""
    width = f.bits - 1
    negative = total[-1]
    beyond = wire(m, "beyond", ~negative & total[width:-1].any())
    return {
        "t": total[:width], "negative": negative, "beyond": beyond, "far": beyond,
        "low_half": negative | (~beyond & ~total[width - 1]),
    }  # fmt: skip


def _special(
    f: Format, rules: Rules, finite: Value, nan: Value, inf: Value, negative: Value
) -> Value:
    """NaN, or infinity of a sign, or else what is finite."""
    if not rules.specials:
        return finite
    positive, below = (Const(infinite(s, f.numbers, rules), f.bits) for s in (0, 1))
    return Mux(nan, Const(r.pack_nan(f.numbers), f.bits),
               Mux(inf, Mux(negative, below, positive), finite))  # fmt: skip


def _zero_sign(sign: Value, f: Format, rules: Rules) -> Value:
    return Const(0, 1) if rules.zero_pos or not f.has_negative_zero else sign


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
    """Where a sum lies by its upper bits, to which `high` is added: in the ``low_half`` of the
    fields or below, and if so ``negative``; else ``beyond`` the fields, if its ``msb`` is set or it
    is ``far`` beyond. (How this is put decides on a tenth of all gates of a unit.)
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
        mag = Mux(above, Const(too_big & n.mag_mask, mag_bits), t) & ~zero.replicate(mag_bits)
        code: Value = Cat(mag, Mux(zero, _zero_sign(sign, f, rules), kept))
        if rules.specials:
            code = _special(f, rules, code, x["nan"], x["infinite"], sign)
        return {"y": wire(m, "code", code, f.bits)}

    return pack
