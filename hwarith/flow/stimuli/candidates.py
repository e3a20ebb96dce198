"""Operands whose exact result, or the way to it, is as a class of conformance vectors wants it.

Candidates are built in integers from significands and exponents; a condition (`ExactResults`),
worked out from the codes again, decides whether a candidate is taken.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cached_property

from ...formats import Format
from ...formats import rounding as r
from ...units.operations import Operation
from .exact_results import Codes, ExactResults

_BEYOND = 3
"""Alignment goes this many places beyond where a term has become a mere sticky bit."""


class Candidates(ExactResults):
    """Random operands of one operation in its formats that are likely to be of a given class."""

    def __init__(
        self,
        operation: Operation,
        formats: list[Format],
        out: Format,
        rng: random.Random,
        flushes: bool = False,
    ):
        super().__init__(operation, formats, out, flushes)
        self.rng = rng

    def by_class(self) -> dict[str, Callable[[], Codes | None]]:
        """For each class that the operation can have what makes a candidate, None if it failed."""
        found: dict[str, Callable[[], Codes | None]] = {
            "overflow": lambda: self._kept(self.near(self.overflowing()), self.is_overflow),
            "overflow_border": lambda: self._at_border(self.overflow_limit),
        }
        if self.rounds:
            found["halfway"] = lambda: self._kept(self.halfway(), self.is_halfway)
            found["near_halfway"] = self.near_halfway
            found["sticky"] = lambda: self._kept(self.sticky(), self.is_sticky)
        if self.out.is_float:
            found["subnormal"] = lambda: self._kept(self.near(self.subnormal()), self.is_subnormal)
            borders = self.subnormal_borders
            found["subnormal_border"] = lambda: self._at_border(self.rng.choice(borders))
        if self.operation.adds:
            found["cancellation"] = lambda: self._kept(self.cancelling(), self.is_cancellation)
        return found

    def _kept(self, codes: Codes | None, condition: Callable[[Codes], bool]) -> Codes | None:
        return codes if codes is not None and condition(codes) else None

    # -- values to aim at ------------------------------------------------------------------------

    def subnormal(self) -> int:
        n = self.out.numbers
        return self.anything(self.rng.randint(n.lsb - 2, n.emin - 1))

    def overflowing(self) -> int:
        return self.anything(self.top(self.largest) + self.rng.randint(0, 3))

    def anything(self, top: int) -> int:
        """A value with its leading one there and random bits below, of either sign."""
        size = top - self.base + 1
        return self.rng.choice((-1, 1)) * (1 << (size - 1) | self.rng.getrandbits(size - 1))

    def any_result(self) -> int:
        """The value of a code of the result's format, with any exponent."""
        n = self.out.numbers
        top = self.rng.randint(n.lsb, self.top(self.largest))
        _, s, e, g = r.unpack(self.of_magnitude(self.out, top), n)
        return (-1) ** s * self.value(g, e)

    # -- operands --------------------------------------------------------------------------------

    def of_magnitude(self, f: Format, top: int) -> int:
        """A code with its leading one there, or as near as the format goes, and any other bits."""
        n = f.numbers
        top = min(max(top, n.lsb), self._highest(f))
        bits = top - n.lsb + 1 if n.integer else min(top - n.lsb, n.fraction_bits) + 1
        return self.pack(f, top - bits + 1, self._digits(bits))

    def _digits(self, bits: int) -> int:
        """A number of so many bits, of which the low ones are any, few or many."""
        low = self.rng.getrandbits(bits)
        mask = self.rng.getrandbits(bits)
        low = self.rng.choice((low, low & mask, low | mask))
        return 1 << (bits - 1) | (low & ((1 << (bits - 1)) - 1))

    def pack(self, f: Format, exponent: int, magnitude: int, sign: int | None = None) -> int:
        s = self.rng.getrandbits(1) if sign is None else sign
        return r.round_pack(s * int(f.signed), exponent, magnitude, f.numbers, r.RNE, r.SATURATE)

    def pack_value(self, f: Format, x: int) -> int:
        return self.pack(f, self.base, abs(x), int(x < 0))

    def _highest(self, f: Format) -> int:
        _, _, e, g = r.unpack(r.pack_max(0, f.numbers), f.numbers)
        return e + g.bit_length() - 1

    def split(self, exponent: int, low: list[int], high: list[int]) -> tuple[int, int] | None:
        """Two exponents of this sum, each within its bounds."""
        first = max(low[0], exponent - high[1]), min(high[0], exponent - low[1])
        if first[0] > first[1]:
            return None
        chosen = self.rng.randint(*first)
        return chosen, exponent - chosen

    def first_term(self, top: int) -> Codes:
        """Codes whose product is of about this magnitude."""
        formats = self.formats[: self.factors]
        lows = [f.numbers.lsb for f in formats]
        highs = [self._highest(f) for f in formats]
        if self.factors == 1:
            return [self.of_magnitude(formats[0], top)]
        tops = self.split(min(max(top, sum(lows)), sum(highs)), lows, highs)
        assert tops is not None
        return [self.of_magnitude(f, t) for f, t in zip(formats, tops, strict=True)]

    def near(self, target: int) -> Codes | None:
        """Operands whose exact result is near a target: the last one follows from the others."""
        last = self.formats[-1]
        if not self.operation.adds:
            if self.factors == 1:
                return [self.pack_value(last, target)]
            return self._near_product(target)
        above = self.rng.randint(-last.precision - self.out.precision, 1)
        first = self.first_term(self.top(target) + above)
        if self.factors == 2 and self.rng.getrandbits(1):
            code = self.of_magnitude(last, self.top(target) + above)
            rest = target - (self.addend(code) or 0)
            factors = self._near_product(rest) if rest else None
            return None if factors is None else [*factors, code]
        term = self.term(first)
        return None if term is None else [*first, self.pack_value(last, target - term)]

    def _near_product(self, target: int) -> Codes | None:
        code = self.first_term(self.top(target))[0]
        _, s, e, g = r.unpack(code, self.formats[0].numbers)
        if g == 0:
            return None
        extra = max(0, self.formats[1].precision + 4 + g.bit_length() - abs(target).bit_length())
        quotient, rest = divmod(abs(target) << extra, g)
        sign = s ^ int(target < 0)
        exponent = self.base - extra - e - 1
        return [code, self.pack(self.formats[1], exponent, 2 * quotient + (rest > 0), sign)]

    def _at_border(self, border: int) -> Codes | None:
        step = self.value(1, self.ulp(border)) or 4
        target = border + step * self.rng.randint(-8, 8) // 4
        codes = self.near(target if self.rng.getrandbits(1) else -target)
        return self._kept(codes, lambda codes: self.is_next_to(codes, border))

    # -- halfway ---------------------------------------------------------------------------------

    def halfway(self) -> Codes | None:
        """Candidates for ties: by an odd product of the right width, by an odd term one place
        below the step of the other, or by the last operand."""
        kinds = [lambda: self.near(self.middle())]
        if self.factors == 2 and self.out.is_float:
            kinds.append(self.product_halfway)
        if self.factors < len(self.formats):
            kinds.append(self.sum_halfway)
        return self.rng.choice(kinds)()

    def middle(self) -> int:
        x = self.any_result()
        return x + self.value(1, self.ulp(x) - 1)

    def odd(self, bits: int) -> int:
        return self._digits(bits) | 1

    def product_halfway(self) -> Codes | None:
        n = self.out.numbers
        exponent = n.lsb - 1
        width = self.rng.randint(1, self.out.precision + 1)
        if self.rng.getrandbits(1):  # in the normal range
            width = self.out.precision + 1
            exponent = self.rng.randint(n.lsb - 1, self._highest(self.out) - width + 1)
        codes = self.odd_product(width, exponent)
        if codes is None or len(self.formats) == 2:
            return codes
        return [*codes, self.pack(self.formats[2], 0, 0)]

    def odd_product(self, width: int, exponent: int) -> Codes | None:
        """Factors with an odd product of about this width, whose lsb weighs 2^exponent."""
        a, b = self.formats[:2]
        low, high = max(1, width - b.precision), min(a.precision, width)
        if low > high:
            return None
        first = self.rng.randint(low, high)
        second = min(width - first + self.rng.getrandbits(1), b.precision)
        odds = [self.odd(first), self.odd(max(second, 1))]
        lows = [f.numbers.lsb for f in (a, b)]
        tops = zip((a, b), odds, strict=True)
        highs = [self._highest(f) - g.bit_length() + 1 for f, g in tops]
        exponents = self.split(exponent, lows, highs)
        if exponents is None:
            return None
        parts = zip((a, b), exponents, odds, strict=True)
        return [self.pack(f, e, g) for f, e, g in parts]

    def sum_halfway(self) -> Codes | None:
        """The addend on the grid of the result, the other term an odd number of half steps."""
        x = self.any_result()
        last = self.pack_value(self.formats[-1], x)
        half = self.ulp(x) - 1
        width = self.rng.randint(1, self.out.precision + 1)
        if self.factors == 2:
            codes = self.odd_product(width, half)
            return None if codes is None else [*codes, last]
        f = self.formats[0]
        return [self.pack(f, half, self.odd(min(width, f.precision))), last]

    def near_halfway(self) -> Codes | None:
        codes = self._kept(self.halfway(), self.is_halfway)
        if codes is None:
            return None
        i = self.rng.randrange(len(codes))
        codes = self.nudged(codes, i, self.rng.choice((-1, 1)))
        return None if not self.exact(codes) or self.is_halfway(codes) else codes

    def nudged(self, codes: Codes, i: int, by: int) -> Codes:
        return [*codes[:i], (codes[i] + by) % (1 << self.formats[i].bits), *codes[i + 1 :]]

    # -- sticky ----------------------------------------------------------------------------------

    def sticky(self) -> Codes | None:
        """One term on the grid or halfway, the other far below; a product that is one beside it."""
        kinds = [lambda: self.beside(self.middle()), lambda: self.beside(self.any_result())]
        if self.factors == 2 and self.out.is_float:
            kinds.append(self.product_sticky)
        if self.factors < len(self.formats):
            kinds += [self.sum_sticky, self.sum_sticky]
        return self.rng.choice(kinds)()

    def beside(self, target: int) -> Codes | None:
        codes = self.near(target)
        return codes and self.nudged(codes, len(codes) - 1, self.rng.choice((-1, 1)))

    def product_sticky(self) -> Codes | None:
        """Significands whose product ends in zeros and a one, or in ones."""
        a, b = self.formats[:2]
        below = a.precision + b.precision - self.out.precision - 1 - self.rng.getrandbits(1)
        if not 1 <= below <= b.precision:
            return None
        first = self.odd(a.precision)
        inverse = pow(first, -1, 1 << below) * self.rng.choice((-1, 1)) % (1 << below)
        second = self._digits(b.precision) >> below << below | inverse
        n = self.out.numbers
        exponent = self.rng.randint(n.emin, self._highest(self.out)) - a.precision - b.precision + 1
        lows = [f.numbers.lsb for f in (a, b)]
        highs = [self._highest(f) - f.precision + 1 for f in (a, b)]
        exponents = self.split(exponent, lows, highs)
        if exponents is None:
            return None
        codes = [self.pack(a, exponents[0], first), self.pack(b, exponents[1], second)]
        return codes if len(self.formats) == 2 else [*codes, self.pack(self.formats[2], 0, 0)]

    def sum_sticky(self) -> Codes | None:
        last = self.formats[-1]
        x = self.rng.choice((self.any_result, self.middle))()
        below = self.ulp(x) - 4 - self.rng.randint(0, 3 * self.out.precision)
        if self.rng.getrandbits(1):
            return [*self.first_term(below), self.pack_value(last, x)]
        codes = self.equal_term(x)
        return None if codes is None else [*codes, self.of_magnitude(last, below)]

    def equal_term(self, x: int) -> Codes | None:
        """The first term of a sum, equal to a value if it can be."""
        if self.factors == 1:
            return [self.pack_value(self.formats[0], x)]
        return self._near_product(x)

    # -- cancellation, alignment, normalization --------------------------------------------------

    def cancelling(self) -> Codes | None:
        last = self.formats[-1]
        first = self.first_term(self.rng.randint(last.numbers.lsb, self._highest(last)))
        if self.factors == 2 and self.rng.getrandbits(1):  # a product that the addend may equal
            _, _, e, g = r.unpack(first[1], self.formats[1].numbers)
            first[1] = self.pack(self.formats[1], e + max(g.bit_length() - 1, 0), 1)
        term = self.term(first)
        if not term:
            return None
        codes = [*first, self.pack_value(last, -term)]
        return self.nudged(codes, len(first), self.rng.choice((-2, -1, 0, 0, 1, 2)))

    def distances(self) -> list[int]:
        """Differences of the exponents of addend and other term (weights of the lsbs of their
        significands) at which the terms overlap or one is sticky, and a little more; as far as
        the formats have such exponents."""
        reach = self.out.precision + _BEYOND
        wanted = range(-self.formats[-1].precision - reach, self.width + reach + 1)
        return [distance for distance in wanted if self._addend_exponents(distance)]

    @cached_property
    def width(self) -> int:
        """Bits of the first term's significand."""
        return sum(f.precision for f in self.formats[: self.factors])

    def _exponents(self) -> tuple[list[int], list[int]]:
        """Lowest and highest exponent of each operand."""
        lows = [f.numbers.lsb for f in self.formats]
        highs = [self._highest(f) - f.precision + 1 for f in self.formats]
        return lows, list(map(max, lows, highs))

    def _addend_exponents(self, distance: int) -> range:
        """The exponents of addends for which the other term can be so far away; if possible only
        those for which the sum does not overflow."""
        lows, highs = self._exponents()
        low, high = sum(lows[: self.factors]), sum(highs[: self.factors])
        most = self.top(self.largest)
        every = range(max(lows[-1], low + distance), min(highs[-1], high + distance) + 1)
        bounds = most - self.formats[-1].precision, most - self.width + distance
        inside = range(every.start, min(every.stop, *bounds))
        return inside or every

    def aligned(self, distance: int) -> Codes | None:
        return self._kept(self._aligned(distance), self.is_alignment)

    def _aligned(self, distance: int) -> Codes:
        addend = self.rng.choice(self._addend_exponents(distance))
        exponents: tuple[int, ...] = (addend - distance,)
        if self.factors == 2:
            lows, highs = self._exponents()
            found = self.split(addend - distance, lows, highs)
            assert found is not None
            exponents = found
        parts = zip(self.formats, (*exponents, addend), strict=True)
        return [self.pack(f, e, self._digits(f.precision)) for f, e in parts]

    def leading_zeros(self, f: Format) -> list[int]:
        if not f.is_float or f.hidden_always:
            return []
        return list(range(1, f.fraction_bits + 1))

    def subnormal_operand(self, i: int, zeros: int) -> Codes:
        """Operand `i` with so many leading zeros; the others from the upper half of exponents."""
        tops = []
        for f in self.formats:
            highest = self._highest(f)
            tops.append(highest - self.rng.randint(0, (highest - f.numbers.lsb) // 2))
        tops[i] = self.formats[i].numbers.emin - zeros
        return [self.of_magnitude(f, top) for f, top in zip(self.formats, tops, strict=True)]
