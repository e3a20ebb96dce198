"""The hardware of the dot product with a mode: shared multipliers, one window for all formats.

The window counts from the lsb of the products of the mode up, so that nothing is shifted for the
sake of another format's range. In bit 0 and above it are the products; the addend may lie below
them, down to bit -25, or above, up to bit 91. The addend counts as positive: its sign is turned
over to the products, and back to the result.
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import format
from ...rtl import Values, wire

LANES = 4

BANK = 8
"""Bits of a bank of the window: what is shifted within one is put into those that it reaches."""

SUM_BITS = 67
"""Of the sum of the products: of four of e5m2, in two's complement."""

ADDEND = format("fp32")

BELOW = ADDEND.precision + 1
"""Bits of the window below the products: the greatest addend that rounding needs no bit of, beside
sticky, lies below them."""

ABOVE = ADDEND.precision + 1
"""Bits above the products: an addend that lies higher has its lsb two bits above all of them."""

WINDOW = BELOW + SUM_BITS + ABOVE

LSB = {"int8": -12, "e2m3": -6, "e2m1": -2, "e4m3": -18, "e5m2": -32, "e3m2": -8}
"""Weight of the products' lsb by mode."""


@dataclass(frozen=True)
class Hardware:
    """The steps, for a rounding mode."""

    mode: str

    def steps(self) -> list[rtl.Step]:
        rounder = rtl.Rounder(ADDEND, self.mode, "nosat")
        steps = [self._decode, self._multiply, self._place, self._add, self._normalize]
        bypass = ("c", "passes")
        after = rtl.handing_on(bypass, rounder.after_normalization())
        return [*steps, *after, self._choose]

    # -- elements --------------------------------------------------------------------------------

    def _decode(self, m: Module, x: Values) -> Values:
        """The elements as factors of at most 8 bits, with signs and exponents, by the mode."""
        is_ = _modes(m, x["mode"])
        c = rtl.unpack(m, "c", x["c"], ADDEND)
        values: Values = {f"is_{name}": value for name, value in is_.items()}
        values |= {"c": x["c"], "c_sign": c.sign, "c_exponent": c.exponent}
        values |= {"c_significand": c.significand}
        nan, plus, minus = c.nan, c.inf & ~c.sign, c.inf & c.sign
        all_minus, all_plus = c.zero & c.sign, c.zero & ~c.sign
        for i in range(LANES):
            a, b = (_element(m, f"{n}{i}", x[n].word_select(i, 8), is_) for n in "ab")
            low, high = a["sign"] ^ b["sign"], a["high_sign"] ^ b["high_sign"]
            sign = wire(m, f"sign{i}", low)
            inf = wire(m, f"inf{i}", a["inf"] | b["inf"])
            nan = nan | a["nan"] | b["nan"] | (a["inf"] & b["zero"]) | (b["inf"] & a["zero"])
            plus, minus = plus | (inf & ~sign), minus | (inf & sign)
            zero = (a["zero"] | b["zero"]) & ~is_["int8"]
            high_zero = ~is_["e2m1"] | (a["high_zero"] | b["high_zero"])
            all_minus = all_minus & zero & sign & high_zero & (high | ~is_["e2m1"])
            all_plus = all_plus & (a["zero"] | b["zero"]) & ~sign & high_zero & ~high
            values |= {f"a{i}": a["factor"], f"b{i}": b["factor"]}
            values[f"negate{i}"] = wire(m, f"negate{i}", sign ^ c.sign)
            values |= {f"a_upper{i}": a["high"], f"b_upper{i}": b["high"]}
            negate_upper = (high ^ c.sign) & is_["e2m1"]
            values[f"negate_upper{i}"] = wire(m, f"negate_upper{i}", negate_upper)
            values[f"exponent{i}"] = wire(m, f"exponent{i}", a["exponent"] + b["exponent"])
        values["nan"] = wire(m, "nan", nan | (plus & minus))
        values["inf"] = wire(m, "infinite", plus | minus)
        values["inf_sign"] = wire(m, "inf_sign", minus)
        one_sign = all_minus | all_plus if self.mode == "rdn" else all_minus
        values["difference"] = wire(m, "difference", ~one_sign & ~values["inf"])
        return values

    def _multiply(self, m: Module, x: Values) -> Values:
        """In each lane the product, with the sign that it has where the addend is positive: Booth
        digits are negated. The upper products of e2m1fn are added to that of the first lane."""
        upper = rtl.Columns(m, "upper", 16)
        for i in range(LANES):
            product = rtl.product(m, f"upper{i}", x[f"a_upper{i}"], x[f"b_upper{i}"])
            t = x[f"negate_upper{i}"]
            signed = Cat(product ^ t.replicate(8), t.replicate(8))
            upper.add_integer(wire(m, f"upper_signed{i}", signed))
            upper.add(0, t)
        uppers = upper.compress()[:2]
        products: Values = {}
        for i in range(LANES):
            columns = rtl.Columns(m, f"product{i}", 16)
            a, b = x[f"a{i}"].as_signed(), x[f"b{i}"].as_signed()
            columns.add_product(a, b, negate=x[f"negate{i}"])
            if i == 0:
                for row in uppers:
                    columns.add(0, row)
            low, high, _ = columns.compress()
            products[f"product{i}"] = wire(m, f"product{i}", low + high, 16)
        kept = ("c", "c_sign", "c_exponent", "c_significand", "nan", "inf", "inf_sign")
        modes = (name for name in x if name.startswith(("is_", "exponent")))
        return {name: x[name] for name in (*kept, "difference", *modes)} | products

    # -- the window ------------------------------------------------------------------------------

    def _place(self, m: Module, x: Values) -> Values:
        """Products and addend in their places of the window."""
        rows = {f"row{i}": self._row(m, i, x) for i in range(LANES)}
        lowest = ADDEND.bias + ADDEND.fraction_bits - ADDEND.precision - BELOW
        offset = _chosen(x, {name: lowest + weight for name, weight in LSB.items()})
        distance = wire(m, "addend_place", x["c_exponent"] - wire(m, "addend_offset", offset))
        top = WINDOW
        far = wire(m, "addend_far_above", ~distance[-1] & (distance[:-1] > top))
        inside = Mux(far, Const(top, 7), distance[:7] & (~distance[-1]).replicate(7))
        place = wire(m, "addend_bit", inside)
        wide = wire(m, "addend", self._addend(m, x["c_significand"], place))
        weights = {name: WINDOW - 1 - BELOW + weight + 127 for name, weight in LSB.items()}
        exponent = Mux(far, x["c_exponent"], _chosen(x, weights))
        kept = ("c", "c_sign", "nan", "inf", "inf_sign", "difference")
        return (
            {name: x[name] for name in kept}
            | rows
            | {
                "addend": wide[ADDEND.precision :],
                "lost": wire(m, "lost", wide[: ADDEND.precision].any()),
                "exponent": wire(m, "window_exponent", exponent, 8),
            }
        )

    def _addend(self, m: Module, significand: Value, place: Value) -> Value:
        """The addend in the window, and in as many bits below it as it has."""
        width = WINDOW + ADDEND.precision
        shifted = rtl.scaled(m, "addend_shifted", significand, place[:5])
        bank_is = rtl.one_hot(m, "addend_bank_is", place[5:], -(-(WINDOW + 1) // 32))
        banks = []
        for n in range(-(-width // 32)):
            value: Value = Const(0, 32)
            for j in range(2):
                if 0 <= n - j < len(bank_is):
                    value = value | (shifted.word_select(j, 32) & bank_is[n - j].replicate(32))
            banks.append(value)
        return Cat(*banks)[:width]

    def _row(self, m: Module, i: int, x: Values) -> Value:
        """A lane's product in two's complement, of two bits more than the sum of all has.

        Products of floats begin anywhere, those of integers, of 16 bits, at the lowest place: there
        the exponents, which add up to at least 2, are least.
        """
        product, exponent = x[f"product{i}"], x[f"exponent{i}"]
        is_integer = x["is_int8"] | x["is_e2m1"] if i == 0 else x["is_int8"]
        is_integer = wire(m, f"is_integer{i}", is_integer)
        shifted = rtl.scaled(m, f"shifted{i}", product[:9].as_signed(), exponent[:3])
        bank_is = rtl.one_hot(m, f"bank_is{i}", exponent[3:], BANK)
        sign = wire(m, f"row_sign{i}", Mux(is_integer, product[-1], product[8]))
        upper = Mux(is_integer, product[9:15], Cat(shifted[11:], sign))
        placed = wire(m, f"placed{i}", Cat(shifted[:11], upper))
        banks: list[Value] = []
        for n in range(-(-(SUM_BITS + 4) // BANK)):
            above = wire(m, f"above{i}_{n}", sign & bank_is[: max(0, n - 1)].any())
            value = above.replicate(BANK)
            if n == 2:
                value = Cat(placed[16] & bank_is[0], above.replicate(BANK - 1))
            for j in range(2):
                if 0 <= n - j < len(bank_is):
                    value = value | (placed.word_select(j, BANK) & bank_is[n - j].replicate(BANK))
            banks.append(value)
        return wire(m, f"row{i}", Cat(*banks)[2 : SUM_BITS + 4])

    def _add(self, m: Module, x: Values) -> Values:
        """The sum of products and addend. Above the products there is only the addend, to which
        what is carried out of their bits is added: -1, 0 or 1."""
        columns = rtl.Columns(m, "sum", SUM_BITS + 2)
        for i in range(LANES):
            columns.add_integer(x[f"row{i}"])
        columns.add(0, x["addend"][BELOW : BELOW + SUM_BITS])
        low, high, _ = columns.compress()
        total = rtl.add(m, "sum", low, high)
        some, less = total[SUM_BITS], total[SUM_BITS + 1]
        upper = x["addend"][BELOW + SUM_BITS :]
        turned = wire(m, "upper_turned", upper ^ less.replicate(ABOVE))
        counted = rtl.increment(m, "upper", turned, some)
        negative = wire(m, "negative", less & counted[-1])
        upper_sum = counted[:-1] ^ less.replicate(ABOVE)
        kept = ("c", "nan", "inf", "difference", "exponent", "lost")
        sign = Mux(x["inf"], x["inf_sign"], x["c_sign"] ^ negative)
        return {name: x[name] for name in kept} | {
            "sign": wire(m, "sign", sign),
            "negative": negative,
            "significand": wire(m, "total", Cat(x["addend"][:BELOW], total[:SUM_BITS], upper_sum)),
        }

    # -- the result ------------------------------------------------------------------------------

    def _normalize(self, m: Module, x: Values) -> Values:
        """Shift the leading one to the top: no sum is as small as a subnormal result. Where the
        products add up to zero, and the addend lies too low for the window, it is the result."""
        negative, total, sticky = x["negative"], x["significand"], x["lost"]
        inverted = wire(m, "inverted", total ^ negative.replicate(WINDOW))
        zeros = rtl.leading_zeros(m, "zeros", inverted)
        keep = ADDEND.precision + 1
        kept, some = rtl.shift_left(m, "normalized", total, zeros, keep)
        sticky = wire(m, "sticky", some | x["lost"])
        passes = x["lost"] & ~negative & (zeros >= WINDOW - BELOW)
        return {name: x[name] for name in ("c", "nan", "inf", "difference", "sign")} | {
            "kept": wire(m, "kept", kept ^ negative.replicate(keep)),
            "sticky": sticky,
            "carry": wire(m, "carry_from_below", negative & ~sticky),
            "exponent": wire(m, "normalized_exponent", x["exponent"] - zeros, 8),
            "passes": wire(m, "passes", passes & ~x["nan"] & ~x["inf"]),
        }

    def _choose(self, m: Module, x: Values) -> Values:
        """The rounded sum, or the addend as it is."""
        return {"y": wire(m, "chosen", Mux(x["passes"], x["c"], x["y"]))}


def _modes(m: Module, mode: Value) -> Values:
    """A bit for each format."""
    low, middle, float_ = mode
    is_ = {
        "int8": ~float_ & ~middle & ~low,
        "e2m3": ~float_ & ~middle & low,
        "e2m1": ~float_ & middle,
        "e4m3": float_ & ~middle & ~low,
        "e5m2": float_ & ~middle & low,
        "e3m2": float_ & middle,
    }
    return {name: wire(m, f"is_{name}", value) for name, value in is_.items()}


def _chosen(x: Values, numbers: dict[str, int]) -> Value:
    """One of positive numbers by the mode."""
    bits = max(numbers.values()).bit_length()
    rows = [x[f"is_{name}"].replicate(bits) & Const(n, bits) for name, n in numbers.items()]
    value = rows[0]
    for row in rows[1:]:
        value = value | row
    return value


def _element(m: Module, name: str, x: Value, is_: Values) -> Values:
    """An element of a byte: a factor of 8 bits in two's complement (the magnitude of a float, its
    significand), exponent, sign and classes; of e2m1fn two of them, integers in halves."""
    three = wire(m, f"{name}_three", is_["e4m3"] | is_["e2m3"])
    two = wire(m, f"{name}_two", is_["e5m2"] | is_["e3m2"])
    field = [
        (three & x[3]) | (two & x[2]),
        (three & x[4]) | (two & x[3]),
        (is_["e4m3"] & x[5]) | (two & x[4]),
        (is_["e4m3"] & x[6]) | (is_["e5m2"] & x[5]),
        is_["e5m2"] & x[6],
    ]
    field = [wire(m, f"{name}_field{k}", bit) for k, bit in enumerate(field)]
    normal = wire(m, f"{name}_normal", Cat(*field).any())
    low, high = (_halves(m, f"{name}_{n}", x[k : k + 3]) for n, k in (("low", 0), ("high", 4)))
    low, high = (half & is_["e2m1"].replicate(4) for half in (low, high))
    as_it_is = wire(m, f"{name}_whole", is_["int8"] | three)
    factor = [
        (x[0] & ~is_["e2m1"]) | low[0],
        (x[1] & ~is_["e2m1"]) | low[1],
        (x[2] & as_it_is) | (two & normal) | low[2],
        (x[3] & is_["int8"]) | (three & normal) | low[3],
        *(bit & is_["int8"] for bit in x[4:]),
    ]
    factor_bits = wire(m, f"{name}_factor", Cat(*factor))
    sign = (
        (x[7] & (is_["e4m3"] | is_["e5m2"]))
        | (x[5] & (is_["e2m3"] | is_["e3m2"]))
        | (x[3] & is_["e2m1"])
    )
    full = x[2:7].all()
    nan = full & ((is_["e4m3"] & x[0] & x[1]) | (is_["e5m2"] & (x[0] | x[1])))
    return {
        "factor": factor_bits,
        "zero": wire(m, f"{name}_zero", ~factor_bits[:4].any()),
        "exponent": wire(m, f"{name}_exponent", Cat(field[0] | ~normal, *field[1:])),
        "sign": wire(m, f"{name}_sign", sign),
        "nan": wire(m, f"{name}_nan", nan),
        "inf": wire(m, f"{name}_inf", full & is_["e5m2"] & ~x[0] & ~x[1]),
        "high": wire(m, f"{name}_upper", high),
        "high_zero": wire(m, f"{name}_upper_zero", ~high.any()),
        "high_sign": wire(m, f"{name}_upper_sign", x[7] & is_["e2m1"]),
    }


def _halves(m: Module, name: str, x: Value) -> Value:
    """The magnitude of a code of e2m1fn in halves: 0, 1, 2, 3, 4, 6, 8, 12."""
    return wire(
        m,
        name,
        Cat(
            x[0] & ~x[2],
            (x[1] & ~x[2]) | (x[0] & x[2] & ~x[1]),
            x[2] & (~x[1] | x[0]),
            x[2] & x[1],
        ),
    )
