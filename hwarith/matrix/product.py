"""The matrix product with a unit's arithmetic at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..exceptions import InvalidInput, unknown
from ..formats import Format
from ..formats.codec import array_of
from ..golden import code_dtype, machine_word
from ..golden.kernels import unless_refused
from ..units import Unit, unit
from ..units.chain import Chain, chain, without_memory
from ..units.dot import Dot
from . import dots, float64, kernels, loops
from .float64 import FloatRounding
from .roundings import float_rounding

ORDERS = ("ascending", "descending")


def matmul(
    spec: Any,
    a: Any,
    b: Any,
    c: Any = None,
    order: Any = "ascending",
    add: Any = None,
    sa: Any = None,
    sb: Any = None,
) -> np.ndarray:
    """The product of matrices of codes, bit for bit what a loop over the unit gives.

    A multiply-add is applied as ``acc = u(a[i, k], b[k, j], acc)``, a product unit as
    ``acc = add(u(a[i, k], b[k, j]), acc)``, for one k after the other; a dot product (``dot``,
    ``axdot``) of n pairs as ``acc = u(a[i, k:k+n], b[k:k+n, j], acc)``, block after block.

    Parameters
    ----------
    spec : the multiply-add or product unit, or its spec. A multiply-add must take its addend in
        the format of its result; a chained one (such as ``anfma``) takes `c` in the format that its
        chains begin with and gives the one that they end with. A unit that holds its sum (``mac``,
        ``dfpmac``, whose flag is not given) is its step, which may begin with any `c`.
    a, b : codes (m, k) and (k, n) of the unit's first two operands.
    c : codes of the accumulators to begin with, of a shape that broadcasts to (m, n); +0 if None.
    order : of k: ``ascending``, ``descending``, or a permutation of 0 to k-1.
    add : for a product unit the adder, or its spec: it takes the product first, then the
        accumulator, and gives the accumulator. Default:
        `hwarith.units.chain.accumulating_adder`.
    sa, sb : for a dot product with scales their codes, (m, k / block) and (k / block, n).

    Returns codes (m, n) of the accumulator's format. Raises `InvalidInput` for what is not as
    said here.
    """
    u = without_memory(unit(spec))
    if isinstance(u, Dot):
        if add is not None or not isinstance(order, str) or order != "ascending":
            raise InvalidInput(f"matmul: {u.spec} takes its blocks in order and needs no adder")
        return dots.matmul(u, a, b, c, sa, sb)
    if sa is not None or sb is not None:
        raise InvalidInput(f"matmul: {u.spec} has no scales; dot has")
    try:
        units = chain(u, add)
    except InvalidInput as error:
        raise InvalidInput(f"matmul: {error}") from None
    if units.add.lane_formats:
        if not isinstance(order, str) or order != "ascending":
            raise InvalidInput(f"matmul: {u.spec} takes its products in order")
        return dots.of_chain(units, a, b, c)
    left, right = (
        dots.matrix(f, x, what)
        for f, x, what in zip(units.operand_formats, (a, b), "ab", strict=True)
    )
    if left.shape[1] != right.shape[0]:
        raise InvalidInput(
            f"matmul: a has {left.shape[1]} columns and b {right.shape[0]} rows; "
            "they must be as many"
        )
    sums = _start(units.first, c, (left.shape[0], right.shape[1]))
    steps = _steps(order, left.shape[1])
    sums = _accumulate(units, left[:, steps], right[steps], units.begin(sums))
    return units.end(sums)


# -- what is asked for ---------------------------------------------------------------------------


def _start(f: Format, c: Any, shape: tuple[int, int]) -> np.ndarray:
    if c is None:
        if f.hidden_always:
            raise InvalidInput(f"matmul: c must be given, for {f} has no zero to begin with")
        return np.zeros(shape, f.dtype)
    array = f.check(c, "matmul: c")
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise InvalidInput(
            f"matmul: c must be of shape {shape} or broadcast to it, not {array.shape}"
        ) from None


def _steps(order: Any, count: int) -> slice | list[int]:
    if isinstance(order, str):
        if order not in ORDERS:
            raise unknown("order", order, (*ORDERS, "a permutation"))
        return slice(None, None, 1 if order == "ascending" else -1)
    steps = array_of(order, "matmul: order")
    if (
        steps.dtype.kind not in "ui"
        or steps.ndim != 1
        or not np.array_equal(np.sort(steps), np.arange(count))
    ):
        raise InvalidInput(
            f"matmul: order must be {', '.join(ORDERS)} or a permutation of 0 to {count - 1}"
        )
    return steps.tolist()


# -- how it is computed --------------------------------------------------------------------------


def _accumulate(chain: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray:
    if not len(b):
        return acc.copy()
    units = chain.units
    definitions, constants = zip(*(x.definition() for x in units), strict=True)
    word_bits = max(x.word_bits for x in units)
    dtype = code_dtype(chain.accumulator.bits)
    word = machine_word(word_bits, dtype, [a.dtype, b.dtype], a.shape[0] * b.size)
    if not word:
        return loops.interpret(definitions, constants, a, b, acc)
    if (sums := kernels.accumulate(chain, a, b, acc)) is not None:
        return sums
    if roundings := float_roundings(units):
        fused, separate = (float64.multiply_add,), (float64.multiply, float64.add)
        steps: tuple[Callable, ...] = separate if chain.multiply else fused
        formats = (*chain.operand_formats, chain.accumulator)
        pairs = zip(formats, (a, b, acc), strict=True)
        x, y, z = (f.decode(codes).astype(np.float64) for f, codes in pairs)
        sums = loops.accumulate(steps, roundings, x, y, z, 0)
        return formats[2].encode(sums, overflow="nosat")
    with unless_refused(word):
        return loops.accumulate(definitions, constants, a, b, acc, word)
    return loops.interpret(definitions, constants, a, b, acc)


def float_roundings(units: Iterable[Unit]) -> tuple[tuple[FloatRounding], ...]:
    """For each unit the rounding of its result in float64, if all are exact in it; or nothing."""
    found = [float_rounding(u) for u in units]
    return tuple((x,) for x in found if x is not None) if None not in found else ()
