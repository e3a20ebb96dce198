"""Hardware of the logarithmic units: the steps of each."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from ... import rtl
from ...formats import Format
from ...rtl import Step, Values, wire
from ..convert import Convert
from .definitions import Rules
from .fields import (
    FieldOperand,
    choose_special,
    one,
    pack_field,
    reduced,
    sign_and_classes,
    signed_place,
    sum_of_fields,
    zero_sign,
)


def product(f: Format, rules: Rules, drop: int = 0, nearest: bool = False) -> list[Step]:
    """L-Mul and PAM; operands lose `drop` bits of their fractions."""

    def unpack(m: Module, x: Values) -> Values:
        """Fields (exponent and fraction as one number) and classes of both operands."""
        a, b = (FieldOperand(m, name, x[name], f, rules) for name in "ab")
        inf = wire(m, "inf", a.inf | b.inf)
        flushed = wire(m, "flushed", a.zero | b.zero)
        return {
            "sign": wire(m, "sign", a.sign ^ b.sign),
            "nan": wire(m, "nan", a.nan | b.nan | (inf & flushed)),
            "infinite": inf,
            "zero": flushed,
            "a": reduced(m, "a_field", a.field, drop, nearest),
            "b": reduced(m, "b_field", b.field, drop, nearest),
        }

    def add(m: Module, x: Values) -> Values:
        """Sum of both fields and of what corrects it; how it lies to the fields that there are."""
        constant = rules.ofs - one(f)
        # What the constant has below the operands' lsb passes by the adder.
        total = sum_of_fields(m, x["a"], x["b"], constant >> drop, f.bits - 1 - drop)
        t = Cat(Const(constant % (1 << drop), drop), total["t"])
        return sign_and_classes(x) | total | {"t": t}

    return [unpack, add, pack_field(f, rules)]


def quotient(f: Format, rules: Rules) -> list[Step]:
    """PAD."""

    def unpack(m: Module, x: Values) -> Values:
        """Fields (exponent and fraction as one number) and classes of both operands."""
        a, b = (FieldOperand(m, name, x[name], f, rules) for name in "ab")
        return {
            "sign": wire(m, "sign", a.sign ^ b.sign),
            "nan": wire(m, "nan", a.nan | b.nan | (a.inf & b.inf) | (a.zero & b.zero)),
            "infinite": wire(m, "infinite", a.inf | b.zero),
            "zero": wire(m, "zero", b.inf | a.zero),
            "a": a.field,
            "b": b.field,
        }

    def subtract(m: Module, x: Values) -> Values:
        """Difference of both fields, corrected; how it lies to the fields that there are."""
        # The inverse of b is 2^(its width) - 1 - b.
        constant = one(f) - rules.ofs + 1 - (1 << (f.bits - 1))
        return sign_and_classes(x) | sum_of_fields(
            m, x["a"], wire(m, "inverse", ~x["b"]), constant, f.bits - 1
        )

    return [unpack, subtract, pack_field(f, rules)]


# -- of one operand ------------------------------------------------------------------------------


def square_root(f: Format, rules: Rules) -> list[Step]:
    """Half the sum of the field and that of one."""

    def halve(m: Module, x: Values) -> Values:
        """Half the sum of the field and that of one."""
        a = FieldOperand(m, "a", x["a"], f, rules)
        total = wire(m, "sum", a.field + one(f), f.bits)
        root = Cat(total[1:], Const(0, 1))
        zero = Cat(Const(0, f.bits - 1), zero_sign(a.sign, f, rules))
        invalid = a.nan | (a.sign & ~a.zero)
        finite = Mux(a.zero, zero, root)
        return {"y": wire(m, "code", choose_special(f, rules, finite, invalid, a.inf, Const(0, 1)))}

    return [halve]


def log2(f: Format, rules: Rules, fixed: Format, as_fixed: bool) -> list[Step]:
    """The field less that of one, as it is or as a float."""

    def subtract(m: Module, x: Values) -> Values:
        """The field less that of one: the logarithm."""
        a = FieldOperand(m, "a", x["a"], f, rules)
        t = wire(m, "t", a.field - one(f), fixed.bits)
        invalid = wire(m, "invalid", a.nan | (a.sign & ~a.zero))
        if as_fixed:
            low, high = 1 << (fixed.bits - 1), (1 << (fixed.bits - 1)) - 1
            lowest = invalid | a.zero
            y = Mux(lowest, Const(low, fixed.bits), Mux(a.inf, Const(high, fixed.bits), t))
            return {"y": wire(m, "code", y, fixed.bits)}
        return {"a": t, "invalid": invalid, "infinite": a.inf | a.zero, "below": a.zero}

    def choose(m: Module, x: Values) -> Values:
        """The logarithm as a float, or what becomes of special operands."""
        y = choose_special(f, rules, x["y"], x["invalid"], x["infinite"], x["below"])
        return {"y": wire(m, "code", y)}

    if as_fixed:
        return [subtract]
    to_float = Convert(a=fixed, out=f, overflow="saturate").datapath()
    return [subtract, *rtl.handing_on(("invalid", "infinite", "below"), to_float), choose]


def exp2(f: Format, rules: Rules, fixed: Format, as_fixed: bool, slope: bool = False) -> list[Step]:
    """The fixed-point operand, or a float made one, as a field; for the slope without its
    fraction."""

    def classify(m: Module, x: Values) -> Values:
        """The operand's class."""
        a = FieldOperand(m, "a", x["a"], f, rules)
        return {
            "a": x["a"],
            "flushed": a.zero,
            "no_number": a.special if slope else a.nan,
            "minus_infinity": Const(0, 1) if slope else a.inf & a.sign,
            "plus_infinity": Const(0, 1) if slope else a.inf & ~a.sign,
        }

    def add(m: Module, x: Values) -> Values:
        """The number plus the field of one; how it lies to the fields that there are."""
        none = Const(0, 1)
        number = x["a"] if as_fixed else x["y"] & ~x["flushed"].replicate(fixed.bits)
        number = wire(m, "number", number, fixed.bits)
        total = wire(m, "sum", number.as_signed() + one(f), signed(fixed.bits + 1))
        if slope:
            total = Cat(Const(0, f.fraction_bits), total[f.fraction_bits :]).as_signed()
        classes = {
            "sign": none,
            "nan": x.get("no_number", none),
            "zero": x.get("minus_infinity", none),
            "infinite": x.get("plus_infinity", none),
        }
        return classes | signed_place(m, total, f)

    if as_fixed:
        return [add, pack_field(f, rules)]
    to_fixed = Convert(a=f, out=fixed).datapath()
    names = ("flushed", "no_number", "minus_infinity", "plus_infinity")
    return [classify, *rtl.handing_on(names, to_fixed), add, pack_field(f, rules)]


