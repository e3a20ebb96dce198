"""How wide an aligned sum must be for its rounding to be that of the exact sum.

Operands are not normalized before they are aligned (a subnormal keeps its leading zeros). One
operand is kept whole; of the other, what lies below the places kept is a sticky bit beside them.
"""

from __future__ import annotations

from ...rtl import Operand, Rounder


def bits_below(significant: int, lowest: int | None, rounder: Rounder, other: int = 0) -> int:
    """Places to keep below the lsb of the operand that is kept whole.

    Parameters
    ----------
    significant : the least number of significant bits it has above its lowest binades.
    lowest : weight of its lsb in the lowest binade, where it may have a single one; None if it has
        none there.
    rounder : what rounds the sum.
    other : precision of the other operand.

    What is lost must lie below what the rounder looks at bit by bit: the result has no more bits
    than its precision, from a leading one that a subtraction can move down by one place, and none
    below its smallest step. And if the two nearly cancel, which they do only with leading ones at
    most one place apart, nothing may be lost at all. There is one place at least: then the
    difference is -1 only below the result's lowest binades (see `Rounder`).
    """
    out = rounder.out

    def needed(bits: int) -> int:
        return max(out.precision + rounder.decisive - (bits - 1), other - bits + 1)

    if lowest is None:
        return max(1, needed(significant))
    smallest_step = lowest - Operand(out).lsb + rounder.below
    in_lowest_binades = needed(1) if rounder.ftz else min(needed(1), smallest_step)
    return max(1, needed(significant), in_lowest_binades)
