"""Weights in FP4 for products in FP8: casts that move the exponent, and scales that allow it.

Source: Wu, Yao and He, ZeroQuant-FP (arXiv 2307.09782), section 4: scales that are powers of two
(M1), or powers of two times the largest scale of a group of them (M2).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..exceptions import InvalidInput, quoted, unknown
from ..lazily import np
from .codec import array_of
from .scalar import Format, format

_FP4 = format("e2m1fn")

RULES = ("m1", "m2")
ROUNDINGS = ("floor", "ceil")


def shifts_of(out: Any = "e4m3fn") -> tuple[int, int]:
    """The least and the greatest k for which every number of e2m1fn times 2^k is one of a float:
    -8 and 6 of e4m3fn, -15 and 13 of e5m2. Raises `InvalidInput` for another format."""
    return exact_shifts(_FP4, _float(out))


def exact_shifts(a: Format, out: Format) -> tuple[int, int]:
    """The least and the greatest k for which every number of a float times 2^k is one of another,
    whose fraction is no shorter; the least one is greater where there is no such k."""
    ratios = out.smallest / a.smallest, out.max / a.max
    least, most = (x.numerator.bit_length() - x.denominator.bit_length() for x in ratios)
    return least, most - (ratios[1] < Fraction(2) ** most)


def fp4_to_fp8(codes: Any, k: Any, out: Any = "e4m3fn") -> tuple[np.ndarray, np.ndarray]:
    """Codes of e2m1fn times 2^k as codes of a float, exactly: the cast of W4A8.

    Parameters
    ----------
    codes : of e2m1fn.
    k : integers, of a shape that broadcasts to that of `codes`. One that is out of the range of
        `shifts_of` is taken for the nearest in it.
    out : the float, of at least one fraction bit.

    Returns codes, and for each whether its k was out of range. Raises `InvalidInput`.
    """
    f = _float(out)
    low, high = shifts_of(f)
    shift = array_of(k, "k")
    if shift.dtype.kind not in "iu":
        raise InvalidInput(f"fp4_to_fp8: k must be integers, not an array of {shift.dtype.name}")
    given, shift = np.broadcast_arrays(_FP4.check(codes, "fp4_to_fp8: codes"), shift)
    within = np.clip(shift, low, high).astype(np.int64)
    found = f.encode(np.ldexp(_FP4.decode(given), within))
    return found, within != shift


def power_of_two_scales(scales: Any, rule: str = "m2", round: str = "floor") -> np.ndarray:
    """Scales that differ by powers of two, so that a shift does for a multiplication.

    Parameters
    ----------
    scales : positive numbers (..., groups), those that are multiplied together along the last axis.
    rule : ``m1``: 2^ceil(log2 S). ``m2``: the largest one S_max of the last axis over 2^n, n from
        log2(S_max / S).
    round : how ``m2`` rounds n: with ``floor`` no scale becomes less, so that nothing is clipped.

    Returns float64 of the shape of `scales`. Raises `InvalidInput`.
    """
    if rule not in RULES:
        raise unknown("rule for scales", rule, RULES)
    if round not in ROUNDINGS:
        raise unknown("rounding of scales", round, ROUNDINGS)
    s = array_of(scales, "scales")
    if s.dtype.kind not in "fiu" or s.ndim == 0 or s.size == 0:
        raise InvalidInput(f"scales must be numbers (..., groups), not {quoted(scales)}")
    s = s.astype(np.float64)
    if not (np.isfinite(s) & (s > 0)).all():
        raise InvalidInput("scales must be positive and finite")
    if rule == "m1":
        fraction, exponent = np.frexp(s)
        return np.ldexp(1.0, exponent - (fraction == 0.5))
    largest = s.max(axis=-1, keepdims=True)
    fraction, exponent = np.frexp(s)
    top_fraction, top_exponent = np.frexp(largest)
    beyond = fraction > top_fraction if round == "floor" else -(fraction < top_fraction).astype(int)
    return np.ldexp(largest, -(top_exponent - exponent - beyond))


def _float(name: Any) -> Format:
    f = format(name)
    if f.kind != "float" or not f.signed or f.hidden_always or f.fraction_bits < 1:
        raise InvalidInput(f"{f.name} is no signed float with a fraction")
    return f
