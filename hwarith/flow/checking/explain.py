"""What explains a wrong result: alternatives, each of them worked out and compared with it.

An alternative is a way to compute that differs from the unit's in one step. It explains a wrong
result if it gives that very code, and speaks against itself where it differs from the unit and the
module does not. Nothing is inferred from the looks of a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...exceptions import HwarithError
from ...formats import ROUNDINGS, Format
from ...formats import rounding as r
from ...units import Unit
from ...units.operations import negated_operands
from ...units.results import several
from ..stimuli.directed import takes_subnormals_as_zeros
from ..stimuli.exact_results import ExactResults
from .variants import variants

Codes = list[int]

_WIDER = 72
"""Bits of the widest significand that is tried for a first rounding."""

_NAMED = {8: "bf16", 11: "fp16", 24: "fp32", 53: "fp64"}

_STICKY = 4
"""How many places of a sticky bit are tried."""

_FLAGS = {1: "NX", 2: "UF", 4: "OF", 8: "DZ", 16: "NV"}


class Explainer:
    """The alternatives of a unit.

    Of a unit that rounds the exact result of an arithmetic operation there are those of
    `Arithmetic`; of every unit with a result for each set of operands the same unit with another
    value of one option.
    """

    def __init__(self, u: Unit):
        self.u = u
        self.out = next(iter(u.results.values()))
        self.arithmetic = Arithmetic(u) if is_rounded_once(u) else None
        self.alone = not u.transfers.controls and not u.lane_formats
        self.variants = variants(u) if self.alone else {}

    def alternatives(self, codes: Codes, right: Codes) -> dict[str, Codes]:
        """What each of the alternatives gives for these operands, where that is not right; the most
        particular ones first. Of one that is about a result all others are right."""
        found: dict[str, Codes] = {}
        if self.arithmetic:
            for text, code in self.arithmetic.alternatives(codes, right[0]):
                found.setdefault(text, [code, *right[1:]])
        if self.out.is_float and self.out.signed:
            text = "sign of zero" if is_zero(self.out, right[0]) else "sign"
            found[f"other {text}"] = [right[0] ^ (1 << (self.out.bits - 1)), *right[1:]]
        for name, other in self.variants.items():
            try:
                results = other.golden(*codes)
            except HwarithError:
                continue
            got = several(results)
            only_sign = (
                got[0] != right[0] and is_zero(self.out, got[0]) and is_zero(self.out, right[0])
            )
            found[f"{'sign of zero' if only_sign else 'computed'} as with {name}"] = got
        if "flags" in self.u.results:
            for bit, name in _FLAGS.items():
                what = "not raised" if right[-1] & bit else "raised"
                found[f"{name} {what}"] = [*right[:-1], right[-1] ^ bit]
        return {text: got for text, got in found.items() if got != right}

    def facts(self, right: Codes, got: Codes) -> list[str]:
        """What a result is in place of another, where no alternative gives it."""
        return _of_specials(self.out, right[0], got[0])


def is_rounded_once(u: Unit) -> bool:
    """Whether a unit rounds the exact result of an operation on numbers to a float."""
    rounds = u.contract.kind in ("correctly rounded", "faithful") and u.operation.factors > 0
    out = next(iter(u.results.values()))
    return rounds and out.is_float and hasattr(u, "round") and hasattr(u, "overflow")


def is_zero(f: Format, code: int) -> bool:
    """Whether a code is a zero of either sign."""
    return f.is_float and code & f.numbers.mag_mask == 0


class Arithmetic:
    """The alternatives of a unit that rounds an exact result once."""

    def __init__(self, u: Any):
        self.u = u
        self.out: Format = next(iter(u.results.values()))
        self.terms: dict[str, Format] = dict(list(u.operands.items())[: u.operation.arity])
        self.names = list(self.terms)
        self.formats = list(self.terms.values())
        flushes = takes_subnormals_as_zeros(u)
        self.exact = ExactResults(u.operation, self.formats, self.out, flushes)
        self.policy = int(r.overflow(u.overflow))
        self.negated = negated_operands(u)

    def alternatives(self, codes: Codes, right: int) -> Iterator[tuple[str, int]]:
        """Each alternative, and its result for these operands."""
        x, mode = self.exact_value(codes), self._mode(codes)
        if x is not None and mode is not None:
            yield from self._carries(codes, x, mode, right)
            yield from self._rounded(codes, x, mode)
        yield from self._replaced(codes)
        if x:
            yield "truncated", self.round(x, r.RTZ)
            yield "rounded away from zero", self.round(x, r.RDN if x < 0 else r.RUP)
        yield from self._exponents(right)

    # -- values ----------------------------------------------------------------------------------

    def _mode(self, codes: Codes) -> int | None:
        """The rounding mode of a vector; None if it is stochastic."""
        given = dict(zip(self.u.operands, codes, strict=True))
        if "rm" in given:
            mode = given["rm"]
            stochastic = mode == r.STOCHASTICALLY and getattr(self.u, "n", None)
            return None if stochastic else mode if mode in iter(r.Rounding) else r.RNE
        return int(r.rounding(self.u.round)) if self.u.round in ROUNDINGS else None

    def signed(self, codes: Codes) -> Codes | None:
        """The operands that are numbers, negated where the unit negates them."""
        given = dict(zip(self.u.operands, codes, strict=True))
        negated = self.negated.get(given.get("op", 0), ())
        terms = [given[name] for name in self.names]
        for i, name in enumerate(self.names):
            f = self.formats[i]
            if name in negated:
                if not f.signed or not f.numbers.negative_zero:
                    return None
                terms[i] ^= 1 << (f.bits - 1)
        return terms

    def exact_value(self, codes: Codes) -> int | None:
        """The exact result in units of 2^base of `ExactResults`, None if it is not finite."""
        terms = self.signed(codes)
        return None if terms is None else self.exact.exact(terms)

    @property
    def base(self) -> int:
        """The exponent of the unit of values."""
        return self.exact.base

    def round(self, x: int, mode: int) -> int:
        """The code of a value."""
        return int(r.round_pack(int(x < 0), self.base, abs(x), self.out.numbers, mode, self.policy))

    # -- other operands --------------------------------------------------------------------------

    def _replaced(self, codes: Codes) -> Iterator[tuple[str, int]]:
        """Results of the unit itself with one operand taken for another one."""
        places = list(self.u.operands)
        for name, f in zip(self.names, self.formats, strict=True):
            i = places.index(name)
            for text, code in _taken_for(name, f, codes[i]):
                yield text, self._golden([*codes[:i], code, *codes[i + 1 :]])

    def _golden(self, codes: Codes) -> int:
        results = self.u.golden(*codes)
        return int(several(results)[0])

    # -- other roundings -------------------------------------------------------------------------

    def _rounded(self, codes: Codes, x: int, mode: int) -> Iterator[tuple[str, int]]:
        """Other ways to round the exact value."""
        size, sign = abs(x), -1 if x < 0 else 1
        if x == 0:
            return
        yield from self._twice(x, mode)
        half = self.exact.ulp(x) - 1 - self.base
        for kept in range(_STICKY if half > 0 else 0):
            place = max(half - kept, 0)
            what = f"below 1/{2 << kept} ulp"
            yield (
                f"sticky bit lost, what is {what}",
                self.round(sign * (size >> place << place), mode),
            )
        if half >= 0 and size % (2 << half) == 1 << half:
            down, up = self.round(x, r.RTZ), self.round(x, r.RDN if x < 0 else r.RUP)
            yield "tie broken wrongly", up if self.round(x, mode) == down else down
        yield from self._sums(codes, mode)

    def _twice(self, x: int, mode: int) -> Iterator[tuple[str, int]]:
        """Rounded to more bits first, with unbounded exponent."""
        for bits in [*_NAMED, *range(self.out.precision, _WIDER)]:
            if bits < self.out.precision:
                continue
            first = rounded_to(x, bits, mode)
            if first != x:
                name = f" ({_NAMED[bits]})" if bits in _NAMED else ""
                yield f"double rounding, first to {bits} bits{name}", self.round(first, mode)

    def _sums(self, codes: Codes, mode: int) -> Iterator[tuple[str, int]]:
        """A sum whose product is rounded first, or whose smaller term loses bits."""
        if not self.u.operation.adds:
            return
        terms = self.signed(codes)
        assert terms is not None
        first, last = self.exact.term(terms[: self.exact.factors]), self.exact.addend(terms[-1])
        if not first or not last:
            return
        if self.exact.factors > 1:
            for f in dict.fromkeys((self.out, self.formats[-1])):
                rounded = rounded_to(first, f.precision, mode)
                if rounded != first:
                    text = f"not fused: product rounded to {f.name} first"
                    yield text, self.round(rounded + last, mode)
        large, small = sorted((first, last), key=abs, reverse=True)
        lowest = self.exact.top(large) - self.base
        for width in range(self.out.precision, 3 * self.out.precision + 8):
            place = lowest - width
            if place > 0 and abs(small) % (1 << place):
                cut = (abs(small) >> place << place) * (-1 if small < 0 else 1)
                if large + cut:
                    text = f"smaller term cut {width} bits below the top of the larger"
                    yield text, self.round(large + cut, mode)

    # -- carries ---------------------------------------------------------------------------------

    def _carries(self, codes: Codes, x: int, mode: int, right: int) -> Iterator[tuple[str, int]]:
        """A carry that does not reach the exponent: of rounding, or of a sum below the normal
        range into it."""
        n = self.out.numbers
        one, mag = 1 << n.fraction_bits, right & n.mag_mask
        if not one <= mag <= n.max_mag:
            return
        rounded = mag % one == 0 and self.round(x, r.RTZ) & n.mag_mask != mag
        if mag >> n.fraction_bits == 1 and (rounded or self._is_sum_of_subnormals(codes)):
            yield "carry into the normal range lost", right - one
        if rounded:
            yield "carry of rounding into the exponent lost", right - one

    def _is_sum_of_subnormals(self, codes: Codes) -> bool:
        terms = self.signed(codes)
        if terms is None or not self.u.operation.adds:
            return False
        first, last = self.exact.term(terms[: self.exact.factors]), self.exact.addend(terms[-1])
        both = (first, last)
        return all(t is not None and abs(t) < self.exact.smallest_normal for t in both)

    def _exponents(self, right: int) -> Iterator[tuple[str, int]]:
        n = self.out.numbers
        one, mag = 1 << n.fraction_bits, right & n.mag_mask
        if mag <= n.max_mag:
            if mag + one <= n.max_mag:
                yield "exponent 1 too large", right + one
            if mag >= one:
                yield "exponent 1 too small", right - one


def rounded_to(x: int, bits: int, mode: int) -> int:
    """A value rounded to so many significant bits."""
    place = abs(x).bit_length() - bits
    if place <= 0:
        return x
    s = int(x < 0)
    i, nu = r.in_units(abs(x), place)
    size = (i + r.round_up(s, i & 1, nu, mode)) << place
    return -size if s else size


def _of_specials(f: Format, right: int, got: int) -> list[str]:
    kinds = {r.FINITE: "a number", r.INF: "infinity", r.NAN: "NaN"}
    expected, found = (kinds[r.unpack(code, f.numbers)[0]] for code in (right, got))
    return [f"{found} in place of {expected}"] if expected != found else []


def _taken_for(name: str, f: Format, code: int) -> Iterator[tuple[str, int]]:
    """What an operand may be taken for."""
    n = f.numbers
    sign = code & ~n.mag_mask & ((1 << f.bits) - 1)
    kind, s, _, g = r.unpack(code, n)
    if not f.is_float:
        return
    subnormal = kind == r.FINITE and g and not n.hidden_always and g >> n.fraction_bits == 0
    zero = r.pack_zero(s, n, r.SATURATE)
    if subnormal:
        yield f"subnormal {name} taken as zero", zero
        if (twice := code + (1 << n.fraction_bits)) & n.mag_mask <= n.max_mag:
            yield f"subnormal {name} taken as normal", twice
        if g % 2 == 0:
            yield f"subnormal {name} taken as half of it", sign | g >> 1
    elif kind == r.FINITE and g:
        yield f"{name} taken as zero", zero
    if kind == r.NAN and n.inf_mag >= 0:
        yield f"NaN {name} taken as infinity", sign | n.inf_mag
    if kind == r.NAN:
        yield f"NaN {name} taken as zero", zero
        yield f"NaN {name} taken as the largest number", sign | n.max_mag
    if kind == r.INF:
        yield f"infinite {name} taken as NaN", n.nan_code
        yield f"infinite {name} taken as zero", zero
        yield f"infinite {name} taken as the largest number", sign | n.max_mag
    if f.signed and n.negative_zero and kind != r.NAN:
        yield f"sign of {name} ignored", code & n.mag_mask
        yield f"sign of {name} inverted", code ^ (1 << (f.bits - 1))
