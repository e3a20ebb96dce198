"""The rounder of results that are integers or fixed point: align, round, pack."""

from __future__ import annotations

from dataclasses import dataclass, field

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ...formats import Format
from ..integers import integer_range
from ..logic import exceeds_rounded
from ..shifters import align_right
from ..wires import Step, Values, wire
from .operands import signed_exponent
from .posit_rounder import PositRounder, as_binades
from .rounder import Rounder


def rounder_of(
    out: Format, mode: str, overflow: str, n: int = 0, ftz: bool = False, tininess: str = "none"
) -> Rounder:
    """The rounder of a result, a float, a posit or not."""
    if out.is_posit:
        return PositRounder(as_binades(out), "rne", overflow, ftz=True, posit=out)
    if out.is_float:
        return Rounder(out, mode, overflow, n, ftz, tininess)
    places = as_places(out, out.bits - (out.signed and tininess == "none"))
    return IntegerRounder(places, mode, overflow, n, False, tininess, integer=out)


def wrapping_rounder(out: Format, mode: str, highest: int, n: int = 0) -> Rounder:
    """The rounder of an integer of which the low bits are left, with places for magnitudes whose
    first one has at most the weight 2^`highest`."""
    places = as_places(out, max(out.bits, highest - out.exponent + 1))
    return IntegerRounder(places, mode, "wrap", n, integer=out)


def as_places(out: Format, bits: int) -> Format:
    """The magnitudes of an integer, of this many bits, as a float's in its lowest binade."""
    bits = max(bits, 1)
    bias = 2 - bits - out.exponent
    return Format(out.name, "float", bits + 1, 1, bits - 1, bias, signed=out.signed)


@dataclass(frozen=True)
class IntegerRounder(Rounder):
    """Steps as those of `Rounder`, of a result that is an integer of a fixed step.

    An integer is a float that never leaves its lowest binade, so that its last place is fixed:
    `out` is such a float (`as_places`), `integer` the format of the code. What is greater than it
    holds is clamped, and so are infinities; NaN becomes the largest integer; or with ``indefinite``
    all of them the lowest one (of unsigned integers the highest). Of the flags there is NV, for
    what is out of range and for NaN, and NX for all else that is not exact.

    Source: RISC-V, F extension, conversions to integers; IEEE 754-2019, 5.8 and 7.2.
    """

    integer: Format = field(kw_only=True)

    @property
    def below(self) -> int:
        """Bits that are kept below the integer's lsb; nothing is tiny."""
        return self.decisive

    def steps(
        self,
        exponents: tuple[int, int],
        normal: tuple[int, int] | None = None,
        offset: int = 0,
    ) -> list[Step]:
        """All steps, for exponents in this range, which come less `offset`. `normal`: a significand
        of an exponent beyond the first number has no more leading zeros than the second one."""
        return [self._aligning(*exponents, normal, offset), *self.after_normalization()]

    def _aligning(
        self, lowest: int, highest: int, normal: tuple[int, int] | None, offset: int
    ) -> Step:
        most = max(0, highest - self.lowest)  # how far a significand reaches above the integer
        places = self.out.precision + self.below

        def align(m: Module, x: Values) -> Values:
            """Shift the significand's bits to their weights; one that reaches above the integer's
            is too big."""
            negative = x.get("negative", Const(0, 1))
            # Of what reaches farther, every bit is above the integer; or the leading one is.
            head = width = min(most, len(x["significand"]))
            if normal:
                head = min(width, max(normal[0] - self.lowest, normal[1], 0))
            top, window = self.lowest + head, head + places
            magnitude = x["significand"] ^ negative.replicate(len(x["significand"]))
            if "negative" in x:  # zeros below it are inverted too
                magnitude = Cat(negative.replicate(max(0, window - len(magnitude))), magnitude)
            distance = (top - offset) - x["exponent"]
            distance = wire(m, "distance", distance, signed_exponent(top - highest, top - lowest))
            farthest = max(top - lowest, 0)
            beyond = distance[-1] if highest > top else Const(0, 1)
            within = Mux(beyond, 0, distance) if highest > top and head == width else distance
            kept, some = align_right(
                m, "aligned", magnitude, within[: farthest.bit_length()], farthest, window, negative
            )
            sticky = wire(m, "sticky", some | x.get("sticky", Const(0, 1)))
            above = kept[places:].any() | (beyond if head < width else 0)
            return {name: x[name] for name in ("sign", "nan", "inf")} | {
                "kept": kept[:places],
                "sticky": sticky,
                "carry": wire(m, "carry_from_below", negative & ~sticky),
                "above": wire(m, "above", above),
            }

        return align

    def _round(self, m: Module, x: Values) -> Values:
        """Whether to round up at the integer's last place."""
        magnitude = x["kept"][self.below :]
        carry, _, guard, sticky = self._dropped(m, x)
        above = x.get("above")
        if above is None:
            above = (x["exponent"] > self.lowest) & magnitude[-1]
        up = self._up(m, x, carry, magnitude[0], guard, sticky)
        return {name: x[name] for name in ("sign", "nan")} | {
            "magnitude": wire(m, "truncated", magnitude),
            "up": wire(m, "round_up", up),
            "inexact": wire(m, "inexact", guard | sticky),
            "above": wire(m, "too_big", above | x["inf"] | x["nan"]),
        }

    def _pack(self, m: Module, x: Values) -> Values:
        """The rounded magnitude with its sign, clamped into the result's range unless it wraps."""
        out, (low, high) = self.integer, integer_range(self.integer)
        magnitude, up, sign = x["magnitude"], x["up"], x["sign"]
        # -(i + up) = ~i + ~up: one adder rounds and negates.
        bits = max(out.bits, len(magnitude))
        inverted = Cat(magnitude, Const(0, bits - len(magnitude))) ^ sign.replicate(bits)
        code = wire(m, "signed", (inverted + (up ^ sign))[: out.bits], out.bits)
        if self.overflow == "wrap":
            return {"y": code}
        positive = exceeds_rounded(magnitude, up, high)
        negative = exceeds_rounded(magnitude, up, -low)
        clamped = wire(m, "clamped", x["above"] | Mux(sign, negative, positive))
        lowest, highest = (Const(c % (1 << out.bits), out.bits) for c in (low, high))
        if self.overflow == "indefinite":
            limit: Value = Const(1 << (out.bits - 1), out.bits) if out.signed else highest
        else:
            limit = Mux(sign & ~x["nan"], lowest, highest)
        values: Values = {"y": wire(m, "code", Mux(clamped, limit, code), out.bits)}
        if self.tininess != "none":
            values["flags"] = Cat(x["inexact"] & ~clamped, Const(0, 3), clamped)
        return values
