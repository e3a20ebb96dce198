"""The hardware of a lane: one multiply-add for all formats of which there is a code in it.

It is that of a format into which the fields of all others fit: their fractions to the left, their
exponents as they are. A significand of fewer bits has zeros at its end, and is no less exact for
it. What depends on the format is how the exponents of product and addend are related (by its bias)
and where the sum is rounded; subnormals of all formats have the exponent 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ... import rtl
from ...formats import Format
from ...rtl import PORT, Raw, Values, wire
from ...rtl.floats import Specials
from ...rtl.floats.directions import RM, goes_up, toward_zero
from ..exact.fma import Fma
from ..parameters import text_parameter


@dataclass(frozen=True, kw_only=True, repr=False)
class Slice(Fma):
    """The steps of a lane, whose operands are words; ``fmt`` is the number of a format.

    `formats` are those of the unit, `lane` is the lane's number, `word` the bits of a word. Its own
    format, `a`, is the one that holds the others (`holding`).
    """

    formats: tuple[Format, ...] = text_parameter("of the unit", tuple, "formats", ())
    lane: int = text_parameter("its number", int, "an integer", 0)
    word: int = text_parameter("bits of a word", int, "an integer", 32)

    @property
    def own(self) -> dict[int, Format]:
        """The formats of which there is a code in this lane, by their numbers."""
        found = enumerate(self.formats)
        return {k: f for k, f in found if (self.lane + 1) * f.bits <= self.word}

    def datapath(self) -> list[rtl.Step]:
        normalize, *_ = self.rounder.steps(self.exponents)
        return [*self.exact_steps(), normalize, self._round, self._pack]

    # -- formats -------------------------------------------------------------------------------

    def _is(self, m: Module, x: Values) -> dict[Format, Value]:
        """A bit for each format of the lane."""
        last = len(self.formats) - 1
        fmt = x["fmt"]
        return {
            f: wire(m, f"is_{f.identifier}", fmt >= last if k == last else fmt == k)
            for k, f in self.own.items()
        }

    def _chosen(self, is_: dict[Format, Value], of: Callable[[Format], Value | int]) -> Value:
        """What belongs to the format; a number is one of as many bits as the widest takes."""
        values = {f: of(f) for f in is_}
        bits = max(x.bit_length() if isinstance(x, int) else len(x) for x in values.values())
        rows = [
            (Const(x, bits) if isinstance(x, int) else x) & is_[f].replicate(bits)
            for f, x in values.items()
        ]
        return _any_of(rows)

    def _left(self, f: Format, fraction: Value) -> Value:
        """A fraction at the left of the widest one."""
        return Cat(Const(0, self.a.fraction_bits - f.fraction_bits), fraction)

    # -- operands ------------------------------------------------------------------------------

    def unpacked(self, m: Module, x: Values) -> dict[str, Raw]:
        is_ = self._is(m, x)
        return {name: self._operand(m, name, x[name], is_) for name in self.terms}

    def _operand(self, m: Module, name: str, word: Value, is_: dict[Format, Value]) -> Raw:
        codes = {f: word.word_select(self.lane, f.bits) for f in is_}
        fraction = self._chosen(is_, lambda f: self._left(f, codes[f][: f.fraction_bits]))
        fraction = wire(m, f"{name}_fraction", fraction)
        field = wire(
            m, f"{name}_field", self._chosen(is_, lambda f: codes[f][f.fraction_bits : -1])
        )
        normal = wire(m, f"{name}_normal", field.any())
        some = wire(m, f"{name}_some", fraction.any())
        full = {f: field[: f.exponent_bits].all() & is_[f] for f in is_}
        ieee = wire(m, f"{name}_full", _any_of(x for f, x in full.items() if f.infinity))
        ones = [x & fraction[-f.fraction_bits :].all() for f, x in full.items() if not f.infinity]
        return Raw(
            sign=wire(m, f"{name}_sign", self._chosen(is_, lambda f: codes[f][-1])),
            exponent=wire(m, f"{name}_exponent", Cat(field[0] | ~normal, field[1:])),
            significand=wire(m, f"{name}_significand", Cat(fraction, normal)),
            nan=wire(m, f"{name}_nan", (ieee & some) | _any_of(ones)),
            inf=wire(m, f"{name}_inf", ieee & ~some),
            zero=wire(m, f"{name}_zero", ~normal & ~some),
            special=ieee,
            signaling=Const(0, 1),
        )

    def top_offset(self, m: Module, x: Values) -> Value:
        is_ = self._is(m, x)
        numbers = {f: self._top_offset + self.a.bias - f.bias for f in is_}
        bits = max((abs(n)).bit_length() for n in numbers.values()) + 1
        chosen = self._chosen(is_, lambda f: Const(numbers[f] & ((1 << bits) - 1), bits))
        return wire(m, "offset", chosen).as_signed()

    # -- result --------------------------------------------------------------------------------

    def _round(self, m: Module, x: Values) -> Values:
        """Round at the lsb of the format, with ones below it that hand the carry on."""
        is_ = self._is(m, x)
        kept, below = x["kept"], self.rounder.below
        lsb = {f: below + self.a.precision - f.precision for f in is_}
        dropped = self._chosen(is_, lambda f: Const((1 << (lsb[f] - 1)) - 1, max(lsb.values())))
        dropped = wire(m, "dropped", dropped)
        rest = wire(m, "rest", kept[: len(dropped)] & dropped)
        all_ones = wire(m, "rest_ones", (rest | ~dropped).all())
        half = self._chosen(is_, lambda f: kept[lsb[f] - 1])
        last = self._chosen(is_, lambda f: kept[lsb[f]])
        # One more at the lsb of what is kept passes through ones.
        into = wire(m, "carry_into_guard", x["carry"] & all_ones)
        guard = wire(m, "guard", half ^ into)
        sticky = x["sticky"] | (x["carry"] & ~all_ones) | (~x["carry"] & rest.any())
        up = (into & half) | goes_up(self.round, x, last ^ (into & half), guard, sticky)
        up = wire(m, "round_up", up)
        exactly_zero = ~kept.any() & ~x["sticky"] & ~x["carry"]
        cancelled = x["difference"] & exactly_zero
        zero_sign = self._zero_sign(x)
        fraction = kept[below:-1] | self._chosen(
            is_, lambda f: Const((1 << (lsb[f] - below)) - 1, self.a.fraction_bits)
        )
        field = x["exponent"] & kept[-1].replicate(len(x["exponent"]))
        magnitude = wire(m, "truncated", Cat(fraction, field))
        return {
            "nan": x["nan"],
            "inf": x["inf"],
            "sign": wire(m, "signed", Mux(cancelled, zero_sign, x["sign"]), 1),
            "magnitude": wire(m, "rounded", magnitude + up),
        }

    def _zero_sign(self, x: Values) -> Value:
        return x["rm"] == RM["rdn"] if self.round == PORT else Const(int(self.round == "rdn"), 1)

    def _pack(self, m: Module, x: Values) -> Values:
        """The code of the format in its place of the word: rounded, or what is beyond it."""
        is_ = self._is(m, x)
        fraction = x["magnitude"][: self.a.fraction_bits]
        field = x["magnitude"][self.a.fraction_bits :]

        def beyond(f: Format) -> Value:
            full = field[: f.exponent_bits].all()
            if not f.infinity:
                full = full & fraction[-f.fraction_bits :].all()
            return field[f.exponent_bits :].any() | full

        too_big = wire(m, "overflow", self._chosen(is_, beyond))
        stays = wire(m, "to_largest", too_big & self._rounds_back(x) & ~x["inf"] & ~x["nan"])
        special = wire(m, "to_special", x["nan"] | x["inf"] | (too_big & ~stays))
        finite_only = _any_of(bit for f, bit in is_.items() if not f.infinity)
        is_nan = wire(m, "to_nan", x["nan"] | (special & finite_only))
        sign = wire(m, "code_sign", x["sign"] & ~is_nan)
        ordinary = ~special & ~stays

        def code(f: Format) -> Value:
            t, w = f.fraction_bits, f.exponent_bits
            rounded = Cat(fraction[len(fraction) - t :], field[:w])
            codes = Specials(f)
            largest = Const(codes.largest, t + w) & stays.replicate(t + w)
            nan = Const(codes.nan, t + w) & is_nan.replicate(t + w)
            found = (rounded & ordinary.replicate(t + w)) | largest | nan
            if codes.infinity is not None:
                found = found | (Const(codes.infinity, t + w) & special.replicate(t + w))
            return Cat(Const(0, self.lane * f.bits), found, sign)

        place = Const(0, self.word)
        return {"y": wire(m, "code", self._chosen(is_, code) | place, self.word)}

    def _rounds_back(self, x: Values) -> Value:
        """Whether a mode gives the largest value where others leave the range."""
        if self.round == PORT:
            return toward_zero(x["rm"], x["sign"]) | (x["rm"] == RM["rto"])
        plus, minus = (
            Const(int(Specials(self.a).rounds_back(s, self.round, "nosat")), 1) for s in (0, 1)
        )
        return Mux(x["sign"], minus, plus)


def _any_of(values: Iterable[Value]) -> Value:
    """All of some values, bit by bit ored."""
    found: Value = Const(0, 1)
    for x in values:
        found = found | x
    return found
