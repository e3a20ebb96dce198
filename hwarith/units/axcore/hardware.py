"""Hardware of AxCore: one addition for a product, and the shared adder of a column."""

from __future__ import annotations

from typing import Protocol

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from ... import rtl
from ...formats import Format
from ...rtl import Step, Values, wire
from ...rtl.floats import Specials
from ..blocks.lanes import each_lane, of_lane, taken_apart
from .base import GUARD, State


class Factors(Protocol):
    """What the hardware of a product takes of its unit."""

    @property
    def a(self) -> Format: ...

    @property
    def w(self) -> Format: ...

    @property
    def c1(self) -> int: ...

    @property
    def snc(self) -> int: ...

    @property
    def artifact(self) -> bool: ...


def product(u: Factors) -> list[Step]:
    """The steps of `AxMul`."""
    p = _Product(u)
    return [p.prepare, p.convert, p.add_fields]


class _Product:
    """A product: what the activation needs, the weight, and the addition of both."""

    def __init__(self, u: Factors):
        self.u, self.field_bits = u, u.a.bits - 1
        self.weight_fraction = max(u.w.fraction_bits, 2)
        self.weight_bits = self.weight_fraction + u.w.exponent_bits
        self.low = u.a.fraction_bits - self.weight_fraction  # bits of T that pass by the addition
        self.constant = u.c1 - (u.w.bias << u.a.fraction_bits)

    def prepare(self, m: Module, x: Values) -> Values:
        """T, the activation's field with both constants: the same for all of its products."""
        u, a = self.u, x["a"]
        if u.artifact:
            t = wire(m, "t", a + self.constant, u.a.bits)
            return {"w": x["w"], "t": t, "a_zero": wire(m, "a_zero", ~a.any())}
        field = a[: self.field_bits]
        exponent, fraction = field[u.a.fraction_bits :], field[: u.a.fraction_bits]
        return {
            "w": x["w"],
            "t": wire(m, "t", field + self.constant, signed(u.a.bits + 1)),
            "a_sign": a[-1],
            "a_zero": wire(m, "a_zero", ~exponent.any()),
            "a_inf": wire(m, "a_inf", exponent.all() & ~fraction.any()),
            "a_nan": wire(m, "a_nan", exponent.all() & fraction.any()),
        }

    def convert(self, m: Module, x: Values) -> Values:
        """The weight as a normal number, and whether it is zero: subnormal number conversion."""
        w, t = self.u.w, x["t"]
        c = x["w"][: w.bits - 1]
        field, counts = self._converted(c, t[self.u.a.fraction_bits - 1])
        found = x | {
            "w_sign": x["w"][-1],
            "field": wire(m, "weight_field", field, self.weight_bits),
            "counts": wire(m, "counts", counts),
        }
        if not self.u.artifact:
            found["w_zero"] = wire(m, "w_zero", ~c.any())
            if w.nan == "all_ones":
                found["w_nan"] = wire(m, "w_nan", c.all())
        del found["w"]
        return found

    def _converted(self, c: Value, coin: Value) -> tuple[Value, Value]:
        """Exponent and fraction, and whether the weight is other than zero, by its format."""
        fraction = self.u.w.fraction_bits
        some = c.any()
        if not self.u.snc or fraction == 0:
            return Cat(Const(0, self.weight_fraction - fraction), c), some
        if fraction == 1:  # 0.5 has the exponent below that of 1
            return Cat(Const(0, 1), c[0] & c[1:].any(), c[1:]), some
        if fraction == 2:  # 1 of three quarters, 1.5, keeps its half; a quarter, 0.5, is 1 or 0
            normal = c[2]
            upper = (c[1] & c[0]) | (c[1] & normal)
            return Cat(c[0] & normal, upper, normal), Mux(c == 1, coin, some)
        # Eighths of the least normal number: from 4 on they are numbers of the binade below it
        normal, t = c[3:].any(), c[:3]
        halves = Cat(Const(0, 1), t[:2]) & t[2].replicate(3)
        counts = normal | t[2] | (t[1] & (t[0] | coin))
        return Cat(Mux(normal, t, halves), c[3:]), counts

    def add_fields(self, m: Module, x: Values) -> Values:
        """The product's field, by one addition at the top of T; the code of what is in range."""
        u, t = self.u, x["t"]
        if u.artifact:
            upper = t[self.low :] + Cat(
                x["field"], Const(0, u.a.bits - 1 - self.low - self.weight_bits), x["w_sign"]
            )
            upper = wire(m, "upper", upper, u.a.bits - self.low)
            keep = wire(m, "keep", x["counts"] & ~x["a_zero"])
            code = Cat(t[: self.low], upper) & keep.replicate(u.a.bits)
            return {"y": wire(m, "code", code)}
        codes = Specials(u.a)
        width = u.a.bits + 2 - self.low
        upper = t[self.low :].as_signed() + x["field"]
        upper = wire(m, "upper", upper, signed(width))
        exponent = upper[self.weight_fraction :]
        e = exponent[: u.a.exponent_bits]
        negative, beyond = exponent[-1], exponent[u.a.exponent_bits : -1].any()
        below = negative | ~(beyond | e.any())
        above = wire(m, "above", ~negative & (beyond | e.all()))
        zero = wire(m, "zero", x["a_zero"] | ~x["counts"] | below)
        sign = wire(m, "sign", x["a_sign"] ^ x["w_sign"])
        largest = Const(codes.largest, self.field_bits)
        magnitude = Mux(above, largest, Cat(t[: self.low], upper)[: self.field_bits])
        magnitude = magnitude & ~zero.replicate(self.field_bits)
        infinity = Const(codes.infinite(0, "nosat"), self.field_bits)
        magnitude = Mux(x["a_inf"], infinity, magnitude)
        nan = wire(m, "nan", x["a_nan"] | (x["a_inf"] & x["w_zero"]) | x.get("w_nan", Const(0, 1)))
        code = Mux(nan, Const(codes.nan_result, u.a.bits), Cat(magnitude, sign))
        return {"y": wire(m, "code", code)}


