"""Which class of conformance vectors the exact result of operands belongs to.

The exact result is worked out from the codes, in integers.
"""

from __future__ import annotations

from functools import cached_property

from ...formats import Format
from ...formats import rounding as r
from ...units.operations import Operation

Codes = list[int]
"""One code for each operand."""


_BELOW = 4
"""Places of values below the smallest step, for halves of it and what is next to them."""


class ExactResults:
    """The exact results of an operation on operands of its formats, and conditions on them.

    Values are integers, in units of 2^base. The last operand is the addend of a sum; what comes
    before it is the other term. All of the operands are finite where a condition is met.

    Attributes
    ----------
    operation : the operation, which has factors, and an addend if it `adds`.
    formats : of its operands, in order.
    out : the format that the result is rounded to.
    factors : how many operands are multiplied.
    flushes : whether subnormal operands are taken as zeros.
    base : exponent of the unit of values.
    """

    def __init__(
        self, operation: Operation, formats: list[Format], out: Format, flushes: bool = False
    ):
        self.operation = operation
        self.flushes = flushes
        self.formats = formats
        self.out = out
        self.factors = operation.factors
        lsbs = [f.numbers.lsb for f in formats]
        self.base = min(sum(lsbs[: self.factors]), *lsbs, out.numbers.lsb) - _BELOW

    # -- exact values ----------------------------------------------------------------------------

    def term(self, codes: Codes) -> int | None:
        """The exact product of these codes (the first ones), None if it is not finite."""
        sign, exponent, significand = 0, 0, 1
        for code, f in zip(codes, self.formats, strict=False):
            kind, s, e, g = self.unpacked(code, f)
            if kind != r.FINITE:
                return None
            sign, exponent, significand = sign ^ s, exponent + e, significand * g
        return (-1) ** sign * (significand << (exponent - self.base))

    def addend(self, code: int) -> int | None:
        kind, s, e, g = self.unpacked(code, self.formats[-1])
        return (-1) ** s * (g << (e - self.base)) if kind == r.FINITE else None

    def unpacked(self, code: int, f: Format) -> tuple[int, int, int, int]:
        """Kind, sign, exponent and significand of an operand, as the unit takes it."""
        kind, s, e, g = r.unpack(code, f.numbers)
        flushed = self.flushes and f.is_float and g >> f.fraction_bits == 0
        return kind, s, e, 0 if flushed else g

    def exact(self, codes: Codes) -> int | None:
        first = self.term(codes[: self.factors])
        if self.factors == len(codes) or first is None:
            return first
        last = self.addend(codes[-1])
        return None if last is None else first + last

    def result(self, codes: Codes) -> int | None:
        """The exact result, None if it is not finite or below an unsigned range."""
        x = self.exact(codes)
        return None if x is not None and x < 0 and not self.out.signed else x

    def top(self, x: int) -> int:
        """Exponent of the leading one."""
        return abs(x).bit_length() - 1 + self.base

    def ulp(self, x: int) -> int:
        """Exponent of the step of the result's format at this value."""
        return self.out.last_place(self.top(x))

    def value(self, x: int, exponent: int) -> int:
        return x << (exponent - self.base) if exponent >= self.base else x >> (self.base - exponent)

    @property
    def rounds(self) -> bool:
        """Whether exact results may lie between the result's codes: of integers only with operands
        of finer steps."""
        return self.out.is_float or self.base + _BELOW < self.out.numbers.lsb

    # -- conditions ------------------------------------------------------------------------------

    def is_halfway(self, codes: Codes) -> bool:
        x = self.result(codes)
        if not x or abs(x) > self.largest:
            return False
        step = 1 << (self.ulp(x) - self.base)
        return abs(x) % step == step // 2

    def is_sticky(self, codes: Codes) -> bool:
        x = self.result(codes)
        if not x or abs(x) > self.largest:
            return False
        half = 1 << (self.ulp(x) - self.base - 1)
        rest = abs(x) % half
        return 0 < min(rest, half - rest) <= half >> 3

    def is_subnormal(self, codes: Codes) -> bool:
        x = self.result(codes)
        return x is not None and 0 < abs(x) < self.smallest_normal

    def is_overflow(self, codes: Codes) -> bool:
        """At least a step beyond the range, which overflows in every rounding mode."""
        x = self.result(codes)
        if x is None:
            return False
        step = 2 * (self.overflow_limit - self.largest)
        return abs(x) >= (self.largest if x > 0 else self.most_negative) + step

    def is_alignment(self, codes: Codes) -> bool:
        """Both terms are there: none is a zero, or taken as one."""
        return bool(self.term(codes[: self.factors])) and bool(self.addend(codes[-1]))

    def is_cancellation(self, codes: Codes) -> bool:
        x, last = self.exact(codes), self.addend(codes[-1])
        if x is None or not last:
            return False
        least = max(1, self.formats[-1].precision // 2)
        return last.bit_length() - abs(x).bit_length() >= least

    def is_next_to(self, codes: Codes, border: int) -> bool:
        """Within two steps of the least precise one of the result and the operands."""
        x = self.result(codes)
        bits = min(f.precision for f in (*self.formats, self.out))
        step = max(self.value(1, self.top(border) + 1 - bits), 1)
        return x is not None and abs(abs(x) - border) <= min(2 * step, border // 2)

    # -- ends of the range ----------------------------------------------------------------------

    @cached_property
    def smallest_normal(self) -> int:
        return self.value(1, self.out.numbers.emin)

    @cached_property
    def largest(self) -> int:
        _, _, e, g = r.unpack(r.pack_max(0, self.out.numbers), self.out.numbers)
        return self.value(g, e)

    @cached_property
    def most_negative(self) -> int:
        """The magnitude of the lowest value: of signed integers a step more than the largest."""
        n = self.out.numbers
        return self.value(n.min_mag, n.lsb) if n.integer else self.largest

    @cached_property
    def overflow_limit(self) -> int:
        """Half a step beyond the largest value."""
        return self.largest + self.value(1, self.ulp(self.largest) - 1)

    @cached_property
    def subnormal_borders(self) -> tuple[int, int]:
        return self.smallest_normal, self.value(1, self.out.numbers.lsb - 1)
