"""What changed between two sweeps is found, sized and told, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwarith.exceptions import InvalidInput
from hwarith.reports import report_of, write_report
from tests.explore.fake_sweep import make_sweep


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return make_sweep(tmp_path / "new", 6)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return make_sweep(tmp_path / "old", 6)


def edit(folder: Path, index: int, **cost: float | None) -> str:
    """Change costs of a point of a sweep; its spec."""
    manifest = json.loads((folder / "sweep.json").read_text())
    file = folder / "points" / manifest["points"][index]["file"]
    result = json.loads(file.read_text())
    result["cost"] |= cost
    file.write_text(json.dumps(result))
    return result["spec"]


def test_same_sweep_has_no_changes(new: Path, old: Path) -> None:
    found = report_of(new, old).changes
    assert found is not None
    assert (found.moves, found.notes, found.only_before, found.only_after) == ((), (), (), ())
    assert found.summary == (
        "Against old: 6 points in both, of which 0 changed (0 figures); 0 only here, 0 only there"
    )


def test_figures_that_moved(new: Path, old: Path) -> None:
    edit(old, 2, area=100.0, delay=10.0, depth=0)
    spec = edit(new, 2, area=93.5, delay=None, depth=20)
    edit(old, 3, area=200.0)
    edit(new, 3, area=200.0 * (1 + 1e-12))  # the same but for rounding
    found = report_of(new, old).changes
    assert found is not None
    assert {move.point.spec for move in found.moves} == {spec}
    written = {move.column.key: move.written for move in found.moves}
    space = "\N{NARROW NO-BREAK SPACE}"
    assert written == {
        "area": ("100", "94", f"\N{MINUS SIGN}6.50{space}%"),
        "delay": ("10.0", "\N{EN DASH}", "\N{EN DASH}"),
        "depth": ("0", "20", "\N{EN DASH}"),
    }
    moved = {row["figure"]: row for row in found.as_dict()["moved"]}
    assert moved["area"]["change"] == pytest.approx(-0.065)
    assert (moved["delay"]["here"], moved["delay"]["change"]) == (None, None)


def test_largest_change_of_a_figure_is_first(new: Path, old: Path) -> None:
    for index, area in ((0, 110.0), (1, 50.0), (4, 101.0)):
        edit(old, index, area=100.0)
        edit(new, index, area=area)
    found = report_of(new, old).changes
    assert found is not None
    assert [move.after for move in found.moves] == [50.0, 110.0, 101.0]


def test_points_and_circumstances_of_only_one(new: Path, old: Path) -> None:
    for folder, drop in ((new, 0), (old, 5)):
        manifest = json.loads((folder / "sweep.json").read_text())
        gone = manifest["points"].pop(drop)["spec"]
        if folder == old:
            manifest["versions"] |= {"yosys": "0.1"}
            only_new = gone
        else:
            manifest["library"] = "own.lib"
            only_old = gone
        (folder / "sweep.json").write_text(json.dumps(manifest))
    found = report_of(new, old).changes
    assert found is not None
    assert (found.only_after, found.only_before) == ((only_new,), (only_old,))
    assert found.notes == ("library: generic there, own.lib here", "yosys: 0.1 there, 0 here")
    page = write_report(new, old).read_text()
    data = json.loads((new / "results.json").read_text())
    assert data["changes"] == found.as_dict()
    for words in (found.summary, *found.notes, only_new, only_old):
        assert words in page


def test_folder_that_is_no_sweep(new: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none holds no sweep \(sweep.json\)"):
        write_report(new, tmp_path / "none")
    assert not (new / "report.html").exists()


def test_lines_and_table(new: Path, old: Path) -> None:
    """Kinds of differences that there are none of have no line."""
    found = report_of(new, old).changes
    assert found is not None
    assert (found.lines, found.table()) == ([found.summary], [])
    edit(old, 2, area=100.0)
    edit(new, 2, area=93.5)
    found = report_of(new, old).changes
    assert found is not None
    (move,) = found.moves
    (row,) = found.table()
    assert (row["unit"], row["figure"]) == (move.point.label, "Area")
    assert (row["there"], row["here"], row["change"]) == move.written
