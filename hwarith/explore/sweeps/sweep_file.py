"""Which design points to look at: from a TOML file or from Python.

A sweep file::

    workload = "digits"        # default; or "minilm"; or your own, as "package.module:NAME"
    library = "generic"        # default; or osu018, ice40, ...; or a Liberty file, beside this one
    points = ["mul:a=fp32", "fma:a=bf16,b=bf16,c=fp32,out=fp32"]

    [[grid]]                   # every combination of the lists
    spec = "lmul:format={format},k={k}"
    format = ["bf16", "fp16"]
    k = [3, 4]                 # ranges, conditions: see hwarith.explore.sweeps.grid

    [search]                   # not all of them: those that a search for the Pareto front picks
    budget = 50                # points to measure at most
    objectives = ["area", "output_error"]    # default; keys of figures
    seed = 0                   # default
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...exceptions import InvalidInput, quoted, shown, unknown
from ...flow.synthesis.libraries import fpga, liberty_file
from ...inputs import read_liberty, read_toml, told
from ...units import Unit
from ...units import unit as make_unit
from ..workloads import workload as find_workload
from .front_search import SearchGoal
from .grid import AtText, expand

_KEYS = ("workload", "library", "points", "grid", "search")
_SEARCH_KEYS = tuple(field.name for field in dataclasses.fields(SearchGoal))


@dataclass(frozen=True)
class Sweep:
    """Units to measure (without repetition), on which workload, with which library.

    With a `SearchGoal`, those of them that it picks.

    ``library`` is a name (`hwarith.flow.synthesis.libraries.NAMES`) or the path of a Liberty file,
    ``source`` the name of the file that the sweep came from. Raises `InvalidInput` for a workload
    that is not known and for a library that there is not, and `MissingTool` for open cells that
    are not installed. Units that the workload cannot run on are measured without it.
    """

    points: tuple[Unit, ...]
    workload: str = "digits"
    library: str = "generic"
    source: str | None = None
    search: SearchGoal | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(dict.fromkeys(self.points)))
        find_workload(self.workload)
        if not self.points:
            raise InvalidInput("a sweep needs at least one design point")
        self.library_digest()

    def library_digest(self) -> str:
        """What tells the library from others. Raises `InvalidInput` if it cannot be read."""
        if self.library == "generic" or fpga(self.library):
            return self.library  # what is shipped is among the sources
        return hashlib.sha256(read_liberty(liberty_file(self.library))).hexdigest()


def sweep_of(points: Any) -> Sweep:
    """A sweep from what `run_sweep` takes: a `Sweep`, a file's path, or specs and units."""
    if isinstance(points, Sweep):
        return points
    if isinstance(points, str | Path):
        return read_sweep(Path(points))
    if not isinstance(points, Iterable):
        raise InvalidInput(
            f"a sweep is given by a TOML file or by specs or units in a list, not {quoted(points)}"
        )
    return Sweep(tuple(make_unit(spec) for spec in points))


def read_sweep(path: Path) -> Sweep:
    """The sweep of a TOML file. Raises `InvalidInput`, naming the file and the line or key."""
    data, text = read_toml(path, "sweep file")
    try:
        with told(path, "sweep file", but=AtText):
            return _sweep(data, path)
    except AtText as error:
        line = _line_of(text, error.text)
        raise InvalidInput(f"sweep file {shown(path)}{line}: {error}") from None


def _line_of(text: str, part: str) -> str:
    """Where a key or else a text stands, as part of a message; nothing if it is not found."""
    lines = [line.partition("#")[0] for line in text.splitlines()]
    as_key = [i for i, line in enumerate(lines, 1) if line.partition("=")[0].strip() == part]
    anywhere = [i for i, line in enumerate(lines, 1) if part in line]
    return f", line {(as_key or anywhere)[0]}" if anywhere else ""


def _sweep(data: dict[str, Any], path: Path) -> Sweep:
    for key in data:
        if key not in _KEYS:
            raise AtText(str(unknown("key", key, _KEYS)), key)
    workload, library = data.get("workload", "digits"), data.get("library", "generic")
    for key, value in (("workload", workload), ("library", library)):
        if not isinstance(value, str):
            raise AtText(f"{key} must be a string, not {quoted(value)}", key)
    try:
        find_workload(workload)
    except InvalidInput as error:
        raise AtText(str(error), workload) from None
    units = []
    for where, written, spec in _specs(data):
        try:
            unit = make_unit(spec)
        except InvalidInput as error:
            raise AtText(f"{where}: {error}", written) from None
        units.append(unit)
    if os.path.isfile(path.parent / library) or not re.fullmatch(r"\w+", library):
        library = str(path.parent / library)
    return Sweep(tuple(units), workload, library, path.name, _search(data.get("search")))


def _search(given: Any) -> SearchGoal | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise AtText("search must be written [search], with budget below it", "search")
    for key in given:
        if key not in _SEARCH_KEYS:
            raise AtText(f"search: {unknown('key', key, _SEARCH_KEYS)}", key)
    try:
        return SearchGoal(**given)
    except InvalidInput as error:
        raise AtText(f"search: {error}", "[search]") from None


def _specs(data: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every spec of a file: where it stands, how it is written there, and the spec."""
    points = data.get("points", [])
    if not isinstance(points, list) or not all(isinstance(p, str) for p in points):
        raise AtText("points must be a list of specs in quotes", "points")
    for i, spec in enumerate(points):
        yield f"points[{i}]", spec, spec
    grids = data.get("grid", [])
    if not isinstance(grids, list) or not all(isinstance(g, dict) for g in grids):
        raise AtText("grid must be written [[grid]], with spec and lists below it", "grid")
    for i, grid in enumerate(grids):
        for spec in expand(f"grid[{i}]", grid):
            yield f"grid[{i}], {shown(spec)}", grid["spec"], spec
