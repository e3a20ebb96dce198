"""The playground in a browser, opened from a folder: what it shows is what hwarith says."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

import hwarith as hw
from docs.playground import build
from hwarith.units.text import codes_of_texts, flat
from tests.looks import faults
from tests.reports.browser import DESKTOP, NO_CHROMIUM, PHONE, Browser, chromium

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not chromium(), reason=NO_CHROMIUM),
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")),
        reason="no node or npm on PATH to build the playground (Debian: apt install nodejs npm)",
    ),
]

MOST_BYTES = 25_000_000
"""Of the page and all beside it."""

UNITS = [
    ("mul:a=e4m3fn", ["1.1", "2.7"]),
    ("mul:a=e4m3fn,round=rtz,stages=2", ["-448", "0x39"]),
    ("add:a=bf16,out=e5m2", ["1/3", "-1e-3"]),
    ("fma:a=e4m3fn,c=fp16,out=fp16,flags=after", ["448", "448", "-1"]),
    ("mul:a=int8,out=int16", ["-128", "127"]),
    ("convert:a=fp32,out=e2m1fn", ["2.5"]),
    ("minmax:a=bf16", ["nan", "-0.0"]),
    ("lmul:format=bf16,k=4", ["1.1", "2.7"]),
    ("pam:format=fp16", ["1.1", "2.7"]),
    ("decode:type=e3m2,out=fp16", ["0x15"]),
    ("dot:a=e2m1fn,b=e2m1fn,n=4,c=fp16,out=fp16", ["1,2,3,4", "0.5,-1,6", "0.25"]),
    ("mac:a=e4m3fn,acc=fp16,out=bf16", ["1.1,2.7,-3", "4,5,6"]),
    ("blockquant:out=mxfp4,n=2", ["1.1,-10"]),
    ("fpint:lanes=1", ["100,0x7FF", "3,-1"]),
    ("bspe:type=int4,lanes=1", ["0x3C00,0x3C00", "0x9,0x1", "2,0"]),
    ("bstile:rows=1,columns=2", ["1.1,2,3,4", "1,2,3,4;5,6,7,8", "9;200", "0;5"]),
    (
        "engine:pe=(fma:a=int4,c=int16,out=int16),rows=2,columns=1",
        ["1,2;3,4;5,-6", "7;-8", "0;1;2"],
    ),
]

SHOWN = "document.body.dataset.state === 'idle' && document.body.dataset.shown === location.hash"
"""All that the address asks for is shown."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page in a folder of its own."""
    folder = tmp_path_factory.mktemp("playground")
    for file in build.PAGE:
        shutil.copy(build.HERE / file, folder)
    try:
        build.build(folder / "build")
    except SystemExit as error:
        if "npm pack" in str(error):
            pytest.skip(f"the registry of npm gives nothing: {error}")
        raise
    return folder / "index.html"


@pytest.fixture(scope="module")
def browser(page: Path) -> Iterator[Browser]:
    with Browser() as browser:
        browser.open(page)
        browser.wait(SHOWN, 300)
        yield browser


def go(browser: Browser, **fields: str | list[str]) -> None:
    """Have the page show another address."""
    address = urlencode(fields, doseq=True)
    browser.run(f"location.hash = {json.dumps('#' + address)}")
    browser.wait(SHOWN, 300)


def texts(browser: Browser, selector: str) -> list[str]:
    """What the elements of a selector say."""
    return browser.run(
        f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)"
    )


def facts(browser: Browser, selector: str) -> dict[str, str]:
    return dict(
        zip(texts(browser, f"{selector} dt"), texts(browser, f"{selector} dd"), strict=True)
    )


def test_it_is_small(page: Path) -> None:
    assert sum(file.stat().st_size for file in page.parent.rglob("*.*")) < MOST_BYTES


@pytest.mark.parametrize(("spec", "operands"), UNITS, ids=[spec for spec, _ in UNITS])
def test_a_unit_is_what_hwarith_says(browser: Browser, spec: str, operands: list[str]) -> None:
    u = hw.unit(spec)
    go(browser, unit=spec, x=operands)
    codes, _ = codes_of_texts(u, operands)
    for name, given in zip(u.operands, codes, strict=True):
        assert [int(code, 16) for code in texts(browser, f"#codes-{name} code")] == flat(given)
    results = u(*codes)
    expected = list(results) if isinstance(results, tuple) else [results]
    for name, result in zip(u.results, expected, strict=True):
        found = [int(code, 16) for code in texts(browser, f"#result-{name} code")]
        assert found == np.ravel(result).tolist()
    assert browser.run("file.text") == hw.verilog(u)
    assert browser.run("file.name") == f"{u.name}.v"
    assert texts(browser, "#verilog")[0] == hw.verilog(u)


