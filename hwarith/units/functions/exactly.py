"""The leading bits of elementary functions of a number (-1)^s * g * 2^e, by integer arithmetic.

A function is enclosed between two integers of one exponent, more and more narrowly, until both have
the same leading bits (Ziv's strategy, ACM TOMS 17 (1991) 410-423). That ends, as a function whose
result would be a fraction of a power of two is dealt with before: exp2 of an integer, and
logarithms of powers of two; by the theorem of Lindemann and Weierstrass there are no others of exp,
ln, sigmoid, tanh, silu, softplus, and none is known of erf and gelu.

Where an operand is so small or so large that the next term of a series decides, the enclosure is
that term, and no digits need to be found.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import isqrt
from typing import NamedTuple


class Leading(NamedTuple):
    """A result's leading bits: it lies between significand and significand + 1, times 2^exponent,
    or is the former if it is exact."""

    sign: int
    exponent: int
    significand: int
    exact: int


class Enclosure(NamedTuple):
    """Two integers between which a magnitude lies, in units of 2^exponent."""

    low: int
    high: int
    exponent: int


class Operand(NamedTuple):
    """An operand, the bits that are asked for, and the binades beyond which a result is only known
    to be less or more than anything."""

    s: int
    e: int
    g: int
    bits: int
    least: int
    most: int

    @property
    def top(self) -> int:
        """The power of two that its magnitude is below."""
        return self.e + self.g.bit_length()

    def at_least(self, n: int) -> bool:
        """Whether its magnitude is at least an integer."""
        if self.e >= 0:
            return self.top > 64 or self.g << self.e >= n
        return self.g >= n << -self.e

    def scaled(self, w: int) -> int:
        """Its magnitude in units of 2^-w, rounded down."""
        return shifted(self.g, self.e + w)


def leading(function: str, operand: Operand) -> Leading:
    """The leading bits of a function of a finite operand; of zero only where that is not exact."""
    sign, exact = _EXACT[function](operand) if function in _EXACT else (0, None)
    if function in ODD:
        sign = operand.s
    if exact is not None:
        return Leading(sign, exact[0], exact[1], 1)
    enclose, bits, w = _ENCLOSURES[function], operand.bits, operand.bits + 48
    while True:
        low, high, exponent = enclose(operand, w)
        below = low.bit_length() - bits
        if low > 0 and below >= 0 and low >> below == (high - 1) >> below:
            return Leading(sign, exponent + below, low >> below, 0)
        w *= 2


def shifted(x: int, by: int) -> int:
    return x << by if by >= 0 else x >> -by


# -- constants in units of 2^-w, rounded down but for a few units ----------------------------------


@cache
def ln2(w: int) -> int:
    """The logarithm of 2, as 2 atanh(1/3)."""
    return 2 * _inverse_odd_powers(3, w + 8, 1) >> 8


@cache
def pi(w: int) -> int:
    """Machin's formula, 16 arctan(1/5) - 4 arctan(1/239)."""
    v = w + 8
    return (16 * _inverse_odd_powers(5, v, -1) - 4 * _inverse_odd_powers(239, v, -1)) >> 8


