"""Units with exception flags, as TestFloat's functions have them."""

from __future__ import annotations

from dataclasses import replace

from ...exceptions import InvalidInput
from ...units import Unit
from ...units.exact.base import Exact


def flagged(u: Unit) -> Unit:
    """The unit with exception flags, with tininess detected after rounding if it has none.

    Raises `InvalidInput` for a unit that has none and cannot have any, or whose rounding mode or
    operation comes with the operands: a file of TestFloat's is of one.
    """
    if not isinstance(u, Exact) or not u.has_exceptions:
        raise InvalidInput(
            f"format testfloat: {u.spec} has no exception flags; allowed: mul, add and fma of "
            "floats, convert, div, recip, sqrt, rsqrt, rem, fmod (hex has the same columns without "
            "flags)"
        )
    extra = [name for name in u.operands if name not in u.terms]
    if extra:
        raise InvalidInput(
            f"format testfloat: {u.spec} takes {', '.join(extra)} beside its operands; allowed: "
            "units of one rounding mode and operation"
        )
    return u if u.flags != "none" else replace(u, flags="after")
