"""The documentation site in Chromium: every page, on a desktop, on a phone, and in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.looks import faults
from tests.reports.browser import DESKTOP, NO_CHROMIUM, PHONE, Browser, chromium

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not chromium(), reason=NO_CHROMIUM),
]

APART = ("404.html", "playground/index.html")
"""A page for servers (below); and one that `make playground` completes, with tests of its own."""


@pytest.fixture(params=["light", "dark"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A new one: pages remember the scheme in which they were read first."""
    with Browser() as browser:
        browser.prefer(request.param)
        yield browser


def faults_of(browser: Browser, page: Path | str, size: tuple[int, int]) -> list[str]:
    browser.errors.clear()
    browser.open(page, size=size)
    return faults(browser, size[0])


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_wrong_on_any_page(site: Path, browser: Browser, size: tuple[int, int]) -> None:
    pages = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    assert len(pages) > 40
    found = {name: faults_of(browser, pages[name], size) for name in pages.keys() - {*APART}}
    assert {name: seen for name, seen in found.items() if seen} == {}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_wrong_where_nothing_is_found(
    site: Path, browser: Browser, size: tuple[int, int]
) -> None:
    with ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_port}/404.html"
        assert faults_of(browser, address, size) == []
        server.shutdown()


FAULTS = {
    "<p style='width: 1500px'>wide</p>": ["the page is 1508 wide", "p. reaches to 1508"],
    "<div style='overflow: auto'><p style='width: 1500px'>wide</p></div>": [],
    "<p style='color: #888'>faint</p>": ['p. "faint" has a contrast of 3.54'],
    "<h1 style='color: #888'>large</h1>": [],
    "<div style='background: #fff8'><p style='opacity: .5'>faint</p></div>": [
        'p. "faint" has a contrast of 3.98'
    ],
    "<img src='none.png' alt='x'>": ["none.png is no picture", "console: Failed to load resource"],
    "<script>throw new Error('on purpose')</script>": ["on purpose"],
    "<p>all is well</p>": [],
}


@pytest.mark.parametrize("body", FAULTS)
def test_faults_are_found(tmp_path: Path, body: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><title>a page</title><body>{body}</body>")
    with Browser() as browser:
        found = faults_of(browser, page, DESKTOP)
    assert len(found) == len(FAULTS[body])
    for fault, part in zip(found, FAULTS[body], strict=True):
        assert part in fault
