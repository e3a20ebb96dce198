"""The commands synth and energy."""

from __future__ import annotations

import pytest

from hwarith.flow.synthesis.place_and_route import PlaceAndRoute
from hwarith.units import unit
from tests.cli.running import TINY, Mistake, Run
from tests.explore.fake_flow import FakeFlow


def test_synth(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwarith.flow.tools.versions", lambda: {"yosys": "0.70"})
    (cost,) = run("synth", TINY, "--json").json
    assert cost["spec"] == unit(TINY).spec
    assert cost["area"] > 10
    monkeypatch.setattr("hwarith.flow.synthesis.synthesize.synthesize", FakeFlow().synthesize)
    text = run("synth", TINY, "add:a=e2m1fn", "-v").out
    assert "area (GE)" in text
    assert unit("add:a=e2m1fn").spec in text
    assert "LUT" not in text


def test_synth_with_several_libraries(run: Run) -> None:
    costs = run("synth", TINY, "--library", "generic", "--library", "ice40", "--json").json
    assert [cost["library"] for cost in costs] == ["generic", "ice40"]
    lines = run("synth", TINY, "--library", "generic", "--library", "ice40").out.splitlines()
    assert [line.split()[1] for line in lines if TINY in line] == ["generic", "ice40"]
    assert lines[-1].startswith("Library generic, ice40, recipe asic, fpga; hwarith ")


def test_breakdown(run: Run) -> None:
    (found,) = run("synth", TINY, "--breakdown", "--json").json
    assert [part["name"] for part in found["parts"]][:2] == ["unpack", "product"]
    assert sum(part["area"] for part in found["parts"]) == pytest.approx(found["area"])
    text = run("synth", TINY, "add:a=e2m1fn", "--breakdown").out
    rows = [line.split() for line in text.splitlines()]
    area = pytest.approx(found["area"], rel=1e-3)
    (whole,) = (row for row in rows if row[:1] == ["all"] and float(row[2]) == area)
    assert whole[3] == "100"
    assert f"area {found['flat_area']}" in text
    assert "  leading zeros" in text
    assert "area (GE)" in text


def test_place_and_route(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    routed = PlaceAndRoute(
        spec=TINY,
        library="ice40",
        recipe="fpga",
        seed=1,
        device="HX",
        fmax=99.5,
        period=10.05,
        versions={"nextpnr": "1"},
    )
    monkeypatch.setattr("hwarith.flow.synthesis.place_and_route.place_and_route", lambda *_: routed)
    text = run("synth", TINY, "--library", "ice40", "--place-and-route", "-v").out
    assert "Fmax (MHz)" in text
    assert "99.5" in text
    assert "nextpnr 1" in text


def test_energy(run: Run) -> None:
    (found,) = run("energy", TINY, "--json").json
    assert found["energy"] == pytest.approx(found["switching"] + found["internal"], rel=1e-4)
    text = run("energy", TINY, "--library", "generic", "--workload", "digits").out
    assert "energy (NAND2)" in text
    assert "leakage" not in text
    assert "clock" not in text
    (found,) = run("energy", f"{TINY},stages=2", "--workload", "digits", "--json").json
    parts = sum(found[key] for key in ("switching", "internal", "clock"))
    assert found["energy"] == pytest.approx(parts, rel=1e-4)
    assert found["clocks"] == 1
    text = run("energy", f"{TINY},stages=2", "mac:a=e2m1fn").out
    assert "clock (NAND2)" in text
    assert "clocks" in text
    rows = run("energy", TINY, "--by-type").out.splitlines()
    assert sum(" NAND2 " in row for row in rows) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["synth", TINY, "--library", "generik"],
            "unknown library 'generik'; did you mean 'generic'? allowed: generic, xc7,",
        ),
        (["synth", TINY, "--library", "none.lib"], "Liberty file none.lib is not there"),
        (["synth", TINY, "--recipe", "tsmc"], "unknown recipe"),
        (
            ["synth", TINY, "--breakdown", "--library", "ice40"],
            "a breakdown needs a library of cells, not ice40",
        ),
        (["synth", TINY, "--breakdown", "--delay-target", "3"], "--breakdown goes with neither"),
        (
            ["synth", TINY, "--library", "xc7", "--place-and-route"],
            "unknown library to place and route on 'xc7'; allowed: ice40, ecp5",
        ),
        (["energy", TINY, "--library", "ice40"], "energy needs a library of cells, not ice40"),
        (
            ["energy", f"{TINY},stages=1", "--recipe", "cmos"],
            "energy needs a library of cells, not cmos",
        ),
        (["energy", TINY, "--workload", "digit"], "unknown workload 'digit'"),
        (["energy"], "name at least one SPEC"),
    ],
)
def test_mistakes(mistake: Mistake, arguments: list[str], message: str) -> None:
    mistake(arguments, message)
