"""The datapath that a way to accumulate has."""

from __future__ import annotations

from ....rtl import Step
from ..parameters import DotParameters
from .exact import Exact
from .floored import Floored
from .metadata import with_metadata
from .truncated import Truncated


def datapath(unit: DotParameters) -> list[Step]:
    """Steps from the operands to the result's code, before anything is appended to it."""
    if unit.gives_sum:
        return Exact(unit).fixed_steps()
    if unit.readers:
        return with_metadata(unit).steps()
    if unit.acc.way == "exact":
        return Exact(unit).steps()
    return (Truncated if unit.acc.way == "trunc" else Floored)(unit).steps()
