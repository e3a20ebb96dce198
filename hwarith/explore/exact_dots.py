"""The exact results of dot products: sums of integers, made of nothing but the values of codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from ..formats import Format
from ..units.blocks.readers import Reader
from ..units.dot import Dot

OBJECT = np.dtype(object)
"""Python's integers."""


def exact_dots(unit: Dot, codes: Mapping[str, np.ndarray]) -> list[Fraction]:
    """The sums of sa * sb * a[i] * b[i], plus c, of sets of codes by the names of the operands:
    finite ones, blocks of shape (sets, lanes), c of shape (sets,)."""
    found = _with_metadata(unit.readers, codes) if unit.readers else _of_elements(unit, codes)
    if unit.addend is None:
        return found
    addends = _steps(unit.addend, codes["c"], OBJECT)
    return [x + _step(unit.addend) * c for x, c in zip(found, addends, strict=True)]


def _with_metadata(
    readers: tuple[Reader, Reader], codes: Mapping[str, np.ndarray]
) -> list[Fraction]:
    """The scaled sums of blocks with metadata."""
    sides = zip(readers, "ab", strict=True)
    (x, s), (y, t) = (r.values(codes[name], codes[f"s{name}"][:, 0]) for r, name in sides)
    sums = (x * y).sum(axis=1)  # exact: they have 32 bits
    rows = zip(sums.tolist(), s.tolist(), t.tolist(), strict=True)
    return [Fraction(z) * Fraction(u) * Fraction(v) for z, u, v in rows]


def _of_elements(unit: Dot, codes: Mapping[str, np.ndarray]) -> list[Fraction]:
    """The scaled sums of other blocks, or of numbers."""
    lanes = unit.lane_formats
    of_factors = np.dtype(np.int64 if unit.sum_bits < 63 else object)
    steps = {
        name: _steps(f, codes[name], of_factors if name in ("a", "b") else OBJECT)
        for name, (f, _) in lanes.items()
    }
    step = Fraction(1)
    for f, _ in lanes.values():
        step *= _step(f)
    products = steps["a"] * steps["b"]
    sums = products.reshape(len(products), unit.blocks, unit.block).sum(axis=2).astype(object)
    if unit.scale:
        sums = sums * steps["sa"] * steps["sb"]
    return [step * x for x in sums.sum(axis=1).tolist()]


def exact_groups(formats: Sequence[Format], codes: Sequence[np.ndarray]) -> list[Fraction]:
    """The sums of a[i] * b[i] of groups: finite codes of two formats, of shape (groups, n)."""
    a, b = (_steps(f, x, OBJECT) for f, x in zip(formats, codes, strict=True))
    step = _step(formats[0]) * _step(formats[1])
    return [step * x for x in (a * b).sum(axis=1).tolist()]


def _step(f: Format) -> Fraction:
    """What all values of a format are multiples of."""
    return Fraction(2) ** f.numbers.lsb


def _steps(f: Format, codes: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Values as multiples of `_step`, as integers of a type that holds them."""
    steps = np.ldexp(f.decode(codes).astype(float), -f.numbers.lsb)
    return np.vectorize(int, otypes=[object])(steps) if dtype.hasobject else steps.astype(dtype)
