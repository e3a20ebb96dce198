"""Which units are, in float64, exact operations with one rounding (`FloatRounding`)."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ..formats import Format
from ..units.chain import result
from ..units.exact.add import Add
from ..units.exact.fma import Fma
from ..units.exact.mul import Mul
from .float64 import FloatRounding

_DEFAULT = ("round", "n", "subnormals", "nan", "flags", "op")
"""Parameters of exact units, other than formats and overflow, that `FloatRounding` knows only in
their defaults."""

_UNITS = 256
"""Most units of which it is remembered."""


@lru_cache(maxsize=_UNITS)
def float_rounding(u: Any) -> FloatRounding | None:
    """What in float64 is the same as this unit's definition with the constants that it has."""
    if not is_exact_in_float64(u, _DEFAULT) or u.overflow not in ("nosat", "saturate"):
        return None
    return rounding_of(result(u), u.overflow)


def is_exact_in_float64(u: Any, default: tuple[str, ...]) -> bool:
    """Whether a unit is an exact operation in float64 with one rounding, and has these parameters,
    if it knows them, in their defaults."""
    if not isinstance(u, Mul | Add | Fma):
        return False
    formats, parameters = list(u.operands.values()), u.parameters()
    return (
        all(getattr(u, name) == parameters[name].default for name in default if name in parameters)
        and _fits_float64(u, formats, result(u))
        and _has_its_specials(formats, result(u))
    )


def _fits_float64(u: Any, formats: list[Format], out: Format) -> bool:
    """The conditions of `FloatRounding`, for operands and intermediate values alike."""
    product = formats[: u.operation.factors] if u.operation.factors > 1 else []
    steps = [f.smallest for f in (*formats, out)]
    limits = [max(f.max, -f.min) for f in (*formats, out)]
    steps.append(math.prod((f.smallest for f in product), start=Fraction(1)))
    limits.append(math.prod((max(f.max, -f.min) for f in product), start=Fraction(1)))
    return (
        rounds_in_float64(out)
        and max(f.precision for f in formats) <= 53
        and sum(f.precision for f in product) <= 53
        and min(steps) >= Fraction(2) ** -1074
        and max(limits) < Fraction(2) ** 960
    )


def rounds_in_float64(out: Format) -> bool:
    """Whether `FloatRounding` rounds to a format as definitions do, signs and zeros included."""
    return out.kind == "float" and out.signed and not out.hidden_always and out.precision <= 50


def _has_its_specials(formats: list[Format], out: Format) -> bool:
    """Whether a NaN, if one can come, is a NaN in the result too."""
    return out.nan != "none" or not any(f.nan != "none" or f.infinity for f in formats)


def rounding_of(f: Format, policy: str) -> FloatRounding:
    saturates = policy == "saturate" or (f.nan == "none" and not f.infinity)
    largest = float(f.max)
    return FloatRounding(
        scale=2.0 ** (52 - f.fraction_bits),
        lowest_binade=float(f.smallest_normal),
        highest_binade=2.0 ** (math.frexp(largest)[1] - 1),
        largest=largest,
        beyond=largest if saturates else math.inf if f.infinity else math.nan,
        zero=-0.0 if f.has_negative_zero else 0.0,
    )
