"""Fixtures that the tests of several rooms share."""

from __future__ import annotations

import pytest

from tests.explore.fake_flow import FakeFlow


@pytest.fixture
def flow() -> FakeFlow:
    return FakeFlow()
