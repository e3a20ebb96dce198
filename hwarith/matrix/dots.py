"""Matrix products made of dot products, accumulated through c block after block."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import InvalidInput
from ..formats import Format
from ..units import Unit
from ..units.chain import Chain
from ..units.dot import Dot
from .kernels import blocks

CHUNK = 1 << 22
"""Pairs of codes that the definition is given at a time."""


def matmul(u: Dot, a: Any, b: Any, c: Any, sa: Any, sb: Any) -> np.ndarray:
    """`hwarith.matmul` of a dot product. Raises `InvalidInput`."""
    if not u.goes_on:
        raise InvalidInput(
            "matmul: sums go on where c is of the format of out, and without flags; not in "
            f"{u.spec}"
        )
    left, right, acc = _matrices(u, (u.a, u.b, u.result), a, b, c)
    (m, k), n = left.shape, right.shape[1]
    scales = _scales(u, sa, sb, (m, k // u.block), (k // u.block, n))
    sums = blocks.accumulate(u, left, right, acc, scales)
    if sums is None:
        return by_definition(u, left, right, acc, scales)
    codes, undone = sums
    places = np.nonzero(undone)
    if places[0].size:
        codes[places] = of_places(u, left, right, acc, scales, places)
    return codes


def of_chain(units: Chain, a: Any, b: Any, c: Any) -> np.ndarray:
    """`hwarith.matmul` of a chained dot product (`hwarith.units.chain`), by its definition. Raises
    `InvalidInput`."""
    return units.accumulate(*_matrices(units.add, (*units.code_formats.values(),)[:3], a, b, c))


def _matrices(
    u: Unit, formats: tuple[Format, ...], a: Any, b: Any, c: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes (m, K), (K, n), (m, n) of these formats, K a multiple of the products that a unit makes
    at a time. Raises `InvalidInput`."""
    pairs = max(n for _, n in u.lane_formats.values())
    left, right = matrix(formats[0], a, "a"), matrix(formats[1], b, "b")
    (m, k), (rows, n) = left.shape, right.shape
    if k != rows or k % pairs or not k:
        raise InvalidInput(
            f"matmul: a (m, K) and b (K, n) must have one K, a multiple of n={pairs} of {u.spec}, "
            f"not {left.shape} and {right.shape}"
        )
    acc = formats[2].check(0 if c is None else c, "matmul: c")
    try:
        return left, right, np.broadcast_to(acc, (m, n))
    except ValueError:
        raise InvalidInput(f"matmul: c must be of shape {(m, n)}, not {acc.shape}") from None


def by_definition(
    u: Dot, a: np.ndarray, b: np.ndarray, c: np.ndarray, scales: list[np.ndarray]
) -> np.ndarray:
    """The same by the definition alone."""
    places = np.divmod(np.arange(c.size), c.shape[1])
    return of_places(u, a, b, c, scales, places).reshape(c.shape)


def of_places(
    u: Dot,
    a: np.ndarray,
    b: np.ndarray,
    c: np.ndarray,
    scales: list[np.ndarray],
    places: tuple[np.ndarray, ...],
) -> np.ndarray:
    """Elements of a matrix product at these rows and columns, by the definition."""
    found = np.empty(len(places[0]), u.result.dtype)
    step = max(1, CHUNK // a.shape[1])
    for at in range(0, found.size, step):
        i, j = (x[at : at + step] for x in places)
        given = [scales[0][i], scales[1].T[j]] if scales else [None, None]
        found[at : at + step] = u.dot(a[i], b.T[j], c[i, j], *given)
    return found


def matrix(f: Format, codes: Any, what: str) -> np.ndarray:
    """Codes of a matrix. Raises `InvalidInput`, which calls it `what`."""
    array = f.check(codes, f"matmul: {what}")
    if array.ndim != 2:
        raise InvalidInput(f"matmul: {what} must be a matrix, not of shape {array.shape}")
    return array


def _scales(
    u: Dot, sa: Any, sb: Any, of_a: tuple[int, int], of_b: tuple[int, int]
) -> list[np.ndarray]:
    try:
        found = u.scale_codes(sa, sb)
    except InvalidInput as error:
        raise InvalidInput(f"matmul: {error}") from None
    for name, x, shape in zip(("sa", "sb"), found, (of_a, of_b), strict=False):
        if x.shape != shape:
            raise InvalidInput(f"matmul: {name} must be of shape {shape}, not {x.shape}")
    return found
