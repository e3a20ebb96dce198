"""Marks that are the same in every report, error bars, fronts without noise, titles, findings."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hwarith.exceptions import InvalidInput
from hwarith.explore.metrics import evaluate
from hwarith.explore.weights import FAMILIES as KINDS
from hwarith.formats import format
from hwarith.reports import read_content, report_of, write_report
from hwarith.reports.model.content import Content
from hwarith.reports.model.front import pareto_front
from hwarith.reports.model.noise import share_deviation
from hwarith.reports.model.summary import findings
from hwarith.reports.view import style
from hwarith.reports.view.page import to_html
from hwarith.reports.view.page.data import page_data
from hwarith.reports.view.page.sweep import sweep_parts
from hwarith.units.registry import FAMILIES, family
from tests.explore.fake_sweep import make_sweep


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sweep(tmp_path_factory.mktemp("looks") / "few", 3)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    return read_content(make_sweep(tmp_path_factory.mktemp("looks") / "many", 190))


# -- marks ----------------------------------------------------------------------------------------


def test_marks_do_not_depend_on_what_else_is_in_a_report(content: Content) -> None:
    some = replace(content, points=[p for p in content.points if p.format == "e5m2"][-3:])
    assert some.formats != content.formats[: len(some.formats)]
    every, few = (page_data(x, sweep_parts(x)) for x in (content, some))
    for kind in ("marks", "shapes"):
        assert few[kind].items() <= every[kind].items()
        assert few[kind].keys() < every[kind].keys()


def test_names_that_are_listed_have_marks_of_their_own() -> None:
    named = {name: mark for name, mark in style._MARKS.items() if name in content_formats()}
    assert {"fp32", "bf16", "fp16", "e4m3fn", "e5m2", "int8", "nvfp4", "codes"} <= named.keys()
    assert len(set(named.values())) == len(named)
    bits = [style.mark(f"{n} bits") for n in (2, 3, 4, 5, 6, 8, 16)]
    assert len(set(bits)) == len(bits)
    sums = [style.mark(name) for name in ("fp32", "bf16", "fp16", "layercast", "exact")]
    assert len(set(sums)) == len(sums)


def content_formats() -> set[str]:
    """The listed names that sweeps have."""
    others = {"layercast", "exact"}
    return {name for name in style._MARKS if " " not in name} - others


def test_an_unknown_name_has_the_same_mark_everywhere() -> None:
    assert style.mark("myformat") == style.mark("myformat")
    assert style.shape("myunit") == style.shape("myunit")
    assert len({style.mark(f"f{i}") for i in range(200)}) == 24  # no colour and no fill is left out


def test_families_that_stand_on_one_front_have_different_shapes() -> None:
    of_operation: dict[str, list[str]] = {}
    for name in FAMILIES:
        of_operation.setdefault(family(name).operation.name, []).append(name)
        assert name in style._SHAPE_OF, f"{name} has no place in style._TURNS"
    for names in of_operation.values():
        assert len({style.shape(name) for name in names}) == len(names)
    sums = ("mul", "lmul", "pam", "fma", "anfma", "add", "dot", "mac", "kulisch", "dotmulti")
    assert max(Counter(map(style.shape, sums)).values()) == 1
    assert len({style.shape(kind) for kind in KINDS}) == len(KINDS)


def test_marks_are_drawn(content: Content) -> None:
    page = to_html(content)
    chips = dict(re.findall(r'data-name="format (\w+)"><svg[^>]*>(.*?)</svg>', page))
    assert chips["fp32"].count("<path") == 1
    assert style.mark("fp32").colour in chips["fp32"]
    assert chips["e3m2fn"].count("<path") == 2
    assert 'fill="var(--paper)" transform="scale(0.5)"' in chips["e3m2fn"]


# -- noise ----------------------------------------------------------------------------------------


def test_deviation_of_a_share() -> None:
    assert share_deviation(0.97, 500) == pytest.approx(0.0078, abs=1e-4)
    assert share_deviation(1.0, 500) == pytest.approx(share_deviation(0.0, 500))
    assert 0 < share_deviation(1.0, 500) < 0.003


def test_no_front_through_noise() -> None:
    costs, shares = [1, 2, 3, 4, 5], [0.90, 0.905, 0.91, 0.93, 0.934]
    assert pareto_front(costs, shares, True) == [0, 1, 2, 3, 4]
    noise = [0.01] * 5
    assert pareto_front(costs, shares, True, noise) == [0, 3]  # 0.0141 of a difference
    assert pareto_front(costs, [1 - x for x in shares], False, noise) == [0, 3]
    assert pareto_front(costs, shares, True, [0.01, None, 0.001, None, None]) == [0, 3, 4]
    assert pareto_front([1, 1], [0.9, 0.9], True, noise[:2]) == [0, 1]


def test_accuracies_have_error_bars_and_a_front_beyond_them(content: Content) -> None:
    count = content.workload.count
    axis = content.axis("accuracy")
    for p, deviation in zip(content.points, axis.deviations, strict=True):
        assert deviation == share_deviation(p.result.accuracy, count)
        assert axis.low <= p.result.accuracy - deviation
        assert p.result.accuracy + deviation <= axis.high
    assert content.axis("output_error").deviations == [None] * len(content.points)
    for operation in content.operations:
        front = content.front("area", "accuracy", operation)
        accuracies = [content.points[i].result.accuracy for i in front]
        deviations = [axis.deviations[i] for i in front]
        for i in range(1, len(front)):
            gain = accuracies[i] - accuracies[i - 1]
            assert gain > (deviations[i] ** 2 + deviations[i - 1] ** 2) ** 0.5
    data = page_data(content, sweep_parts(content))
    assert data["axes"]["accuracy"]["deviations"] == axis.deviations


def test_deviations_of_errors_on_random_operands(content: Content) -> None:
    found = evaluate(
        "mul:a=bf16", [format("bf16").encode([1.1, 1.3]), format("bf16").encode([1, 1.7])]
    )
    assert found.deviations["error_rate"] == pytest.approx(0.5)  # one of two errs
    assert {"max_ulp", "wce", "sqnr", "nmed", "max_relative_error"}.isdisjoint(found.deviations)
    p = content.points[0]
    details = p.result.details | {"deviations": {"mred": 0.25}}
    changed = replace(content, points=[replace(p, result=replace(p.result, details=details))])
    assert changed.axis("mred").deviations == [0.25]
    assert changed.axis("max_ulp").deviations == [None]


# -- words ----------------------------------------------------------------------------------------


def test_findings_name_what_they_compare(content: Content) -> None:
    found = findings(content)
    assert len(found) >= 3
    specs = {p.spec for p in content.points}
    for one in found:
        assert "workload digits, library generic" in one.scope
        if one.question.startswith("Smallest"):
            assert one.scope.partition(": ")[2] in specs
            assert re.match(r"Of \d+ (multiplier|multiply-add)s, |The only one, ", one.scope)
    multipliers = sum(p.operation.name == "product" for p in content.points)
    assert any(one.scope.startswith(f"Of {multipliers} multipliers") for one in found)


def test_a_title_of_ones_own(folder: Path) -> None:
    title = "Our <chip> & e4m3"
    page = write_report(folder, title=title).read_text()
    assert "<title>hwarith: Our &lt;chip&gt; &amp; e4m3</title>" in page
    assert "<h1>Our &lt;chip&gt; &amp; e4m3</h1>" in page
    assert "--title &#x27;Our &lt;chip&gt; &amp; e4m3&#x27;" in page
    assert json.loads((folder / "results.json").read_text())["title"] == title
    named = (folder / "report.png").read_bytes()
    assert "<h1>Area against error</h1>" in write_report(folder).read_text()
    assert named != (folder / "report.png").read_bytes()


@pytest.mark.parametrize("title", ["", "  ", "two\nlines", "\x1b[2J"])
def test_titles_that_are_none(folder: Path, title: str) -> None:
    with pytest.raises(InvalidInput, match="title of a report must be a line of text, not"):
        report_of(folder, title=title)
