"""Dot products of arrays of codes: rows of the compiled definitions, or sequences of such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ...golden import apply
from ...golden.rows import over_rows
from ...lazily import np
from . import definitions
from .accumulation import Accumulation
from .definitions import Shape

_WHOLE = {
    "exact": definitions.exact,
    "trunc": definitions.truncated,
    "halves": definitions.halves,
    "floor": definitions.floored,
    "floor2": definitions.floored,
}
"""The definition of each way to accumulate that takes whole rows."""


class Defined(Protocol):
    """What evaluating takes of a dot product."""

    @property
    def acc(self) -> Accumulation: ...

    @property
    def constants(self) -> tuple[Any, ...]: ...

    @property
    def meta(self) -> str: ...

    @property
    def word_bits(self) -> int: ...


def definition(unit: Defined) -> Callable[..., int]:
    """What a unit's way to accumulate is made of; what has flags takes longer to compile."""
    if unit.acc.in_order:
        return definitions.fused_with_flags if _is_flagged(unit) else definitions.fused
    if unit.meta != "none":
        return definitions.with_metadata
    return definitions.exact_with_flags if _is_flagged(unit) else _WHOLE[unit.acc.way]


def block_definition(unit: Defined) -> Callable[..., int]:
    """The definition of the result of whole rows, for every way to accumulate."""
    in_order = {"seq": definitions.sequential, "pairwise": definitions.pairwise}
    return in_order.get(unit.acc.way) or definition(unit)


def _is_flagged(unit: Defined) -> bool:
    return bool(unit.constants[2].tininess)


def in_order(lanes: Any, acc: Accumulation) -> Any:
    """Factors, a sequence or the last axis of an array, in the order in which they are taken."""
    if acc.way != "halves":
        return lanes
    n = len(lanes) if isinstance(lanes, Sequence) else lanes.shape[-1]
    order = [*(k for k in range(n) if not k & 2), *(k for k in range(n) if k & 2)]
    return [lanes[k] for k in order] if isinstance(lanes, Sequence) else lanes[..., order]


def rows(unit: Defined, codes: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Results of rows of codes: a, b, sa, sb of shapes (rows, length), c of (rows,).

    They are of the `dtype` given, which holds a result and its mark.
    """
    if unit.acc.in_order:
        return (_sequential if unit.acc.way == "seq" else _pairwise)(unit, codes, dtype)
    shape, *constants = unit.constants
    return over_rows(
        definition(unit), codes[:4], codes[4], shape, tuple(constants), dtype, unit.word_bits
    )


def _sequential(unit: Defined, codes: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """From the addend on (or the first product, if there is none), that of lane 0 first."""
    shape, f, rules, control = unit.constants
    acc, flags = codes[4], _Flags(unit, dtype)
    for i in range(shape.n):
        lane = _alone(shape), f, rules, control
        acc = flags.apart(definition(unit), [*_lane(codes, i, shape), acc], lane)
        f, shape = f._replace(c=f.out), shape._replace(added=1)
    return flags.joined(acc)


def _pairwise(unit: Defined, codes: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Rounded products; neighbours are added, and neighbours of these sums, and the addend last.
    What has no neighbour goes to the next level as it is."""
    shape, f, rules, control = unit.constants
    lane = _alone(shape)._replace(added=0), f, rules, control
    none, flags = np.zeros_like(codes[4]), _Flags(unit, dtype)
    lanes = (_lane(codes, i, shape) for i in range(shape.n))
    level = [flags.apart(definition(unit), [*x, none], lane) for x in lanes]
    step = shape, f._replace(c=f.out), rules, control
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        sums = [flags.apart(definitions.added, [x, y], step) for x, y in pairs]
        level = sums + level[2 * len(sums) :]
    y = level[0]
    if shape.added == 1:
        y = flags.apart(definitions.added, [y, codes[4]], (shape, f, rules, control))
    return flags.joined(y)


class _Flags:
    """Flags of results that are rounded one after the other: those of all."""

    def __init__(self, unit: Defined, dtype: np.dtype) -> None:
        self.unit, self.dtype = unit, dtype
        self.bits = dtype.type(unit.constants[1].out.bits)
        self.raised: Any = 0

    def apart(
        self, definition: Callable[..., int], codes: list[np.ndarray], constants: tuple
    ) -> Any:
        """Codes of rounded results, without their flags."""
        y = apply(definition, codes, constants, self.dtype, self.unit.word_bits)
        if not _is_flagged(self.unit):
            return y
        flags = y >> self.bits
        self.raised = self.raised | flags
        return y - (flags << self.bits)

    def joined(self, y: np.ndarray) -> np.ndarray:
        """Codes with all flags above them."""
        return y | self.raised << self.bits if _is_flagged(self.unit) else y


def _alone(shape: Shape) -> Shape:
    """The same for a single product."""
    return shape._replace(n=1, block=1)


def _lane(codes: list[np.ndarray], i: int, shape: Shape) -> list[np.ndarray]:
    """Factors and scales of a product."""
    a, b, sa, sb, _ = codes
    none = np.zeros(len(a), np.uint8)
    k = i // shape.block
    return [a[:, i], b[:, i], *((sa[:, k], sb[:, k]) if shape.scaled else (none, none))]
