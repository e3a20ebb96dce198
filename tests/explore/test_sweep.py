"""Sweeps: nothing is done twice, nothing finished is lost, and every failure is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput, ToolFailure
from hwarith.explore import run_sweep
from hwarith.explore.point import measure
from hwarith.explore.sweeps import store, worker
from hwarith.explore.workloads import workload
from hwarith.flow import workers
from hwarith.units import Unit, unit

SPECS = ["mul:a=e2m1fn", "mul:a=e2m3fn", "mul:a=e3m2fn", "mul:a=e4m3fn"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(hw.__file__).parent.parent)}


def names(results: list) -> list[str]:
    return [r.name for r in results]


def test_results_come_in_order_and_are_not_computed_twice(flow, tmp_path: Path) -> None:
    first = run_sweep(SPECS, tmp_path, flow=flow)
    assert names(first) == [unit(spec).name for spec in SPECS]
    assert sorted(flow.asked) == sorted(unit(spec).spec for spec in SPECS)
    assert first[0].cost["cmos_cells"] == 64
    assert run_sweep(SPECS, tmp_path, flow=flow) == first
    assert len(flow.asked) == len(SPECS)


def test_a_repeat_needs_neither_numba_nor_synthesis(flow, tmp_path: Path) -> None:
    run_sweep(SPECS, tmp_path, flow=flow)
    script = (
        "import sys\nfrom hwarith.explore import run_sweep\n"
        f"print(len(run_sweep({SPECS!r}, {str(tmp_path)!r})),"
        " 'numba' in sys.modules, 'hwarith.flow.synthesis.synthesize' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (f"{len(SPECS)} False False\n", "")


def test_interrupted_sweep_goes_on(flow, tmp_path: Path) -> None:
    def interrupt(u: Unit) -> None:
        if u.a.name == "e3m2fn":  # the third: wide units go first
            raise KeyboardInterrupt

    flow.before = interrupt
    with pytest.raises(
        KeyboardInterrupt, match=r"2 of 4 points are kept in .*the next run goes on"
    ):
        run_sweep(SPECS, tmp_path, flow=flow)
    before = list(flow.asked)
    flow.before = lambda u: None
    run_sweep(SPECS, tmp_path, flow=flow)
    assert len(before) == 2
    assert sorted(flow.asked) == sorted(unit(spec).spec for spec in SPECS)


def test_failing_points_are_named_and_the_others_kept(flow, tmp_path: Path) -> None:
    def fail(u: Unit) -> None:
        if u.a.name == "e3m2fn":
            raise ToolFailure("yosys failed with exit status 1: no luck")

    flow.before = fail
    with pytest.raises(ToolFailure, match=r"1 of 4 points failed: mul:a=e3m2fn.*no luck"):
        run_sweep(SPECS, tmp_path, flow=flow)
    assert len(list((tmp_path / "points").iterdir())) == 3


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"spec": 1}'])
def test_a_damaged_point_is_done_again(flow, tmp_path: Path, damage: str) -> None:
    first = run_sweep(SPECS[:1], tmp_path, flow=flow)
    (file,) = (tmp_path / "points").iterdir()
    file.write_text(damage)
    again = run_sweep(SPECS[:1], tmp_path, flow=flow)
    assert again[0].metrics == first[0].metrics
    assert len(flow.asked) == 2


def test_versions_are_in_the_manifest(flow, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("hwarith.flow.tools.versions", lambda: {"yosys": "0.99"})
    run_sweep(SPECS[:1], tmp_path, flow=flow)
    manifest = json.loads((tmp_path / store.MANIFEST).read_text())
    assert manifest["versions"] == {"yosys": "0.99"}


def test_bad_folder_and_jobs(flow, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"output folder .*file is a file"):
        run_sweep(SPECS, tmp_path / "file", flow=flow)
    with pytest.raises(InvalidInput, match="jobs must be 1 or more, not 0"):
        run_sweep(SPECS, tmp_path, jobs=0)
    with pytest.raises(InvalidInput, match="unknown unit 'mull'"):
        run_sweep([*SPECS, "mull:a=bf16"], tmp_path / "new", flow=flow)
    assert not (tmp_path / "new").exists()


# -- worker processes ----------------------------------------------------------------------------


def test_workers_do_the_whole_path(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path / "cache"))
    results = run_sweep(SPECS[:2], tmp_path, jobs=2)
    assert names(results) == [unit(spec).name for spec in SPECS[:2]]
    assert all(r.cost["area"] > 10 for r in results)
    assert all(r.accuracy > 0.5 for r in results)
    parts = results[0].details["breakdown"]["parts"]
    assert sum(part["share"] for part in parts) == pytest.approx(1)


@pytest.mark.parametrize(
    ("library", "units"), [("generic", ("GE", "NAND2", "NAND2")), ("ice40", ("LUT", None, None))]
)
def test_a_point_has_the_costs_of_its_library(library, units) -> None:
    u = unit("anfma:a=e4m3fn,w=8")
    result, cost = measure(u, "digits", library), hw.synthesize(u, library)
    assert (result.area_unit, result.delay_unit, result.energy_unit) == units
    if library == "ice40":
        assert (result.cost["area"], result.cost["energy"]) == (cost.luts, None)
        assert "energy needs a library of cells" in result.details["reasons"]["energy"]
        assert "breakdown" not in result.details
    else:
        assert result.cost["area"] == cost.area
        spent = hw.energy(u, *workload("digits").run(u).operands)
        assert (result.cost["energy"], result.cost["leakage"]) == (spent.energy, None)


def test_a_worker_that_dies_costs_its_point_only(monkeypatch) -> None:
    monkeypatch.setattr(
        workers,
        "_START",
        "import os, sys\n"
        "for line in sys.stdin:\n"
        "    if 'die' in line: print('no memory', file=sys.stderr, flush=True); os._exit(3)\n"
        "    print('{\"result\": 1}', flush=True)\n",
    )
    answers = dict(worker.ask_all([{"spec": s} for s in ("a", "die", "b", "die")], jobs=1))
    assert answers[0] == answers[2] == {"result": 1}
    assert answers[1] == answers[3] == {"error": "its process ended with status 3 no memory"}


def test_mistakes_in_a_worker_come_back_as_messages() -> None:
    requests = [
        {"spec": "mull:a=bf16", "file": "a.json", "workload": "digits", "library": "generic"},
        {"spec": "mul:a=bf16", "file": "b.json", "workload": "digits"},
    ]
    answers = dict(worker.ask_all(requests, jobs=1))
    assert answers[0]["error"].startswith("unknown unit 'mull'")
    assert answers[1]["error"].startswith("KeyError: 'library' (")


def test_stopping_ends_a_worker_and_all_that_it_runs() -> None:
    busy = worker.Worker()
    busy.ask(
        {
            "spec": "fma:a=fp32,c=fp32,out=fp32",
            "file": "c.json",
            "workload": "digits",
            "library": "generic",
        }
    )
    time.sleep(1)
    busy.interrupt()
    busy.end()
    assert any(is_gone(busy._process.pid) for _ in range(100))  # the killed are there for a moment


def is_gone(group: int) -> bool:
    """Whether no process of a group is there any more; if one is, after a moment."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    time.sleep(0.1)
    return False
