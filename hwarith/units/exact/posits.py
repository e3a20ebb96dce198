"""Results that are posits: what there is to choose, and what does not apply to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...exceptions import InvalidInput
from ...formats import Format

POSIT_STANDARD = "Posit Standard (2022), 4.1"

_WHY = {
    "round": "are rounded to the nearest code",
    "overflow": "have no overflow: what is too large is the largest value, what is infinite NaR",
    "flags": "have no exception flags",
    "nan": "have one NaN, NaR",
}
"""What posits do in place of a parameter's values."""


def check_posits(
    family: str, terms: Mapping[str, Format], out: Format, values: Mapping[str, Any]
) -> None:
    """Raise `InvalidInput` for parameters that do not apply where the result is a posit, and for
    `subnormals` where nothing has any."""
    allowed = {"round": "rne", "overflow": None, "flags": "none", "nan": "canonical"}
    for name, only in allowed.items():
        if out.is_posit and values[name] not in (only, "nosat"):
            raise InvalidInput(
                f"{family}: parameter {name}: posits as {out.name} {_WHY[name]}; allowed: "
                f"{only or 'none'}"
            )
    floats = any(f.kind == "float" for f in terms.values())
    posits = any(f.is_posit for f in (*terms.values(), out))
    flushes = {"keep": False, "daz": not floats}.get(values["subnormals"], out.is_posit)
    if posits and flushes:
        raise InvalidInput(
            f"{family}: parameter subnormals: posits have none; allowed: "
            f"{'keep, daz' if floats else 'keep'}"
        )
