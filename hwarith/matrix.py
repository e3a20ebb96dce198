"""The matrix product with a unit's arithmetic at every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from . import engine, engine_matrix
from .engine_matrix import FloatRounding
from .errors import InvalidInput, unknown
from .formats import Format
from .units import Unit
from .units.chain import Chain, chain, result
from .units.exact.add import Add
from .units.exact.fma import Fma
from .units.exact.mul import Mul

ORDERS = ("ascending", "descending")


def matmul(
    spec: Any, a: Any, b: Any, c: Any = None, order: Any = "ascending", add: Any = None
) -> np.ndarray:
    """The product of matrices of codes, bit for bit what a loop over the unit gives.

    A multiply-add is applied as ``acc = u(a[i, k], b[k, j], acc)``, a product unit as
    ``acc = add(u(a[i, k], b[k, j]), acc)``, for one k after the other.

    Parameters
    ----------
    spec : the multiply-add or product unit, or its spec. A multiply-add must take its addend in
        the format of its result; a chained one (such as ``anfma``) takes `c` in the format that its
        chains begin with and gives the one that they end with.
    a, b : codes (m, k) and (k, n) of the unit's first two operands.
    c : codes of the accumulators to begin with, of a shape that broadcasts to (m, n); +0 if None.
    order : of k: ``ascending``, ``descending``, or a permutation of 0 to k-1.
    add : for a product unit the adder, or its spec: it takes the product first, then the
        accumulator, and gives the accumulator. Default:
        `hwarith.units.chain.accumulating_adder`.

    Returns codes (m, n) of the accumulator's format. Raises `InvalidInput` for what is not as
    said here.
    """
    try:
        units = chain(spec, add)
    except InvalidInput as error:
        raise InvalidInput(f"matmul: {error}") from None
    left, right = (
        _matrix(f, x, what) for f, x, what in zip(units.operand_formats, (a, b), "ab", strict=True)
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


def _matrix(f: Format, codes: Any, what: str) -> np.ndarray:
    array = f.check(codes, f"matmul: {what}")
    if array.ndim != 2:
        raise InvalidInput(f"matmul: {what} must be a matrix, not of shape {array.shape}")
    return array


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
    steps = np.asarray(order).tolist()
    if not isinstance(steps, list) or sorted(map(str, steps)) != sorted(map(str, range(count))):
        raise InvalidInput(
            f"matmul: order must be {', '.join(ORDERS)} or a permutation of 0 to {count - 1}"
        )
    return steps


# -- how it is computed --------------------------------------------------------------------------


def _accumulate(chain: Chain, a: np.ndarray, b: np.ndarray, acc: np.ndarray) -> np.ndarray:
    units = chain.units
    definitions, constants = zip(*(x.definition() for x in units), strict=True)
    wide = any(x.dtype.hasobject for x in (a, b, acc))
    wide = wide or max(x.word_bits for x in units) > engine.WORD_BITS
    if wide or a.shape[0] * b.size <= engine.SMALL:
        return engine_matrix.interpret(definitions, constants, a, b, acc)
    if roundings := _float_roundings(units):
        steps: Sequence[Callable] = (engine_matrix.float_multiply, engine_matrix.float_add)
        steps = steps if chain.multiply else (engine_matrix.float_multiply_add,)
        formats = (*chain.operand_formats, chain.accumulator)
        values = [f.decode(x).astype(np.float64) for f, x in zip(formats, (a, b, acc), strict=True)]
        sums = engine_matrix.accumulate(tuple(steps), roundings, *values)
        return formats[2].encode(sums, overflow="nosat")
    return engine_matrix.accumulate(definitions, constants, a, b, acc)


_DEFAULT = ("round", "n", "subnormals", "nan", "flags", "op")
"""Parameters of exact units, other than formats and overflow, that `FloatRounding` knows only in
their defaults."""


def _float_roundings(units: Iterable[Unit]) -> tuple[tuple[FloatRounding], ...]:
    """For each unit the rounding of its result in float64, if all are exact in it; or nothing."""
    found = [_float_rounding(u) for u in units]
    return tuple((x,) for x in found if x is not None) if None not in found else ()


def _float_rounding(u: Unit) -> FloatRounding | None:
    """What in float64 is the same as this unit's definition with the constants that it has."""
    if not isinstance(u, Mul | Add | Fma):
        return None
    formats, out = list(u.operands.values()), result(u)
    parameters = u.parameters()
    if (
        any(getattr(u, name) != parameters[name].default for name in _DEFAULT if name in parameters)
        or u.overflow not in ("nosat", "saturate")
        or not _fits_float64(u, formats, out)
        or not _has_its_specials(formats, out)
    ):
        return None
    return _rounding_of(out, u.overflow)


def _fits_float64(u: Unit, formats: list[Format], out: Format) -> bool:
    """The conditions of `FloatRounding`, for operands and intermediate values alike."""
    product = formats[:2] if u.operation != "sum" else []
    steps = [f.smallest for f in (*formats, out)]
    limits = [max(f.max, -f.min) for f in (*formats, out)]
    steps.append(math.prod((f.smallest for f in product), start=Fraction(1)))
    limits.append(math.prod((max(f.max, -f.min) for f in product), start=Fraction(1)))
    return (
        out.is_float
        and out.signed
        and not out.hidden_always
        and out.precision <= 50
        and max(f.precision for f in formats) <= 53
        and sum(f.precision for f in product) <= 53
        and min(steps) >= Fraction(2) ** -1074
        and max(limits) < Fraction(2) ** 960
    )


def _has_its_specials(formats: list[Format], out: Format) -> bool:
    """Whether a NaN, if one can come, is a NaN in the result too."""
    return out.nan != "none" or not any(f.nan != "none" or f.infinity for f in formats)


def _rounding_of(f: Format, policy: str) -> FloatRounding:
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
