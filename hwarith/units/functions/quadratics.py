"""Pieces of degree 2, for results of more than 16 bits: minimax, each coefficient rounded in turn
and the others fitted again.

An operand's distance u to the middle of its piece is what is squared, and of that only the leading
bits: so the square and c2 are short. Errors are measured on what hardware computes, its truncations
among them, not added up from bounds.

Source: Remez's exchange; rounding coefficients in turn as in Brisebarre and Chevillard, "Efficient
polynomial L-approximations", ARITH 18 (2007), done in its simplest form.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ...exceptions import InvalidInput
from ...golden import golden
from ...lazily import np
from .fit import SLOPES, Rows, Wish
from .minimax import minimax

BOUND = 0.45
"""Units in the result's last place that results may err by, before they are rounded to nearest."""

_GUARD = 4
"""Bits of y below the result's last place."""

_LONGEST = 16
"""Most bits of c2, and of u that are squared."""

_SHORTEST = 3
"""Least bits of an operand's place in a piece."""

_POINTS = 512
"""Steps between the operands of a piece that it is fitted at."""

_STEP = 61
"""Of a piece's operands every so many are measured, and the last one."""


class Quadratics(NamedTuple):
    """A piece a row: y = c0 + floor((c1 u + c2 square 2^up) / 2^shift), of u = t - 2^(low - 1) and
    of the square of its `low` - 1 - `drop` leading bits, without the `cut` last bits of it. A
    negative u is inverted for it, which is its magnitude less one."""

    low: int
    drop: int
    cut: int
    up: int
    shift: int
    c0: tuple[int, ...]
    c1: tuple[int, ...]
    c2: tuple[int, ...]

    def at(self, row: int, t: int) -> int:
        return quadratic(row, t, self)


@golden
def quadratic(row, t, p):
    """y of a piece, of the operand's place t in it."""
    return polynomial(p.c0[row], p.c1[row], p.c2[row], t, p)


@golden
def polynomial(c0, c1, c2, t, p):
    """y of the piece that has these coefficients."""
    u = t - (1 << (p.low - 1))
    leading = (-1 - u if u < 0 else u) >> p.drop
    square = (leading * leading) >> p.cut
    return c0 + ((c1 * u + (c2 * square << p.up)) >> p.shift)


@dataclass(frozen=True)
class _Shape:
    """What is to be found: bits of the fraction, of the row, of result and y behind the point; and
    widths of coefficients."""

    fraction: int
    select: int
    places: int  # of the result, which y has more of
    width: int
    shift: int  # below y's last place, of slopes for a step of the operand
    square: int  # bits of u that are squared
    cut: int  # bits of the square that are dropped
    scale: int  # bits of c2

    @property
    def low(self) -> int:
        return self.fraction - self.select

    @property
    def drop(self) -> int:
        return self.low - 1 - self.square

    def squares(self, u: np.ndarray) -> np.ndarray:
        leading = np.where(u < 0, ~u, u) >> self.drop
        return leading * leading >> self.cut


class Curve(NamedTuple):
    """What is to be found pieces of: a function of [0, 1); whether its operands are rounded down,
    so that they may be as much as a step more; what it must be at 0, if anything; and units of
    2^-(the places that y is to have) that y may err by."""

    value: Callable[[np.ndarray], np.ndarray]
    is_rounded: bool
    at_zero: float | None = None
    bound: float = BOUND


def find(
    curve: Curve, fraction: int, fraction_bits: int, wish: Wish
) -> tuple[int, int, Quadratics]:
    """The width of y, the bits of the row, and pieces whose y errs by at most so many units of
    2^-fraction_bits: the fewest unless they are wished for, then the shortest coefficients."""
    width = fraction_bits + (_GUARD if wish.guard is None else wish.guard)
    for bits in range(fraction - 4) if wish.select is None else (wish.select,):
        low = fraction - bits
        square = min(low - 1, _LONGEST)
        shape = _Shape(fraction, bits, fraction_bits, width, low + 4, square, square, _LONGEST)
        while fitted(shape, curve) is None:  # of so little curvature that c2 is shorter
            shape = replace(shape, scale=shape.scale - 1)
        if _error(shape, curve) <= curve.bound:
            break
    else:
        raise InvalidInput(
            "segments, guard: no pieces of degree 2 err by so little with these; allowed: more of "
            "them, or auto"
        )
    while shorter := _shorter(shape, curve):
        shape = shorter
    pieces = fitted(shape, curve)
    assert pieces
    return width, bits, pieces


