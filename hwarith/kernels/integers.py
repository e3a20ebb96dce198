"""Integers: where no product and no partial sum leaves its format, the order of sums is free."""

from __future__ import annotations

import numpy as np

from ..formats import Format
from ..units.chain import Chain
from ..units.exact.add import Add
from ..units.exact.fma import Fma
from ..units.exact.mul import Mul

_EXACT = 2**53
"""Up to here every integer is a float64."""


def accumulate(chain: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray | None:
    """`hwarith.kernels.accumulate` by one product of float64 matrices.

    For exact units on integers, if k * max|a| * max|b| + max|acc| is a value of the accumulator's
    format and below 2^53, and max|a| * max|b| one of the products' format: then nothing wraps,
    saturates or is rounded, whatever the options say of that.
    """
    formats = [*chain.operand_formats, chain.accumulator]
    formats += [chain.product_format] if chain.product_format else []
    if not all(isinstance(u, Mul | Add | Fma) and _plain(u) for u in chain.units):
        return None
    if any(f.is_float or f.exponent or f.bits > 53 for f in formats):
        return None
    x, y, c = (f.decode(v).astype(np.float64) for f, v in zip(formats, (a, b, acc), strict=False))
    product = _peak(x) * _peak(y)
    if product > _reach(chain.product_format or chain.accumulator):
        return None
    if a.shape[1] * product + _peak(c) > min(_reach(chain.accumulator), _EXACT):
        return None
    return chain.accumulator.encode((x @ y + c).astype(np.int64))


def _plain(u: Mul | Add | Fma) -> bool:
    """Whether the unit computes just a*b, a+b or a*b+c, without ports for options and flags."""
    names = ("flags", "op", "round")
    return len(u.results) == 1 and all(
        getattr(u, name) == u.parameters()[name].default for name in names if hasattr(u, name)
    )


def _peak(x: np.ndarray) -> int:
    return int(np.abs(x).max(initial=0))


def _reach(f: Format) -> int:
    """Integers of up to this magnitude are values of the format: none below zero if unsigned."""
    return int(min(f.max, -f.min)) if f.signed else 0
