"""The report of a sweep with dot products: costs per multiply-add, blocks by their names."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from hwarith.explore.lanes import bits_of_factors, per_clock
from hwarith.explore.sweeps.sweep import run_sweep
from hwarith.reports.model.content import Content, read_content
from hwarith.reports.model.point import unit_label
from hwarith.reports.model.summary import findings
from hwarith.units import unit
from hwarith.units.operations import DOT_PRODUCT_WITH_ADDEND
from tests.explore.fake_flow import FakeFlow

SPECS = (
    "fma:a=e4m3fn,c=fp32,out=fp32",
    "add:a=fp32",
    "dot:a=e4m3fn,n=32",
    "dot:a=e4m3fn,n=32,acc=trunc-13",
    "dot:a=e2m1fn,n=16,scale=ue4m3",
)


def test_costs_are_per_multiply_add(folder: Path) -> None:
    rows = {row["spec"]: row for row in csv.DictReader((folder / "results.csv").open())}
    expected = zip(SPECS, (1, 1, 32, 32, 16), (8.0, None, 8.0, 8.0, 4.5), strict=True)
    for spec, lanes, bits in expected:
        row = rows[unit(spec).spec]
        for key in ("area", "energy"):
            assert float(row[key]) == lanes * float(row[f"lane_{key}"])
        assert (float(row["bits"]) if row["bits"] else None) == bits


def test_dots_stand_on_a_front_by_equal_work(content: Content, folder: Path) -> None:
    assert content.main_axes == ("lane_area", "output_error")
    assert content.operations[-1] is DOT_PRODUCT_WITH_ADDEND
    front = content.front(*content.main_axes, DOT_PRODUCT_WITH_ADDEND)
    assert {content.points[i].family for i in front} == {"dot"}
    found = findings(content)
    assert any("dot product" in f.question and "per multiply-add" in f.detail for f in found)
    page = (folder / "report.html").read_text()
    assert "A dot product does the work of n multiply-adds" in page
    assert re.search(r'<option value="lane_area" selected>Area per multiply-add', page)


def test_blocks_have_their_names(content: Content) -> None:
    labels = {p.label: p.format for p in content.points}
    assert labels["dot e4m3fn + fp32 n=32"] == "e4m3fn"
    assert labels["fma e4m3fn + fp32"] == "e4m3fn"
    (nvfp4,) = (label for label, name in labels.items() if name == "nvfp4")
    assert nvfp4 == "dot e2m1fn + fp32 n=16 scale=ue4m3"
    assert "dot e4m3fn + fp32 n=32 acc=trunc-13" in labels
    options = "n=4 scale=e8m0fnu block=2 acc=trunc-13 floor=-133"
    odd = unit(f"dot:a=int8,{options.replace(' ', ',')}")
    assert unit_label(odd) == f"dot int8 + fp32 {options}"


def test_a_truncated_dot_stands_beside_the_exact_one(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    (table,) = re.findall(r"Approximate units beside exact ones.*?</table>", page, re.DOTALL)
    assert "acc=exact, not trunc-13<" in table


def test_without_dots_there_is_nothing_per_lane(tmp_path: Path) -> None:
    run_sweep(["mul:a=e4m3fn"], tmp_path, flow=FakeFlow())
    content = read_content(tmp_path)
    assert content.main_axes == ("area", "output_error")
    assert not {"lane_area", "lane_energy"} & content.columns.keys()
    assert "bits" in content.columns


def test_what_a_unit_does() -> None:
    assert per_clock(unit("dot:preset=b200-nvfp4")) == 64
    assert bits_of_factors(unit("dot:preset=b200-nvfp4")) == 4.5
    assert bits_of_factors(unit("dot:a=int8,b=e2m1fn,scale=e8m0fnu")) == 6.25
    assert bits_of_factors(unit("anfma:a=bf16")) == 16
