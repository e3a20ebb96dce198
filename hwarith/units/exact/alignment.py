"""How wide an aligned sum must be for its rounding to be that of the exact sum.

Operands are not normalized before they are aligned (a subnormal keeps its leading zeros). One
operand is kept whole; of the other, what lies below the places kept becomes a sticky bit.
"""

from __future__ import annotations

from ...formats import Format

GUARD = 3
"""Guard and sticky, and one more: a subtraction can move the leading one down by one place."""


def bits_below(significant: int, lowest: int, out: Format, other: int = 0) -> int:
    """Places to keep below the lsb of the operand that is kept whole.

    Parameters
    ----------
    significant : the least number of significant bits it has above its lowest binades.
    lowest : weight of its lsb in the lowest binade, where it may have a single one.
    out : format of the result.
    other : precision of the other operand.

    What is lost must lie below the result's guard bit: the result has no more bits than its
    precision, and none below its smallest step. And if the two nearly cancel, which they do only
    with leading ones at most one place apart, nothing may be lost at all.
    """

    def needed(bits: int) -> int:
        return max(out.precision - bits + GUARD, other - bits + 1)

    in_lowest_binades = min(needed(1), lowest - out.numbers.lsb + GUARD)
    return max(GUARD, needed(significant), in_lowest_binades)