def test_the_error_is_that_of_exact_arithmetic(browser: Browser) -> None:
    go(browser, unit="lmul:format=bf16,k=4", x=["1.1", "2.7"])
    f = hw.format("bf16")
    a, b = (f.fraction(f.encode(x)) for x in (1.1, 2.7))
    y = f.fraction(int(hw.unit("lmul:format=bf16,k=4")(f.encode(1.1), f.encode(2.7))))
    found = facts(browser, "#error")
    assert Fraction(found["exact result"].split(" = ")[1]) == a * b
    ulps = float((y - a * b) / Fraction(1, 64))
    assert found["error"] == f"{ulps:.4g} ulp, of 0.015625"


def test_what_is_typed_is_computed_and_stands_in_the_address(browser: Browser) -> None:
    go(browser, unit="mul:a=e4m3fn", x=["1", "1"])
    browser.run(
        "(() => { const e = document.getElementById('operand-b'); e.value = '3';"
        "e.dispatchEvent(new Event('input')); })()"
    )
    browser.wait("location.hash.endsWith('x=1&x=3')")
    browser.wait(SHOWN)
    assert texts(browser, "#result-y .number") == ["3"]
    browser.run(
        "(() => { const e = document.getElementById('parameter-a'); e.value = 'e5m2';"
        "e.dispatchEvent(new Event('change')); })()"
    )
    browser.wait("location.hash.includes('a=e5m2')")
    browser.wait(SHOWN)
    assert texts(browser, "#result-y code") == ["0x42"]


@pytest.mark.parametrize("spec", ["mul:a=e4m3fn", "add:a=e5m2,stages=2"])
def test_the_area_is_nearly_that_of_a_newer_yosys(browser: Browser, spec: str) -> None:
    go(browser, unit=spec, x=["1", "1"])
    browser.run("document.getElementById('area').click()")
    browser.wait("document.getElementById('verilog-facts').textContent.includes('NAND2')", 300)
    found = re.search(r"area ([\d.]+)", texts(browser, "#verilog-facts")[0])
    assert found
    assert float(found[1]) == pytest.approx(hw.synthesize(spec).area, rel=0.1)


def test_mistakes_are_told_in_hwariths_words(browser: Browser) -> None:
    with pytest.raises(hw.InvalidInput) as unknown:
        hw.unit("mul:a=e4m3fm")
    go(browser, unit="mul:a=e4m3fm", x=["1", "1"])
    assert texts(browser, "#unit-wrong") == [str(unknown.value)]
    go(browser, unit="mul:a=e4m3fn", x=["1", "one"])
    assert texts(browser, "#unit-wrong") == [""]
    said = "operand b: 'one' is neither a code (0x...) nor a number"
    assert texts(browser, "#operand-wrong") == [said]


def test_no_result_of_another_unit_is_left(browser: Browser) -> None:
    go(browser, unit="rsqrt:a=fp16", x=["2"])
    assert len(texts(browser, "#result-y code")) == 1
    go(browser, unit="mac", x=["1,2", "1"])
    assert "groups of one length" in texts(browser, "#operand-wrong")[0]
    assert texts(browser, "#results code") == texts(browser, "#error dt") == []


def test_a_format_is_what_hwarith_says(browser: Browser) -> None:
    go(browser, format="e4m3fn", value="0.3", overflow="saturate")
    f = hw.format("e4m3fn")
    rows = browser.run(
        "[...document.querySelectorAll('#rounded tr')].slice(1)"
        ".map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert [mode for mode, *_ in rows] == ["rne", "rna", "rtz", "rup", "rdn", "rto"]
    for mode, value, code, bits, ulps in rows:
        expected = f.encode_one(Fraction(3, 10), round=mode)
        assert (int(code, 16), int(bits, 2)) == (expected, expected)
        assert float(value) == f.fraction(expected)
        assert float(ulps) == pytest.approx(
            float((f.fraction(expected) - Fraction(3, 10)) * 32), 1e-3
        )
    assert facts(browser, "#facts")["largest"] == "448"
    positive = int((np.asarray(f.decode(f.codes()), float) > 0).sum())
    assert browser.run("document.getElementById('log').ariaLabel").startswith(f"{positive} values")


ADDRESSES = ("unit=fma:a=e4m3fn,c=fp16,out=fp16,flags=after", "format=e4m3fn&value=0.3")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_wrong_to_see(
    browser: Browser, page: Path, size: tuple[int, int], address: str, scheme: str
) -> None:
    browser.prefer(scheme)
    browser.open(page, address, size)
    browser.wait(SHOWN, 300)
    assert faults(browser, size[0]) == []
    unlabelled = (
        "[...document.querySelectorAll('input, select')].filter(e => !e.labels.length).length"
    )
    assert browser.run(unlabelled) == 0


def test_it_is_dark_where_the_system_is(browser: Browser) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    shades = []
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        shades.append(int(browser.run(background).removeprefix("rgb(").split(",")[0]))
    assert shades[0] > 200
    assert shades[1] < 50


def test_nothing_is_loaded_from_elsewhere(browser: Browser) -> None:
    loaded = browser.run("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {name.partition(":")[0] for name in loaded} <= {"file", "blob", "data"}
    assert browser.errors == []