class Sums(Factors, Protocol):
    """What the hardware of a column takes of its unit."""

    @property
    def n(self) -> int: ...

    @property
    def fields(self) -> State: ...


def column(u: Sums) -> list[Step]:
    """The steps of `AxDot`."""
    sums = _Sums(u)
    products = [each_lane(u.n, step) for step in [sums.take_apart, *product(u), sums.classify]]
    return [sums.lanes, *products, sums.find_greatest, each_lane(u.n, sums.align), sums.add_terms]


class _Sums:
    """Products and a state, aligned to the greatest exponent and added."""

    def __init__(self, u: Sums):
        self.u = u

    def lanes(self, m: Module, x: Values) -> Values:
        """The pairs, and the state."""
        u = self.u
        return taken_apart("a", u.a, u.n)(x) | taken_apart("w", u.w, u.n)(x) | {"c": x["c"]}

    def take_apart(self, m: Module, x: Values) -> Values:
        """The pair of a lane."""
        return {"a": x["a"], "w": x["w"]}

    def classify(self, m: Module, x: Values) -> Values:
        """A product's sign, exponent and significand; whether it is a term, else what it is."""
        f, y = self.u.a, x["y"]
        fraction, exponent = y[: f.fraction_bits], y[f.fraction_bits : -1]
        if self.u.artifact:
            return {"sign": y[-1], "exponent": exponent, "fraction": fraction}
        special = wire(m, "special", exponent.all())
        nan = wire(m, "is_nan", special & fraction.any())
        counts = wire(m, "is_term", exponent.any() & ~special)
        return {
            "sign": y[-1],
            "exponent": wire(m, "exponent", exponent & counts.replicate(len(exponent))),
            "fraction": fraction,
            "term": counts,
            "flags": wire(m, "flags", Cat(nan, Cat(~y[-1], y[-1]) & (special & ~nan).replicate(2))),
        }

    def find_greatest(self, m: Module, x: Values) -> Values:
        """The greatest exponent, of the state's and those of the products."""
        u, at = self.u, self.u.fields
        state = x["c"][at.exponent]
        exponents = [state, *(x[of_lane(i, "exponent")] for i in range(u.n))]
        level = 0
        while len(exponents) > 1:
            pairs = zip(exponents[::2], exponents[1::2], strict=False)
            most = [
                wire(m, f"greatest{level}_{i}", Mux(a > b, a, b)) for i, (a, b) in enumerate(pairs)
            ]
            exponents = most + exponents[2 * len(most) :]
            level += 1
        greatest = exponents[0]
        found = {name: value for name, value in x.items() if name.startswith("lane")}
        found["greatest"] = greatest
        found["state_distance"] = wire(m, "state_distance", greatest - state, len(state))
        found["state"] = Cat(x["c"][at.man], x["c"][at.sign])
        if not u.artifact:
            flags = x["c"][at.sign + 1 :]
            for i in range(u.n):
                flags = flags | x[of_lane(i, "flags")]
            found["flags"] = wire(m, "all_flags", flags)
        return found

    def align(self, m: Module, x: Values) -> Values:
        """A product in two's complement with two more fraction bits, moved right as far as its
        exponent is below the greatest one."""
        significand = Cat(Const(0, GUARD), x["fraction"], Const(1, 1))
        term = wire(m, "term", Mux(x["sign"], -significand, significand), len(significand) + 1)
        distance = wire(m, "distance", x["greatest"] - x["exponent"], len(x["exponent"]))
        moved = _moved(m, "aligned", term, distance)
        if "term" in x:
            moved = moved & x["term"].replicate(len(moved))
        return {"aligned": wire(m, "addend", moved)}

    def add_terms(self, m: Module, x: Values) -> Values:
        """The state moved right likewise, and all terms added to it."""
        u, at = self.u, self.u.fields
        width = at.head + at.frac + 1
        state = _moved(m, "state_aligned", x["state"], x["state_distance"])
        terms = [x[of_lane(i, "aligned")].as_signed() for i in range(u.n)]
        total = rtl.sum_of_products(m, "total", [], [state.as_signed(), *terms], width)
        state = Cat(total[: width - 1], x["greatest"], total[width - 1])
        return {"y": wire(m, "new_state", Cat(state, x["flags"]) if "flags" in x else state)}


