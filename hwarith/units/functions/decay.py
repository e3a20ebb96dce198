"""Functions of neural networks in formats of more than 16 bits, by their tails: what the function
is of -|x|, which vanishes as x grows.

A tail is a power of two, 2^-z of a short polynomial z of |x|, times a factor that changes slowly;
the factor comes from pieces of degree 2, in each binade of |x| as many as it needs. With it the
function is known on both sides: sigmoid(x) = 1 - sigmoid(-x), softplus(x) = x + softplus(-x). Of
tanh and erf, which are odd and have no tail, the factor is all there is: of x below one, of one
above.

The polynomial need not be the exponent of e: its coefficients are short, and what they lack is in
the factor. Errors are of the power, of the factor, and of what is cut off between them;
`bench/function_errors.py` measures what they come to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ...formats import Format
from ...formats.rounding import unpack
from ...golden import bit_length, golden
from ...lazily import np
from . import quadratics
from .definitions import rounded
from .exactly import Operand, leading
from .fit import AUTOMATIC, Wish
from .quadratics import Curve, Quadratics, polynomial, quadratic, rows_from_plain


class Form(NamedTuple):
    """How a function is made of its factor.

    `decay` are the coefficients of z / |x|, a polynomial of |x|, in units of 2^-`DECAY_BITS`; none
    of a function without tail. `times` says whether the operand is a factor, of operands below one
    and of others; `adds` that a positive operand is added to the tail, which is else taken from
    one.
    """

    decay: tuple[int, int, int] | None
    times: tuple[int, int] = (0, 0)
    adds: int = 0


DECAY_BITS = 10

FORMS = {
    "sigmoid": Form((0b10111 << 6, 0, 0)),
    "silu": Form((0b10111 << 6, 0, 0), (1, 1)),
    "softplus": Form((0b10111 << 6, 0, 0), adds=1),
    "gelu": Form((0, 0b10111 << 5, 0), (1, 1)),
    "gelu_tanh": Form((2357, 0, 105), (1, 1)),
    "tanh": Form(None, (1, 0)),
    "erf": Form(None, (1, 0)),
}
"""e^-x is about 2^-(23/16 x), e^(-x^2/2) 2^-(23/32 x^2), and e^-2u of gelu's form with tanh
2^-(2.302 x + .1025 x^3)."""

FACTOR_OF = {"silu": "sigmoid"}
"""Functions with another one's factor."""

_GUARD = 5
"""Fraction bits of an operand's place in its binade beyond those of the result."""

_EXTRA = 4
"""Fraction bits of the operand in fixed point, and of the tail, beyond those of places."""

_MORE = 5
"""Fraction bits of z beyond those of the result."""

_BOUND = 0.15
"""Units in the last place that the power may err by, and the factor of it."""

_BOUND_ALONE = 0.4
"""Units in the last place that the factor may err by if it is all there is."""

_FEWER = 2
"""A binade has at least 2^-this times the pieces of that which has most of them."""


@dataclass(frozen=True)
class DecayTable:
    """Pieces of the factor: `first`, which is that of a binade, 2^`select` how many there are, and
    `scale`, which power of two y is the factor times of. Binade 0 is of all operands below one,
    j of those from 2^(j - 1) on; in the last one the function is as good as its limit.

    y has `width` fraction bits; the power has `power_width`, of a fraction of `fraction` bits.
    """

    form: Form
    place: int
    width: int
    rows: Quadratics
    first: tuple[int, ...]
    select: tuple[int, ...]
    scale: tuple[int, ...]
    fraction: int
    power_width: int
    power: Quadratics

    @property
    def highest(self) -> int:
        """Operands are taken for what is just below 2^highest if they are beyond it."""
        return len(self.first) - 1

    @property
    def fixed(self) -> int:
        """Fraction bits of the operand in fixed point, of its coefficient in z, of the tail."""
        return self.place + _EXTRA

    @property
    def dropped(self) -> int:
        """Low bits of the product of power and factor that the tail has not."""
        return self.power_width + self.width - self.fixed

    @property
    def slope_bits(self) -> int:
        """Bits of z / |x| in units of 2^-`fixed`."""
        assert self.form.decay
        most = sum(k << (i * self.highest) for i, k in enumerate(self.form.decay))
        return self.fixed + (most >> DECAY_BITS).bit_length()

    def numbers(self, a: Format) -> DecayNumbers:
        """What `decay` takes."""
        decay = self.form.decay or (0, 0, 0)
        bare = self.rows._replace(c0=(), c1=(), c2=())
        times = (self.form.times[0], *self.form.times[1:] * self.highest)
        return DecayNumbers(
            a.precision,
            self.highest,
            self.place,
            self.fixed,
            self.width,
            bare,
            self.select,
            self.scale,
            times,
            int(any(times)),
            int(self.form.decay is not None),
            *decay,
            self.fraction,
            self.dropped,
            self.form.adds,
            self.power,
        )

    def widest(self, a: Format) -> int:
        """Bits of the widest integer that `decay` forms."""
        result = self.fixed + 4 + a.precision
        if self.form.decay is None:
            return max(result, self.width + self.rows.shift + 2)
        operand = max(self.fixed + 2 * self.highest + DECAY_BITS, 2 * a.precision)
        product = self.power_width + 1 + max(self.rows.c0).bit_length()
        return max(result, operand, self.slope_bits + a.precision + 1, product)

    def row(self, e: int, g: int, precision: int) -> int:
        """The piece of an operand."""
        e, g, binade = taken_for(e, g, precision, self.highest)
        select = self.select[binade]
        leading = scaled(g, e + select - max(binade - 1, 0))
        return self.first[binade] + (leading & ((1 << select) - 1))

    @property
    def leading_bits(self) -> int:
        """Fraction bits of an operand that choose its piece."""
        return max(self.select)


