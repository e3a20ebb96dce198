"""The report of types of weights: its page, its files, its pictures."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hwarith.explore.weights import (
    METHOD,
    WEIGHT_FIGURES,
    WeightResult,
    digits,
    family,
    measure_weights,
    read_weights,
    weight_types,
)
from hwarith.reports import WeightRows, weight_rows, write_weights_report
from hwarith.reports.model.axes import axis
from hwarith.reports.view.picture import to_picture
from hwarith.reports.view.style import mark
from hwarith.units.operations import DOT_PRODUCT
from tests.explore.fake_weights import TYPES, measured_rows


@pytest.fixture(scope="module")
def rows() -> WeightRows:
    return measured_rows()


@pytest.fixture(scope="module")
def folder(rows: WeightRows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("types")
    assert write_weights_report(rows, path) == path / "report.html"
    return path


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text().replace("http://www.w3.org/2000/svg", "")


def test_page_shows_every_row_and_definition(folder: Path, rows: WeightRows) -> None:
    raw = page_of(folder)
    assert not re.search(r"https?:|\b(src|action|srcset)\s*=|@import|url\((?!#)|<link", raw)
    data = json.loads(re.search(r'id="data">(.*?)</script>', raw, re.DOTALL)[1])
    assert [p["label"] for p in data["points"]] == [row.label for row in rows.rows]
    assert data["points"][0]["spec"] == "bspe:type=int4,lanes=4"
    for key, drawn in data["axes"].items():
        assert all(p is None or drawn["low"] < p < drawn["high"] for p in drawn["positions"]), key
    page = html.unescape(raw)
    for figure in WEIGHT_FIGURES.values():
        assert figure.definition in page
        assert figure.title in page
    for text in METHOD:
        assert text in page
    for reason, names in rows.reasons.items():
        assert f"<dt>{', '.join(names)}</dt><dd>{reason[0].upper()}{reason[1:]}.</dd>" in page
    assert f"hwarith weights {' '.join(TYPES)} --group 32 -o {folder.name}" in page


def test_table_has_a_row_for_each_result(rows: WeightRows) -> None:
    table = rows.table()
    assert [row["type"] for row in table] == [row.result.type for row in rows.rows]
    assert [row["PE"] for row in table] == [row.result.pe for row in rows.rows]
    areas = (row.figures["area"] for row in rows.rows)
    assert [row["Area (GE)"] for row in table] == [a and float(f"{a:.4g}") for a in areas]


def test_front_has_no_row_that_another_beats(rows: WeightRows) -> None:
    front = {rows.rows[i].label for i in rows.front(*rows.main_axes, DOT_PRODUCT)}
    x, y = rows.main_axes
    points = {r.label: (r.figures[x], r.figures[y]) for r in rows.rows}
    there = {label: p for label, p in points.items() if None not in p}
    assert len(there) == len(points) - 2  # int4_asym and flint4 have no processing element
    for label, p in there.items():
        beaten = any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in there.values())
        assert (label in front) == (not beaten)
    assert front <= set(there)


def test_csv_and_json_agree(folder: Path, rows: WeightRows) -> None:
    data = json.loads((folder / "results.json").read_text())
    lines = list(csv.DictReader(io.StringIO((folder / "results.csv").read_text())))
    assert len(lines) == len(data["rows"]) == len(rows.rows)
    assert set(data["figures"]) == set(WEIGHT_FIGURES)
    for line, row in zip(lines, data["rows"], strict=True):
        assert line["type"] == row["type"]
        for key in data["figures"]:
            assert (float(line[key]) if line[key] else None) == row[key]
    assert data["weights"]["number"] == 24 * 64 + 16 * 24 + 10 * 16
    assert data["weights"]["baseline"] == "float64"
    assert data["weights"]["baseline_accuracy"] == 0.97


def test_picture_is_drawn_with_its_points(folder: Path) -> None:
    pixels = np.asarray(Image.open(folder / "report.png").convert("RGB"))
    there = [mark(name).colour for name in ("16 bits", "8 bits")]
    for colour in ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in there):
        assert (pixels == colour).all(axis=2).sum() > 100


def results_of_all_types() -> list[WeightResult]:
    figures = dict.fromkeys(WEIGHT_FIGURES, 1.0)
    return [
        WeightResult(k.name, family(k), k.bits, 32, "a", "b", None, figures) for k in weight_types()
    ]


def test_all_types_are_told_apart() -> None:
    results = results_of_all_types()
    rows = weight_rows(results, digits(), 32).rows
    assert len({row.name for row in rows}) == len(rows) == len(results)
    sizes = {row.format for row in rows}
    assert len({mark(size) for size in sizes}) == len(sizes)


@pytest.mark.long
def test_legend_of_all_types_has_room() -> None:
    results = results_of_all_types()
    assert no_ink_at_the_sides(to_picture(weight_rows(results, digits(), 32)).png)


def no_ink_at_the_sides(png: bytes) -> bool:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    ink = (pixels < 128).any(axis=2).any(axis=0)
    return not ink[:4].any() and not ink[-4:].any()


def test_narrow_log_axis_has_ticks(rows: WeightRows) -> None:
    made = axis(rows.columns["area_per_throughput"], [1712.0, 4334.0])
    assert made.ticks == [1500, 2000, 3000, 4000, 5000]
    assert axis(rows.columns["area"], [150.0, 4334.0]).ticks == [200, 500, 1000, 2000, 5000]


def test_report_of_own_weights(tmp_path: Path) -> None:
    path = tmp_path / "<b>.npy"
    np.save(path, np.random.default_rng(3).standard_normal((2, 32)))
    own = read_weights(path)
    names = ("flint4", "nupes4")  # none has a processing element
    rows = weight_rows(measure_weights(names, own, 16), own, 16, names)
    assert rows.main_axes == ("bits", "nmse")
    page = page_of(write_weights_report(rows, tmp_path / "out").parent)
    assert "<b>.npy" not in page
    assert "accuracy" not in json.loads((tmp_path / "out" / "results.json").read_text())["figures"]
    assert "--weights '<b>.npy' --group 16 -o out" in html.unescape(page)
