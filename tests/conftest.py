"""Fixtures that the tests of several rooms share, and what is said when all have run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import evidence
from tests.explore.fake_flow import FakeFlow

PROPERTY = "compared"


@pytest.fixture
def flow() -> FakeFlow:
    return FakeFlow()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--evidence",
        metavar="FILE",
        help="write what passed tests compared of each unit to this file: docs/evidence.py",
    )


@pytest.fixture(autouse=True)
def _counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the test compares stands in its report, which also comes from other processes."""
    evidence.COMPARED.clear()
    yield
    found = [[*key, results] for key, results in evidence.COMPARED.items()]
    request.node.user_properties.append((PROPERTY, found))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    # That a test failed is in the report of its call, what it compared in that of its end.
    failed = {report.nodeid for report in terminalreporter.getreports("failed")}
    found = [
        tuple(row)
        for report in terminalreporter.getreports("")  # the ends of tests
        if report.nodeid not in failed
        for name, rows in report.user_properties
        if name == PROPERTY
        for row in rows
    ]
    if file := config.getoption("--evidence"):
        Path(file).write_text(json.dumps(sorted(x for x in found if x[1])), encoding="utf-8")
    totals: Counter[str] = Counter()
    for referee, _, _, results in found:
        totals[referee] += results
    reasons = (
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.getreports("skipped")
    )
    for line in evidence.summary(totals, reasons):
        terminalreporter.write_line(line)
