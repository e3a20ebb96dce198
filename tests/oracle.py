"""Rounding worked out independently of hwarith's rounder, to hold it against.

Both oracles know a format only through the list of its values (`Format.decode`, which is itself
tested against ml_dtypes and gfloat) and the words of table T1. `round_exact` takes a fraction;
`round_values` takes float64 or longdouble arrays in which the exact results fit.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from functools import cache

import numpy as np

import hwarith as hw


def beyond(f: hw.Format) -> Fraction:
    """The value that would follow the largest one, if the exponent had no bound."""
    top = f.max
    exponent = 0
    while Fraction(2) ** (exponent + 1) <= top:
        exponent += 1
    while Fraction(2) ** exponent > top:
        exponent -= 1
    return top + Fraction(2) ** (max(exponent, f.numbers.emin) - f.fraction_bits)


@cache
def magnitudes(f: hw.Format) -> list[Fraction]:
    """All finite values from 0 up, and `beyond`; `first_code` is the code of index 0."""
    zero = [Fraction(0)] if f.hidden_always else []
    return zero + [f.fraction(code) for code in range(f.numbers.max_mag + 1)] + [beyond(f)]


def first_code(f: hw.Format) -> int:
    """0, but -1 for e8m0fnu: it has no zero, and what would round to it becomes code 0."""
    return -1 if f.hidden_always else 0


def bracket(x: Fraction, f: hw.Format) -> tuple[int, Fraction, Fraction]:
    """Code of the greatest value not above `x` >= 0, that value, and the next one."""
    if f.name == "fp32":
        below = np.float32(min(float(x), float(f.max)))
        if Fraction(float(below)) > x:
            below = np.nextafter(below, np.float32(-1))
        code = int(below.view(np.uint32))
        return code, f.fraction(code), beyond(f) if x >= f.max else f.fraction(code + 1)
    values = magnitudes(f)
    low = min(bisect_right(values, x) - 1, len(values) - 2)
    return low, values[low], values[low + 1]


def round_exact(x: Fraction, f: hw.Format, mode: str, policy: str, zero_sign: int = 0) -> int:
    """Code of a finite fraction in fp32 or a signed float format of at most 16 bits."""
    sign = int(x < 0) if x else zero_sign
    code, low, high = bracket(abs(x), f)
    up = False
    if abs(x) >= high:  # only beyond the largest value
        up = True
    elif low != abs(x):
        middle = (low + high) / 2
        odd = code % 2 == 1
        up = {
            "rne": abs(x) > middle or (abs(x) == middle and odd),
            "rna": abs(x) >= middle,
            "rtz": False,
            "rup": sign == 0,
            "rdn": sign == 1,
            "rto": not odd,
        }[mode]
    if code + up <= f.numbers.max_mag:
        return with_sign(code + up, sign, f)
    return overflow(sign, f, mode, policy)


def with_sign(magnitude: int, sign: int, f: hw.Format) -> int:
    if magnitude <= 0 and not f.has_negative_zero and not (sign and f.hidden_always):
        return 0
    if not f.signed and sign:
        return -1  # below the range, see `round_values`
    return magnitude | sign << (f.bits - 1)


def overflow(sign: int, f: hw.Format, mode: str, policy: str) -> int:
    """The row "finite overflow" of table T1.

    P3109's SatNone has NaN only below unsigned formats, and infinity for rounding to odd but in
    unsigned ones (interim report, 4.7.5).
    """
    back = mode == "rtz" or mode == ("rup" if sign else "rdn")
    if policy == "p3109_satnone":
        clamps = back or not f.infinity or (mode == "rto" and not f.signed)
    else:
        clamps = policy in ("saturate", "satprop") or back or mode == "rto"
    if clamps or f.nan == "none":
        return with_sign(f.numbers.max_mag, sign, f)
    return infinity(sign, f) if f.infinity else nan(f)


def infinity(sign: int, f: hw.Format) -> int:
    return with_sign(f.numbers.max_mag + 1, sign, f)


def nan(f: hw.Format) -> int:
    """Canonical NaN codes as the specification lists them."""
    listed = {
        "e5m2": 0x7E,
        "e4m3fn": 0x7F,
        "fp16": 0x7E00,
        "bf16": 0x7FC0,
        "fp32": 0x7FC00000,
        "e4m3": 0x7C,
        "e3m4": 0x78,
        "tf32": 0x3FE00,
    }
    if f.nan == "negative_zero":
        return 1 << (f.bits - 1)
    if f.nan == "all_ones":
        return (1 << (f.bits - f.signed - f.ignored_bits)) - 1
    if f.nan == "none":  # the largest value
        return (1 << (f.bits - 1)) - 1
    quiet = ((1 << f.exponent_bits) - 1) << f.fraction_bits | 1 << (f.fraction_bits - 1)
    return listed.get(f.name, quiet) if f.nan != "none" else f.numbers.max_mag


def stochastic_up(nu: np.ndarray, mode: str, n: int, random: np.ndarray) -> np.ndarray:
    """The three comparisons of P3109 4.7.4, in floats; np.rint rounds to nearest even."""
    scale = 2.0**n
    return {
        "sra": np.floor(nu * scale) + random >= scale,
        "srb": nu * scale + random + 0.5 >= scale,
        "src": np.rint(nu * scale) + random >= scale,
    }[mode]


def round_values(
    x: np.ndarray,
    f: hw.Format,
    mode: str,
    policy: str,
    zero_sign: np.ndarray,
    n: int = 0,
    random: np.ndarray | int = 0,
) -> np.ndarray:
    """Codes of exact results, infinities and NaN among them.

    `zero_sign` is the sign of each result that is exactly zero; `random` the `n` bits of
    stochastic rounding. Below the range of an unsigned format lies its lowest code (saturating;
    but minus infinity is NaN with ``satprop``) or NaN, and so does zero if it has none.
    """
    values = np.array([float(v) for v in magnitudes(f)], dtype=x.dtype)
    last = len(values) - 1
    magnitude = np.abs(x)
    sign = np.where(x == 0, zero_sign, x < 0).astype(np.int64)
    low = np.minimum(np.searchsorted(values, magnitude, side="right") - 1, last)
    inside = low < last
    step = np.where(inside, low + 1, last)
    exact = values[low] == magnitude
    middle = (values[low] + values[step]) / 2
    odd = (low + first_code(f)) % 2 == 1
    choices = {
        "rne": (magnitude > middle) | ((magnitude == middle) & odd),
        "rna": magnitude >= middle,
        "rtz": np.zeros(x.shape, bool),
        "rup": sign == 0,
        "rdn": sign == 1,
        "rto": ~odd,
    }
    if mode in choices:
        choose = choices[mode]
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            nu = np.where(inside, (magnitude - values[low]) / (values[step] - values[low]), 0)
        choose = stochastic_up(nu, mode, n, np.asarray(random))
    index = low + (choose & inside & ~exact)
    codes = range(first_code(f), first_code(f) + last)
    signed = np.array([[with_sign(i, s, f) for i in codes] for s in (0, 1)])
    clamps = policy in ("saturate", "satprop") or f.nan == "none"
    clamps = clamps or (policy == "p3109_satnone" and mode in ("rtz", "rup"))
    below = 0 if clamps else nan(f)
    signed[signed < 0] = below
    code = signed[sign, np.minimum(index, last - 1)]
    spill = np.array([overflow(s, f, mode, policy) for s in (0, 1)])
    code = np.where(index == last, spill[sign], code)
    infinite = [_infinite_result(s, f, policy) for s in (0, 1)]
    code = np.where(np.isinf(x), np.array(infinite)[sign], code)
    if not f.signed:
        code = np.where((x < 0) & (index == last), below, code)
        lowest = policy == "saturate" or f.nan == "none"
        code = np.where(np.isneginf(x), 0 if lowest else nan(f), code)
    if f.hidden_always:
        code = np.where(x == 0, 0 if policy.startswith("sat") else nan(f), code)
    return np.where(np.isnan(x), nan(f), code).astype(f.dtype)


def _infinite_result(sign: int, f: hw.Format, policy: str) -> int:
    """The rows "Inf in" of table T1."""
    clamps = policy == "p3109_satnone" and not f.infinity
    if clamps or policy == "saturate" or f.nan == "none":
        return with_sign(f.numbers.max_mag, sign, f)
    return infinity(sign, f) if f.infinity else nan(f)


def round_to_integers(
    x: np.ndarray,
    f: hw.Format,
    mode: str,
    policy: str,
    n: int = 0,
    random: np.ndarray | int = 0,
) -> np.ndarray:
    """Codes of an integer or fixed-point format of at most 32 bits for float64 values."""
    # Beyond 2^100 all values are clamped alike.
    magnitude = np.minimum(np.abs(np.nan_to_num(x, nan=0.0)), 2.0**100) / 2.0**f.exponent
    down = np.floor(magnitude)
    nu = magnitude - down
    inexact, negative = nu > 0, x < 0
    choices = {
        "rne": np.rint(magnitude) > down,
        "rna": nu >= 0.5,
        "rtz": np.zeros(x.shape, bool),
        "rup": inexact & ~negative,
        "rdn": inexact & negative,
        "rto": inexact & (down % 2 == 0),
    }
    up = choices[mode] if mode in choices else stochastic_up(nu, mode, n, np.asarray(random))
    integer = np.where(negative, -1, 1) * (down + up)
    limit = 2 ** (f.bits - 1) if f.signed else 2**f.bits
    lowest = 0 if not f.signed else -limit + (1 if f.symmetric else 0)
    if policy != "wrap":
        integer = np.where(np.isnan(x), limit - 1, np.clip(integer, lowest, limit - 1))
    return (integer.astype(np.int64) & ((1 << f.bits) - 1)).astype(f.dtype)
