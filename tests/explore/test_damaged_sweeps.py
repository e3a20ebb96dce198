"""Folders of sweeps in which somebody, or a disk, changed something."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hwarith.exceptions import InvalidInput
from hwarith.explore.point import Result
from hwarith.explore.sweeps.schema import result_of
from hwarith.explore.sweeps.store import Store, read_sweep_folder
from hwarith.reports import write_report
from hwarith.units import unit
from tests.explore.fake_sweep import make_sweep

SPECS = 3
LONG = 10**400

TEXT, NUMBER, NUMBER_OR_NONE, COUNT, LIST, OBJECT = (
    (None, 3, True, [], {}),
    (None, "3", True, [], {}, float("nan"), float("inf"), LONG),
    ("3", True, [], {}, float("nan"), LONG),
    (None, "3", True, 1.5, [], {}, LONG),
    (None, "x", 3, {}, [[[]]], [{}]),
    (None, "x", 3, [], [[]]),
)
"""What is no text, number, count, list or object."""

POINT: dict[tuple, tuple] = {
    ("spec",): (*TEXT, "x", "mul:a=fp64"),
    ("name",): (*TEXT, "x"),
    ("operation",): (*TEXT, "x"),
    ("cost",): (*OBJECT, {}),
    ("cost", "area"): NUMBER_OR_NONE,
    ("cost", "cells"): NUMBER_OR_NONE,
    ("area_unit",): TEXT[1:],
    ("delay_unit",): TEXT[1:],
    ("energy_unit",): TEXT[1:],
    ("accuracy",): NUMBER_OR_NONE,
    ("output_error",): NUMBER_OR_NONE,
    ("metrics",): OBJECT,
    ("metrics", "mred"): NUMBER_OR_NONE,
    ("counts",): (*OBJECT, {}),
    ("counts", "counted"): COUNT,
    ("seconds",): NUMBER,
    ("details",): OBJECT,
    ("details", "verilog"): TEXT,
    ("details", "path"): (*LIST, [3]),
    ("details", "cells"): OBJECT,
    ("details", "cells", "NAND2"): COUNT,
    ("details", "cell_areas", "NAND2"): NUMBER,
    ("details", "histogram"): (*OBJECT, {}),
    ("details", "histogram", "low"): NUMBER,
    ("details", "histogram", "exact"): COUNT,
    ("details", "histogram", "counts"): LIST,
    ("details", "histogram", "counts", 0): COUNT,
    ("details", "breakdown"): (*OBJECT, {}),
    ("details", "breakdown", "parts"): LIST,
    ("details", "breakdown", "parts", 1, "parts", 0): (*OBJECT, {}),
    ("details", "breakdown", "parts", 1, "parts", 0, "name"): TEXT,
    ("details", "breakdown", "parts", 1, "parts", 0, "delay"): NUMBER_OR_NONE,
}
MANIFEST: dict[tuple, tuple] = {
    ("source",): TEXT[1:],
    ("budget",): COUNT[1:],
    ("workload",): TEXT,
    ("library",): TEXT,
    ("versions",): (*OBJECT, {}, {"hwarith": "1"}, {"yosys": "1"}),
    ("versions", "yosys"): TEXT,
    ("points",): LIST,
    ("points", 0): (*OBJECT, {}),
    ("points", 0, "spec"): TEXT,
    ("points", 0, "file"): (*TEXT, "../sweep.json", "/etc/passwd", "", ".", "..", "a/b"),
}
"""What cannot stand where."""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sweep(tmp_path_factory.mktemp("sweep") / "made", SPECS)


@pytest.fixture
def folder(sweep: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sweep, tmp_path / "sweep")


def first_point(folder: Path) -> Path:
    listed = json.loads((folder / "sweep.json").read_text())["points"][0]
    return folder / "points" / listed["file"]


def at(data: Any, path: tuple) -> Any:
    return at(data[path[0]], path[1:]) if path else data


def with_value(data: Any, path: tuple, value: Any) -> Any:
    changed = copy.deepcopy(data)
    at(changed, path[:-1])[path[-1]] = value
    return changed


@pytest.mark.parametrize("path", POINT, ids=str)
def test_points_with_another_value(sweep: Path, path: tuple) -> None:
    data = json.loads(first_point(sweep).read_text())
    assert result_of(data).as_dict() == data
    for wrong in POINT[path]:
        with pytest.raises(InvalidInput) as caught:
            result_of(with_value(data, path, wrong))
        assert len(str(caught.value)) < 700
    if path not in _OPTIONAL:
        changed = copy.deepcopy(data)
        del at(changed, path[:-1])[path[-1]]
        if isinstance(path[-1], str):
            with pytest.raises(InvalidInput):
                result_of(changed)


_OPTIONAL = {
    *(("cost", "cells"), ("metrics", "mred"), ("energy_unit",), ("details",)),
    *(("details", "cells", "NAND2"), ("details", "cell_areas", "NAND2")),
    *(("details", x) for x in ("verilog", "path", "cells", "histogram", "breakdown")),
}


@pytest.mark.parametrize("path", MANIFEST, ids=str)
def test_manifests_with_another_value(folder: Path, path: tuple) -> None:
    file = folder / "sweep.json"
    data = json.loads(file.read_text())
    for wrong in MANIFEST[path]:
        file.write_text(json.dumps(with_value(data, path, wrong)))
        with pytest.raises(InvalidInput, match=r"the sweep .*sweep\.json: "):
            read_sweep_folder(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"3", b"null", b"[" * 100_000, b'{"spec": ' + b"9" * 5000 + b"}", b"\xff"],
)
def test_damaged_points_are_not_finished(folder: Path, content: bytes) -> None:
    """They are listed as such in the report, and the next run of the sweep measures them."""
    path = first_point(folder)
    spec = json.loads(path.read_text())["spec"]
    path.write_bytes(content)
    _, done, missing = read_sweep_folder(folder)
    assert (len(done), missing) == (SPECS - 1, [spec])
    if not content:
        assert spec in write_report(folder).read_text()


def test_the_file_of_another_point(folder: Path, tmp_path: Path) -> None:
    """A valid point in the place of another one is not taken for it."""
    first, second = sorted((folder / "points").iterdir())[:2]
    spec = json.loads(first.read_text())["spec"]
    first.write_bytes(second.read_bytes())
    _, done, missing = read_sweep_folder(folder)
    assert (len(done), missing) == (SPECS - 1, [spec])
    store = Store(tmp_path / "store", {}, shared=False)
    one, other = unit("mul:a=bf16"), unit("mul:a=fp16")
    good = Result(**json.loads(second.read_text()))
    made = unit(good.spec)
    store.save(made, good)
    assert store.load(made) == good
    for u in (one, other):
        shutil.copy(
            tmp_path / "store/points" / store.file(made), tmp_path / "store/points" / store.file(u)
        )
        assert store.load(u) is None


NO_MANIFESTS: list[Any] = [
    *(None, 3, "x", [], {}),
    *({"points": x} for x in (None, 3, "x", [3], [{}], [{"spec": 3, "file": "x"}])),
]


@pytest.mark.parametrize("data", NO_MANIFESTS, ids=str)
def test_no_manifest(folder: Path, data: Any) -> None:
    (folder / "sweep.json").write_text(json.dumps(data))
    with pytest.raises(InvalidInput, match=r"the sweep .*: it must have the keys source"):
        write_report(folder)


def test_a_folder_in_the_place_of_a_file(folder: Path) -> None:
    (folder / "failures.json").mkdir()
    with pytest.raises(InvalidInput, match=r"failures\.json cannot be removed: "):
        Store(folder, {}, shared=False)
    point = first_point(folder)
    point.unlink()
    point.mkdir()
    _, done, _ = read_sweep_folder(folder)
    assert len(done) == SPECS - 1
