"""Hardware of the bit-serial processing element: products, their sum, and the accumulator."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from ... import rtl
from ...formats import format
from ...rtl import Values, wire
from .definitions import Frame

SIGNIFICAND = format("fp16").precision
"""Bits of an activation's significand."""

_NO = Const(0, 1)


class PeDatapath:
    """The steps of a processing element.

    Parameters
    ----------
    frame : the element as integers.
    bsig_bits : bits of the port ``bsig``.
    """

    def __init__(self, frame: Frame, bsig_bits: int):
        self.frame, self.bsig_bits = frame, bsig_bits
        self.lanes, self.fx, self.aw = frame.lanes, frame.fx, frame.magnitude_bits
        self.ew = frame.exponent_bits

    def products_and_sum(self) -> list[rtl.Step]:
        """From the operands to the sum of the lanes, which relates to the greatest exponent. Of a
        joint alignment the accumulator's exponent and sign take part."""
        steps: list[rtl.Step] = [self.unpack, self.align, self.add_lanes]
        return rtl.handing_on(("bsig", "not_finite"), steps)

    def unpack(self, m: Module, x: Values) -> Values:
        """Each lane's product: sign (where the accumulator is there, relative to its), significand,
        exponent."""
        values: Values = {}
        turned = x["sign"] if self.frame.joint else _NO
        not_finite: list[Value] = []
        for i in range(self.lanes):
            a, term = x["a"][16 * i : 16 * i + 16], x["terms"][4 * i : 4 * i + 4]
            biased = a[10:15]
            hidden = wire(m, f"hidden{i}", biased.any())
            special = wire(m, f"special{i}", biased.all())
            not_finite.append(special)
            counts = wire(m, f"counts{i}", term[0] & ~special & (hidden | a[:10].any()))
            exponent = Cat(biased[0] | ~hidden, biased[1:]) + term[1:3]
            values[f"sign{i}"] = wire(m, f"sign{i}", a[15] ^ term[3] ^ turned)
            gate = (term[0] & ~special).replicate(SIGNIFICAND)
            values[f"significand{i}"] = wire(m, f"product{i}", Cat(a[:10], hidden) & gate)
            values[f"exponent{i}"] = wire(
                m, f"exponent{i}", exponent & counts.replicate(6), self.ew
            )
        values["not_finite"] = wire(m, "not_finite", Cat(*not_finite).any())
        return values

    def align(self, m: Module, x: Values) -> Values:
        """Products shifted to the greatest exponent: rows of one bit more on top, the sign, and a
        bit of their lsb's weight."""
        exponents = [x[f"exponent{i}"] for i in range(self.lanes)]
        if self.frame.joint:
            exponents.append(x["exponent"])
        highest = _greatest(m, exponents)
        rows: Values = {}
        for i in range(self.lanes):
            product = Cat(Const(0, self.fx), x[f"significand{i}"])
            distance = wire(m, f"distance{i}", highest - x[f"exponent{i}"], self.ew)
            kept, up = self._shifted(m, f"lane{i}", product, distance)
            sign = x[f"sign{i}"]
            row = Cat(kept, Const(0, 1)) ^ sign.replicate(len(kept) + 1)
            rows[f"row{i}"] = wire(m, f"row{i}", row)
            rows[f"one{i}"] = wire(m, f"one{i}", sign ^ up)
        return {"highest": highest} | rows

    def _shifted(
        self, m: Module, name: str, x: Value, distance: Value, fill: Value = _NO
    ) -> tuple[Value, Value]:
        """`x` shifted right by a distance, and whether rounding adds one to it. `fill`, the sign of
        a number in two's complement, stands above."""
        levels = (len(x) + 1).bit_length()
        far = wire(m, f"{name}_far", distance[levels:].any())
        amount = distance[:levels] | far.replicate(levels)
        below, sticky = _arithmetic(m, name, Cat(Const(0, 1), x), amount, fill)
        kept, guard = below[1:], below[0]
        if self.frame.truncate:
            return kept, wire(m, f"{name}_up", fill & (guard | sticky))
        return kept, wire(m, f"{name}_up", guard & (sticky | kept[0]))

    def add_lanes(self, m: Module, x: Values) -> Values:
        """The sum of the rows in two's complement, of 14 + fx bits for four lanes."""
        width = SIGNIFICAND + self.fx + 1 + (self.lanes - 1).bit_length()
        columns = rtl.Columns(m, "dot", width)
        for i in range(self.lanes):
            columns.add_integer(x[f"row{i}"].as_signed())
            columns.add(0, x[f"one{i}"])
        low, high, _ = columns.compress()
        dot = wire(m, "dot", low + high, signed(width))
        return {
            "highest": x["highest"],
            "nonzero": wire(m, "dot_nonzero", dot.any()),
            "scaled": rtl.scaled(m, "dot", dot, x["bsig"]),
        }

    @property
    def _sum_bits(self) -> int:
        """Of accumulator and lanes together: two's complement."""
        dot = SIGNIFICAND + self.fx + (self.lanes - 1).bit_length()
        return max(self.aw + 1, dot + (1 << self.bsig_bits)) + 1

    def accumulate_jointly(self, m: Module, x: Values) -> Values:
        """The accumulator shifted right, and the sum of the lanes added, whose signs are relative
        to the accumulator's: so its magnitude is positive."""
        distance = wire(m, "acc_distance", x["highest"] - x["exponent"], self.ew)
        kept, up = self._shifted(m, "acc", x["magnitude"], distance)
        total = _sum(Cat(kept, _NO).as_signed(), x["scaled"], up, self._sum_bits)
        return {
            "total": wire(m, "total", total, signed(self._sum_bits)),
            "exponent": x["highest"],
            "invalid": wire(m, "any_invalid", x["invalid"] | x["not_finite"]),
        }

    def accumulate_locally(self, m: Module, x: Values) -> Values:
        """Accumulator and lanes, one of them shifted right. The accumulator's sign turns the
        shifted one, whichever that is, and then the sum, if it is the accumulator's."""
        bits = max(self.aw + 1, len(x["scaled"]))
        difference = wire(m, "apart", x["highest"] - x["exponent"], signed(self.ew + 1))
        acc_greater = difference[-1]
        acc_lower = wire(m, "acc_lower", ~acc_greater & x["nonzero"])
        distance = wire(m, "distance", Mux(acc_greater, -difference, difference), self.ew)
        magnitude = wire(m, "magnitude_wide", x["magnitude"], bits)
        scaled = wire(m, "scaled_wide", x["scaled"], signed(bits))
        lower = wire(m, "lower", Mux(acc_lower, magnitude, scaled), bits)
        upper = wire(m, "upper", Mux(acc_lower, scaled, magnitude), signed(bits))
        fill = wire(m, "lower_sign", ~acc_lower & scaled[-1])
        kept, up = self._shifted(m, "lower", lower, distance, fill)
        turned = wire(m, "turned", kept ^ x["sign"].replicate(bits), signed(bits))
        total = _sum(upper, turned, up ^ x["sign"], self._sum_bits)
        return {
            "total": wire(m, "total", total, signed(self._sum_bits)),
            "exponent": wire(m, "common", Mux(acc_lower, x["highest"], x["exponent"])),
            "sign": wire(m, "upper_sign", x["sign"] & ~acc_lower),
            "invalid": wire(m, "any_invalid", x["invalid"] | x["not_finite"]),
        }

    def normalize(self, m: Module, x: Values) -> Values:
        """Magnitude, sign and exponent of the sum, normalized and rounded to the accumulator's
        bits."""
        negative = x["total"][-1]
        inverted = wire(m, "inverted", x["total"][:-1] ^ negative.replicate(len(x["total"]) - 1))
        normalize = self._halve if len(inverted) == self.aw + 1 else self._round
        magnitude, exponent = normalize(m, inverted, negative, x["exponent"])
        nonzero, ew = wire(m, "nonzero", magnitude.any()), self.ew
        too_large = wire(m, "too_large", exponent[ew] & nonzero)
        clamped = (exponent[:ew] | too_large.replicate(ew)) & nonzero.replicate(ew)
        return {
            "magnitude": wire(m, "next_magnitude", magnitude | too_large.replicate(self.aw)),
            "exponent": wire(m, "next_exponent", clamped),
            "sign": wire(m, "next_sign", (x["sign"] ^ negative) & nonzero),
            "invalid": x["invalid"],
            "overflow": wire(m, "next_overflow", x["overflow"] | too_large),
        }

    def _halve(self, m: Module, y: Value, negative: Value, exponent: Value) -> tuple[Value, Value]:
        """Of a sum with one bit too many half is rounded off, with one increment for this and for
        what a negative one lacks; others are shifted left. It never rounds up to a power of two:
        the sum of the lanes stays 2^(2 + fx) units and more below its greatest code. But what a
        negative one lacks may make it one: not where the lanes' signs are relative to the
        accumulator's, as the lanes alone do not reach it."""
        bits = self.aw
        carry = wire(m, "carry", y[bits])
        once = wire(m, "once", Mux(carry, Mux(negative, y[0] | y[1], y[0] & y[1]), negative))
        base = wire(m, "base", Mux(carry, y[1 : bits + 1], y[:bits]))
        magnitude: Value = rtl.increment(m, "rounded", base, once)[:bits]
        if not self.frame.joint:
            full = wire(m, "full", negative & ~carry & y[:bits].all())
            magnitude = Cat(magnitude[:-1], magnitude[-1] | full)
            carry = wire(m, "carried", carry | full)
        if not self.frame.left_norm:
            return magnitude, wire(m, "normalized_exponent", exponent + carry, self.ew + 1)
        zeros = rtl.leading_zeros(m, "zeros", magnitude)
        shift = rtl.least(m, "shift", zeros, wire(m, "below", exponent - 1, self.ew))
        magnitude, _ = rtl.shift_left(m, "left", magnitude, shift, bits)
        # Of 1 and -shift one is added to the exponent: after a carry there is nothing to shift.
        less = Cat(~shift, Const(-1, self.ew + 1 - len(shift))) & ~carry.replicate(self.ew + 1)
        moved = Cat(Const(1, 1), exponent, Const(0, 1)) + Cat(Const(1, 1), less)
        return magnitude, wire(m, "normalized_exponent", moved[1 : self.ew + 2])

    def _round(self, m: Module, y: Value, negative: Value, exponent: Value) -> tuple[Value, Value]:
        """Of a sum with more bits the leading one goes to the top, or as far as the exponent
        allows; what is then below the accumulator's bits is rounded off."""
        extra = len(y) - self.aw
        total = wire(m, "absolute", rtl.increment(m, "absolute_sum", y, negative)[: len(y)])
        limit = exponent + (extra - 1) if self.frame.left_norm else Const(extra)
        magnitude, less = rounded_to(m, total, self.aw, wire(m, "limit", limit))
        return magnitude, wire(m, "normalized_exponent", exponent + extra - less, self.ew + 1)


