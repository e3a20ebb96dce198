"""Sweeps that are killed, or run out of disk: what was finished stays, and nothing is damaged."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hwarith.explore import run_sweep
from hwarith.explore.sweeps.store import FAILURES, read_sweep_folder
from tests.explore.test_sweep import ENVIRONMENT

QUICK = Path(__file__).parent / "quick_workers.py"
SPECS = [f"mul:a=e{e}m{m},out=e{e}m{m}" for e in range(3, 8) for m in range(2, 8)]


class Sweeps:
    """Sweeps of quick points, each a process of its own, with a cache folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "quick.toml"
        self.file.write_text(f"points = {json.dumps(SPECS)}")
        self.log = folder / "log"
        self.cache = folder / "cache"
        self.environment = {
            **ENVIRONMENT,
            "HWARITH_CACHE": str(self.cache),
            "QUICK_LOG": str(self.log),
        }

    def start(self, output: Path, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(QUICK), str(self.file), "-o", str(output), *options]
        return subprocess.Popen(
            command, env=self.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, output: Path, *options: str) -> tuple[int, str]:
        """Exit status, and what was said on standard error."""
        process = self.start(output, *options)
        said = process.communicate(timeout=120)[1]
        return process.returncode, said

    def measured(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []


@pytest.fixture
def sweeps(tmp_path: Path) -> Sweeps:
    return Sweeps(tmp_path)


def table(folder: Path) -> list[dict[str, Any]]:
    """The results of a folder, which must hold all points, without the time they took."""
    _, results, missing = read_sweep_folder(folder)
    assert missing == []
    return [{**r.as_dict(), "seconds": 0} for r in results]


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def kill(*pids: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.long
@pytest.mark.parametrize("kills", [2, 20])
def test_killed_at_random_moments(kills: int, sweeps: Sweeps, tmp_path: Path) -> None:
    dice = random.Random(5)
    specs = [f"mul:a=e{e}m{m},out=e{e}m{m}" for e in range(3, 10) for m in range(2, 18)]
    specs = specs[-10 * kills :]
    sweeps.file.write_text(f"points = {json.dumps(specs)}")
    sweeps.environment["QUICK_SECONDS"] = "0.05"
    begun = time.perf_counter()
    assert sweeps.run(tmp_path / "undisturbed", "--jobs", "2") == (0, "")
    lasts = time.perf_counter() - begun
    shutil.rmtree(sweeps.cache / "points")
    sweeps.log.unlink()
    in_the_middle = 0
    for i in range(kills):
        output = tmp_path / f"killed{i % 2}"  # two folders, which share what is finished
        process = sweeps.start(output, "--jobs", "2")
        before = len(sweeps.measured())
        if dice.random() < 0.25:  # at any time, perhaps before the first point
            time.sleep(dice.uniform(0, 0.5) * lasts)
        else:  # after some points, however fast the machine is
            more = dice.randint(1, max(1, (len(specs) - before) // 2))
            while len(sweeps.measured()) < before + more and process.poll() is None:
                time.sleep(0.005)
        if dice.random() < 0.3:
            kill(*children(process.pid)[:1])
            time.sleep(dice.uniform(0, 0.1) * lasts)
        in_the_middle += before < len(sweeps.measured()) < len(specs)
        kill(process.pid, *(children(process.pid) if dice.random() < 0.5 else []))
        process.communicate(timeout=60)
        for path in output.glob("points/*.json"):
            assert json.loads(path.read_text())["spec"] in table_specs(output)
    for i in range(2):
        assert sweeps.run(tmp_path / f"killed{i}", "--jobs", "2") == (0, "")
        assert table(tmp_path / f"killed{i}") == table(tmp_path / "undisturbed")
    assert in_the_middle >= kills // 4
    # What is measured twice was under way when its sweep was killed: at most one for each worker
    assert len(specs) <= len(sweeps.measured()) <= len(specs) + 2 * kills


def table_specs(folder: Path) -> list[str]:
    return [p["spec"] for p in json.loads((folder / "sweep.json").read_text())["points"]]


@pytest.mark.long
def test_only_what_is_new_is_measured(sweeps: Sweeps, tmp_path: Path) -> None:
    sweeps.file.write_text(f"points = {json.dumps(SPECS[:5])}")
    assert sweeps.run(tmp_path / "a") == (0, "")
    assert len(sweeps.measured()) == 5
    sweeps.file.write_text(f"points = {json.dumps(SPECS[2:9])}")
    assert sweeps.run(tmp_path / "b") == (0, "")
    assert len(sweeps.measured()) == 9
    shutil.rmtree(sweeps.cache / "points")
    assert sweeps.run(tmp_path / "b") == (0, "")
    assert len(sweeps.measured()) == 9
    assert table_specs(tmp_path / "b") == [r["spec"] for r in table(tmp_path / "b")]


@pytest.mark.long
def test_what_is_cached_needs_no_worker(
    sweeps: Sweeps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweeps.run(tmp_path / "a") == (0, "")
    monkeypatch.setenv("HWARITH_CACHE", str(sweeps.cache))
    monkeypatch.setattr("hwarith.explore.sweeps.worker.Worker", lambda: pytest.fail("a worker"))
    assert len(run_sweep(sweeps.file, tmp_path / "b")) == len(SPECS)
    assert table(tmp_path / "b") == table(tmp_path / "a")


def test_a_killed_worker_costs_its_point_until_the_next_run(sweeps: Sweeps, tmp_path: Path) -> None:
    sweeps.environment["QUICK_SECONDS"] = "0.3"
    sweeps.file.write_text(f"points = {json.dumps(SPECS[:6])}")
    process = sweeps.start(tmp_path / "out", "--jobs", "1")
    while not sweeps.measured():
        assert process.poll() is None
        time.sleep(0.02)
    kill(children(process.pid)[0])
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert "1 of 6 points failed: mul:" in said
    assert said.count("its process ended with status -9") == said.count("\n") == 1
    failures = json.loads((tmp_path / "out" / FAILURES).read_text())
    assert list(failures.values()) == ["its process ended with status -9"]
    sweeps.environment["QUICK_SECONDS"] = "0"
    assert sweeps.run(tmp_path / "out") == (0, "")
    assert not (tmp_path / "out" / FAILURES).exists()


def test_ctrl_c_keeps_what_is_finished(sweeps: Sweeps, tmp_path: Path) -> None:
    sweeps.environment["QUICK_SECONDS"] = "0.1"
    # A shell that runs the tests in the background has SIGINT ignored, and children inherit it
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = sweeps.start(tmp_path / "out", "--jobs", "2")
    signal.signal(signal.SIGINT, inherited)
    points = tmp_path / "out" / "points"
    while not list(points.glob("*.json")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    kept = len(list(points.iterdir()))
    assert process.returncode == 130
    assert said == (
        f"hwarith: sweep interrupted: {kept} of {len(SPECS)} points are kept in "
        f"{tmp_path / 'out'}; the next run goes on from them\n"
    )
    assert 1 <= kept < len(SPECS)


@pytest.mark.long
def test_full_disk(sweeps: Sweeps, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no mount: {error}")
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
    try:
        status, said = sweeps.run(small / "out")
        assert status == 2
        assert said.count("\n") == 1
        assert said.endswith("cannot be written: No space left on device\n")
        kept = len(list((small / "out" / "points").glob("*.json")))
        assert 0 < kept < len(SPECS)
        subprocess.run(["mount", "-o", "remount,size=1M", str(small)], check=True)
        assert sweeps.run(small / "out") == (0, "")
        assert len(table(small / "out")) == len(SPECS)
        assert len(sweeps.measured()) <= len(SPECS) + os.cpu_count()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_quiet_in_a_pipe_and_failures_in_short(sweeps: Sweeps, tmp_path: Path) -> None:
    sweeps.environment["QUICK_LOG"] = str(tmp_path / "no" / "log")
    status, said = sweeps.run(tmp_path / "out")
    assert status == 2
    assert said.count("\n") == 1
    assert f"{len(SPECS)} of {len(SPECS)} points failed: mul:" in said
    assert said.count("FileNotFoundError") == 3
    assert said.endswith(f"; 27 more in {tmp_path}/out/failures.json\n")
    assert len(json.loads((tmp_path / "out" / FAILURES).read_text())) == len(SPECS)


def test_progress_on_a_terminal(sweeps: Sweeps, tmp_path: Path) -> None:
    sweeps.environment |= {"TERM": "xterm", "COLUMNS": "100", "QUICK_SECONDS": "0.1"}
    terminal, end = os.openpty()
    command = [sys.executable, str(QUICK), str(sweeps.file), "-o", str(tmp_path / "out")]
    process = subprocess.Popen(
        command, env=sweeps.environment, stderr=end, stdout=subprocess.DEVNULL
    )
    os.close(end)
    said = b""
    with contextlib.suppress(OSError):  # what the other end's being closed is
        while chunk := os.read(terminal, 4096):
            said += chunk
    os.close(terminal)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode())
    assert re.search(r"sweep .* [1-9]\d*/30 +0:00:\d\d +left +0:00:\d\d", text)
    assert "30/30" in text
