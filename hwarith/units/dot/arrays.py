"""Dot products of arrays of codes: rows of the compiled definitions, or sequences of such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ...golden import apply
from ...golden.rows import over_rows
from ...lazily import np
from . import definitions
from .accumulation import Accumulation
from .definitions import Formats, Shape

_WHOLE = {
    "exact": definitions.exact,
    "trunc": definitions.truncated,
    "halves": definitions.halves,
    "floor": definitions.floored,
    "floor2": definitions.floored,
}
"""The definition of each way to accumulate that takes whole rows."""


def definition(acc: Accumulation) -> Callable[..., int]:
    """What a way to accumulate is made of."""
    return definitions.fused if acc.in_order else _WHOLE[acc.way]


def block_definition(acc: Accumulation) -> Callable[..., int]:
    """The definition of the result of whole rows, for every way to accumulate."""
    in_order = {"seq": definitions.sequential, "pairwise": definitions.pairwise}
    return (_WHOLE | in_order)[acc.way]


def in_order(lanes: Any, acc: Accumulation) -> Any:
    """Factors, a sequence or the last axis of an array, in the order in which they are taken."""
    if acc.way != "halves":
        return lanes
    n = len(lanes) if isinstance(lanes, Sequence) else lanes.shape[-1]
    order = [*(k for k in range(n) if not k & 2), *(k for k in range(n) if k & 2)]
    return [lanes[k] for k in order] if isinstance(lanes, Sequence) else lanes[..., order]


class Defined(Protocol):
    """What evaluating takes of a dot product."""

    @property
    def acc(self) -> Accumulation: ...

    @property
    def constants(self) -> tuple[Shape, Formats, tuple, int]: ...

    @property
    def word_bits(self) -> int: ...


def rows(unit: Defined, codes: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Results of rows of codes: a, b, sa, sb of shapes (rows, length), c of (rows,).

    They are of the `dtype` given, which holds a result and its mark.
    """
    if unit.acc.in_order:
        return (_sequential if unit.acc.way == "seq" else _pairwise)(unit, codes, dtype)
    shape, *constants = unit.constants
    whole = _WHOLE[unit.acc.way]
    return over_rows(whole, codes[:4], codes[4], shape, tuple(constants), dtype, unit.word_bits)


def _sequential(unit: Defined, codes: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """From the addend on (or the first product, if there is none), that of lane 0 first."""
    shape, f, rules, control = unit.constants
    acc = codes[4]
    for i in range(shape.n):
        lane = _alone(shape), f, rules, control
        acc = apply(definitions.fused, [*_lane(codes, i, shape), acc], lane, dtype, unit.word_bits)
        f, shape = f._replace(c=f.out), shape._replace(added=1)
    return acc


def _pairwise(unit: Defined, codes: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Rounded products; neighbours are added, and neighbours of these sums, and the addend last.
    What has no neighbour goes to the next level as it is."""
    shape, f, rules, control = unit.constants
    lane = _alone(shape)._replace(added=0), f, rules, control
    none = np.zeros_like(codes[4])
    level = [
        apply(definitions.fused, [*_lane(codes, i, shape), none], lane, dtype, unit.word_bits)
        for i in range(shape.n)
    ]
    step = shape, f._replace(c=f.out), rules, control
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        sums = [apply(definitions.added, [x, y], step, dtype, unit.word_bits) for x, y in pairs]
        level = sums + level[2 * len(sums) :]
    if shape.added == 0:
        return level[0]
    last = shape, f, rules, control
    return apply(definitions.added, [level[0], codes[4]], last, dtype, unit.word_bits)


def _alone(shape: Shape) -> Shape:
    """The same for a single product."""
    return shape._replace(n=1, block=1)


def _lane(codes: list[np.ndarray], i: int, shape: Shape) -> list[np.ndarray]:
    """Factors and scales of a product."""
    a, b, sa, sb, _ = codes
    none = np.zeros(len(a), np.uint8)
    k = i // shape.block
    return [a[:, i], b[:, i], *((sa[:, k], sb[:, k]) if shape.scaled else (none, none))]