def _moved(m: Module, name: str, x: Value, distance: Value) -> Value:
    """A number in two's complement moved right in as many bits as it has, rounded down."""
    levels = (len(x) - 1).bit_length()
    sign = x[-1].replicate(len(x))
    moved = wire(m, f"{name}_near", x.as_signed() >> distance[:levels], len(x))
    if len(distance) <= levels:
        return moved
    return wire(m, name, Mux(distance[levels:].any(), sign, moved))


def column_end(f: Format, at: State, artifact: bool) -> list[Step]:
    """The steps of `AxNorm`."""
    end = _End(f, at, artifact)
    return [end.take_apart, end.normalize, end.round]


class _End:
    """Normalization and rounding of a state."""

    def __init__(self, f: Format, at: State, artifact: bool):
        self.f, self.at, self.artifact = f, at, artifact
        self.width = at.head + at.frac
        self.exponent_shape = signed(
            max(f.exponent_bits, self.width.bit_length()) + 2  # the state's, more or less the width
        )

    def take_apart(self, m: Module, x: Values) -> Values:
        """The magnitude of the sum, its exponent, and the flags."""
        at, c = self.at, x["c"]
        sign, man = c[at.sign], c[at.man]
        magnitude = Mux(sign, -man, man)
        found = {"exponent": c[at.exponent]}
        if self.artifact:
            return found | {"sign": sign, "magnitude": wire(m, "magnitude", magnitude, self.width)}
        # -2^width is the one number whose magnitude has a bit more
        top = wire(m, "lowest", sign & ~man.any())
        nan, plus, minus = c[at.sign + 1 :]
        return found | {
            "sign": sign,
            "magnitude": Cat(wire(m, "magnitude", magnitude, self.width), top),
            "nan": wire(m, "nan", nan | (plus & minus)),
            "inf": wire(m, "inf", plus | minus),
            "inf_sign": minus,
        }

    def normalize(self, m: Module, x: Values) -> Values:
        """The magnitude with its first one on top, of which two bits lie below the result's, and
        the exponent of the binade above the one that it is in."""
        magnitude, f = x["magnitude"], self.f
        zeros = rtl.leading_zeros(m, "zeros", magnitude)
        keep = f.precision + GUARD
        top, _ = rtl.shift_left(m, "normalized", magnitude, zeros, keep)
        above = len(magnitude) - 1 - self.at.frac
        exponent = x["exponent"] + above - zeros
        kept = ("sign", "nan", "inf", "inf_sign")
        found: Values = {name: x[name] for name in kept if name in x}
        if self.artifact:
            none = wire(m, "none", ~magnitude.any())
            exponent = Mux(none, x["exponent"] - (self.width - 1), exponent)
            found["exponent"] = wire(m, "exponent", exponent[: f.exponent_bits])
        else:
            found["zero"] = wire(m, "zero", ~magnitude.any())
            found["exponent"] = wire(m, "exponent", exponent, self.exponent_shape)
        return found | {"top": wire(m, "top", top[:-1])}  # the first one is known

    def round(self, m: Module, x: Values) -> Values:
        """To nearest even; a carry goes on into the exponent. The code of what is in range."""
        f, top = self.f, x["top"]
        fraction, below = top[GUARD:], top[:GUARD]
        up = wire(m, "up", below[1] & (below[0] | fraction[0]))
        if self.artifact:
            magnitude = wire(m, "magnitude", Cat(fraction, x["exponent"]) + up, f.bits - 1)
            return {"y": Cat(magnitude, x["sign"])}
        codes, bits = Specials(f), f.bits - 1
        whole = Cat(fraction, x["exponent"]).as_signed()
        whole = wire(m, "rounded", whole + up, signed(len(whole) + 1))
        exponent = whole[f.fraction_bits :]
        e, beyond = exponent[: f.exponent_bits], exponent[f.exponent_bits : -1].any()
        below_all = wire(m, "below", exponent[-1] | ~(beyond | e.any()))
        above = wire(m, "above", ~exponent[-1] & (beyond | e.all()))
        kept = Mux(above, Const(codes.largest, bits), whole[:bits])
        kept = kept & ~below_all.replicate(bits)
        finite = Cat(kept, x["sign"]) & ~x["zero"].replicate(f.bits)
        infinity = Cat(Const(codes.infinite(0, "nosat"), bits), x["inf_sign"])
        code = Mux(x["nan"], Const(codes.nan_result, f.bits), Mux(x["inf"], infinity, finite))
        return {"y": wire(m, "code", code)}


def column_start(f: Format, at: State, artifact: bool) -> list[Step]:
    """The step of `AxSeed`."""

    def widen(m: Module, x: Values) -> Values:
        """The significand in two's complement with two more fraction bits, and the exponent."""
        a = x["a"]
        fraction, exponent = a[: f.fraction_bits], a[f.fraction_bits : -1]
        counts = exponent.any() if artifact else exponent.any() & ~exponent.all()
        counts = wire(m, "counts", counts)
        significand = Cat(Const(0, GUARD), fraction, Const(1, 1))
        width = at.head + at.frac + 1
        term = wire(m, "term", Mux(a[-1], -significand, significand), signed(width))
        state = Cat(term[: width - 1], exponent, term[width - 1])
        state = state & counts.replicate(len(state))
        if artifact:
            return {"c": wire(m, "state", state)}
        special, some = exponent.all(), fraction.any()
        infinite = wire(m, "infinite", special & ~some)
        flags = Cat(special & some, infinite & ~a[-1], infinite & a[-1])
        return {"c": wire(m, "state", Cat(state, flags))}

    return [widen]
