"""The parameter `overflow`: what becomes of results beyond the range of their format.

One rule for all units that have it: as IEEE 754 says (``nosat``) by default, in results that are
floats; what departs from the default stands in a unit's name and spec.
"""

from __future__ import annotations

from typing import Any

from ..exceptions import InvalidInput, quoted
from ..formats import OVERFLOWS, Format
from .parameters import choice_parameter

FLOAT_OVERFLOWS = ("nosat", "nan", "satprop", "saturate", "p3109_satnone", "toinf")
"""The policies of results that are floats, the default first."""


def overflow_parameter(integers: str = "integers: wrap (default), saturate") -> Any:
    """A field for the policy; `integers` says what there is for results that are integers."""
    return choice_parameter(
        f"beyond the largest value: nosat (default; the same as inf), nan, satprop, saturate, "
        f"p3109_satnone, toinf; {integers}, of floats saturate (default), indefinite",
        (*OVERFLOWS, "inf"),
        None,
    )


def default_overflow(out: Format, integers: tuple[str, ...] = ("wrap", "saturate")) -> str:
    """The policy where none is given: the first of `integers` for a result that is one."""
    return FLOAT_OVERFLOWS[0] if out.is_float else integers[0]


def checked_overflow(
    family: str, policy: str | None, out: Format, integers: tuple[str, ...] = ("wrap", "saturate")
) -> str:
    """A policy by its own name, or the default for None.

    Raises `InvalidInput` if there is no such policy for the result; `integers` are those for one
    that is an integer.
    """
    if policy is None:
        return default_overflow(out, integers)
    if policy == "inf" and out.infinity:
        return "nosat"
    allowed = FLOAT_OVERFLOWS if out.is_float else integers
    if policy not in allowed:
        raise InvalidInput(
            f"{family}: parameter overflow: must be {' or '.join(allowed)} for {out.name}, "
            f"not {quoted(policy)}"
        )
    return policy


def without_defaults(shown: dict[str, Any], policy: str, rounds: bool) -> dict[str, Any]:
    """Parameters that are shown, without the overflow `policy` that is the default, and without
    the rounding of what is exact."""
    hidden = set() if rounds else {"round"}
    if shown["overflow"] == policy:
        hidden.add("overflow")
    return {name: value for name, value in shown.items() if name not in hidden}
