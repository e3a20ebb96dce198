"""What the files of a sweep's folder hold, and whether data of JSON are that."""

from __future__ import annotations

import dataclasses
import math
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypedDict, get_args, get_origin, get_type_hints, is_typeddict

from ...exceptions import HwarithError, InvalidInput, quoted, shown
from ...units import unit as make_unit
from ..metrics import COUNTS
from ..point import COSTS, Result


class Listed(TypedDict):
    """A point in a manifest: its spec, and the name of its file in ``points/``."""

    spec: str
    file: str


class _Manifest(TypedDict):
    source: str | None
    workload: str
    library: str
    versions: dict[str, str]
    points: list[Listed]


class Manifest(_Manifest, total=False):
    """What ``sweep.json`` says of a sweep."""

    budget: int | None


class Histogram(TypedDict):
    """As `hwarith.explore.metrics.histogram` gives it."""

    exact: int
    low: float
    high: float
    below: int
    above: int
    counts: list[int]


class Part(TypedDict):
    """A part of a breakdown (`hwarith.flow.synthesis.breakdown.Part`)."""

    name: str
    instances: int
    cells: int
    flip_flops: int
    area: float
    share: float
    delay: float | None
    parts: list[Part]


class Breakdown(TypedDict):
    """The parts of a unit."""

    parts: list[Part]
    difference: float


class Details(TypedDict, total=False):
    """`Result.details`."""

    verilog: str
    histogram: Histogram
    path: list[str | None]
    cells: dict[str, int]
    cell_areas: dict[str, float]
    breakdown: Breakdown
    operands: str
    deviations: dict[str, float]
    reasons: dict[str, str]


def manifest_of(data: Any) -> dict[str, Any]:
    """The manifest that data of JSON are. Raises `InvalidInput` if they are none."""
    check(data, Manifest, "it")
    for point in data["points"]:
        if "/" in point["file"] or point["file"] in ("", ".", ".."):
            raise InvalidInput(f"the file of a point has a name, not {quoted(point['file'])}")
    if not {"hwarith", "yosys"} <= data["versions"].keys():
        raise InvalidInput("versions must have those of hwarith and yosys")
    return data


def result_of(data: Any) -> Result:
    """The point that data of JSON are. Raises `InvalidInput` if they are none."""
    fields = {field.name for field in dataclasses.fields(Result)}
    if not isinstance(data, dict) or not data.keys() <= fields:
        raise InvalidInput("it is no point of a sweep")
    try:
        result = Result(**data)
        unit = make_unit(result.spec)
    except (TypeError, HwarithError) as error:
        raise InvalidInput(f"it is no point of a sweep: {shown(error)}") from None
    for name, hint in get_type_hints(Result).items():
        check(getattr(result, name), Details if name == "details" else hint, name)
    if (result.name, result.operation) != (unit.name, unit.operation.name):
        raise InvalidInput(f"it is not named as its unit, {unit.spec}")
    if "area" not in result.cost or not result.cost.keys() <= COSTS.keys():
        raise InvalidInput(f"cost must have the keys {', '.join(COSTS)}")
    if result.counts.keys() != COUNTS.keys():
        raise InvalidInput(f"counts must have the keys {', '.join(COUNTS)}")
    return result


def check(value: Any, hint: Any, where: str) -> None:
    """Raise `InvalidInput`, which calls the value `where`, if it is not of the type `hint`: one of
    JSON's, a list, dictionary or union of such, or a `TypedDict`. Numbers are finite."""
    if is_typeddict(hint):
        keys, required = _keys(hint)
        if not isinstance(value, dict) or not required <= value.keys() <= keys.keys():
            raise InvalidInput(f"{where} must have the keys {', '.join(keys)}")
        for key, inner in value.items():
            check(inner, keys[key], f"{where}.{key}")
    elif get_origin(hint) is dict and isinstance(value, dict):
        for key, inner in value.items():
            check(inner, get_args(hint)[1], f"{where}.{shown(key, 40)}")
    elif get_origin(hint) is list and isinstance(value, list):
        for i, inner in enumerate(value):
            check(inner, get_args(hint)[0], f"{where}[{i}]")
    elif not any(_is_a(value, kind) for kind in _kinds(hint)):
        kinds = " or ".join(_NAMES.get(get_origin(kind) or kind, "") for kind in _kinds(hint))
        raise InvalidInput(f"{where} must be {kinds}, not {quoted(value)}")


_NAMES = {
    str: "a text",
    int: "an integer",
    float: "a number",
    NoneType: "null",
    dict: "an object",
    list: "a list",
}


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


def _is_a(value: Any, kind: Any) -> bool:
    if kind is float:
        return _is_a(value, int) or (isinstance(value, float) and math.isfinite(value))
    if kind is int and isinstance(value, int):
        return not isinstance(value, bool) and value.bit_length() < 64
    return isinstance(kind, type) and isinstance(value, kind)


@cache
def _keys(hint: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The types of a `TypedDict`'s keys, and those keys that must be there."""
    return get_type_hints(hint), hint.__required_keys__
