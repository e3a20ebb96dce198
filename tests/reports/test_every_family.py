"""A sweep with a unit of every family: all are measured, and what is not has its reason."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from hwarith.explore import judged, metrics, run_sweep
from hwarith.explore.lanes import per_clock
from hwarith.explore.point import COSTS, Result
from hwarith.explore.sweeps.sweep_file import Sweep
from hwarith.reports import read_content, write_report
from hwarith.reports.model.columns import Y_AXES
from hwarith.reports.model.content import Content
from hwarith.reports.model.summary import findings
from hwarith.units import unit
from hwarith.units.registry import FAMILIES
from tests.explore.fake_flow import FakeFlow
from tests.reports.test_weights_report import no_ink_at_the_sides
from tests.small_units import EXACT, SPECS

POINTS = (
    *SPECS,
    "dotmulti",
    "bstile:pe=(bspe:type=fp4,lanes=2),rows=1,columns=2",
    "decode:out=bf16",
)

IN_THE_NETWORK = {
    "add",
    "anfma",
    "axdot",
    "axmul",
    "axscale",
    "dfpmac",
    "fma",
    "lmul",
    "mul",
    "pam",
}
WITH_ERRORS = FAMILIES.keys() - EXACT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished sweep and its report, with few operands."""
    folder = tmp_path_factory.mktemp("families")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judged, "OPERAND_SETS", 256)
        patch.setattr(metrics, "EXHAUSTIVE_BITS", 8)
        sweep = Sweep(tuple(map(unit, POINTS)), "tests.explore.tiny_workload:SIGNS")
        run_sweep(sweep, folder, flow=FakeFlow())
    write_report(folder)
    return folder


def test_every_family_is_there() -> None:
    assert {unit(spec).family for spec in POINTS} == FAMILIES.keys()


def test_what_a_network_runs_on_and_what_errors_are_known_of(content: Content) -> None:
    families = {p.family: p for p in content.points}
    assert not content.missing
    assert {f for f, p in families.items() if p.result.accuracy is not None} == IN_THE_NETWORK
    measured = {f for f, p in families.items() if p.figures["error_rate"] is not None}
    assert measured == WITH_ERRORS
    for p in content.points:
        assert p.result.counts["counted"] > 0 or p.family not in WITH_ERRORS


def test_no_figure_is_missing_without_a_reason(content: Content, folder: Path) -> None:
    for p in content.points:
        for key, value in p.figures.items():
            reason = p.reason(key)
            assert (reason is None) == (value is not None)
            assert reason is None or (reason and "\n" not in reason and p.spec not in reason)
        assert ("no network: " in p.notes) == (p.family not in IN_THE_NETWORK)
        assert ("no errors: " in p.notes) == (p.family not in WITH_ERRORS)
    by_family = {p.family: p for p in content.points}
    assert by_family["cmp"].reason("mred") == "exact by contract"
    assert by_family["blockquant"].reason("accuracy") == (
        "a network cannot run on operation 'quantization of blocks'"
    )
    assert by_family["add"].reason("bits") == "it is given no two factors"
    rows = list(csv.DictReader((folder / "results.csv").open()))
    assert [row["notes"] for row in rows] == [p.notes for p in content.points]
    page = (folder / "report.html").read_text()
    assert ">Not measured, and why<" in page
    cells = re.findall(r'<td class="[^"]*" data-value=""([^>]*)>', page)
    assert len(cells) > 100
    assert all(cell.startswith(' title="') for cell in cells)


def test_costs_by_what_is_done_in_a_clock(content: Content) -> None:
    for p in content.points:
        share = float(per_clock(p.unit))
        assert p.figures["lane_area"] == pytest.approx(p.figures["area"] / share)
        energy = p.figures["lane_energy"] * float(p.unit.work)
        assert energy == pytest.approx(p.figures["energy"])
    assert content.main_axes == ("lane_area", "mred")  # only few have that of a network


