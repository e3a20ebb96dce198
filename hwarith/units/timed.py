"""Pipelines for a library: the parameters `cuts`, `target_period` and `library`.

How long a path is in a library is known when it is mapped, and what is mapped depends on the
versions of tools. So `target_period` and `library` are not kept: they are resolved once into
`stages`, `cuts` (the share of the model's delay that each segment may take) and `grain` (the bits
of a wide sum between which a register may stand). These stand in the spec, which makes the same
Verilog anywhere, without the library and without synthesis.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from ..exceptions import InvalidInput, quoted
from ..rtl import SUM_BLOCK
from ..services import service
from .parameters import Parameterized, text_parameter

AnUnit = TypeVar("AnUnit", bound=Parameterized)

RANKS = ("stages", "cuts", "grain", "target_delay", "target_period", "library")
"""The parameters that say where register ranks stand: results do not depend on them."""

MAPPED = ("target_period", "library")
"""Those of them that are resolved by mapping the unit, for which yosys must be there."""

SHARES = 1000
"""The largest share of a segment."""

PICOSECONDS = {"fs": 1e-3, "ps": 1.0, "ns": 1e3, "us": 1e6}
"""Units of time."""

GATE = "nand2"
"""The unit of time of the generic library, the delay of a NAND gate."""

_PERIOD = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-zµ]\w*)?", re.IGNORECASE)
_UNITS = ", ".join([*PICOSECONDS, f"{GATE} (of the generic library)"])


class Pipeline(Protocol):
    """What placing the ranks of a unit asks of it: its family, and whether and where it has any."""

    @property
    def family(self) -> str: ...
    @property
    def is_pipeline(self) -> bool: ...
    @property
    def stages(self) -> int: ...
    @property
    def cuts(self) -> tuple[int, ...]: ...
    @property
    def grain(self) -> int: ...
    @property
    def target_delay(self) -> int | None: ...
    @property
    def target_period(self) -> str | None: ...
    @property
    def library(self) -> str | None: ...


def cuts_parameter() -> Any:
    """A field that holds the shares of segments."""
    return text_parameter(
        "shares of the delay that the segments of the stages have; target_period finds them",
        _cuts_of,
        f"a number of 0 to {SHARES} for each stage: 9+10+10",
        (),
        quiet=True,
        in_name=lambda _, cuts: "cut" + "_".join(map(str, cuts)),
        in_spec=lambda cuts: "+".join(map(str, cuts)),
    )


def period_parameter() -> Any:
    """A field that holds a period with its unit, until `close` has resolved it."""
    return text_parameter(
        "instead of stages: as few as keep every path, mapped to the library, at this period",
        _period_of,
        f"a time: a number and one of {_UNITS}",
        None,
        quiet=True,
    )


def library_parameter() -> Any:
    """A field that holds a library's name or path, until `close` has resolved it."""
    return text_parameter(
        "cells whose delays place the ranks: of stages, or of as many as target_period takes",
        str,
        "generic, osu018, osu035, osu050 or a Liberty file",
        None,
        quiet=True,
    )


def parsed_period(text: str) -> tuple[float, str]:
    """The number and the unit of a period, as `period_parameter` has checked them."""
    number, unit = text.split(" ")
    return float(number), unit


def close(u: Pipeline) -> None:
    """Resolve `target_period` and `library` of a unit that is being made into `stages` and `cuts`.

    The search maps the unit, and so is a service of a layer above the units. Raises `InvalidInput`.
    """
    period, library, stages = u.target_period, u.library, u.stages
    if not u.is_pipeline:
        name = "target_period" if period else "library"
        raise InvalidInput(
            f"{u.family}: parameter {name}: only the ranks of a pipeline can be placed"
        )
    if library is None:
        raise InvalidInput(f"{u.family}: parameter target_period: give a library as well")
    others = {
        "cuts": u.cuts,
        "grain": u.grain != SUM_BLOCK,
        "target_delay": u.target_delay is not None,
        "stages": period is not None and stages,
    }
    if other := next((name for name, given in others.items() if given), None):
        name = "target_period" if period else "library"
        raise InvalidInput(f"{u.family}: give {other} or {name}, not both")
    if period is None and not stages:
        raise InvalidInput(f"{u.family}: parameter library: give target_period or stages as well")
    _set(u, target_period=None, library=None, stages=0)
    try:
        closed = service("closed pipeline")(u, library, period, stages)
    except InvalidInput as error:
        raise InvalidInput(f"{u.family}: {error}") from None
    _set(u, stages=closed.stages, cuts=closed.cuts, grain=closed.grain)


def with_cuts(u: AnUnit, stages: int, cuts: Sequence[int], grain: int) -> AnUnit:
    """A unit without stages, with these."""
    text = f"{u.spec.partition(':')[2]},stages={stages},grain={grain}"
    return type(u).from_text(text + f",cuts={'+'.join(map(str, cuts))}" * bool(cuts))


def _set(u: Pipeline, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(u, name, value)


def _cuts_of(value: Any) -> tuple[int, ...]:
    parts = value.split("+") if isinstance(value, str) else value
    try:
        cuts = tuple(int(str(part)) for part in parts)
    except (TypeError, ValueError):
        raise InvalidInput(f"must be numbers, as 9+10+10, not {quoted(value)}") from None
    if wrong := [x for x in cuts if not 0 <= x <= SHARES]:
        raise InvalidInput(f"must be 0 to {SHARES} each, not {wrong[0]}")
    if not all(cuts[: len(cuts) - cuts.count(0)]) or (cuts and not cuts[0]):
        raise InvalidInput("may be 0 only for the last ones, which are empty")
    return cuts


def _period_of(value: Any) -> str:
    """The period as ``1.2 ns``."""
    found = _PERIOD.fullmatch(str(value).strip())
    if not found:
        raise InvalidInput(f"must be a time, such as 1.2ns, not {quoted(value)}")
    number, unit = float(found[1]), (found[2] or "").lower().replace("µ", "u")
    if unit not in (*PICOSECONDS, GATE):
        given = f"not {quoted(found[2])}" if unit else "but it has none"
        raise InvalidInput(f"{quoted(value)}: its unit must be one of {_UNITS}, {given}")
    if not 0 < number < float("inf"):
        raise InvalidInput(f"must be more than 0, not {quoted(value)}")
    return f"{number:g} {unit}"