class DecayNumbers(NamedTuple):
    """A `DecayTable` as integers for golden definitions, but for the coefficients of its pieces."""

    precision: int  # of the operand
    highest: int
    place: int
    fixed: int
    width: int
    pieces: Quadratics
    select: tuple[int, ...]
    scale: tuple[int, ...]
    times: tuple[int, ...]
    is_signed: int
    has_tail: int
    k0: int
    k1: int
    k2: int
    fraction: int
    dropped: int
    adds: int
    power: Quadratics


_WORD = 63


@golden
def scaled(x, up):
    """floor(x 2^up) of what is not negative."""
    return x << up if up >= 0 else x >> min(-up, _WORD)


@golden
def taken_for(e, g, precision, highest):
    """Exponent and significand of an operand, or of what it is taken for if it is beyond the
    highest binade; and its binade."""
    top = e + bit_length(g)
    if top > highest:
        return highest - precision, (1 << precision) - 1, highest
    return e, g, max(top, 0)


@golden
def decay(a, c0, c1, c2, control, fa, fo, rules, limits, t):
    """A function of a by its tail, rounded once; c0, c1 and c2 are those of the operand's piece."""
    _, s, e, g = unpack(a, fa)
    near_e, near_g, binade = taken_for(e, g, t.precision, t.highest)
    x = scaled(near_g, near_e + t.fixed)
    ones = (1 << t.place) - 1
    place = (x >> (t.fixed - t.place + max(binade - 1, 0))) & ones
    within = ((place << t.select[binade]) & ones) >> (t.place - t.pieces.low)
    y = polynomial(c0, c1, c2, within, t.pieces)
    result, exponent = y, -t.width - t.scale[binade]
    if t.has_tail:
        square = scaled(near_g * near_g, 2 * near_e + t.fixed)
        slope = ((t.k0 << t.fixed) + t.k1 * x + t.k2 * square) >> DECAY_BITS
        z = scaled(slope * near_g, near_e - t.fixed + t.fraction)
        # -z, rounded down, is an integer and a fraction.
        n = -1 - (z >> t.fraction)
        rest = ~z & ((1 << t.fraction) - 1)
        power = quadratic(rest >> t.power.low, rest & ((1 << t.power.low) - 1), t.power)
        result = (power * y) >> t.dropped
        below = t.scale[binade] - n
        exponent = -t.fixed - below
        if s == 0:
            result = scaled(result, -below)
            result = x + result if t.adds else (1 << t.fixed) - result
            exponent = -t.fixed
            if t.adds and near_e != e:
                result, exponent = g << t.fixed, e - t.fixed  # and a little more
    if t.times[binade]:
        result, exponent = (result * near_g, exponent + near_e) if s else (result * g, exponent + e)
    sign = s if t.is_signed else 0
    return rounded(a, sign, exponent, result, 0, control, fa, fo, rules, limits)


