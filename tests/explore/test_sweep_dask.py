"""Sweeps on a Dask cluster: a real scheduler and two worker processes on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwarith.exceptions import InvalidInput, MissingTool, ToolFailure
from hwarith.explore import run_sweep
from hwarith.explore.sweeps import cluster
from tests.explore.test_sweep_kill import SPECS, Sweeps, children, kill, sweeps, table

__all__ = ["sweeps"]

pytest.importorskip("distributed", reason="Dask is not installed (pip install 'hwarith[dask]')")


class Cluster:
    """A scheduler, and workers with a thread each, whose points are quick ones."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(self._file),
        )
        # The scheduler opens the file before it writes it: it may be there and be empty.
        while not (self._file.exists() and self._file.read_text().rstrip().endswith("}")):
            assert self.scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads(self._file.read_text())["address"]
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        here = str(Path(__file__).parent)
        python_path = f"{here}{os.pathsep}{self._environment['PYTHONPATH']}"
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=self._folder,
            env={**self._environment, "PYTHONPATH": python_path},
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "dask.log").open("a"),
        )

    def add_worker(self) -> None:
        self.workers.append(
            self._start(
                "worker",
                self.address,
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
                "--preload",
                "quick_preload",
            )
        )

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def dask(sweeps: Sweeps, tmp_path: Path) -> Iterator[Cluster]:
    preload = "import quick_workers\ndef dask_setup(worker):\n    quick_workers.install()\n"
    (tmp_path / "quick_preload.py").write_text(preload)
    running = Cluster(tmp_path, sweeps.environment)
    try:
        running.add_worker()
        running.add_worker()
        yield running
    finally:
        running.close()


def test_the_same_table_on_a_cluster(dask: Cluster, sweeps: Sweeps, tmp_path: Path) -> None:
    assert sweeps.run(tmp_path / "cluster", "--dask", dask.address) == (0, "")
    assert sorted(sweeps.measured()) == sorted(r["spec"] for r in table(tmp_path / "cluster"))
    assert sweeps.run(tmp_path / "local") == (0, "")
    assert table(tmp_path / "local") == table(tmp_path / "cluster")
    assert len(sweeps.measured()) == len(SPECS)


@pytest.mark.long
def test_a_killed_worker_loses_no_finished_point(
    dask: Cluster, sweeps: Sweeps, tmp_path: Path
) -> None:
    sweeps.environment["QUICK_SECONDS"] = "0.1"
    process = sweeps.start(tmp_path / "out", "--dask", dask.address)
    while len(sweeps.measured()) < 5:
        assert process.poll() is None
        time.sleep(0.02)
    victim = dask.workers[0]
    kill(*children(victim.pid), victim.pid)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (0, "")
    assert len(table(tmp_path / "out")) == len(SPECS)
    assert len(SPECS) <= len(sweeps.measured()) <= len(SPECS) + 1


@pytest.mark.long
def test_a_lost_scheduler_keeps_what_is_finished(
    dask: Cluster, sweeps: Sweeps, tmp_path: Path
) -> None:
    sweeps.environment["QUICK_SECONDS"] = "0.1"
    process = sweeps.start(tmp_path / "out", "--dask", dask.address)
    while len(sweeps.measured()) < 5:
        assert process.poll() is None
        time.sleep(0.02)
    dask.scheduler.kill()
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 2, said
    assert said.startswith("hwarith: the Dask cluster was lost")
    assert said.count("\n") == 1
    assert sweeps.run(tmp_path / "out") == (0, "")
    assert len(sweeps.measured()) <= len(SPECS) + 2


@pytest.mark.long
def test_interrupted(dask: Cluster, sweeps: Sweeps, tmp_path: Path) -> None:
    sweeps.environment["QUICK_SECONDS"] = "0.1"
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = sweeps.start(tmp_path / "out", "--dask", dask.address)
    signal.signal(signal.SIGINT, inherited)
    while len(sweeps.measured()) < 5:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.startswith("hwarith: sweep interrupted: ")
    assert said.count("\n") == 1


def test_unreachable_scheduler_in_the_shell(sweeps: Sweeps, tmp_path: Path) -> None:
    address = "tcp://127.0.0.1:1"
    status, said = sweeps.run(tmp_path / "out", "--dask", address)
    assert status == 2
    assert said.startswith(f"hwarith: no Dask scheduler answers at '{address}'; start one with")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["nowhere", "x://y:1", ""])
def test_unreachable_scheduler(address: str, tmp_path: Path) -> None:
    message = f"^no Dask scheduler answers at '{address}'; start one with"
    with pytest.raises(InvalidInput, match=message):
        run_sweep(SPECS, tmp_path / "out", dask=address)
    assert not (tmp_path / "out").exists()


def test_without_dask(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingTool, match=r"Dask.* is not installed; pip install 'hwarith\[dask\]"):
        run_sweep(SPECS, tmp_path / "out", dask="tcp://127.0.0.1:1")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InvalidInput, match="jobs are processes of this machine"):
        run_sweep(SPECS, tmp_path / "out", jobs=2, dask="tcp://127.0.0.1:1")


@pytest.mark.long
def test_no_workers_and_other_workers(
    dask: Cluster, sweeps: Sweeps, tmp_path: Path, monkeypatch
) -> None:
    for name, value in sweeps.environment.items():
        monkeypatch.setenv(name, value)
    from hwarith.explore.sweeps.store import tool_context

    other = tool_context() | {"source": "other sources"}
    monkeypatch.setattr("hwarith.explore.sweeps.sweep.tool_context", lambda: other)
    with pytest.raises(InvalidInput, match="a Dask worker has another source of hwarith"):
        run_sweep(SPECS, tmp_path / "out", dask=dask.address)
    for worker in dask.workers:
        worker.kill()
    monkeypatch.setattr(cluster, "_WORKER_PATIENCE_SECONDS", 1)
    time.sleep(1)
    with pytest.raises(ToolFailure, match="the Dask cluster has no workers"):
        run_sweep(SPECS, tmp_path / "out", dask=dask.address)