def rounded_to(m: Module, x: Value, bits: int, limit: Value) -> tuple[Value, Value]:
    """The top bits of `x` after a shift to the left that takes its leading one to the top, but is
    no greater than `limit`; the bits below are rounded off to nearest even. Gives these, and by
    how much the exponent of `x`'s msb is lowered."""
    extra = len(x) - bits
    shift = rtl.least(m, "shift", rtl.leading_zeros(m, "zeros", x), limit)
    shifted, _ = rtl.shift_left(m, "left", x, shift, len(x))
    up = wire(m, "up", shifted[extra - 1] & (shifted[: extra - 1].any() | shifted[extra]))
    rounded = rtl.increment(m, "rounded", shifted[extra:], up)
    full = wire(m, "full", rounded[bits])
    return Cat(rounded[: bits - 1], rounded[bits - 1] | full), shift - full


def _greatest(m: Module, values: list[Value]) -> Value:
    """The greatest of unsigned numbers of one width, by pairs."""
    level = 0
    while len(values) > 1:
        pairs = [
            wire(m, f"greatest{level}_{i}", Mux(rtl.compare(m, f"order{level}_{i}", a, b)[1], a, b))
            for i, (a, b) in enumerate(zip(values[::2], values[1::2], strict=False))
        ]
        values = pairs + values[len(values) // 2 * 2 :]
        level += 1
    return values[0]


def _sum(a: Value, b: Value, carry: Value, width: int) -> Value:
    """a + b + carry of signed numbers, as one sum."""
    a, b = (Cat(x, x[-1].replicate(width - len(x))) for x in (a, b))
    return (Cat(Const(1, 1), a) + Cat(carry, b))[1 : width + 1]


def _arithmetic(m: Module, name: str, x: Value, amount: Value, fill: Value) -> tuple[Value, Value]:
    """`x` shifted right by an amount with `fill` above, and whether ones fell out below."""
    some: Value = Const(0, 1)
    for level in range(len(amount)):
        distance = min(1 << level, len(x))
        moved = Cat(x[distance:], fill.replicate(distance))
        some = wire(m, f"{name}_some{1 << level}", some | (amount[level] & x[:distance].any()))
        x = wire(m, f"{name}_right{1 << level}", Mux(amount[level], moved, x))
    return x, some