def find(function: str, a: Format, out: Format, goal: str, wish: Wish = AUTOMATIC) -> DecayTable:
    """The table with few pieces of short coefficients, which err by at most `_BOUND`."""
    form = FORMS[function]
    binades = [_Binade.of(function, *ends) for ends in _binades(form, out)]
    places = out.precision + 1  # of y, which is 1/2 or more
    bound = _BOUND_ALONE if form.decay is None else _BOUND
    selects = [x.select(places, bound) for x in binades]
    selects = [max(select, max(selects) - _FEWER) for select in selects]
    place = out.fraction_bits + _GUARD
    order = sorted(range(len(binades)), key=lambda j: -selects[j])
    first, count = [0] * len(binades), 0
    for j in order:
        first[j] = count
        count += 1 << selects[j]
    select = (count - 1).bit_length()

    def value(v: np.ndarray) -> np.ndarray:
        """The factor of pieces in the order of their rows, each of which is a part of [0, 1)."""
        row = np.floor(np.ldexp(v, select))
        y = np.zeros_like(v)
        for x, k, start in zip(binades, selects, first, strict=True):
            inside = (row >= start) & (row < start + (1 << k))
            y[inside] = x.value(np.ldexp(np.ldexp(v[inside], select) - start, -k))
        return y

    curve = Curve(value, False, None, bound)
    low = place - min(selects)
    width, rows = quadratics.found_at_once(curve, low + select, places, select)
    rows = rows._replace(c0=rows.c0[:count], c1=rows.c1[:count], c2=rows.c2[:count])
    fraction = out.fraction_bits + _MORE
    power_curve = Curve(np.exp2, True, None, _BOUND)
    power_width, _, power = quadratics.find(power_curve, fraction, out.precision, Wish(guard=5))
    return DecayTable(
        form,
        place,
        width,
        rows,
        tuple(first),
        tuple(selects),
        tuple(x.scale for x in binades),
        fraction,
        power_width,
        power,
    )


def _binades(form: Form, out: Format) -> list[tuple[float, float]]:
    """The ends of all binades, up to where the tail is nothing beside one and beside the least
    result."""
    n = out.numbers
    needed = max(-n.lsb, out.precision) + 10 if form.decay else out.precision + 5
    highest = 0
    while _exponent(form.decay or _OF_ODD, 2.0**highest) < needed:
        highest += 1
    return [(0.0, 1.0), *((2.0 ** (j - 1), 2.0**j) for j in range(1, highest + 1))]


_OF_ODD = (2954, 0, 0)
"""1 - tanh(x) is about 2^-(2.88 x), and 1 - erf(x) less."""


def _exponent(decay: tuple[int, int, int], x: Any) -> Any:
    k0, k1, k2 = decay
    return x * (k0 + k1 * x + k2 * x * x) / 2.0**DECAY_BITS


class _Binade(NamedTuple):
    """The factor in a binade, a Chebyshev series of [-1, 1], times 2^scale."""

    series: Any
    scale: int

    @classmethod
    def of(cls, function: str, low: float, high: float) -> _Binade:
        """By interpolation of the values that `exactly` gives."""
        t = np.polynomial.chebyshev.chebpts1(_NODES)
        x = low + (high - low) * (t + 1) / 2
        y = np.array([_factor(function, v, low) for v in x.tolist()])
        scale = -int(np.frexp(min(y.min(), 0.75))[1])
        series = np.polynomial.Chebyshev.fit(t, np.ldexp(y, scale), _NODES - 1, domain=[-1, 1])
        return cls(series, scale)

    def value(self, part: np.ndarray) -> np.ndarray:
        """At a part of the binade, from 0 to 1."""
        return self.series(2 * part - 1)

    def select(self, places: int, bound: float) -> int:
        """Of how many pieces the error is little enough, as a power of two: a piece of width h has
        about that of degree 3 of h, h^3/192 times the third derivative."""
        third = np.abs(self.series.deriv(3)(np.linspace(-1, 1, 1001))).max()
        error = float(third) * 8 / 192 * 2.0**places
        return max(0, int(np.ceil(np.log2(error / (_SHARE * bound)) / 3)))


_NODES = 64

_BITS, _FAR = 56, 4000
"""Bits of the values that are interpolated, and the binades that these are in."""

_SHARE = 0.6
"""Of the bound, what pieces may err by before their coefficients are rounded."""


def _factor(function: str, x: float, low: float) -> float:
    """What pieces of a function are of: its tail over the power, or the function of one that is
    odd, over the operand if that is a factor."""
    form = FORMS[function]
    m, e = np.frexp(x)
    negative = int(form.decay is not None)
    operand = Operand(negative, int(e) - 53, int(m * 2.0**53), _BITS, -_FAR, _FAR)
    found = leading(function, operand)
    value = float(found.significand) * 2.0**found.exponent
    if form.times[low > 0]:
        value /= x
    return value if form.decay is None else value / 2.0 ** -_exponent(form.decay, x)


def from_plain(x: dict[str, Any]) -> DecayTable:
    """A table of what `dataclasses.asdict` made of it."""
    k, times, adds = x["form"]
    form = Form(None if k is None else tuple(k), tuple(times), adds)
    lists = {name: tuple(x[name]) for name in ("first", "select", "scale")}
    pieces = {name: rows_from_plain(x[name]) for name in ("rows", "power")}
    return DecayTable(**(x | lists | pieces | {"form": form}))
