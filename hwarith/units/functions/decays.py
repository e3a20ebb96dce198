"""Hardware of functions by their tails (`decay`), and what units of these have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import rounding as r
from ...lazily import np
from ...rtl import Operand, Values, read_table, wire
from ...rtl.floats import signed_exponent
from ...rtl.floats.operands import Raw
from .base import Function
from .decay import DECAY_BITS, FACTOR_OF, FORMS, DecayTable, decay
from .definitions import HALF, INFINITY, LIMITS, ONE, SIGNED_ONE, SIGNED_ZERO, ZERO
from .lookup import piece
from .store import table


@dataclass(frozen=True, kw_only=True, repr=False)
class Decaying(Function):
    """Base of the functions of neural networks: their limits, and what they are in formats of more
    than 16 bits."""

    takes_wide: ClassVar[bool] = True

    # -- golden --------------------------------------------------------------------------------

    @property
    def wide_definition(self) -> Callable[..., int]:
        return decay

    @cached_property
    def approximation(self) -> Any:
        """The table; of more than 16 bits a `DecayTable`."""
        if not self.is_wide:
            return table(self.function, self.a, self.out, self.goal, self.wish)
        factor = FACTOR_OF.get(self.function, self.function)
        found = table(factor, self.a, self.out, self.goal, self.wish)
        return replace(found, form=FORMS[self.function])

    def arguments(self, codes: list) -> list:
        """Of more than 16 bits the coefficients of an operand's piece, behind it."""
        if not self.is_wide:
            return super().arguments(codes)
        a, *control = super().arguments(codes)
        rows = self.approximation.rows
        if not hasattr(a, "astype"):
            _, _, e, g = r.unpack(a, self.a.numbers)
            row = self.approximation.row(e, g, self.a.precision)
            return [a, rows.c0[row], rows.c1[row], rows.c2[row], *control]
        leading = (a >> a.dtype.type(self._unread)) & a.dtype.type(len(self._rows) - 1)
        row = self._rows[leading]
        return [a, *(np.array(c, np.int64)[row] for c in (rows.c0, rows.c1, rows.c2)), *control]

    @property
    def _unread(self) -> int:
        """Low bits of an operand's code that do not choose its piece."""
        return max(0, self.a.fraction_bits - self.approximation.leading_bits)

    @cached_property
    def _rows(self) -> np.ndarray:
        """The piece of each magnitude, by the leading bits of its code."""
        a, found = self.a, []
        for leading in range(1 << (a.fraction_bits + a.exponent_bits - self._unread)):
            kind, _, e, g = r.unpack(leading << self._unread, a.numbers)
            found.append(self.approximation.row(e, g, a.precision) if kind == r.FINITE else 0)
        return np.array(found, np.int16)

    # -- hardware ------------------------------------------------------------------------------

    def _specials(self, m: Module, x: Values, raws: dict[str, Raw]) -> Values:
        """The result's sign, and which special results there are."""
        a, none = raws["a"], Const(0, 1)
        limits = LIMITS[self.function]
        cases = {
            limits.below: a.special & a.sign,
            limits.zero: a.zero,
            limits.above: a.special & ~a.sign,
        }
        if limits.below == limits.above:
            cases[limits.above] = a.special
        if limits.below == limits.zero:
            cases[limits.zero] = (a.special & a.sign) | a.zero
        one = cases.get(ONE, none) | cases.get(SIGNED_ONE, none)
        return self.nan_values(m, x, raws, none) | {
            "sign": a.sign if self.has_sign else none,
            "inf": wire(m, "infinite", cases.get(INFINITY, none)),
            "zero": wire(m, "vanishes", cases.get(ZERO, none) | cases.get(SIGNED_ZERO, none)),
            "one": wire(m, "is_one", one),
            "half": wire(m, "is_half", cases.get(HALF, none)),
        }

    @property
    def has_sign(self) -> bool:
        """Whether a result has the operand's sign."""
        return LIMITS[self.function].zero == SIGNED_ZERO

    def wide_steps(self) -> list[rtl.Step]:
        """The datapath for formats of more than 16 bits."""
        has_tail = self.approximation.form.decay is not None
        decays = [self._exponent_of_two, self._power, self._both_sides] if has_tail else []
        steps = [self._fix, self._factor, *decays, self._finish]
        return self.with_ports([*steps, *self.rounder.steps(self._exponents)])

    @property
    def _factor_bits(self) -> int:
        return max(self.approximation.rows.c0).bit_length() + 1

    @property
    def _integer(self) -> int:
        """Bits of the integer of what two is raised to."""
        t = self.approximation
        return int(t.slope_bits) - t.fixed + t.highest

    @property
    def _below(self) -> int:
        """The most that a tail is moved right by."""
        return (1 << self._integer) + max(self.approximation.scale)

    @property
    def _side_bits(self) -> int:
        """Of the factor, or of the tail and of what is made of it on the other side."""
        t = self.approximation
        if t.form.decay is None:
            return self._factor_bits
        tail = t.power_width + 1 + self._factor_bits - t.dropped
        return max(tail, t.fixed + 1, t.fixed + t.highest + 1 if t.form.adds else 0)

    @property
    def _first(self) -> int:
        """The exponent of the side's msb, if it is not moved right."""
        t = self.approximation
        return self._side_bits - 1 - (t.width if t.form.decay is None else t.fixed)

    @property
    def wide_weights(self) -> tuple[int, int]:
        """Least and greatest exponent of the msb of what is rounded."""
        t, operand = self.approximation, Operand(self.a)
        down = max(t.scale) if t.form.decay is None else self._below
        low, high = self._first - down, max(self._first, 0)
        least, most = (end - operand.bias for end in operand.exponents)
        if any(self._times):
            low, high = low + min(least, 0) + 1, high + max(most, 0) + 1
        return min(low, -1), max(high, most) if t.form.adds else high

    @property
    def _exponents(self) -> tuple[int, int]:
        bias = Operand(self.rounder.out).bias
        low, high = self.wide_weights
        return low + bias, high + bias

    def _fix(self, m: Module, x: Values) -> Values:
        """The operand's magnitude in fixed point, with all ones if it is beyond the last binade;
        its binade, and its place there."""
        raws = self.unpacked(m, x)
        a, t, operand = raws["a"], self.approximation, Operand(self.a)
        lowest, largest = operand.exponents
        top = t.highest - 1 + operand.bias
        distance = wire(m, "distance", top - a.exponent)
        far = wire(m, "far", distance[-1] if largest > top else Const(0, 1))
        most = top - lowest
        kept = distance[: most.bit_length()]
        distance = wire(m, "move_right", kept & ~far.replicate(len(kept)))
        near = wire(m, "near", a.significand | far.replicate(len(a.significand)))
        fixed, _ = rtl.align_right(m, "fixed", near, distance, most, t.highest + t.fixed)
        fixed = wire(m, "fixed", fixed)
        below_one = wire(m, "below_one", ~fixed[t.fixed :].any())
        fraction: Value = Cat(Const(0, max(0, t.place - len(near) + 1)), near[:-1])[-t.place :]
        place = Mux(below_one, fixed[t.fixed - t.place : t.fixed], fraction)
        bits = t.highest.bit_length()
        binade = (t.highest - distance)[:bits] & ~below_one.replicate(bits)
        return self._specials(m, x, raws) | {
            "negative": a.sign,
            "far": far,
            "significand": a.significand,
            "weight": a.exponent,
            "near": near,
            "distance": distance,
            "fixed": fixed,
            "binade": wire(m, "binade", binade, bits),
            "place": wire(m, "place", place, t.place),
        }

    def _factor(self, m: Module, x: Values) -> Values:
        """The piece of the operand, and what it is there."""
        t, place = self.approximation, x["place"]
        select = read_table(m, "select", [k - min(t.select) for k in t.select], x["binade"])
        first = read_table(m, "first", t.first, x["binade"])
        low = t.rows.low
        row: Value = place[low:]
        within: Value = place[:low]
        for k in range(1, max(t.select) - min(t.select) + 1):
            more = select == k
            row = Mux(more, place[low - k :], row)
            within = Mux(more, Cat(Const(0, k), place[: low - k]), within)
        row = wire(m, "row", first | row, (len(t.rows.c0) - 1).bit_length())
        within = wire(m, "within", within, low)
        names = ("one", "half", "negative", "far", "significand", "weight", "near", "distance")
        return self.handed_on(x, *names, "fixed") | {
            "factor": piece(m, t.rows, row, within, self._factor_bits),
            "scale": read_table(m, "scale", t.scale, x["binade"]),
            "times": read_table(m, "times", self._times, x["binade"]),
        }

    @property
    def _times(self) -> tuple[int, ...]:
        below, above = self.approximation.form.times
        return (below, *[above] * self.approximation.highest)

    def _exponent_of_two(self, m: Module, x: Values) -> Values:
        """What two is to be raised to, in fixed point: the operand times a polynomial of it."""
        t: DecayTable = self.approximation
        k0, k1, k2 = t.form.decay or (0, 0, 0)
        near, fixed = x["near"], x["fixed"]
        terms: list[Value] = [Const(k0 << t.fixed)]
        if k1:
            terms.append(rtl.product(m, "times_k1", fixed, Const(k1)))
        if k2:
            squared = rtl.square(m, "squared", near)
            most = 2 * ((1 << len(x["distance"])) - 1)
            twice = Cat(Const(0, 1), x["distance"])
            window = 2 * t.highest + t.fixed
            square, _ = rtl.align_right(m, "square", squared, twice, most, window)
            terms.append(rtl.product(m, "times_k2", wire(m, "square", square), Const(k2)))
        slope = wire(m, "slope", sum(terms[1:], terms[0])[DECAY_BITS:], t.slope_bits)
        product = rtl.product(m, "times_operand", slope, near)
        most = (1 << len(x["distance"])) - 1
        window = self._integer + t.fraction
        z, _ = rtl.align_right(m, "z", product, x["distance"], most, window)
        return self._past(x, "distance") | {"z": wire(m, "z", z)}

    def _power(self, m: Module, x: Values) -> Values:
        """The power of two."""
        t = self.approximation
        rest = wire(m, "rest", ~x["z"][: t.fraction])
        low = t.power.low
        power = piece(m, t.power, rest[low:], rest[:low], t.power_width + 1)
        return self._past(x, "z") | {"power": power, "halvings": x["z"][t.fraction :]}

    def _both_sides(self, m: Module, x: Values) -> Values:
        """The tail, which power and factor make; and one less the tail, or the operand and it."""
        t = self.approximation
        product = rtl.product(m, "tail", x["power"], x["factor"])
        tail = wire(m, "dropped", product[t.dropped :])
        most = self._below
        below = wire(m, "below", x["halvings"] + 1 + x["scale"], most.bit_length())
        moved, _ = rtl.align_right(m, "moved", tail, below, most, len(tail))
        other = x["fixed"] + moved if t.form.adds else Const(1 << t.fixed) - moved
        side = wire(m, "side", Mux(x["negative"], tail, other), self._side_bits)
        down = wire(m, "down", below & x["negative"].replicate(len(below)))
        return self._past(x, "power", "halvings") | {"factor": side, "scale": down}

    def _past(self, x: Values, *used: str) -> Values:
        """What later steps take, too."""
        return {name: value for name, value in x.items() if name not in used}

    def _finish(self, m: Module, x: Values) -> Values:
        """Times the operand if that is a factor; one, a half and zero where results are these."""
        t, operand, bias = self.approximation, Operand(self.a), Operand(self.rounder.out).bias
        digits, exponent = x["factor"], self._first + bias - x["scale"]
        if any(self._times):
            clamped = x["far"] & x["negative"]
            top = Const(t.highest - 1 + operand.bias)
            by = Mux(clamped, x["near"], x["significand"])
            weight = Mux(clamped, top, x["weight"])
            by = Mux(x["times"], by, Const(1 << (self.a.precision - 1)))
            weight = Mux(x["times"], weight, Const(operand.bias))
            digits = rtl.product(m, "times_operand", digits, wire(m, "by", by, self.a.precision))
            exponent = exponent + weight + (1 - operand.bias)
        if t.form.adds:
            own = wire(m, "own", x["far"] & ~x["negative"])
            shift = len(digits) - self.a.precision
            digits = Mux(own, Cat(Const(0, shift), x["significand"]), digits)
            exponent = Mux(own, x["weight"] + (bias - operand.bias), exponent)
        special = x["one"] | x["half"]
        unit = Const(1 << (len(digits) - 1), len(digits))
        digits = Mux(special, unit, digits) & ~x["zero"].replicate(len(digits))
        exponent = Mux(special, Const(bias) - x["half"], exponent)
        return self.handed_on(x) | {
            "significand": wire(m, "digits", digits),
            "sticky": wire(m, "rest", ~(special | x["zero"])),
            "exponent": wire(m, "exponent", exponent, signed_exponent(*self._exponents)),
        }
