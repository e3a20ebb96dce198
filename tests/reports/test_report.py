"""The report: its front is a front, its files agree, and its page needs nothing from outside."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hwarith import unit, verilog
from hwarith.exceptions import InvalidInput, MissingTool
from hwarith.explore import run_sweep
from hwarith.explore.metrics import COUNTS, METRICS
from hwarith.explore.point import COSTS, NETWORK
from hwarith.reports import write_report
from hwarith.reports.model.axes import axis
from hwarith.reports.model.columns import PER_LANE, columns, percent, three_digits
from hwarith.reports.model.content import Content
from hwarith.reports.model.front import pareto_front
from hwarith.reports.model.partners import comparisons
from hwarith.reports.model.point import unit_label
from hwarith.reports.model.summary import findings
from hwarith.reports.view.page import data, parts_of, to_html
from hwarith.reports.view.page.sweep import facts
from hwarith.reports.view.picture import to_picture
from hwarith.units.operations import MULTIPLY_ADD, PRODUCT, SUM
from tests.explore.fake_flow import FakeFlow
from tests.explore.fake_sweep import make_sweep, rename_all

SPECS = [
    "mul:a=fp32",
    "mul:a=bf16",
    "mul:a=int8,b=int8,out=int16",
    "mul:a=e4m3fn",
    "lmul:format=bf16",
    "lmul:format=e4m3fn,k=2",
    "fma:a=bf16,b=bf16,c=fp32,out=fp32",
    "add:a=fp32",
]

FIGURES = {k: f for k, f in (COSTS | NETWORK | METRICS).items() if k not in PER_LANE}
"""What a report of units that add up one product shows."""


# -- the front -----------------------------------------------------------------------------------


def test_front_of_a_hand_made_set() -> None:
    costs = [1, 2, 3, 4, 2, 5, None, 0.5, 3]
    errors = [9, 5, 5, 1, 6, 1, 0, None, 5]
    #         f  f  -  f  -  -  no     no  -   (3, 5) is beaten by (2, 5), (5, 1) by (4, 1)
    assert pareto_front(costs, errors) == [0, 1, 3]
    accuracies = [1, 5, 4, 9, 5, 9, 9, 9, 6]
    assert pareto_front(costs, accuracies, higher_is_better=True) == [7]
    assert pareto_front([1, 1, 2], [3, 3, 3]) == [0, 1]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12), st.booleans())
def test_front_by_definition(points: list[tuple[int, int]], higher: bool) -> None:
    sign = -1 if higher else 1

    def beats(p: tuple[int, int], q: tuple[int, int]) -> bool:
        p, q = (p[0], sign * p[1]), (q[0], sign * q[1])
        return p != q and p[0] <= q[0] and p[1] <= q[1]

    expected = {i for i, q in enumerate(points) if not any(beats(p, q) for p in points)}
    found = pareto_front(*zip(*points, strict=True), higher) if points else pareto_front([], [])
    assert set(found) == expected
    assert len(found) == len(expected)


def test_each_operation_has_its_own_front(content: Content) -> None:
    assert content.operations == [PRODUCT, MULTIPLY_ADD, SUM]
    for operation in content.operations:
        front = [content.points[i] for i in content.front("area", "output_error", operation)]
        assert {p.result.operation for p in front} == {operation.name}
        areas, errors = ([p.figures[key] for p in front] for key in ("area", "output_error"))
        assert areas == sorted(areas)
        assert errors == sorted(errors, reverse=True)


# -- the page ------------------------------------------------------------------------------------


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text()


def test_page_loads_nothing_from_outside(folder: Path) -> None:
    page = page_of(folder).replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert "http:" not in page
    assert "https:" not in page
    assert not re.search(r"\b(src|action|srcset)\s*=|@import|url\((?!#)|<link|<iframe", page)
    assert all(target.startswith("#") for target in re.findall(r'href="?([^">]*)', page))
    assert "default-src 'none'" in page
    assert str(folder) not in page


def test_page_says_what_every_figure_means(folder: Path) -> None:
    page = html.unescape(page_of(folder))
    for figure in FIGURES.values():
        assert figure.definition in page
        assert figure.title in page
    for text in COUNTS.values():
        assert text in page
    assert f"hwarith report {folder.name}" in page
    assert "yosys" in page


def test_page_says_why_there_is_no_energy(content: Content) -> None:
    point = content.points[0]
    assert "No energy" not in facts(point)
    point = replace(point, result=replace(point.result, details={"reasons": {"energy": "an FPGA"}}))
    assert facts(point)["No energy"] == "an FPGA"


def test_page_shows_every_point(folder: Path, content: Content) -> None:
    page = page_of(folder)
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert [p["spec"] for p in data["points"]] == [p.result.spec for p in content.points]
    assert {p["label"] for p in data["points"]} == {unit_label(unit(s)) for s in SPECS}
    for key, drawn in data["axes"].items():
        positions = drawn["positions"]
        assert len(positions) == len(SPECS)
        assert all(p is None or drawn["low"] < p < drawn["high"] for p in positions), key
    body = re.search(r'<table id="points".*?<tbody>(.*?)</tbody>', page, re.DOTALL)[1]
    assert body.count("<tr") == len(SPECS)


def test_page_escapes_what_it_shows(folder: Path, content: Content) -> None:
    content.manifest["library"] = "</script><b>.lib"
    try:
        page = to_html(content)
    finally:
        content.manifest["library"] = "generic"
    assert "<b>.lib" not in page


def test_page_names_operations_by_their_text(folder: Path, content: Content) -> None:
    data = json.loads(re.search(r'id="data">(.*?)</script>', page_of(folder), re.DOTALL)[1])
    names = ["product", "multiply-add", "sum"]
    assert list(data["nouns"]) == list(data["dashes"]) == names
    assert list(data["nouns"].values()) == ["multiplier", "multiply-add", "adder"]
    assert len(set(data["dashes"].values())) == len(names)
    assert [p["operation"] for p in data["points"]] == [p.result.operation for p in content.points]


def test_page_of_an_unknown_kind_of_rows() -> None:
    with pytest.raises(TypeError, match="no page is known for rows of the kind list"):
        parts_of([])


def test_unfinished_sweep_says_what_is_missing(tmp_path: Path, flow: FakeFlow) -> None:
    run_sweep(["mul:a=e2m1fn", "mul:a=e2m3fn"], tmp_path, flow=flow)
    next((tmp_path / "points").glob("mul_e2m1fn*")).unlink()
    page = page_of(write_report(tmp_path).parent)
    assert "Missing: mul:a=e2m1fn,b=e2m1fn,out=e2m1fn,round=rne" in page


# -- data and picture ----------------------------------------------------------------------------


def test_details_of_points_come_with_the_sweep(content: Content) -> None:
    point = next(p for p in content.points if p.spec.startswith("mul:a=bf16"))
    bars = point.result.details["histogram"]
    total = sum(bars["counts"]) + bars["exact"] + bars["below"] + bars["above"]
    assert total == point.result.counts["counted"]
    assert -0.5 <= bars["low"] < bars["high"] <= 0.5
    exact = point.result.counts["counted"] * (1 - point.figures["error_rate"])
    assert bars["exact"] == pytest.approx(exact)
    assert facts(point)["Ports"] == "a bf16 (16 bits), b bf16 (16 bits), y bf16 (16 bits)"


def test_csv_and_json_agree(folder: Path) -> None:
    data = json.loads((folder / "results.json").read_text())
    rows = list(csv.DictReader(io.StringIO((folder / "results.csv").read_text())))
    assert len(rows) == len(data["points"]) == len(SPECS)
    assert set(data["figures"]) == {*FIGURES}
    for row, point in zip(rows, data["points"], strict=True):
        assert [row[k] for k in ("spec", "name", "operation")] == [
            point[k] for k in ("spec", "name", "operation")
        ]
        for key in data["figures"]:
            assert (float(row[key]) if row[key] else None) == point[key]
        assert {key: int(row[key]) for key in COUNTS} == point["counts"]
    assert data["workload"]["baseline_accuracy"] == 0.97


def test_every_cost_stands_in_its_own_column(folder: Path) -> None:
    """In all files and in the page, what the flow gave for it."""
    rows = {row["spec"]: row for row in csv.DictReader((folder / "results.csv").open())}
    points = json.loads((folder / "results.json").read_text())["points"]
    page = page_of(folder)
    shown = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    table = re.search(r'<table id="points".*?</table>', page, re.DOTALL)[0]
    heads = re.findall(r"<th [^>]*><button>([^<]*)", table)
    lines = dict(re.findall(r'<tr [^>]*data-name="([^"]*)">(.*?)</tr>', table, re.DOTALL))
    assert len(rows) == len(points) == len(lines) == len(SPECS)
    for point, on_page in zip(points, shown["points"], strict=True):
        u = unit(point["spec"])
        bits = sum(f.bits for f in u.operands.values())
        cells = bits * bits // (4 if u.family == "lmul" else 1)
        costs = {"area": 1.5 * cells, "delay": 2.5 * bits, "energy": 0.25 * bits, "leakage": 3.0}
        costs |= {"cells": cells, "cmos_cells": cells, "transistors": 4 * cells}
        costs |= {"depth": bits, "cmos_path": bits}
        assert {*costs, *PER_LANE, "bits"} == COSTS.keys()
        a, b = list(u.operands.values())[:2]
        costs |= {"bits": (a.bits + b.bits) / 2} if u.family != "add" else {}
        values = [None, None, *re.findall(r'data-value="([^"]*)"', lines[u.name])]
        columns_of_page = {h.strip(): value for h, value in zip(heads, values, strict=True)}
        for key, cost in costs.items():
            assert point[key] == float(rows[u.spec][key]) == cost
            assert float(columns_of_page[columns([])[key].short]) == cost
            written = on_page["text"][key].replace("\N{NARROW NO-BREAK SPACE}", "")
            assert float(written.split()[0]) == pytest.approx(cost, rel=5e-3)


def test_units_of_figures_are_their_own(content: Content) -> None:
    point = content.points[0].result
    units = {"area": "um^2", "delay": "ps", "energy": "fJ"}
    found = columns([replace(point, **{f"{key}_unit": unit for key, unit in units.items()})])
    assert {key: found[key].unit for key in units} == units


def test_page_keeps_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_sweep(tmp_path / "small", 20, [SPECS[0]])
    write_report(folder)
    assert page_of(folder).count('"verilog":"H4sI') == 20
    # Room for the Verilog of half of the points
    monkeypatch.setattr(data, "_VERILOG_ROOM", 100 * len(data._compressed(verilog(SPECS[0]))))
    page = write_report(make_sweep(tmp_path / "large", 200, [SPECS[0]]))
    assert page.stat().st_size < 8e6
    assert 50 < page.read_text().count('"verilog":"H4sI') < 200


def test_parquet_has_types_and_definitions(folder: Path, content: Content) -> None:
    parquet = pytest.importorskip(
        "pyarrow.parquet", reason="pyarrow is not installed (pip install 'hwarith[parquet]')"
    )
    write_report(folder, parquet=True)
    table = parquet.read_table(folder / "results.parquet")
    rows = list(csv.DictReader(io.StringIO((folder / "results.csv").read_text())))
    assert table.column_names == list(rows[0])
    assert table["spec"].to_pylist() == [row["spec"] for row in rows]
    for key in FIGURES:
        found = [None if row[key] == "" else float(row[key]) for row in rows]
        assert table[key].to_pylist() == found
        meaning = table.schema.field(key).metadata[b"definition"].decode()
        assert meaning == content.columns[key].definition


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    folder = make_sweep(tmp_path / "sweep", 3)
    with pytest.raises(MissingTool, match=r"pyarrow.* pip install 'hwarith\[parquet\]'"):
        write_report(folder, parquet=True)
    assert {path.name for path in folder.iterdir()} == {"points", "sweep.json"}


def test_svg_has_every_name_and_is_the_same_each_time(folder: Path, content: Content) -> None:
    picture = to_picture(content).svg
    assert picture == to_picture(content).svg == (folder / "report.svg").read_bytes()
    root = ElementTree.fromstring(picture)
    assert root.tag.endswith("}svg")
    assert len(root.findall(".//{*}path")) > 2 * len(SPECS)
    assert str(folder).encode() not in picture


def test_picture_is_drawn_with_its_points(folder: Path) -> None:
    pixels = np.asarray(Image.open(folder / "report.png").convert("RGB"))
    assert pixels.shape[1] >= 2000
    for colour in ((0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00)):  # fp32 and bf16
        assert (pixels == colour).all(axis=2).sum() > 100


def test_folder_without_points(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"holds no sweep \(sweep.json\)"):
        write_report(tmp_path)
    with pytest.raises(InvalidInput, match="holds no sweep"):
        write_report(tmp_path / "none")


# -- words and numbers ---------------------------------------------------------------------------


def test_approximate_units_stand_beside_exact_ones(content: Content) -> None:
    pairs = {p.approximate.label: p for p in comparisons(content)}
    assert set(pairs) == {"lmul bf16 k=7", "lmul e4m3fn k=2"}
    assert pairs["lmul bf16 k=7"].exact.label == "mul bf16"
    assert pairs["lmul bf16 k=7"].ratio("area") == 0.25


def test_findings_follow_from_the_points(content: Content) -> None:
    found = {f.question: f for f in findings(content)}
    smallest = found[
        "Smallest multiplier with a network output error up to 1\N{NARROW NO-BREAK SPACE}%"
    ]
    products = [p for p in content.points if p.result.operation == "product"]
    good = [p for p in products if (p.result.output_error or 1) <= 0.01]
    assert smallest.answer == min(good, key=lambda p: p.figures["area"]).label == "mul bf16"
    assert any("25 % of the area" in f.answer for f in found.values())


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ("mul:a=e4m3fn,b=e4m3fn,out=bf16", "mul e4m3fn → bf16"),
        ("mul:a=e4m3fn,b=e5m2,out=e4m3fn,round=rtz", "mul e4m3fn·e5m2 → e4m3fn round=rtz"),
        ("fma:a=bf16,b=bf16,c=bf16,out=bf16,stages=2", "fma bf16 stages=2"),
        ("fma:a=int8,b=int8,c=int32,out=int32", "fma int8 + int32"),
        ("lmul:format=bf16,k=3", "lmul bf16 k=3"),
        ("add:a=fp32", "add fp32"),
    ],
)
def test_labels(spec: str, label: str) -> None:
    assert unit_label(unit(spec)) == label


def test_numbers_for_readers() -> None:
    space = "\N{NARROW NO-BREAK SPACE}"
    assert [percent(x) for x in (0, 0.0442, 1.57e-8)] == [
        "0" + space + "%",
        "4.42" + space + "%",
        "1.57·10⁻⁸",
    ]
    assert [three_digits(x) for x in (0.001234, 123456, -2.5)] == [
        "0.00123",
        "1.23·10⁵",
        "\N{MINUS SIGN}2.50",
    ]
    assert columns([])["area"].write(10986.4) == f"10{space}986"
    assert columns([])["sqnr"].write(None) == "\N{EN DASH}"


def test_log_axis_has_a_place_for_zero() -> None:
    made = axis(columns([])["mred"], [0.0, 0.02, 0.5, None])
    assert made.is_log
    assert made.tick_labels[0] == "0"
    assert made.positions == [made.ticks[0], 0.02, 0.5, None]
    assert 0 < made.low < made.ticks[0] < 0.02 < 0.5 < made.high


def test_linear_axis_has_a_place_for_what_is_exact() -> None:
    made = axis(columns([])["sqnr"], [20.0, 150.0, float("inf")])
    assert not made.is_log
    assert made.tick_labels[-1] == "exact"
    assert 150 < made.positions[-1] < made.high


@pytest.mark.parametrize("name", ["<!--<script></script>", "<\\/ &lt; \\u003c"])
def test_no_name_is_markup(tmp_path: Path, name: str) -> None:
    """In the data of the script there is no ``<`` at all, and outside of it no tag of a name."""
    folder = make_sweep(tmp_path / "sweep", 3)
    rename_all(folder, name)
    page = write_report(folder).read_text()
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert "<" not in data[1]
    point = json.loads(data[1])["points"][0]["details"]
    assert point["path"] == [name, name]
    assert point["cells"] == {name: 3, "NAND2": 1}
    elsewhere = page.replace(data[0], "")
    assert html.escape(name) in elsewhere
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "<!--" not in page