def _inverse_odd_powers(n: int, w: int, sign: int) -> int:
    """The sum of sign^k / ((2k + 1) n^(2k + 1)): atanh of 1/n, or arctan."""
    power, k, total = (1 << w) // n, 0, 0
    while power:
        total += sign**k * (power // (2 * k + 1))
        power //= n * n
        k += 1
    return total


# -- building blocks ---------------------------------------------------------------------------

LOST = 24
"""Bits of w that `exp` and `log_of` may err by."""


def exp(x: int, w: int) -> tuple[int, int]:
    """e^x for x in units of 2^-w, as m * 2^n with m near 2^w: x less a multiple of ln 2 is halved
    eight times, and what its series gives is squared as often. m errs by less than 2^(LOST - 3),
    for |x| below 2^10."""
    n = (x + (ln2(w) >> 1)) // ln2(w)
    r = (x - n * ln2(w)) >> 8
    term = total = 1 << w
    k = 1
    while term:
        term = (abs(term) * abs(r) >> w) // k * (1 if (term < 0) == (r < 0) else -1)
        total += term
        k += 1
    for _ in range(8):
        total = total * total >> w
    return total, n


def atanh_factor(z: int, w: int) -> int:
    """atanh(z) / z for z below 1/3 in units of 2^-w: 1 + z^2/3 + z^4/5 ..."""
    square, power, k, total = z * z >> w, 1 << w, 1, 0
    while power:
        total += power // k
        power = power * square >> w
        k += 2
    return total


def log_of(g: int, e: int, w: int) -> int:
    """The logarithm of g * 2^e in units of 2^-w: of its exponent, and 2 atanh((m - 1)/(m + 1))."""
    n = g.bit_length() - (1 if 4 * g < 3 << g.bit_length() else 0)
    one = 1 << n
    z = ((g - one) << w) // (g + one)
    return (2 * z * atanh_factor(abs(z), w) >> w) + (n + e) * ln2(w)


def relative(v: int, exponent: int, w: int) -> Enclosure:
    """What is known to about w bits."""
    error = (v >> (w - LOST)) + 1
    return Enclosure(v - error, v + error, exponent)


def decayed(x: Operand, w: int, factor: int = 1) -> tuple[int, int, int]:
    """e^-|factor x| as m and n of `exp`, and in units of 2^-w."""
    m, n = exp(-factor * x.scaled(w), w)
    return m, n, shifted(m, n)


# -- enclosures by the next term of a series ---------------------------------------------------


def below_operand(x: Operand) -> Enclosure:
    """Less than the operand by less than its last place and many bits."""
    return Enclosure((x.g << (x.bits + 4)) - 1, x.g << (x.bits + 4), x.e - x.bits - 4)


def above_operand(x: Operand) -> Enclosure:
    return Enclosure(x.g << (x.bits + 4), (x.g << (x.bits + 4)) + 1, x.e - x.bits - 4)


def beside_one(above: bool, bits: int, half: int = 0) -> Enclosure:
    """More or less than one, or a half, by less than 2^-bits."""
    one = 1 << bits
    return Enclosure(one, one + 1, -bits - half) if above else Enclosure(one - 1, one, -bits - half)


def saturates(x: Operand) -> bool:
    """Whether e^-|x| is too little to be seen beside the leading bits of the operand or of one."""
    return x.at_least(2 * x.bits + x.g.bit_length() + 40 + max(0, -x.e))


def is_far(x: Operand) -> bool:
    """Whether 2^x and e^x are more or less than anything."""
    return x.at_least(x.most - x.least)


def vanishes(x: Operand) -> bool:
    """Whether e^-|x|, and |x| e^-|x|, are less than anything."""
    return x.at_least(20 - x.least)


def next_to_nothing(x: Operand) -> Enclosure:
    return Enclosure(1 << x.bits, (1 << x.bits) + 1, x.least - x.bits)


# -- the functions -----------------------------------------------------------------------------


def _exp(x: Operand, w: int, base2: bool) -> Enclosure:
    """2^x: for tiny |x| between 1 and 1 + x, or 1 + 2x for e^x (1 + x if it is negative)."""
    if x.top < -x.bits - 4:
        return beside_one(not x.s, -x.top - 1)
    if is_far(x):
        if x.s:
            return next_to_nothing(x)
        return Enclosure(1 << x.bits, (1 << x.bits) + 1, x.most)
    operand = x.scaled(w)
    operand = operand * ln2(w) >> w if base2 else operand
    m, n = exp(-operand if x.s else operand, w)
    return relative(m, n - w, w)


def _logarithm(x: Operand, w: int, base2: bool) -> Enclosure:
    value = abs(log_of(x.g, x.e, w))
    value = (value << w) // ln2(w) if base2 else value
    error = 1 << LOST
    return Enclosure(value - error, value + error, -w)


def _sigmoid(x: Operand, w: int) -> Enclosure:
    """1/(1 + e^-x); for tiny |x| between 1/2 and 1/2 + x/4, far above beside 1."""
    if x.top < -x.bits - 4:
        return beside_one(not x.s, -x.top, 1)
    if x.s and vanishes(x):
        return next_to_nothing(x)
    if not x.s and saturates(x):
        return beside_one(False, x.bits + 4)
    m, n, t = decayed(x, w)
    if x.s:
        return relative((m << w) // ((1 << w) + t), n - w, w)
    return relative((1 << 2 * w) // ((1 << w) + t), -w, w)


def _silu(x: Operand, w: int) -> Enclosure:
    """x sigmoid(x), which for tiny |x| lies between x/2 and x/2 + x^2/4."""
    if x.top < -x.bits - 4:
        return _half_and_square(x)
    if not x.s and saturates(x):
        return below_operand(x)
    if x.s and vanishes(x):
        return next_to_nothing(x)
    return _times_operand(x, _sigmoid(x, w))


def _times_operand(x: Operand, of: Enclosure) -> Enclosure:
    return Enclosure(x.g * of.low, x.g * of.high, x.e + of.exponent)


def _half_and_square(x: Operand) -> Enclosure:
    """Between x/2 and x/2 + x^2/2, in units of 2^(2e - 1)."""
    half, square = x.g << -x.e, x.g * x.g
    return Enclosure(half - square if x.s else half, half + (0 if x.s else square), 2 * x.e - 1)


def _tanh(x: Operand, w: int) -> Enclosure:
    """(1 - t)/(1 + t) for t = e^-2|x|; for tiny |x| between |x| - |x|^3/3 and |x|."""
    if 2 * x.top < -x.bits - 8:
        return below_operand(x)
    if saturates(x):
        return beside_one(False, x.bits + 4)
    _, _, t = decayed(x, w, 2)
    error = 1 << LOST
    return Enclosure(
        ((1 << w) - t - error << w) // ((1 << w) + t + error),
        ((1 << w) - t + error << w) // ((1 << w) + t - error) + 1,
        -w,
    )


def _softplus(x: Operand, w: int) -> Enclosure:
    """ln(1 + e^x), for positive x as x + ln(1 + e^-x)."""
    if x.s and vanishes(x):
        return next_to_nothing(x)
    if not x.s and saturates(x):
        return above_operand(x)
    m, n, t = decayed(x, w)
    z = (m << w) // ((2 << w) + t)  # atanh(z) of z 2^n
    rest = 2 * z * atanh_factor(shifted(z, n), w) >> w
    if x.s:
        return relative(rest, n - w, w)
    return relative(x.scaled(w) + shifted(rest, n), -w, w)


def _density_and_sum(x: Operand, w: int, twice: int) -> tuple[int, int, int]:
    """e^(-x^2/2) as m and n of `exp`, and the sum of x^2k / (2k + 1)!!; of x sqrt(2) if `twice`."""
    square = shifted(x.g * x.g, 2 * x.e + w + twice)
    m, n = exp(-square >> 1, w)
    term, total, k = 1 << w, 0, 1
    while term:
        total += term
        k += 2
        term = term * square // k >> w
    return m, n, total


def _erf(x: Operand, w: int) -> Enclosure:
    """2/sqrt(pi) x e^(-x^2) (1 + 2x^2/3 + 4x^4/15 + ...)"""
    if x.at_least(isqrt(x.bits + 8) + 1):
        return beside_one(False, x.bits + 4)
    m, n, total = _density_and_sum(x, w, 1)
    factor = (2 << 2 * w) // isqrt(pi(w) << w)
    value = ((m * total >> w) * factor >> w) * x.g
    return relative(value, x.e + n - w, w)


def _gelu_end(x: Operand) -> Enclosure | None:
    """Both forms where they are known: for tiny |x|, and beyond what e^(-x^2/2) still counts for,
    which is more than what lacks to x, or is left of it."""
    if x.top < -x.bits - 4:
        return _half_and_square(x)
    if not x.s and x.at_least(isqrt(2 * (x.bits + x.g.bit_length() + 8)) + 2):
        return below_operand(x)
    if x.s and x.at_least(isqrt(2 * (20 - x.least)) + 2):
        return next_to_nothing(x)
    return None


def _gelu(x: Operand, w: int) -> Enclosure:
    """x (1/2 + x e^(-x^2/2) (1 + x^2/3 + x^4/15 + ...)/sqrt(2 pi))"""
    if (end := _gelu_end(x)) is not None:
        return end
    m, n, total = _density_and_sum(x, w, 0)
    root = isqrt(2 * pi(w) << w)
    beyond = shifted((m * total // root) * x.g, x.e + n)
    error = 1 << LOST + max(0, total.bit_length() - w)
    share = (1 << w >> 1) + (-beyond if x.s else beyond)
    return _times_operand(x, Enclosure(share - error, share + error, -w))


def _gelu_tanh(x: Operand, w: int) -> Enclosure:
    """x/2 (1 + tanh(u)) = x / (1 + e^-2u), of u = sqrt(2/pi) (x + 0.044715 x^3)"""
    if (end := _gelu_end(x)) is not None:
        return end
    operand = x.scaled(w)
    cubed = operand * operand * operand * 44715 // 10**6 >> 2 * w
    u2 = isqrt((8 << 3 * w) // pi(w)) * (operand + cubed) >> w
    m, n = exp(-u2, w)
    one, t = 1 << w, shifted(m, n)
    if x.s:
        return _times_operand(x, relative((m << w) // (one + t), n - w, w))
    return _times_operand(x, relative((1 << 2 * w) // (one + t), -w, w))


_ENCLOSURES: dict[str, Callable[[Operand, int], Enclosure]] = {
    "exp2": lambda x, w: _exp(x, w, True),
    "exp": lambda x, w: _exp(x, w, False),
    "log2": lambda x, w: _logarithm(x, w, True),
    "ln": lambda x, w: _logarithm(x, w, False),
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "silu": _silu,
    "softplus": _softplus,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "erf": _erf,
}

FUNCTIONS = tuple(_ENCLOSURES)
ODD = ("tanh", "erf", "silu", "gelu", "gelu_tanh")
"""Functions whose results have the sign of their operands."""


# -- exact results, and signs ------------------------------------------------------------------

Exact = tuple[int, tuple[int, int] | None]
"""A result's sign, and its exponent and significand if it is exact."""


def _exact_power(x: Operand) -> Exact:
    n = shifted(x.g, min(x.e, 64))
    if shifted(n, -x.e) != x.g or is_far(x):
        return 0, None
    return 0, ((-n if x.s else n) - x.bits + 1, 1 << (x.bits - 1))


def _exact_logarithm(x: Operand, base2: bool) -> Exact:
    n = x.top - 1  # floor of log2
    if x.g & (x.g - 1):
        return int(n < 0), None
    if n == 0:
        return 0, (0, 0)
    return int(n < 0), (0, abs(n)) if base2 else None


_EXACT: dict[str, Callable[[Operand], Exact]] = {
    "exp2": _exact_power,
    "log2": lambda x: _exact_logarithm(x, True),
    "ln": lambda x: _exact_logarithm(x, False),
}
