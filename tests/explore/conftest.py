"""Fixtures of the tests of sweeps and reports."""

from __future__ import annotations

import pytest

from tests.explore.fake_synthesis import FakeSynthesis


@pytest.fixture
def synthesis() -> FakeSynthesis:
    return FakeSynthesis()
