"""Libraries by name."""

from __future__ import annotations

from pathlib import Path

import pytest

import hwarith as hw
from hwarith.flow.synthesis import libraries


def test_families_have_other_names():
    names = ("xc7", "xilinx", "ecp5", "generic")
    assert [libraries.fpga(name) for name in names] == ["xc7", "xc7", "ecp5", None]


def test_open_cells_are_found_where_they_are_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(libraries, "_QFLOW", tmp_path)
    with pytest.raises(hw.MissingTool, match="on Debian: apt install qflow-tech-osu050"):
        libraries.liberty_file("osu050")
    path = tmp_path / "osu050" / "osu05_stdcells.lib"
    path.parent.mkdir()
    path.touch()
    assert libraries.liberty_file("osu050") == path


@pytest.mark.parametrize("name", libraries.OPEN_CELLS)
def test_units_are_mapped_to_open_cells(name):
    try:
        path = libraries.liberty_file(name)
    except hw.MissingTool as error:
        pytest.skip(str(error))
    result = hw.synthesize("mul:a=e2m1fn", name)
    assert (result.library, result.target, result.delay_unit) == (name, path.stem, "1ns")
    assert 0 < result.delay < 5
    assert result.area == hw.synthesize("mul:a=e2m1fn", path).area


def test_a_folder_is_no_library(tmp_path):
    with pytest.raises(hw.InvalidInput, match="is not there, or is no file"):
        libraries.liberty_file(str(tmp_path))
    assert libraries.liberty_file("generic").is_relative_to(Path(libraries.__file__).parents[3])
