"""Exact sums in float64 with the options of exact units: rounding modes, subnormals, overflow.

As `FloatRounding`, which serves the defaults: the product is exact in float64, the sum is rounded
to odd with at least two bits more than the result has, which no rounding behind it can tell from
the exact sum. That rounding is float64's own to nearest even, corrected by a step of the format
where the mode says so: what was lost is a float64, so that this is known exactly.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...formats import Format
from ...golden import golden
from ...golden.compiler import compiled
from ...units import Unit
from ...units.chain import Chain, result
from ..float64 import bits_float, float_bits, sum_to_odd
from ..roundings import is_exact_in_float64
from . import loop

_DEFAULT = ("n", "nan", "flags", "op")
"""Parameters that must have their defaults."""

_UP, _DOWN, _EVEN, _AWAY = 1.0, -1.0, 0.0, 2.0
"""What becomes of a magnitude between two steps: the greater, the lesser; the nearest, and of a tie
the even or the greater one."""

_WAYS = {
    "rne": (_EVEN, _EVEN),
    "rna": (_AWAY, _AWAY),
    "rtz": (_DOWN, _DOWN),
    "rup": (_UP, _DOWN),
    "rdn": (_DOWN, _UP),
}
"""Of each mode, for positive and negative values."""

_ANY_BINADE = 2.0**-960
"""Below all values of the formats that are taken."""


class Options(NamedTuple):
    """What a unit does with operands and results. Values beyond a limit are given as magnitudes."""

    scale: float  # of `FloatRounding`, and so the next three
    lowest_binade: float
    highest_binade: float
    largest: float
    positive: float  # way of positive results
    negative: float
    above: float  # what is beyond the largest becomes, if positive
    below: float
    infinite: float  # what an infinite result becomes
    least: float  # results below become zeros
    first_least: float  # operands below are zeros; a product is the first operand of a sum
    last_least: float
    zero: float  # added to results: -0.0, or +0.0 for a format without -0
    negative_zero: bool  # whether opposite terms add up to -0


def accumulate(chain: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray | None:
    """`hwarith.matrix.kernels.accumulate` for exact units of any mode but to odd, any overflow
    policy, and subnormals kept or flushed, unless all have their defaults (`FloatRounding`)."""
    found = [_options(u) for u in chain.units]
    if None in found or all(_is_default(u) for u in chain.units):
        return None
    left, right = (
        _flushed(f, codes, chain.units[0])
        for f, codes in zip(chain.operand_formats, (a, b), strict=True)
    )
    start = np.ascontiguousarray(chain.accumulator.decode(acc), np.float64)
    step = _steps()["product and sum" if chain.multiply else "multiply-add"]
    sums = loop.run(step, start, left, right, tuple(found))
    return chain.accumulator.encode(sums, overflow="nosat")


def _is_default(u: Any) -> bool:
    defaults = (u.round, u.subnormals) == ("rne", "keep")
    return defaults and u.overflow in ("nosat", "saturate")


def _flushed(f: Format, codes: np.ndarray, u: Any) -> np.ndarray:
    x = np.ascontiguousarray(f.decode(codes), np.float64)
    least = _least_operand(f, u)
    return np.where(np.abs(x) < least, np.copysign(0.0, x), x) if least else x


def _least_operand(f: Format, u: Any) -> float:
    return float(f.smallest_normal) if u.daz and f.is_float else 0.0


def _options(u: Unit) -> Options | None:
    if not is_exact_in_float64(u, _DEFAULT) or u.round not in _WAYS:  # type: ignore[attr-defined]
        return None
    return _options_of(u)


def _options_of(u: Any) -> Options:
    f = result(u)
    largest, (positive, negative) = float(f.max), _WAYS[u.round]
    infinite = math.inf if f.infinity else math.nan
    if f.nan == "none" and not f.infinity:
        beyond = infinite = largest
    else:
        if u.overflow == "p3109_satnone" and not f.infinity:
            infinite = largest
        policies = {"nan": math.nan} | dict.fromkeys(("nosat", "p3109_satnone", "toinf"), infinite)
        beyond = policies.get(u.overflow, largest)
        infinite = largest if u.overflow == "saturate" else infinite
    first, *_, last = u.operands.values()
    inward = largest if u.overflow != "toinf" else beyond
    return Options(
        scale=2.0 ** (52 - f.fraction_bits),
        lowest_binade=_ANY_BINADE if u.ftz else float(f.smallest_normal),
        highest_binade=2.0 ** (math.frexp(largest)[1] - 1),
        largest=largest,
        positive=positive,
        negative=negative,
        above=inward if positive == _DOWN else beyond,
        below=inward if negative == _DOWN else beyond,
        infinite=infinite,
        least=float(f.smallest_normal) if u.ftz else 0.0,
        first_least=_least_operand(first, u),
        last_least=_least_operand(last, u),
        zero=-0.0 if f.has_negative_zero else 0.0,
        negative_zero=u.round == "rdn",
    )


# -- steps ---------------------------------------------------------------------------------------


@golden
def flush(x, least):
    return np.copysign(0.0, x) if abs(x) < least else x


@golden
def rounded(x, f):
    """`x` in the format, by the mode, as `round_pack` and `result` have it."""
    magnitude = abs(x)
    binade = bits_float(float_bits(magnitude) & 0x7FF0000000000000)
    shifter = min(max(binade, f.lowest_binade), f.highest_binade) * f.scale
    nearest = (magnitude + shifter) - shifter
    step = shifter * 2.0**-52
    lost = magnitude - nearest
    way = f.positive if x > 0 else f.negative
    if (way == _UP and lost > 0) or (way == _AWAY and lost + lost == step):
        nearest += step
    if way == _DOWN and lost < 0:
        nearest -= step
    if nearest < f.least:
        nearest = 0.0
    if nearest > f.largest:
        finite = f.above if x > 0 else f.below
        nearest = f.infinite if magnitude == np.inf else finite
    return np.copysign(nearest, x) + f.zero


@golden
def exact_sum(x, y, f):
    """x + y, rounded to odd, and the sign of its zero."""
    total = sum_to_odd(x, y)
    if total == 0 and f.negative_zero:
        return -0.0 if (float_bits(x) | float_bits(y)) < 0 else 0.0
    return total


@golden
def multiply_add(x, y, acc, f):
    return rounded(exact_sum(x * y, flush(acc, f.last_least), f), f)


@golden
def product(x, y, f):
    return rounded(x * y, f)


@golden
def add(x, acc, f):
    return rounded(exact_sum(flush(x, f.first_least), flush(acc, f.last_least), f), f)


@cache
def _steps() -> dict[str, Any]:
    fused, multiply, plus = map(compiled, (multiply_add, product, add))

    def multiply_add_step(x, y, acc, constants):
        return fused(x, y, acc, constants[0])

    def product_and_sum_step(x, y, acc, constants):
        return plus(multiply(x, y, constants[0]), acc, constants[1])

    return {"multiply-add": multiply_add_step, "product and sum": product_and_sum_step}
