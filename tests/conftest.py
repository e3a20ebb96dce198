"""Fixtures that the tests of several rooms share, and what is said when all have run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests import evidence
from tests.explore.fake_flow import FakeFlow

PROPERTY = "compared"


@pytest.fixture
def flow() -> FakeFlow:
    return FakeFlow()


@pytest.fixture(autouse=True)
def _counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the test compares stands in its report, which also comes from other processes."""
    evidence.COMPARED.clear()
    yield
    request.node.user_properties.append((PROPERTY, dict(evidence.COMPARED)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    totals: Counter[str] = Counter()
    for report in terminalreporter.getreports(""):  # the ends of tests
        for name, counts in report.user_properties:
            if name == PROPERTY:
                totals.update(counts)
    reasons = (
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.getreports("skipped")
    )
    for line in evidence.summary(totals, reasons):
        terminalreporter.write_line(line)