# -- slopes --------------------------------------------------------------------------------------


def slope(op: str, f: Format, rules: Rules, fixed: Format) -> list[Step]:
    """The slope of an operation."""
    if op == "exp2":
        return exp2(f, rules, fixed, as_fixed=False, slope=True)
    if op == "div_b":
        names = ("a_code", "b_code")

        def keep(m: Module, x: Values) -> Values:
            """Operands, and their codes for the steps behind the division."""
            return {"a": x["a"], "b": x["b"], "a_code": x["a"], "b_code": x["b"]}

        divide = rtl.handing_on(names, quotient(f, rules))
        return [keep, *divide, _slope_of_divisor(f, rules), pack_field(f, rules)]
    return [_slope(op, f, rules), pack_field(f, rules)]


def _slope(op: str, f: Format, rules: Rules) -> Step:
    """A slope that follows from the fields."""
    m_bits, unit = f.fraction_bits, one(f)

    def find_slope(m: Module, x: Values) -> Values:
        """The field of the slope, from those of the operands."""
        a = FieldOperand(m, "a", x["a"], f, rules)
        b = FieldOperand(m, "b", x["b"], f, rules) if "b" in x else a
        fraction = wire(m, "a_fraction", a.field[:m_bits] & ~a.zero.replicate(m_bits))
        exponent = a.field[m_bits:]
        zero: Value = Const(0, 1)
        infinite = b.zero
        nan = a.special | b.special
        sign = b.sign
        if op == "mul":
            t = b.field + fraction + rules.ofs
            zero, infinite = b.zero, Const(0, 1)
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
        classes = {"sign": sign & ~zero, "nan": nan, "zero": zero, "infinite": infinite}
        return classes | signed_place(m, total, f)

    return find_slope


def _slope_of_divisor(f: Format, rules: Rules) -> Step:
    """From the quotient ``y``: its exponent less the divisor's, and the other sign than a's."""
    m_bits = f.fraction_bits

    def find_slope(m: Module, x: Values) -> Values:
        """The field of the slope, from quotient and divisor."""
        a, b = (FieldOperand(m, name, x[f"{name}_code"], f, rules) for name in "ab")
        q = wire(m, "quotient", x["y"])
        q_exponent = q[m_bits : f.bits - 1]
        zero = wire(m, "slope_zero", ~q_exponent.any() | (a.zero & b.zero))
        power = wire(
            m, "power", q_exponent - b.field[m_bits:] + f.bias, signed(f.exponent_bits + 3)
        )
        total = Cat(Const(0, m_bits), power).as_signed()
        classes: Values = {
            "sign": ~a.sign & ~zero,
            "nan": a.special | b.special,
            "zero": zero,
            "infinite": Const(0, 1),
        }
        return classes | signed_place(m, total, f)

    return find_slope
