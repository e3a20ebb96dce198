"""Integers: where no product or partial sum leaves its format, and floats have room for them."""

from __future__ import annotations

import numpy as np

from ...formats import Format
from ...units.chain import Chain
from ...units.exact.add import Add
from ...units.exact.fma import Fma
from ...units.exact.mul import Mul
from . import loop

_EXACT = {np.float32: 2**24, np.float64: 2**53}
"""Up to where every integer is a number of these types."""


def accumulate(chain: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray | None:
    """`hwarith.matrix.kernels.accumulate` in float32 or float64, which lose nothing.

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
    x, y, c = (f.decode(v) for f, v in zip(formats, (a, b, acc), strict=False))
    product = _peak(x) * _peak(y)
    if product > _reach(chain.product_format or chain.accumulator):
        return None
    most = a.shape[1] * product + _peak(c)
    kinds = [kind for kind, limit in _EXACT.items() if most <= limit]
    if most > _reach(chain.accumulator) or not kinds:
        return None
    x, y, c = (v.astype(kinds[0]) for v in (x, y, c))
    sums = loop.run(_step, c, x, y, ())
    return chain.accumulator.encode(sums.astype(np.int64))


def _step(x, y, acc, constants):
    return x * y + acc


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
