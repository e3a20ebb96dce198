"""A point is measured again if anything has changed that its figures depend on."""

from __future__ import annotations

from pathlib import Path

import pytest

import hwarith as hw
from hwarith.explore import run_sweep
from hwarith.explore.sweeps import store
from hwarith.explore.sweeps.sweep_file import Sweep
from hwarith.explore.workloads import WORKLOADS, workload
from hwarith.flow import tools
from tests.explore.fake_flow import FakeFlow
from tests.flow.tabled import library

SPEC = "mul:a=e2m1fn"


class Kept:
    """A sweep of one point in its folder."""

    def __init__(self, flow: FakeFlow, folder: Path) -> None:
        self._flow, self._folder = flow, folder
        self.is_measured()

    def is_measured(
        self, spec: str = SPEC, workload: str = "digits", library: str = "generic"
    ) -> bool:
        """Run the sweep: whether the point was not there."""
        before = len(self._flow.asked)
        run_sweep(Sweep((hw.unit(spec),), workload, library), self._folder, flow=self._flow)
        return len(self._flow.asked) > before


@pytest.fixture
def kept(flow: FakeFlow, tmp_path: Path) -> Kept:
    return Kept(flow, tmp_path / "sweep")


def test_nothing_has_changed(kept: Kept) -> None:
    assert not kept.is_measured()


def test_another_unit(kept: Kept) -> None:
    assert kept.is_measured(spec=f"{SPEC},round=rtz")
    assert not kept.is_measured()


def test_another_library(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "cells.lib"
    path.write_text(library())
    assert kept.is_measured(library=str(path))
    assert not kept.is_measured(library=str(path))
    path.write_text(library() + "\n")
    assert kept.is_measured(library=str(path))


def test_another_workload_or_its_data(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "tests.explore.tiny_workload:SIGNS"
    monkeypatch.setattr(type(workload("digits")), "digest", workload(other).digest)
    assert kept.is_measured()
    monkeypatch.setitem(WORKLOADS, "others", workload("digits"))
    assert kept.is_measured(workload="others")
    assert not kept.is_measured(workload="others")


def test_other_sources(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "source_digest", lambda: "other sources")
    assert kept.is_measured()


@pytest.mark.parametrize("name", ["hwarith", "yosys", "verilator", "amaranth", "numpy", "python"])
def test_another_version(name: str, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = tools.versions()
    assert versions[name]
    monkeypatch.setattr(tools, "versions", lambda: versions | {name: "9.99"})
    assert kept.is_measured()


def test_the_digest_of_sources_is_of_files_that_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Any of them, on the example of three that imports lead to and two that are data."""
    files = store.source_files()
    before = store.source_digest.__wrapped__()
    for name in (
        "matrix/kernels/values.py",
        "units/exact/mul.py",
        "explore/metrics.py",
        "explore/workloads/digits.npz",
        "synth/asic.ys",
    ):
        changed = tmp_path / "changed"
        changed.write_bytes(files[name].read_bytes() + b"\n")
        monkeypatch.setattr(store, "source_files", lambda n=name, c=changed: files | {n: c})
        assert store.source_digest.__wrapped__() != before
    monkeypatch.setattr(store, "source_files", lambda: files)
    assert store.source_digest.__wrapped__() == before
