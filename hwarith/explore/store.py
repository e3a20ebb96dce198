"""Where a sweep keeps its points: one file each, named by all that its figures depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from ..files import output_folder, write_text
from .point import Result

if TYPE_CHECKING:
    from ..units import Unit

MANIFEST = "sweep.json"

_SOURCES = (
    "engine.py", "engine_matrix.py", "matrix.py", "kernels", "formats", "units", "flow",
    "explore/point.py", "explore/metrics.py", "explore/reference.py", "explore/workloads",
)  # fmt: skip
"""The parts of the package that a point's figures depend on."""


class Store:
    """The folder of a sweep: ``points/`` with a file a point, and the sweep itself.

    Files are written whole, so that a sweep that is killed leaves finished points only.
    Raises `InvalidInput` for a folder that cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = output_folder(Path(folder))
        self._points = output_folder(self.folder / "points")

    def path(self, name: str, key: str) -> Path:
        """The file of the point of this unit name and key."""
        return self._points / f"{name[:100]}-{key}.json"

    def load(self, name: str, key: str) -> Result | None:
        """The finished point of this unit name and key, if there is one."""
        return _read(self.path(name, key))

    def save(self, key: str, result: Result) -> None:
        write_text(self.path(result.name, key), json.dumps(result.as_dict(), indent=1))

    def save_manifest(self, manifest: dict[str, Any]) -> None:
        """Keep what the sweep is, for its report."""
        write_text(self.folder / MANIFEST, json.dumps(manifest, indent=1))


def read_sweep_folder(folder: Path) -> tuple[dict[str, Any], list[Result], list[str]]:
    """The manifest of the sweep in a folder, its finished points, and the specs of the others.

    Raises `InvalidInput` for a folder without a sweep.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        points = [(p["spec"], folder / "points" / p["file"]) for p in manifest["points"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(
            f"folder {folder} holds no sweep ({MANIFEST}); make one with: "
            f"hwarith sweep FILE -o {folder}"
        ) from None
    results = {spec: _read(path) for spec, path in points}
    done = [result for result in results.values() if result is not None]
    return manifest, done, [spec for spec, result in results.items() if result is None]


def _read(path: Path) -> Result | None:
    try:
        return Result(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def point_key(unit: Unit, context: dict[str, Any]) -> str:
    """What tells a point's figures from others: a hash of the unit and of the context."""
    text = json.dumps({"spec": unit.spec, **context}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def source_digest() -> str:
    """A hash of the sources, shipped scripts and libraries that a point's figures depend on."""
    from ..flow.tools import shipped

    package = Path(str(resources.files("hwarith")))
    digest = hashlib.sha256()
    for root in (*(package / part for part in _SOURCES), shipped("synth")):
        for path in _source_files(root):
            digest.update(path.relative_to(root.parent).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _source_files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix in (".py", ".lib", ".ys", ".v", ".npz"):
            yield path
