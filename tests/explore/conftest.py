"""Fixtures of the tests of sweeps and reports."""

from __future__ import annotations

import pytest

from tests.explore.fake_flow import FakeFlow


@pytest.fixture
def flow() -> FakeFlow:
    return FakeFlow()
