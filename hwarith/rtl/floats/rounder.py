"""The one rounder that all units share: normalize, round, pack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value

from ...formats import ROUNDINGS, STOCHASTIC, Format
from ..adders import increment
from ..logic import exceeds, exceeds_rounded, leading_zeros, least, one_hot
from ..parts import make_part
from ..shifters import shift_left
from ..wires import Step, Values, wire
from .directions import PORT, RM, STOCHASTICALLY, goes_up, random_carry, toward_zero
from .operands import exponent_bits, lowest_exponent, signed_exponent
from .specials import Specials

MARKED_BITS = 64
"""Up to this many bits the count of leading zeros is ended by a mark among them; in wider ones, as
of a multiply-add of fp32, it takes fewer gates to limit the count itself."""


@dataclass(frozen=True)
class Rounder:
    """The shared rounder of one result format, as steps of a datapath: normalize, round, pack.

    They take ``sign``, ``exponent``, ``significand``, ``nan`` and ``inf``, and give the code ``y``.
    More may be given: ``negative``, that the significand is a negative sum in two's complement, to
    be negated; ``sticky``, that the sum is a little more than the significand says; ``difference``,
    that a zero is +0, or -0 when rounding down (not beside ``inf``, whose sign it would change);
    ``anticipated``, in which to count zeros in place of the significand (`hwarith.rtl.anticipate`);
    ``nan_code``, what a NaN becomes; ``by_zero``, that an infinity is a division by zero, for the
    flags. The mode may come on ``rm``, random bits come on ``r``.

    Only what is kept of a negative sum is inverted, and the one that then lacks is added in
    rounding. The lsb of its significand must be zero, or below the result's lowest binades: -1
    would be inverted to nothing that can be normalized.

    Parameters
    ----------
    mode : one of `ROUNDINGS`, `STOCHASTIC`, `PORT`, or ``port_`` and a stochastic one.
    n : random bits.
    ftz : whether results that are tiny after rounding become zeros.
    tininess : ``none``, or ``after`` or ``before`` for the result ``flags``, of which ``invalid``
        is to be given.
    """

    out: Format
    mode: str
    overflow: str
    n: int = 0
    ftz: bool = False
    tininess: str = "none"

    @property
    def stochastic(self) -> str:
        """The variant of stochastic rounding, or nothing."""
        variant = self.mode.removeprefix(f"{PORT}_")
        return variant if variant in STOCHASTIC else ""

    @property
    def on_port(self) -> bool:
        return self.mode.startswith(PORT)

    @property
    def specials(self) -> Specials:
        """The result's special codes."""
        return Specials(self.out)

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that there may be; stochastic ones overflow as to nearest."""
        return ROUNDINGS if self.on_port else ("rne" if self.stochastic else self.mode,)

    @property
    def lowest(self) -> int:
        """The exponent of the result's lowest binade."""
        return lowest_exponent(self.out)

    @property
    def decisive(self) -> int:
        """Bits below the result's lsb that decide on its rounding, beside sticky: the guard bit,
        or those that meet random bits."""
        return {"": 1, "sra": self.n}.get(self.stochastic, self.n + 1)

    @property
    def below(self) -> int:
        """Bits that are kept below the result's lsb. One more than the guard bit tells whether
        what rounds up to the smallest normal value is tiny."""
        unbounded = self.tininess == "after" and not self.ftz and self.mode not in STOCHASTIC
        return max(2, self.decisive) if unbounded else self.decisive

    def front(self, lowest: int) -> int:
        """Zeros to put in front of a significand, whose least exponent is `lowest`, so that it is
        never shifted right: what lies farther below the lowest binade is sticky anyway."""
        needed = self.lowest - lowest
        return 0 if self.ftz else max(0, min(needed, self.out.precision + self.decisive))

    def steps(self, exponents: tuple[int, int]) -> list[Step]:
        """All steps, for exponents in this range."""
        return [self._normalize(*exponents), *self.after_normalization()]

    def after_normalization(self) -> list[Step]:
        """The last two steps. They take ``kept``, of the result's precision and `below`, with
        what lies below as ``sticky`` and ``carry``; and ``exponent``, the biased one."""
        return [self._round, self._pack]

    # -- normalize -------------------------------------------------------------------------------

    def _normalize(self, lowest: int, highest: int) -> Step:
        def normalize(m: Module, x: Values) -> Values:
            """Shift the leading one to the top, but not below the lowest binade."""
            # With zeros in front, even the lowest exponent calls for a left shift.
            front = self.front(lowest)
            negative = x.get("negative", Const(0, 1))
            significand = Cat(x["significand"], negative.replicate(front))
            width = len(significand)
            exponent = x["exponent"] + front
            # A one at the lsb, as there is nothing to be found beyond.
            magnitude = (significand ^ negative.replicate(width)) | 1
            if "anticipated" in x:
                magnitude = Cat(x["anticipated"], Const(0, front)) | 1
            if self.ftz:
                bits = signed_exponent(lowest - width, highest)
                zeros = leading_zeros(m, "shift", wire(m, "magnitude", magnitude, width))
            else:
                bits = Shape(exponent_bits(highest + front))
                most = highest + front
                if lowest + front - width >= self.lowest:
                    zeros = leading_zeros(m, "shift", wire(m, "magnitude", magnitude, width))
                else:
                    reaches = lowest + front < self.lowest
                    zeros = self._limited_zeros(
                        m, magnitude, exponent, most, reaches, "anticipated" in x
                    )
            return self._shifted(m, x, significand, zeros, exponent, bits)

        return normalize

    def _limited_zeros(
        self,
        m: Module,
        magnitude: Value,
        exponent: Value,
        highest: int,
        reaches: bool,
        anticipated: bool,
    ) -> Value:
        """Leading zeros, but none below the lowest binade; `reaches` says that an exponent may lie
        below it."""
        width, first = len(magnitude), self.lowest
        bits = exponent_bits(highest)
        below = exponent < first if reaches else Const(0, 1)
        if width > MARKED_BITS and not anticipated:
            zeros = leading_zeros(m, "zeros", wire(m, "magnitude", magnitude, width))
            return least(m, "shift", zeros, Mux(below, 0, (exponent - first)[:bits]))
        # A one where the lowest binade begins ends the count there.
        exponent_is = one_hot(m, "exponent_is", exponent[:bits], min(first + width, highest + 1))
        first_begins, *begins = exponent_is[first:]
        begins_at = Cat(Const(0, width - 1 - len(begins)), *reversed(begins), first_begins | below)
        return leading_zeros(m, "shift", wire(m, "marked", magnitude | begins_at, width))

    def _shifted(
        self, m: Module, x: Values, significand: Value, shift: Value, exponent: Value, bits: Shape
    ) -> Values:
        """Shift a significand left; what is kept is the result's precision and a few bits."""
        negative = x.get("negative", Const(0, 1))
        keep = self.out.precision + self.below
        biased: Value = exponent - shift
        if "anticipated" in x:
            kept, some, biased = self._corrected(m, x, significand, shift, biased)
        else:
            kept, some = shift_left(m, "normalized", significand, shift, keep)
        biased = biased[: bits.width]
        sticky = wire(m, "sticky", some | x.get("sticky", Const(0, 1)))
        return {
            "sign": x["sign"],
            "nan": x["nan"],
            "inf": x["inf"],
            "kept": wire(m, "kept", kept ^ negative.replicate(keep)),
            "sticky": sticky,
            "carry": wire(m, "carry_from_below", negative & ~sticky),
            "exponent": wire(m, "normalized_exponent", biased, bits),
            "difference": x.get("difference", Const(0, 1)),
        }

    def _corrected(
        self, m: Module, x: Values, significand: Value, shift: Value, exponent: Value
    ) -> tuple[Value, Value, Value]:
        """What is kept of a shifted significand, whether any bits below it are ones, and its
        exponent. An anticipated shift may be one place short, unless it ends at the lowest
        binade."""
        keep = self.out.precision + self.below
        shifted, some = shift_left(m, "anticipated", significand, shift, keep + 1)
        exponent = wire(m, "anticipated_exponent", exponent)
        may_be = Const(1, 1) if self.ftz else exponent > self.lowest
        first = shifted[-1] ^ x.get("negative", Const(0, 1))
        short = wire(m, "one_place_short", may_be & ~first)
        kept = wire(m, "normalized", Mux(short, shifted[:-1], shifted[1:]))
        return kept, some | (~short & shifted[0]), Mux(short, exponent - 1, exponent)

    # -- round -----------------------------------------------------------------------------------

    def _round(self, m: Module, x: Values) -> Values:
        """Round at the result's lsb. A carry out of the significand is the next binade."""
        out = self.out
        hidden, fraction = x["kept"][-1], x["kept"][self.below : -1]
        carry, dropped, guard, sticky = self._dropped(m, x)
        exponent = x["exponent"]
        field = exponent if self.ftz else exponent & hidden.replicate(len(exponent))
        mag = wire(m, "truncated", Cat(fraction, field))
        up = self._up(m, x, carry, mag[0], guard, sticky)
        if out.hidden_always:
            up = up & hidden
        up = wire(m, "round_up", up)
        exactly_zero = ~x["kept"].any() & ~x["sticky"] & ~x["carry"]
        cancelled = x["difference"] & exactly_zero
        zero_sign = x["rm"] == RM["rdn"] if self.on_port else Const(int(self.mode == "rdn"), 1)
        values: Values = {name: x[name] for name in ("nan", "inf")}
        values["sign"] = wire(m, "signed", Mux(cancelled, zero_sign, x["sign"]), 1)
        bits = out.fraction_bits + out.exponent_bits
        rounded = _increment(m, mag, up)
        lost: Value = Const(0, 1)
        if self.ftz:
            # The exponent is signed; what is below 1 after rounding is tiny, or a zero.
            tiny = (
                ~hidden | rounded[len(mag) - 1] | ~rounded[out.fraction_bits : len(mag) - 1].any()
            )
            tiny = wire(m, "tiny", tiny)
            lost = tiny & ~exactly_zero
            too_big = self._too_big(mag[:-1], up) & hidden & ~mag[-1]
            rounded = rounded[:bits] & ~tiny.replicate(bits)
        else:
            too_big = self._too_big(mag, up)
        values["overflow"] = wire(m, "overflow", too_big)
        values["mag"] = wire(m, "rounded", rounded[:bits], bits)
        if out.hidden_always:
            values["zero"] = wire(m, "zero", exactly_zero)
        if self.tininess != "none":
            inexact = wire(m, "inexact", guard | sticky | lost)
            if not self.ftz:
                to_normal = self._reaches_normal(x, carry, up, dropped)
                lost = ~hidden & ~(fraction.all() & to_normal) & inexact
            elif self.tininess == "before":
                lost = (mag[-1] | ~mag[out.fraction_bits : -1].any()) & inexact
            values |= {"inexact": inexact, "underflow": wire(m, "underflow", lost)}
        return values

    def _too_big(self, mag: Value, up: Value) -> Value:
        """Whether a rounded magnitude is beyond the largest value, or would pass for another one.

        Where overflow gives the next code, as infinity is, a value that is rounded up to it needs
        no notice.
        """
        codes = self.specials
        if all(codes.follows_largest(mode, self.overflow) for mode in self.modes):
            return exceeds(mag, codes.largest)
        return exceeds_rounded(mag, up, codes.largest)

    def _dropped(self, m: Module, x: Values) -> tuple[Value, Value, Value, Value]:
        """What lies below the result's lsb: a carry out of it, its bits, the guard bit among them,
        and whether anything is below that."""
        rest = x["kept"][: self.below]
        # A carry from below passes through what is dropped.
        carry = wire(m, "carry", x["carry"] & rest.all())
        bits = Cat(*(bit ^ (x["carry"] & rest[:i].all()) for i, bit in enumerate(rest)))
        sticky = x["sticky"] | bits[:-1].any() if self.below > 1 else x["sticky"]
        return carry, bits, wire(m, "guard", bits[-1]), sticky

    def _up(
        self, m: Module, x: Values, carry: Value, lsb: Value, guard: Value, sticky: Value
    ) -> Value:
        """Whether the magnitude is to be increased by one lsb."""
        up = carry | goes_up(self.mode, x, lsb, guard, sticky)
        if not self.stochastic:
            return up
        rest = x["kept"][: self.below]
        chance = random_carry(self.stochastic, self.n, x, rest, x["carry"])
        return Mux(self._is_random(x), wire(m, "random_carry", chance), up)

    def _is_random(self, x: Values) -> Value:
        if not self.stochastic:
            return Const(0, 1)
        return x["rm"] == STOCHASTICALLY if self.on_port else Const(1, 1)

    def _reaches_normal(self, x: Values, carry: Value, up: Value, dropped: Value) -> Value:
        """Whether a value, all of whose fraction bits are ones and whose hidden bit is a zero, is
        not tiny: it is the smallest normal one, or rounded to it with unbounded exponent (for
        which the guard bit is the lsb; of a single bit of precision the exponent is, an even one
        below the smallest normal value's); or at random, to the result's own lsb."""
        if self.tininess == "before":
            return carry
        if self.mode in STOCHASTIC:
            return up
        sticky = x["sticky"] | dropped[:-2].any() if self.below > 2 else x["sticky"]
        odd = Const(int(self.out.fraction_bits > 0), 1)
        unbounded = dropped[-1] & goes_up(self.mode, x, odd, dropped[-2], sticky)
        return Mux(self._is_random(x), up, carry | unbounded)

    # -- pack ------------------------------------------------------------------------------------

    def _pack(self, m: Module, x: Values) -> Values:
        """Choose between the rounded value, overflow, infinity and NaN."""
        out, codes, policy = self.out, self.specials, self.overflow
        finite = self._finite(x)
        beyond = self._by_mode(x, lambda s, mode: codes.overflow(s, mode, policy))
        infinite = self._by_sign(x, lambda s: codes.infinite(s, policy))
        if out.hidden_always:
            finite = Mux(x["zero"], Const(codes.zero(policy), out.bits), finite)
        nan_code = x.get("nan_code", Const(codes.nan_result, out.bits))
        special = Mux(x["nan"], nan_code, infinite)
        ordinary = Mux(x["overflow"], beyond, finite)
        is_special = x["nan"] | x["inf"]
        y = wire(m, "code", Mux(is_special, special, ordinary), out.bits)
        if self.tininess == "none":
            return {"y": y}
        overflow = (x["overflow"] | exceeds(x["mag"], codes.largest)) & ~is_special
        inexact = (x["inexact"] & ~is_special) | overflow
        by_zero = x.get("by_zero", Const(0, 1)) & ~x["nan"]
        if codes.infinite(0, policy) != codes.infinity:
            inexact = inexact | (x["inf"] & ~x["nan"] & ~by_zero)
        underflow = x["underflow"] & ~is_special
        invalid = x["nan"] | x["invalid"] if codes.nan is None else x["invalid"]
        return {"y": y, "flags": Cat(inexact, underflow, overflow, by_zero, invalid)}

    def _finite(self, x: Values) -> Value:
        """A rounded magnitude in range, with its sign where the format has one."""
        out, mag = self.out, x["mag"]
        if out.signed:
            return Cat(mag, x["sign"] if out.has_negative_zero else x["sign"] & mag.any())
        below = self._by_mode(x, lambda _, mode: self.specials.below(mode, self.overflow))
        negative = x["sign"] & (mag.any() | int(out.hidden_always))
        return Mux(negative, below, Cat(mag, Const(0, out.bits - len(mag))))

    def _by_sign(self, x: Values, code: Callable[[int], int]) -> Value:
        """The code for the result's sign."""
        positive, negative = (Const(code(sign), self.out.bits) for sign in (0, 1))
        same = positive.value == negative.value
        return positive if same else Mux(x["sign"], negative, positive)

    def _by_mode(self, x: Values, code: Callable[[int, str], int]) -> Value:
        """The code for the result's sign and mode, which matters where it rounds toward zero."""

        def of(mode: str) -> Value:
            return self._by_sign(x, lambda sign: code(sign, mode))

        if not self.on_port:
            return of(*self.modes)
        rm = x["rm"]
        odd = self._by_sign(x, lambda s: self.specials.rounds_back(s, "rto", self.overflow))
        back = toward_zero(rm, x["sign"]) | ((rm == RM["rto"]) & odd[0])
        return Mux(back, of("rtz"), of("rne"))


def _increment(m: Module, mag: Value, up: Value) -> Value:
    """Above 16 bits ABC makes more of a plain sum than of an incrementer in blocks."""
    if len(mag) <= 16:
        return increment(m, "incremented", mag, up)
    return make_part(m, "incrementer", lambda _: mag + up)
