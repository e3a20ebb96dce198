"""A workload of the user's own, in one file outside the package, wherever a workload is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.explore import evaluate, run_sweep
from hwarith.explore.compare import compare
from hwarith.explore.point import measure
from hwarith.explore.sweeps.sweep_file import Sweep, read_sweep
from hwarith.explore.sweeps.worker import ask_all
from hwarith.explore.workloads import Workload, workload
from hwarith.reports import write_report
from tests.explore.fake_flow import FakeFlow
from tests.explore.tiny_workload import SIGNS

NAME = "tests.explore.tiny_workload:SIGNS"
SPECS = ("mul:a=e2m1fn", "fma:a=bf16,c=fp32,out=fp32")


def test_a_sweep_of_it_and_its_report(flow: FakeFlow, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'workload = "{NAME}"\npoints = {json.dumps(SPECS)}\n')
    assert read_sweep(file).workload == NAME
    narrow, wide = run_sweep(file, tmp_path / "sweep", flow=flow)
    assert (wide.accuracy, wide.counts["operand_sets"]) == (1, 8 * 8 * 4)
    assert 0 < wide.output_error < 0.01 < narrow.output_error
    page = write_report(tmp_path / "sweep").read_text()
    assert SIGNS.summary in page
    assert "One sign more or less is 1.6 points of accuracy" in page
    assert "exact arithmetic gets 100.0 % right" in page
    assert "within one point of exact&#x27;s accuracy" in page
    assert '"baseline":{"name":"exact","accuracy":1.0}' in page
    assert "<!-- exact -->" in (tmp_path / "sweep" / "report.svg").read_text()
    for file in ("report.html", "results.json", "report.svg"):
        assert b"float64" not in (tmp_path / "sweep" / file).read_bytes()
    data = json.loads((tmp_path / "sweep" / "results.json").read_text())
    assert data["workload"] == {
        "name": "signs",
        "summary": SIGNS.summary,
        "sha256": SIGNS.digest,
        "baseline": "exact",
        "baseline_accuracy": 1.0,
    }


def test_it_is_compared_by_name_and_as_an_object(flow: FakeFlow) -> None:
    (found,) = compare([SPECS[1]], workload=SIGNS, flow=flow)
    operands = SIGNS.run(hw.unit(SPECS[1])).operands
    assert (found.accuracy, found.evaluation) == (1, evaluate(SPECS[1], operands))
    assert [*compare([SPECS[1]], workload=NAME, flow=flow)] == [found]
    result = measure(hw.unit(SPECS[1]), SIGNS, "generic", flow)
    assert result.output_error == found.output_error


def test_its_operands_give_the_same_results() -> None:
    u = hw.unit(SPECS[1])
    a, b, c = SIGNS.run(u).operands
    steps = u(a, b, c).reshape(-1, 4)
    assert (steps[:, :-1] == c.reshape(-1, 4)[:, 1:]).all()
    assert np.isfinite(u.out.decode(steps)).all()


def test_worker_processes_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told that it cannot run on the unit, by the workload itself."""
    monkeypatch.setenv("HWARITH_CACHE", str(tmp_path))
    spec = "cmp:a=e2m1fn"
    request = {"spec": spec, "file": "a.json", "workload": NAME, "library": "generic"}
    ((_, answer),) = ask_all([request], jobs=1)
    reason = answer["result"]["details"]["reasons"]["network"]
    assert reason == "a network cannot run on operation 'comparison'"


def test_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from tests.explore.tiny_workload import SIGNS as OWN\n")
    paths = (str(tmp_path), str(Path(hw.__file__).parent.parent))
    done = subprocess.run(
        [sys.executable, "-m", "hwarith", "compare", "cmp:a=bf16", "--workload", "mine:OWN"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "a network cannot run on operation" in done.stderr


def test_its_code_is_part_of_a_points_key(
    flow: FakeFlow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "changing_workload.py"
    monkeypatch.syspath_prepend(tmp_path)
    text = "from tests.explore.tiny_workload import SIGNS\n"
    for content, measured in ((text, 1), (text, 1), (text + "# another\n", 2)):
        file.write_text(content)
        sweep = Sweep((hw.unit(SPECS[0]),), "changing_workload:SIGNS")
        run_sweep(sweep, tmp_path / "sweep", flow=flow)
        assert len(flow.asked) == measured


class Unfinished:
    name = summary = digest = "unfinished"


UNFINISHED = Unfinished()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:X", "'no_such_module' cannot be imported: ModuleNotFoundError"),
        ("tests.explore.tiny_workload:SIGN", "'tests.explore.tiny_workload' has no 'SIGN'"),
        ("tests.explore.tiny_workload:Signs", "must be an object, not the class Signs"),
        (f"{__name__}:UNFINISHED", "is no workload; it has no count, baseline_accuracy, run,"),
        ("__main__:X", "give the module's own name; other processes import it"),
        (":", "module '' cannot be imported: ValueError"),
    ],
)
def test_what_is_no_workload_is_said_in_one_line(name: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=f"^workload '{name}'.*{message}") as caught:
        workload(name)
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidInput, match=message):
        Sweep((hw.unit("mul:a=bf16"),), name)


def test_all_members_must_be_there() -> None:
    with pytest.raises(TypeError, match="abstract"):
        type("Nothing", (Workload,), {})()