@pytest.mark.parametrize(
    ("spec", "amount", "piece"),
    [
        ("mul:a=bf16", 1, "product"),
        ("dot:a=e4m3fn,n=8", 8, "multiply-add"),
        ("mac:a=bf16", 1, "multiply-add"),
        ("dfpmac", 2, "multiply-add"),
        ("fpint:lanes=4", 4, "multiply-add"),
        ("bspe:type=fp4,lanes=4", 2, "multiply-add"),  # two terms of a weight
        ("bspe:type=int8,lanes=4", 1, "multiply-add"),  # four
        ("bspe:lanes=4", 1, "multiply-add"),  # of mixed types the widest
        ("bstile:pe=(bspe:type=fp4,lanes=4),rows=2,columns=3", 12, "multiply-add"),
        ("bitplane_dot:n=2,m=4,lanes=64", 8, "multiply-add"),
        ("bitplane_dot:n=2,m=4,lanes=64,pi=2,pj=2", 32, "multiply-add"),
        ("engine:pe=(fma:a=bf16,c=fp32,out=fp32),rows=2,columns=3", 6, "multiply-add"),
        ("engine:pe=(dot:a=e4m3fn,n=4),rows=2,columns=3", 24, "multiply-add"),
        ("blockquant:out=mxfp4,a=bf16,n=32", 32, "element"),
        ("hadamard:n=16", 16, "element"),
        ("termgen:type=int8", 0.25, "element"),
        ("cmp:a=bf16", 1, "result"),
    ],
)
def test_what_is_done_in_a_clock(spec: str, amount: float, piece: str) -> None:
    u = unit(spec)
    assert (per_clock(u), u.operation.piece) == (amount, piece)


def test_the_clocks_of_a_group_are_those_of_its_transfers() -> None:
    """What a unit says that it does is what its transfers bring."""
    u = unit("bitplane_dot:n=3,m=2,lanes=8,k=64")
    codes = u.check_operands(([[1] * 64], [[2] * 64]))
    assert 64 / u.work == sum(u.transfers.per_result(codes))
    e = unit("bspe:type=int5,lanes=2")
    steps = e.steps([[0x3C00] * 8], [[1] * 8], type="int5")
    assert 8 / e.work == sum(e.transfers.per_result(e.check_operands(steps)))


def test_the_report_reads_well(content: Content, folder: Path) -> None:
    page = (folder / "report.html").read_text()
    run = sum(p.family in IN_THE_NETWORK for p in content.points)
    assert f"Of {run} of them, on which it can run, the bit-accurate model" in page
    without = sum(p.family in EXACT for p in content.points)
    assert f" {without} of the {len(POINTS)} have no mean relative error" in page
    fronts = re.findall(r"</svg>(front of [^<]*)<", page)
    assert len(fronts) == len(content.compared) < len(content.operations)
    assert "front of multipliers" in fronts
    assert "front of decoders" in fronts
    assert not any(fronts.count(line) > 1 for line in fronts)
    assert no_ink_at_the_sides((folder / "report.png").read_bytes())
    assert set(Y_AXES) & content.columns.keys() == set(content.y_axes)
    assert "8 product" not in page
    smallest = [f for f in findings(content) if f.question.startswith("Smallest decoder")]
    assert len(smallest) == 1
    assert "per element and clock" in smallest[0].detail
    text = re.sub("<script.*?</script>", "", page, flags=re.S)
    assert not re.search(r"\b(None|nan)\b", re.sub("<style.*?</style>", "", text, flags=re.S))


def test_a_sweep_without_any_error_is_about_delay(tmp_path: Path, flow: FakeFlow) -> None:
    run_sweep(["cmp:a=e4m3", "cmp:a=e4m3,op=le"], tmp_path, flow=flow)
    content = read_content(tmp_path)
    assert content.panels == (("area", "delay"), ("area", "depth"))
    page = write_report(tmp_path).read_text()
    assert "<h1>Area against delay</h1>" in page
    assert "No network runs on them" in page


@pytest.mark.long
def test_every_family_is_measured_by_the_real_flow(tmp_path: Path) -> None:
    results: list[Result] = run_sweep(list(POINTS), tmp_path)
    assert len(results) == len(set(POINTS))
    known = {*COSTS} - {"leakage", "bits"}
    for result in results:
        assert not {key for key in known if result.cost[key] is None}, result.spec
        assert result.cost["energy"] > 0
    write_report(tmp_path)
