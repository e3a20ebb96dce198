"""The finished sweep of a module's units, and its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwarith.explore.sweeps.sweep import run_sweep
from hwarith.reports import write_report
from hwarith.reports.model.content import Content, read_content
from tests.explore.fake_flow import FakeFlow


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the units of the module's ``SPECS`` were swept, by the fake flow, and reported."""
    path = tmp_path_factory.mktemp("sweep")
    run_sweep(request.module.SPECS, path, flow=FakeFlow())
    write_report(path)
    return path


@pytest.fixture(scope="module")
def content(folder: Path) -> Content:
    """What the report says."""
    return read_content(folder)
