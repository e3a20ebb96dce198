"""By what units of different widths are compared: products of an operation, bits of a factor."""

from __future__ import annotations

from ..units import Unit
from ..units.dot import Dot
from ..units.operations import Role


def multiply_adds(unit: Unit) -> int:
    """How many products an operation of a unit adds up: n of a dot product, 1 of all others."""
    return unit.n if isinstance(unit, Dot) else 1


def bits_of_factors(unit: Unit) -> float | None:
    """Bits that a factor takes where it is stored, with its share of its block's scale: the mean of
    both factors. None for a unit that is given no factors."""
    if isinstance(unit, Dot):
        scale = unit.scale.bits / unit.block if unit.scale else 0.0
        return (unit.a.bits + unit.b.bits) / 2 + scale
    if unit.operation.role not in (Role.MULTIPLIES, Role.ACCUMULATES):
        return None
    first, second = list(unit.operands.values())[:2]
    return (first.bits + second.bits) / 2
