"""The grids of a sweep file: every combination of parameters that its conditions leave.

::

    [[grid]]
    spec = "lmul:format={format},k={k},krnd={krnd}"
    format = ["bf16", "fp16"]
    k = { from = 1, to = 10 }
    krnd = { values = ["trunc", "rne"], when = "k < 5" }
    where = "k <= format.fraction_bits"     # or a list of conditions, which must all hold

A parameter is a list, or a table with ``values`` or a range ``from``, ``to`` (which is included)
and ``step``. With ``when`` it is there only where that condition over parameters above it holds;
elsewhere its ``krnd={krnd}`` is left out of the spec. A condition about a parameter that a
combination does not have says nothing about it. `hwarith.explore.sweeps.condition` tells what can
be written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...exceptions import InvalidInput, shown, unknown
from .condition import Condition

MOST = 100_000
"""Combinations of a grid."""

_RESERVED = ("spec", "where")
_KEYS = ("values", "from", "to", "step", "when")


class AtText(InvalidInput):
    """An error about something that stands in the file as `text`."""

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


def expand(where: str, grid: dict[str, Any]) -> Iterator[str]:
    """The specs of one grid, the last parameter changing fastest.

    `where` is the grid's place for messages. Raises `InvalidInput` for a mistake in the grid, for
    more than `MOST` combinations, and for conditions that leave none.
    """
    spec = grid.get("spec")
    if not isinstance(spec, str):
        raise InvalidInput(f'{where} needs spec = "...", such as "lmul:format=bf16,k={{k}}"')
    used = re.findall(r"\{(\w*)\}", spec)
    names = [key for key in grid if key not in _RESERVED]
    for name in used:
        if name not in names:
            raise AtText(f"{where}: {{{shown(name)}}} in spec needs a list of that name", spec)
    parameters: dict[str, tuple[list[Any], Condition | None]] = {}
    for name in names:
        if name not in used:
            raise AtText(
                f"{where}: list {shown(name)} is not used in spec, where it would be in braces",
                name,
            )
        parameters[name] = _parameter(where, name, grid[name], list(parameters))
        if parameters[name][1] and not re.search(rf"[,:(]\w+=\{{{name}\}}", spec):
            raise AtText(
                f"{where}: {shown(name)} has a when; spec must have a {shown(name)}={{{name}}}",
                spec,
            )
    conditions = _conditions(where, grid.get("where", []), names)
    found = False
    for values in _combinations(where, parameters):
        if _holds(where, conditions, values):
            found = True
            yield _fill(spec, names, values)
    if not found:
        raise AtText(f"{where}: its conditions leave no combination", spec)


def _parameter(
    where: str, name: str, given: Any, above: list[str]
) -> tuple[list[Any], Condition | None]:
    """The values of a parameter, and the condition under which it is there."""
    table = given if isinstance(given, dict) else {"values": given}
    for key in table:
        if key not in _KEYS:
            raise AtText(f"{where}: {shown(name)}: {unknown('key', key, _KEYS)}", name)
    values = _range(where, name, table) if "values" not in table else table["values"]
    if not isinstance(values, list) or not values:
        raise AtText(f"{where}: {shown(name)} must be a list that is not empty", name)
    if not all(isinstance(value, str | int | float) for value in values):
        raise AtText(f"{where}: {shown(name)} must be a list of texts and numbers", name)
    if "when" not in table:
        return values, None
    try:
        return values, Condition(table["when"], above)
    except InvalidInput as error:
        raise AtText(f"{where}: {shown(name)}: {error}", name) from None


def _range(where: str, name: str, table: dict[str, Any]) -> list[int]:
    ends = [table.get("from"), table.get("to"), table.get("step", 1)]
    if not all(type(end) is int for end in ends) or ends[2] < 1:
        raise AtText(
            f"{where}: {shown(name)} must be a list, or a table with values = [...] or with "
            "integers from, to and a step of 1 or more",
            name,
        )
    values = range(ends[0], ends[1] + 1, ends[2])
    if ends[1] - ends[0] >= MOST * ends[2]:
        raise AtText(f"{where}: {shown(name)} has more than {MOST} values", name)
    return list(values)


def _conditions(where: str, given: Any, names: list[str]) -> list[Condition]:
    texts = given if isinstance(given, list) else [given]
    try:
        return [Condition(text, names) for text in texts]
    except InvalidInput as error:
        raise AtText(f"{where}: {error}", "where") from None


def _combinations(
    where: str, parameters: dict[str, tuple[list[Any], Condition | None]]
) -> Iterator[dict[str, Any]]:
    """Every combination, without the parameters that are not there in it."""
    combinations: list[dict[str, Any]] = [{}]
    for name, (values, when) in parameters.items():
        longer: list[dict[str, Any]] = []
        for known in combinations:
            if when is None or _holds(f"{where}: {shown(name)}", [when], known, absent=False):
                longer += [{**known, name: value} for value in values]
            else:
                longer.append(known)
            if len(longer) > MOST:
                raise AtText(f"{where} has more than {MOST} combinations", name)
        combinations = longer
    yield from combinations


def _holds(
    where: str, conditions: list[Condition], values: dict[str, Any], absent: bool = True
) -> bool:
    """Whether all conditions hold; one about a parameter that is not there counts as `absent`."""
    try:
        held = [condition(values) for condition in conditions]
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from None
    return all(absent if truth is None else truth for truth in held)


def _fill(spec: str, names: list[str], values: dict[str, Any]) -> str:
    for name in names:
        if name in values:
            spec = spec.replace(f"{{{name}}}", str(values[name]))
        else:
            spec = re.sub(rf",\w+=\{{{name}\}}", "", spec)
            spec = re.sub(rf"([:(])\w+=\{{{name}\}},?", r"\1", spec)
    return spec
