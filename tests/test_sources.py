"""Which files a result depends on, found by imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hwarith import sources
from hwarith.explore.sweeps import store
from hwarith.flow import keys
from hwarith.units.registry import FAMILIES, family_modules

PACKAGE = {
    "__init__.py": "from .shown import s",
    "root.py": "from .near import x\nfrom .part import deep",
    "near.py": "def f():\n    try:\n        import pack.lazy as l\n    finally:\n        pass",
    "lazy.py": "match 1:\n    case 1:\n        from . import last",
    "last.py": "",
    "part/__init__.py": "from .beside import b",
    "part/beside.py": "",
    "part/deep.py": "from ..far.away import *",
    "part/data.npz": "numbers",
    "part/deep.pyc": "compiled",
    "part/alone.py": "",
    "far/__init__.py": "",
    "far/away.py": "if TYPE_CHECKING:\n    from ..typed import T",
    "far/folder/file.txt": "of no module",
    "typed.py": "",
    "shown.py": "",
}

REACHED = {
    *("root.py", "near.py", "lazy.py", "last.py", "part/__init__.py", "part/beside.py"),
    *("part/deep.py", "part/data.npz", "far/__init__.py", "far/away.py"),
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in PACKAGE.items():
        path = tmp_path / "pack" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "pack"


def test_what_is_reached_by_imports(package: Path) -> None:
    found = sources.files(["pack.root"], package=package)
    assert found == {name: package / name for name in REACHED}


def test_what_is_left_out(package: Path) -> None:
    assert sources.files(["pack.root"], ["pack.part", "pack.lazy"], package).keys() == {
        "root.py",
        "near.py",
    }
    assert "part/beside.py" not in sources.files(["pack.root"], ["pack.part.beside"], package)
    with pytest.raises(KeyError):
        sources.files(["pack.none"], package=package)


def test_every_file_is_part_of_the_digest(package: Path) -> None:
    def digest() -> str:
        return sources.digest(sources.files(["pack.root"], package=package))

    before = digest()
    for name, text in PACKAGE.items():
        (package / name).write_text(f"{text}\n")
        assert (digest() != before) == (name in REACHED), name
        (package / name).write_text(text)
    (package / "part" / "beside.py").rename(package / "part" / "other.py")
    (package / "part" / "__init__.py").write_text("from .other import b")
    assert digest() != before


def test_a_point_depends_on_all_that_measuring_loads() -> None:
    """What was loaded, after a point was measured."""
    script = """
import json, sys
from hwarith.explore.point import measure
from hwarith.units import unit
measure(unit("mul:a=e2m1fn"), "digits", "generic")
loaded = [m.__file__ for name, m in sys.modules.items() if name.split(".")[0] == "hwarith"]
print(json.dumps(loaded))
"""
    environment = {**os.environ, "PYTHONPATH": str(sources.PACKAGE.parent)}
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    loaded = {Path(file) for file in json.loads(done.stdout)}
    assert len(loaded) > 80
    known = {*store.source_files().values(), sources.PACKAGE / "__init__.py"}
    assert loaded <= known


def test_files_of_every_kind_are_among_a_points_sources() -> None:
    assert store.source_files().keys() > {
        "matrix/kernels/values.py",
        "units/exact/fma.py",
        "units/systolic/engine.py",
        "golden/arrays.py",
        "formats/rounding.py",
        "rtl/floats/rounder.py",
        "flow/energy/activity.py",
        "explore/metrics.py",
        "explore/workloads/digits.npz",
        "synth/asic.ys",
        "synth/generic.lib",
        "synth/generic_cells.v",
        "synth/abc/small.abc",
    }


def test_every_family_is_among_a_points_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spec imports its family by name, whether or not an import statement leads there."""
    assert {"hwarith.units.exact.fma", "hwarith.units.decode"} < {*family_modules()}
    monkeypatch.setitem(FAMILIES, "new", "shown:New")
    assert "units/shown.py" not in sources.files(["hwarith.explore.point"])
    assert "units/shown.py" in store.source_files()


def test_what_only_shows_points_is_not() -> None:
    found = store.source_files()
    assert not [name for name in found if name.startswith(("report", "cli", "explore/sweeps"))]
    assert not [name for name in found if name.endswith(".md")]


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("synthesis.synthesize", {"figures", "liberty", "liberty_text", "cells", "timing"}),
        ("synthesis.breakdown", {"breakdown", "figures", "liberty", "timing"}),
        ("simulate", {"simulate", "verilated"}),
        ("regress", {"regress", "verilated"}),
    ],
)
def test_code_that_results_of_the_flow_depend_on(
    module: str, code: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    monkeypatch.setattr(sources, "digest", lambda files: asked.append({*files}))
    keys.code.__wrapped__(f"hwarith.flow.{module}")
    assert code <= {Path(name).stem for name in asked[0]}
    assert not [name for name in asked[0] if name.startswith(("units", "rtl", "golden"))]