def found_at_once(
    curve: Curve, fraction: int, fraction_bits: int, select: int
) -> tuple[int, Quadratics]:
    """The width of y, and so many pieces as `find` has them, with coefficients as long as what they
    stand for asks for: of many pieces, where trying all lengths takes long."""
    width, low = fraction_bits + _GUARD + 1, fraction - select
    square = min(low - 1, _LONGEST)
    shape = _Shape(fraction, select, fraction_bits, width, low + 1, square, square, _LONGEST)
    while (pieces := fitted(shape, curve)) is None:
        shape = replace(shape, scale=shape.scale - 2)
    bend = max(map(abs, pieces.c2)) * 2.0 ** (pieces.up - shape.shift + 2 * square - shape.cut)
    bits = max(2, math.ceil(math.log2(bend)) + _SPARE)
    square = min(square, bits + 1)
    shape = replace(shape, square=square, cut=max(0, 2 * square - bits - 1))
    while (pieces := fitted(replace(shape, scale=bits), curve)) is None:
        bits -= 1
    shape = replace(shape, scale=bits)
    if max(abs(x) for x in errors(shape, curve, pieces, max(_STEP, 1 << (low - 8)))) > curve.bound:
        raise InvalidInput(
            "out: no pieces of degree 2 are known for so many bits; allowed: formats such as fp32"
        )
    return width, pieces


_SPARE = 2
"""Bits of c2 and of the square below y's last place."""


def _shorter(shape: _Shape, curve: Curve) -> _Shape | None:
    """A shape with a bit less of what costs the least error, if one is as good as it must be."""
    steps = {"shift": -1, "square": -1, "cut": 1, "scale": -1}
    shapes = [replace(shape, **{name: getattr(shape, name) + by}) for name, by in steps.items()]
    shapes = [x for x in shapes if min(x.square, x.scale, 2 * x.square - x.cut) > 1]
    error, best = min(((_error(x, curve), i) for i, x in enumerate(shapes)), default=(np.inf, 0))
    return shapes[best] if error <= curve.bound else None


def fitted(shape: _Shape, curve: Curve) -> Quadratics | None:
    """The pieces of a shape; None if c2 would have more places than are summed up."""
    low, half = shape.low, 1 << (shape.low - 1)
    u = np.unique(np.rint(np.linspace(-half, half - 1, _POINTS + 1)).astype(np.int64))
    squares = shape.squares(u)
    first = np.arange(1 << shape.select) << low
    place = first[:, None] + half + u + (0.5 if curve.is_rounded else 0.0)
    y = np.ldexp(curve.value(np.ldexp(place, -shape.fraction)), shape.width)
    x = u.astype(float)
    curvature = np.array([minimax(x, row, 2)[0][2] for row in y]) * _per_square(shape)
    scale = shape.scale - int(np.ceil(np.log2(np.abs(curvature).max())))
    c2 = np.rint(np.ldexp(curvature, scale)).astype(np.int64)
    up = shape.shift - scale
    y = y - np.ldexp((c2[:, None] * squares).astype(float), -scale)
    slope = np.array([minimax(x, row, 1)[0][1] for row in y])
    c1 = np.rint(np.ldexp(slope, shape.shift)).astype(np.int64)
    rest = y - np.ldexp((c1[:, None] * u).astype(float), -shape.shift)
    c0 = np.rint((rest.max(1) + rest.min(1)) / 2 - 0.5).astype(np.int64)
    if up < 0:
        return None
    found = Quadratics(
        low, shape.drop, shape.cut, up, shape.shift, *(tuple(c.tolist()) for c in (c0, c1, c2))
    )
    if curve.at_zero is None:
        return found
    exact = int(np.ldexp(curve.at_zero, shape.width)) - found.at(0, 0) + found.c0[0]
    return found._replace(c0=(exact, *found.c0[1:]))


class Cells(NamedTuple):
    """What operands ask of y, in the order of their keys: between which integers it must lie, and
    what it should be."""

    key: np.ndarray
    least: np.ndarray
    most: np.ndarray
    target: np.ndarray


_BESIDE = (0, 1, -1)
"""What is tried around c2, in units of its last place; around c1 `SLOPES`."""

_SHORTENED = ("scale", "shift", "square", "cut")


