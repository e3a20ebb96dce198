"""Results that are integers or fixed point: what there is to choose, and exact integer arithmetic.

Of operands that are integers or fixed point too, the exact result is one integer of a known step:
it is rounded at a place that does not move, if the result's step is greater, and wraps or is
clamped. Of floats, the exact value is rounded to the result's step once, and clamped.
"""

from __future__ import annotations

from collections.abc import Iterable

from amaranth.hdl import Module, Shape, Value

from ...exceptions import InvalidInput
from ...formats import ROUNDINGS, Format
from ...rtl import PORT, Values, fit_integer, wire
from ...rtl.floats import floor_goes_up
from ...rtl.integers import in_finer_units

INTEGER_POLICIES = ("wrap", "saturate")
"""What becomes of a result beyond the range, of integers; the default first."""

FLOAT_TO_INTEGER_POLICIES = ("saturate", "indefinite")
"""The same, where an operand is a float."""


def check_all_integers(family: str, round: str, is_exact: bool, others: Iterable[str]) -> None:
    """Raise `InvalidInput` for parameters that arithmetic on integers does not take: `others` of
    them are set; a rounding mode is taken unless the result is exact."""
    for name in others:
        raise InvalidInput(
            f"{family}: parameter {name}: integer arithmetic is exact and takes none"
        )
    if round != "rne" and is_exact:
        raise InvalidInput(
            f"{family}: parameter round: integer arithmetic is exact and takes none, unless the "
            "result's step is greater than the exact one's"
        )
    if round not in (*ROUNDINGS, PORT):
        raise InvalidInput(
            f"{family}: parameter round: integer arithmetic takes no random bits; allowed: "
            f"{', '.join((*ROUNDINGS, PORT))}"
        )


def fitted(
    m: Module, x: Values, exact: Value, exponent: int, out: Format, mode: str, overflow: str
) -> Value:
    """The code of an exact integer in units of 2^`exponent`, rounded if the result's step is
    greater; `x` has ``rm`` if the mode is on a port."""
    dropped = out.exponent - exponent
    if dropped <= 0:
        return fit_integer(m, in_finer_units(exact, -dropped), out, overflow)
    exact = wire(m, "exact_sum", exact, Shape(max(len(exact), dropped) + 1, signed=True))
    floor, sign = exact[dropped:].as_signed(), {"sign": exact[-1]}
    up = wire(m, "round_up", floor_goes_up(mode, x | sign, floor[0], exact[:dropped]))
    return fit_integer(m, floor + up, out, overflow)
