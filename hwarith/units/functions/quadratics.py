"""Pieces of degree 2, for results of more than 16 bits: minimax, each coefficient rounded in turn
and the others fitted again.

An operand's distance u to the middle of its piece is what is squared, and of that only the leading
bits: so the square and c2 are short. Errors are measured on what hardware computes, its truncations
among them, not added up from bounds.

Source: Remez's exchange; rounding coefficients in turn as in Brisebarre and Chevillard, "Efficient
polynomial L-approximations", ARITH 18 (2007), done in its simplest form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ...exceptions import InvalidInput
from ...golden import golden
from ...lazily import np
from .fit import Rows, Wish
from .minimax import minimax

BOUND = 0.45
"""Units in the result's last place that results may err by, before they are rounded to nearest."""

_GUARD = 4
"""Bits of y below the result's last place."""

_LONGEST = 16
"""Most bits of c2, and of u that are squared."""

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
    u = t - (1 << (p.low - 1))
    leading = (-1 - u if u < 0 else u) >> p.drop
    square = (leading * leading) >> p.cut
    return p.c0[row] + ((p.c1[row] * u + (p.c2[row] * square << p.up)) >> p.shift)


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
