"""Where a sweep keeps its points: one file each, named by all that its figures depend on.

Every point is kept twice: in the folder of its sweep, from which reports are made, and in the
cache folder, where any other sweep finds it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ... import caching, sources
from ...exceptions import InvalidInput, shown
from ...files import output_folder, remove, write_text
from ...flow import tools
from ...inputs import read_json, told
from ...units import Unit
from ...units.registry import family_modules
from ..point import Result
from .schema import manifest_of, result_of

MANIFEST = "sweep.json"
FAILURES = "failures.json"

_SHARED = "points"
"""Of the cache folder."""


class Store:
    """The folder of a sweep: ``points/`` with a file a point, what failed, and the sweep itself.

    `context` is all but the unit that figures depend on; with `shared` points are also looked for
    in the cache folder (workers put them there). Files are written whole, so that a sweep that
    is killed leaves finished points only.
    Raises `InvalidInput` for a folder that cannot be written.
    """

    def __init__(self, folder: Path, context: dict[str, Any], shared: bool = True) -> None:
        self.folder = output_folder(Path(folder))
        self._points = output_folder(self.folder / "points")
        self._context = context
        self._shared = shared
        self._failures: dict[str, str] = {}
        remove(self.folder / FAILURES)

    def file(self, unit: Unit) -> str:
        """The name of the file of a unit's point."""
        text = json.dumps({"spec": unit.spec, **self._context}, sort_keys=True)
        return f"{unit.name[:100]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"

    def load(self, unit: Unit) -> Result | None:
        """The finished point of this unit, if there is one."""
        name = self.file(unit)
        result = _read(self._points / name, unit.spec)
        if result is None and self._shared and (result := load_shared(name)):
            self.save(unit, result)
        return result

    def save(self, unit: Unit, result: Result) -> None:
        write_text(self._points / self.file(unit), _text(result))

    def fail(self, unit: Unit, cause: str) -> None:
        """Keep why a point failed, until the next run, which tries again."""
        self._failures[unit.spec] = cause
        write_text(self.folder / FAILURES, json.dumps(self._failures, indent=1))

    def save_manifest(self, units: Iterable[Unit], manifest: dict[str, Any]) -> None:
        """Keep what the sweep is, for its report: its points and the rest."""
        points = [{"spec": unit.spec, "file": self.file(unit)} for unit in units]
        text = json.dumps({**manifest, "points": points}, indent=1)
        write_text(self.folder / MANIFEST, text)

    def listed(self) -> list[str]:
        """Specs of the sweep that the folder holds."""
        try:
            return [point["spec"] for point in _manifest(self.folder)["points"]]
        except InvalidInput:
            return []


def load_shared(name: str) -> Result | None:
    """The point of this file name in the cache folder, if it is there."""
    content = caching.load(_SHARED, name)
    return None if content is None else Result(**json.loads(content))


def save_shared(name: str, result: Result) -> None:
    """Put a point into the cache folder."""
    caching.save(_SHARED, name, _text(result).encode())


def read_sweep_folder(folder: Path) -> tuple[dict[str, Any], list[Result], list[str]]:
    """The manifest of the sweep in a folder, its finished points, and the specs of the others.

    A point whose file is damaged, or is that of another point, is not finished.
    Raises `InvalidInput` for a folder without a sweep.
    """
    manifest = _manifest(folder)
    points = [(p["spec"], folder / "points" / p["file"]) for p in manifest["points"]]
    results = {spec: _read(path, spec) for spec, path in points}
    done = [result for result in results.values() if result is not None]
    return manifest, done, [spec for spec, result in results.items() if result is None]


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not os.path.isfile(path):
        raise InvalidInput(
            f"folder {shown(folder)} holds no sweep ({MANIFEST}); make one with: "
            "hwarith sweep FILE -o FOLDER"
        )
    data = read_json(path, "the sweep")
    with told(path, "the sweep"):
        return manifest_of(data)


def _read(path: Path, spec: str) -> Result | None:
    """The point of a file, if it is there, whole, and that of this spec."""
    try:
        data = read_json(path, "point")
        with told(path, "point"):
            result = result_of(data)
    except InvalidInput:
        return None
    return result if result.spec == spec else None


def _text(result: Result) -> str:
    return json.dumps(result.as_dict(), indent=1)


def tool_context() -> dict[str, Any]:
    """What figures depend on beside unit, workload and library: sources and versions."""
    return {"source": source_digest(), "versions": tools.versions()}


@cache
def source_digest() -> str:
    """A hash of all that is shipped that a point's figures depend on."""
    return sources.digest(source_files())


def source_files() -> dict[str, Path]:
    """Those files by name: what measures a point, with all that it imports and every family of
    units, and the scripts and libraries of synthesis."""
    synth = tools.shipped("synth")
    scripts = (path for path in synth.rglob("*") if path.is_file() and path.suffix != ".md")
    return sources.files(["hwarith.explore.point", *family_modules()]) | {
        f"synth/{path.relative_to(synth).as_posix()}": path for path in scripts
    }