def constrained(cells: Cells, fraction: int, select: int) -> Quadratics | None:
    """Pieces of which y lies where every operand wants it, with coefficients as short as that
    allows; None if there are none."""
    low = fraction - select
    if low < _SHORTEST:
        return None
    square = min(low - 1, _LONGEST)
    shape = _Shape(fraction, select, 0, 0, low + 4, square, square // 2, _LONGEST - 4)
    found = _kept(shape, cells)
    if found is None:
        return None
    for name in _SHORTENED:
        step = 1 if name == "cut" else -1
        while True:
            shorter = replace(shape, **{name: getattr(shape, name) + step})
            possible = min(shorter.square, shorter.scale, 2 * shorter.square - shorter.cut) > 1
            pieces = _kept(shorter, cells) if possible else None
            if pieces is None:
                break
            shape, found = shorter, pieces
    return found


def _kept(shape: _Shape, cells: Cells) -> Quadratics | None:
    """Pieces of a shape that keep all operands where they must be."""
    rows = cells.key >> shape.low
    u = (cells.key & ((1 << shape.low) - 1)) - (1 << (shape.low - 1))
    squares = shape.squares(u)
    ends = np.searchsorted(rows, np.arange((1 << shape.select) + 1))
    parts = [slice(*pair) for pair in itertools.pairwise(ends.tolist())]
    curvatures = [_curvature(u[i].astype(float), cells.target[i]) for i in parts]
    greatest = max(curvatures) * _per_square(shape)
    if greatest <= 0:
        return None
    scale = min(shape.scale - int(np.ceil(np.log2(greatest))), shape.shift)
    columns = []
    for i, curvature in zip(parts, curvatures, strict=True):
        about = round(curvature * _per_square(shape) * 2.0**scale)
        tried = (_piece(shape, about + more, scale, u[i], squares[i], cells, i) for more in _BESIDE)
        columns.append(next((x for x in tried if x is not None), None))
        if columns[-1] is None:
            return None
    c0, c1, c2 = (tuple(column) for column in zip(*columns, strict=True))
    up = shape.shift - scale
    return Quadratics(shape.low, shape.drop, shape.cut, up, shape.shift, c0, c1, c2)


def _curvature(u: np.ndarray, y: np.ndarray) -> float:
    """c2 of the best polynomial of degree 2, 0 where there are too few points for one."""
    return float(minimax(u, y, 2)[0][2]) if len(u) > 3 else 0.0


def _piece(
    shape: _Shape,
    c2: int,
    scale: int,
    u: np.ndarray,
    squares: np.ndarray,
    cells: Cells,
    part: slice,
) -> tuple[int, int, int] | None:
    """Coefficients with this c2 that keep the operands of a piece where they must be."""
    if not len(u):
        return 0, 0, 0
    rest = cells.target[part] - c2 * squares * 2.0**-scale
    slope = minimax(u.astype(float), rest, 1)[0][1] if len(u) > 2 else _chord(u, rest)
    for more in SLOPES:
        c1 = round(slope * 2.0**shape.shift) + more
        y = c1 * u + (c2 * squares << (shape.shift - scale)) >> shape.shift
        least, most = int((cells.least[part] - y).max()), int((cells.most[part] - y).min())
        if c2 >= 0 and least <= most:
            return (least + most) // 2, c1, c2
    return None


def _chord(u: np.ndarray, y: np.ndarray) -> float:
    return float((y[-1] - y[0]) / max(u[-1] - u[0], 1))


def rows_from_plain(x: Any) -> Rows | Quadratics:
    """Pieces of what JSON made of them."""
    if isinstance(x, dict):
        return Rows(x["shift"], tuple(x["c0"]), tuple(x["c1"]))
    low, drop, cut, up, shift, c0, c1, c2 = x
    return Quadratics(low, drop, cut, up, shift, tuple(c0), tuple(c1), tuple(c2))


def _per_square(shape: _Shape) -> float:
    """Units of u^2 in one of the square."""
    return float(2.0 ** (2 * shape.drop + shape.cut))


def _error(shape: _Shape, curve: Curve) -> float:
    """The greatest error of pieces of this shape in units of the result's last place, or infinity
    if there are none."""
    pieces = fitted(shape, curve)
    if pieces is None:
        return np.inf
    return max(abs(x) for x in errors(shape, curve, pieces, _STEP))


def errors(shape: _Shape, curve: Curve, p: Quadratics, step: int) -> Iterator[float]:
    """The greatest and the least error, y taken for what is half a unit more."""
    half = 1 << (shape.low - 1)
    u = np.unique(np.append(np.arange(-half, half, step), half - 1))
    c0, c1, c2 = (np.array(c)[:, None] for c in (p.c0, p.c1, p.c2))
    y = c0 + (c1 * u + (c2 * shape.squares(u) << p.up) >> p.shift) + 0.5
    place = (np.arange(len(p.c0))[:, None] << shape.low) + half + u
    ends = (place, place + 1) if curve.is_rounded else (place, place)
    for end, extreme in zip(ends, (np.max, np.min), strict=True):
        exact = np.ldexp(curve.value(np.ldexp(end.astype(float), -shape.fraction)), shape.width)
        yield float(extreme(y - exact)) / 2.0 ** (shape.width - shape.places)
