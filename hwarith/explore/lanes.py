"""By what units of different widths are compared: what they do in a clock, bits of a factor."""

from __future__ import annotations

from fractions import Fraction

from ..units import Unit
from ..units.dot import Dot
from ..units.operations import BIPOLAR_DOT_PRODUCT, DOT_PRODUCT, Role


def per_clock(unit: Unit) -> Fraction:
    """How many pieces of its operation (`Operation.piece`) a unit does in a clock at full
    throughput: the n products of a dot product, all elements of an array, half a product where a
    weight takes two clocks. Of a unit without registers a clock is what its results take."""
    return unit.work / unit.transfers.clocks


def bits_of_factors(unit: Unit) -> float | None:
    """Bits that a factor takes where it is stored, with its share of its block's scale: the mean of
    both factors. None for a unit that is given no two factors."""
    if isinstance(unit, Dot):
        shared = (f.bits * n / unit.n for f, n in unit.lane_formats.values())
        return sum(shared) / 2
    takes_factors = unit.operation.role in (Role.MULTIPLIES, Role.ACCUMULATES)
    if not takes_factors and unit.operation not in (DOT_PRODUCT, BIPOLAR_DOT_PRODUCT):
        return None
    first, second = list(unit.operands.values())[:2]
    return (first.bits + second.bits) / 2
