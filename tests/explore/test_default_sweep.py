"""The figures of the default sweep are those that were recorded: nothing may change unnoticed.

``default_sweep.json`` has the figures and counts of each point by its spec, and the versions of
what they depend on. When a change is meant, record anew what `measure` gives and say so.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from hwarith.explore.metrics import METRICS
from hwarith.explore.point import measure
from hwarith.explore.sweeps.sweep import DEFAULT
from hwarith.explore.sweeps.sweep_file import read_sweep
from hwarith.flow import tools
from hwarith.units import unit

RECORDED = json.loads(Path(__file__).with_name("default_sweep.json").read_text())
POINTS = RECORDED["points"]

QUICK = (
    "lmul:format=e5m2,k=1,krnd=trunc",
    "lmul:format=e4m3fn,k=2,krnd=trunc",
    "mul:a=e5m2,b=e5m2,out=e5m2,round=rne",
    "fma:a=e5m2,b=e5m2,c=e5m2,out=e5m2,round=rne",
)

SUMS = (*METRICS, "output_error")
"""Figures that are sums in float64, whose last bit depends on the processor's way to add up."""


@pytest.fixture
def recorded_versions() -> None:
    """Skip where figures may rightly differ."""
    here = tools.versions()
    for name, version in RECORDED["versions"].items():
        if here[name] != version:
            pytest.skip(f"the figures were recorded with {name} {version}, here is {here[name]}")


def test_the_sweep_has_the_recorded_points() -> None:
    assert [u.spec for u in read_sweep(DEFAULT).points] == list(POINTS)
    assert set(QUICK) <= set(POINTS)


@pytest.mark.usefixtures("recorded_versions")
@pytest.mark.parametrize(
    "spec",
    [*QUICK, *(pytest.param(s, marks=pytest.mark.long) for s in POINTS if s not in QUICK)],
)
def test_figures_are_the_recorded_ones(spec: str) -> None:
    found = measure(unit(spec), "digits", "generic")
    figures, expected = found.figures(), POINTS[spec]["figures"]
    assert list(figures) == list(expected)
    for key in SUMS:
        value = figures.pop(key)
        assert value == expected[key] or math.isclose(value, expected[key], rel_tol=1e-12), key
    assert figures == {key: expected[key] for key in figures}
    assert found.counts == POINTS[spec]["counts"]
