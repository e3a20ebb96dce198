"""Chromium driving the page of a report: it filters, sorts and opens points, on any screen."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hwarith as hw
from hwarith.reports import read_content, write_report
from hwarith.reports.model.columns import HIGHER_IS_BETTER
from tests.explore.fake_sweep import make_sweep, rename_all
from tests.reports.browser import NO_CHROMIUM, PHONE, Browser, chromium

pytestmark = pytest.mark.skipif(chromium() is None, reason=NO_CHROMIUM)

POINTS, NAME, TINY = 60, "mul_bf16_bf16_bf16_rne", "mul:a=e2m1fn"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_sweep(tmp_path_factory.mktemp("page") / "new", POINTS, [TINY])
    other = make_sweep(path.parent / "old", POINTS - 3, [TINY], seed=2)
    write_report(path, other)
    return path


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(started: Browser, folder: Path) -> Iterator[Browser]:
    """A browser with the page open; at the end its console must be empty."""
    started.errors.clear()
    started.prefer("light")
    started.open(folder / "report.html")
    yield started
    assert started.errors == []


def shown(browser: Browser) -> Any:
    lines = "[...document.querySelectorAll('#points tbody tr:not([hidden])')]"
    return browser.run(f"{lines}.map((row) => row.dataset.name)")


def drawn(browser: Browser) -> Any:
    return browser.run(
        "[...document.querySelectorAll('#plot a')].map((a) => a.getAttribute('href').slice(1))"
    )


def title(browser: Browser) -> Any:
    is_open = "document.getElementById('point').open"
    return browser.run(f"{is_open} ? document.getElementById('point-title').textContent : null")


def test_errors_are_seen(started: Browser, folder: Path) -> None:
    started.open(folder / "report.html")
    started.errors.clear()
    started.run("setTimeout(() => { throw new Error('on purpose'); }) && 0")
    started.run("console.error('said') ?? new Promise((later) => setTimeout(later, 50))")
    assert len(started.errors) == 2
    started.errors.clear()


def test_every_point_is_drawn_and_listed(browser: Browser, folder: Path) -> None:
    names = {p.name for p in read_content(folder).points}
    assert set(shown(browser)) == set(drawn(browser)) == names
    assert browser.run("document.getElementById('count').textContent") == f"{POINTS} shown"


def test_filters(browser: Browser) -> None:
    browser.click("[data-name='family fma']")
    browser.click("[data-name='format fp32']")
    names = shown(browser)
    assert names == [n for n in names if not n.startswith("fma_") and "mul_fp32" not in n]
    assert set(drawn(browser)) == set(names)
    assert 0 < len(names) < POINTS
    browser.click("#find")
    browser.call("Input.insertText", text="rtz fp16")
    assert shown(browser)
    assert all("rtz" in name and "fp16" in name for name in shown(browser))
    browser.click("#reset")
    assert len(shown(browser)) == len(drawn(browser)) == POINTS


def test_fronts_are_those_of_what_is_shown(browser: Browser, folder: Path) -> None:
    content = read_content(folder)
    for y in ("output_error", "accuracy", "mred"):
        assert (y in HIGHER_IS_BETTER) == (y == "accuracy")
        for x in content.x_axes:
            browser.run(f"choice.x.value = '{x}'; choice.y.value = '{y}'; showAll()")
            expected = [
                content.points[i].name for op in content.operations for i in content.front(x, y, op)
            ]
            assert browser.run("plot.querySelector('svg').front") == expected
    browser.run(f"document.querySelector('#find').value = '{NAME[:8].replace('_', ' ')}'; filter()")
    front = browser.run("plot.querySelector('svg').front")
    assert front
    assert set(front) <= set(shown(browser))


def test_table_sorts_both_ways(browser: Browser, folder: Path) -> None:
    points = read_content(folder).points
    browser.click("#points th:nth-child(4) button")
    by_delay = sorted(points, key=lambda p: p.figures["delay"] or 0)
    assert shown(browser) == [p.name for p in by_delay]
    browser.click("#points th:nth-child(4) button")
    assert shown(browser) == [p.name for p in reversed(by_delay)]
    sort = "document.querySelector('#points [aria-sort]').ariaSort"
    assert browser.run(sort) == "descending"


def test_click_opens_a_point_and_escape_closes_it(browser: Browser) -> None:
    browser.click(f"#plot a[href='#{NAME}']")
    browser.wait("document.getElementById('point').open")
    assert (title(browser), browser.run("location.hash")) == ("mul bf16", f"#{NAME}")
    browser.key("Escape")
    browser.wait("!document.getElementById('point').open")
    assert browser.run("location.hash") == ""
    browser.click(f"#points a[href='#{NAME}']")
    browser.wait("document.getElementById('point').open")
    browser.click("#close")
    browser.wait("!document.getElementById('point').open")
    browser.run("history.back()")
    browser.wait("document.getElementById('point').open")


def test_fragment_opens_a_point_with_all_that_is_known(browser: Browser, folder: Path) -> None:
    browser.open(folder / "report.html", NAME)
    browser.wait("document.querySelector('.verilog')?.textContent")
    assert title(browser) == "mul bf16"
    assert browser.run("document.querySelector('.verilog').textContent") == hw.verilog(TINY)
    text = browser.run("document.getElementById('point').innerText")
    known = ("mul:a=bf16,b=bf16,out=bf16,round=rne", "error at most 1/2 ulp", "combinational")
    figures = ("Mean squared error", "Errors in ulps", "a[0]", "y[3]", "NAND2", "57.1 %")
    parts = ("leading zeros \xd7 2\t20.0 %\t0.0 %", "product\t90.0 %\t100.0 %")
    for words in (*known, *figures, *parts, "3.4 % less area"):
        assert words in text
    assert browser.run("document.querySelectorAll('#point svg rect').length") == 48
    browser.open(folder / "report.html", "nothing")
    assert title(browser) is None


def test_dragging_zooms(browser: Browser) -> None:
    x, y, width, height = browser.run(
        "(() => { plot.scrollIntoView(); const b = plot.getBoundingClientRect();"
        "return [b.x, b.y, b.width, b.height]; })()"
    )
    for kind, share in (("mousePressed", 0.15), ("mouseMoved", 0.5), ("mouseReleased", 0.5)):
        at = {"x": x + share * width, "y": y + share * height}
        left_button = {"button": "left", "buttons": 1, "clickCount": 1}
        browser.call("Input.dispatchMouseEvent", type=kind, **at, **left_button)
    assert len(drawn(browser)) < POINTS
    assert browser.run("plot.querySelectorAll('.axes text').length") > 4
    browser.click("#unzoom")
    assert len(drawn(browser)) == POINTS


def test_themes(browser: Browser, folder: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    browser.click("#theme")
    dark = browser.run(paper)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(20, 23, 27)")
    browser.prefer("dark")
    browser.open(folder / "report.html")
    assert browser.run(paper) == dark
    browser.click("#theme")
    assert browser.run(paper) == light


def test_narrow_screen(browser: Browser, folder: Path) -> None:
    for fragment in ("", NAME):
        browser.open(folder / "report.html", fragment, PHONE)
        assert browser.run("document.documentElement.scrollWidth") == PHONE[0]
        assert browser.run("document.getElementById('point').scrollWidth") <= PHONE[0]
    assert len(drawn(browser)) == POINTS
    outside = "[...plot.querySelectorAll('text')].map((t) => t.getBoundingClientRect())"
    assert browser.run(f"{outside}.every((b) => b.left >= 0 && b.right <= innerWidth)")


def test_changes_are_listed(browser: Browser, folder: Path) -> None:
    text = browser.run("document.getElementById('changes').innerText")
    assert f"Against old: {POINTS - 3} points in both" in text
    assert "3 only here, 0 only there" in text
    assert browser.run("document.querySelectorAll('#changes tbody tr').length") > POINTS


@pytest.mark.parametrize(
    "name",
    [
        "<!--<script>hacked = 1//",
        "</script><script>hacked = 1</script>\"'><img src=x onerror='hacked = 1'><svg>",
        "${hacked = 1} $data \u2028 */ --> ]]>",
    ],
)
def test_names_that_look_like_markup(started: Browser, tmp_path: Path, name: str) -> None:
    """They are shown as they are: the page works, and nothing of them is run."""
    folder = make_sweep(tmp_path / "sweep", 4, [TINY])
    rename_all(folder, name)
    page = write_report(folder)
    started.errors.clear()
    started.open(page)
    points = {p.name for p in read_content(folder).points}
    assert set(shown(started)) == set(drawn(started)) == points
    started.open(page, min(points))
    assert title(started)
    text = started.run("document.getElementById('point').textContent")
    assert name in text
    assert started.run("typeof hacked") == "undefined"
    assert started.errors == []


def test_print(browser: Browser, folder: Path) -> None:
    """Black on white even of a dark page, without what only a screen has, nothing cut off."""
    browser.prefer("dark")
    browser.call("Emulation.setEmulatedMedia", media="print")

    def overflow(width: int, selector: str) -> bool:
        """Whether elements are wider than a page of so many pixels lets them be."""
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.call("Emulation.setDeviceMetricsOverride", **screen)
        found = f"[...document.querySelectorAll('{selector}')]"
        return browser.run(f"{found}.some((e) => e.getBoundingClientRect().right > {width})")

    style = "({display, color, backgroundColor}) => [display, color, backgroundColor]"
    body = f"({style})(getComputedStyle(document.body))"
    assert browser.run(body) == ["block", "rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    for selector in (".toolbar", "#theme", ".screen", "#reset"):
        shown = f"getComputedStyle(document.querySelector('{selector}')).display"
        assert browser.run(shown) == "none"
    assert not overflow(700, "h1, p, .finding, #plot svg, dl, pre")  # A4 less its margins
    assert not overflow(1030, "table")  # across
    browser.call("Emulation.setEmulatedMedia", media="")
    pdf = base64.b64decode(browser.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert pdf.startswith(b"%PDF")
    sizes = set(re.findall(rb"/MediaBox \[([^\]]*)\]", pdf))
    assert len(sizes) == 2  # upright, and for the tables across


def test_error_bars_and_fronts_without_noise(browser: Browser, folder: Path) -> None:
    assert browser.run("document.querySelectorAll('.bars path').length") == 0
    browser.run("choice.y.value = 'accuracy'; choice.y.dispatchEvent(new Event('change'))")
    assert browser.run("document.querySelectorAll('.bars path').length") == POINTS
    content = read_content(folder)
    fronts = [content.front("area", "accuracy", operation) for operation in content.operations]
    names = [content.points[i].name for front in fronts for i in front]
    assert browser.run("document.querySelector('#plot svg').front") == names
    lines = browser.run(
        "[...document.querySelectorAll('.legend span:not([hidden])')].map((s) => s.textContent)"
    )
    drawn = [o for o, f in zip(content.operations, fronts, strict=True) if len(f) > 1]
    assert lines == [f"front of {content.noun(operation)}s" for operation in drawn]
