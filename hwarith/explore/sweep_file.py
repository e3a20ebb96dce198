"""Which design points to look at: from a TOML file or from Python.

A sweep file::

    workload = "digits"        # default; or "minilm"
    library = "generic"        # default; or a Liberty file, beside this one
    points = ["mul:a=fp32", "fma:a=bf16,b=bf16,c=fp32,out=fp32"]

    [[grid]]                   # every combination of the lists
    spec = "lmul:format={format},k={k}"
    format = ["bf16", "fp16"]
    k = [3, 4]
"""

from __future__ import annotations

import hashlib
import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, unknown
from ..units import Unit
from ..units import unit as make_unit
from .workloads import workload as find_workload

GENERIC = "generic"
"""hwarith's own cell library."""

_KEYS = ("workload", "library", "points", "grid")


@dataclass(frozen=True)
class Sweep:
    """Units to measure (without repetition), on which workload, with which library.

    ``library`` is ``generic`` or the path of a Liberty file, ``source`` the name of the file that
    the sweep came from. Raises `InvalidInput` for a workload that is not
    known or cannot run on one of the units.
    """

    points: tuple[Unit, ...]
    workload: str = "digits"
    library: str = GENERIC
    source: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(dict.fromkeys(self.points)))
        network = find_workload(self.workload)
        for unit in self.points:
            network.check(unit)
        if not self.points:
            raise InvalidInput("a sweep needs at least one design point")
        self.library_digest()

    def library_digest(self) -> str:
        """What tells the library from others. Raises `InvalidInput` if it cannot be read."""
        if self.library == GENERIC:
            return GENERIC
        try:
            return hashlib.sha256(Path(self.library).read_bytes()).hexdigest()
        except OSError as error:
            raise InvalidInput(
                f"library {self.library!r} cannot be read ({error.strerror}); "
                f"allowed: {GENERIC!r}, or the path of a Liberty file"
            ) from None


def sweep_of(points: Any) -> Sweep:
    """A sweep from what `run_sweep` takes: a `Sweep`, a file's path, or specs and units."""
    if isinstance(points, Sweep):
        return points
    if isinstance(points, str | Path):
        return read_sweep(Path(points))
    if not isinstance(points, Iterable):
        raise InvalidInput(
            f"a sweep is given by a TOML file or by specs or units in a list, not {points!r}"
        )
    return Sweep(tuple(make_unit(spec) for spec in points))


def read_sweep(path: Path) -> Sweep:
    """The sweep of a TOML file. Raises `InvalidInput`, naming the file and the line or key."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
        return _sweep(data, path)
    except OSError as error:
        raise InvalidInput(f"sweep file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"sweep file {path}: {error}") from None
    except _AtText as error:
        line = _line_of(text, error.text)
        raise InvalidInput(f"sweep file {path}{line}: {error}") from None
    except InvalidInput as error:
        raise InvalidInput(f"sweep file {path}: {error}") from None


class _AtText(InvalidInput):
    """An error about something that stands in the file as `text`."""

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


def _line_of(text: str, part: str) -> str:
    """Where a key or else a text stands, as part of a message; nothing if it is not found."""
    lines = [line.partition("#")[0] for line in text.splitlines()]
    as_key = [i for i, line in enumerate(lines, 1) if line.partition("=")[0].strip() == part]
    anywhere = [i for i, line in enumerate(lines, 1) if part in line]
    return f", line {(as_key or anywhere)[0]}" if anywhere else ""


def _sweep(data: dict[str, Any], path: Path) -> Sweep:
    for key in data:
        if key not in _KEYS:
            raise _AtText(str(unknown("key", key, _KEYS)), key)
    workload, library = data.get("workload", "digits"), data.get("library", GENERIC)
    for key, value in (("workload", workload), ("library", library)):
        if not isinstance(value, str):
            raise _AtText(f"{key} must be a string, not {value!r}", key)
    try:
        network = find_workload(workload)
    except InvalidInput as error:
        raise _AtText(str(error), workload) from None
    units = []
    for where, written, spec in _specs(data):
        try:
            unit = make_unit(spec)
            network.check(unit)
        except InvalidInput as error:
            raise _AtText(f"{where}: {error}", written) from None
        units.append(unit)
    if library != GENERIC:
        library = str(path.parent / library)
    return Sweep(tuple(units), workload, library, path.name)


def _specs(data: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every spec of a file: where it stands, how it is written there, and the spec."""
    points = data.get("points", [])
    if not isinstance(points, list) or not all(isinstance(p, str) for p in points):
        raise _AtText("points must be a list of specs in quotes", "points")
    for i, spec in enumerate(points):
        yield f"points[{i}]", spec, spec
    grids = data.get("grid", [])
    if not isinstance(grids, list) or not all(isinstance(g, dict) for g in grids):
        raise _AtText("grid must be written [[grid]], with spec and lists below it", "grid")
    for i, grid in enumerate(grids):
        for spec in _expand(f"grid[{i}]", grid):
            yield f"grid[{i}], {spec}", grid["spec"], spec


def _expand(where: str, grid: dict[str, Any]) -> Iterator[str]:
    """The specs of one grid: every combination of its lists, the last one changing fastest."""
    spec = grid.get("spec")
    if not isinstance(spec, str):
        raise InvalidInput(f'{where} needs spec = "...", such as "lmul:format=bf16,k={{k}}"')
    names = list(dict.fromkeys(re.findall(r"\{(\w*)\}", spec)))
    lists = {key: value for key, value in grid.items() if key != "spec"}
    for name in names:
        if name not in lists:
            raise _AtText(f"{where}: {{{name}}} in spec needs a list: {name} = [...]", spec)
    for name, values in lists.items():
        if name not in names:
            raise _AtText(f"{where}: list {name} is not used; spec has no {{{name}}}", name)
        if not isinstance(values, list) or not values:
            raise _AtText(f"{where}: {name} must be a list that is not empty", name)
    for combination in itertools.product(*lists.values()):
        expanded = spec
        for name, value in zip(lists, combination, strict=True):
            expanded = expanded.replace(f"{{{name}}}", str(value))
        yield expanded
