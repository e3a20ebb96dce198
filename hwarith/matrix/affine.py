"""Matrix products of integers with zero points, by hoisting these out of the sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import InvalidInput, shown
from ..formats.codec import array_of
from ..units import unit
from ..units.exact.fma import Fma
from ..units.operations import negated_operands
from .product import matmul


def affine_matmul(spec: Any, a: Any, b: Any, za: Any = 0, zb: Any = 0, c: Any = None) -> np.ndarray:
    """The product of matrices of integers less their zero points, sum (a - za) (b - zb) + c.

    The unit sees a and b as they are, in its own widths. The zero points are hoisted out of the
    sums: sum a b - zb sum a - za sum b + k za zb, which is exact modulo 2^bits of the accumulator,
    as the sum of the differences would be.

    Parameters
    ----------
    spec : the multiply-add of integers, or its spec, such as ``fma:a=uint8,b=int8,c=int32``; what
        it adds up must wrap.
    a, b : codes (m, k) and (k, n) of the unit's first two operands.
    za, zb : integers, zero points of all of a and b; or those of the rows of a, of shape (m, 1),
        and of the columns of b, of shape (n,) or (1, n).
    c : codes of the accumulators to begin with (the bias), of a shape that broadcasts to (m, n).

    Returns codes (m, n) of the accumulator's format. Raises `InvalidInput` for what is not as said
    here.

    Source: gemmlowp (doc/low-precision.md).
    """
    u = unit(spec)
    formats = [*u.operands.values(), *u.results.values()]
    if not isinstance(u, Fma) or any(f.is_float or f.exponent or f.bits > 64 for f in formats):
        raise InvalidInput(
            f"affine_matmul: must be an fma of integers of up to 64 bits, not {u.spec}"
        )
    if negated_operands(u) != {0: ()}:
        raise InvalidInput(f"affine_matmul: {u.spec} negates; give one that adds a b")
    if u.overflow != "wrap":
        raise InvalidInput(
            f"affine_matmul: sums of {u.spec} must wrap, not {u.overflow}: zero points are taken "
            "out of them afterwards"
        )
    product = matmul(u, a, b, c)
    left, right = (f.decode(x).astype(np.int64) for f, x in ((u.a, a), (u.b, b)))
    of_rows = _zero_points(za, "za", (len(left), 1))
    of_columns = _zero_points(zb, "zb", (1, right.shape[1]))
    sums, totals = left.sum(axis=1, keepdims=True), right.sum(axis=0, keepdims=True)
    hoisted = of_columns * sums + of_rows * totals - left.shape[1] * of_rows * of_columns
    total = product.astype(np.uint64) - hoisted.astype(np.uint64)
    return (total & np.uint64((1 << u.out.bits) - 1)).astype(u.out.dtype)


def _zero_points(given: Any, name: str, shape: tuple[int, int]) -> np.ndarray:
    """Zero points of rows or columns, as integers that broadcast to their matrix."""
    found = array_of(given, f"affine_matmul: {name}")
    try:
        fits = np.broadcast_shapes(found.shape, shape) == shape
    except ValueError:
        fits = False
    if found.dtype.kind not in "iu" or not fits:
        raise InvalidInput(
            f"affine_matmul: {name} must be an integer or integers of shape {shape}, "
            f"not {shown(found.dtype)} of shape {found.shape}"
        )
    return found.astype(np.int64)
