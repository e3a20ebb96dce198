"""Measure many design points on all cores or a cluster; what is finished is never done again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from ...exceptions import HwarithError, InvalidInput, ToolFailure
from ...progress import counted, say_first
from ...units import Unit
from ..hardware import Flow
from ..point import Result, measure
from ..workloads import code_digest, workload
from .cluster import ask_cluster, connect
from .front_search import FrontSearch, SearchGoal, require_optuna
from .store import FAILURES, Store, tool_context
from .sweep_file import Sweep, sweep_of
from .worker import ask_all

DEFAULT = Path(str(resources.files("hwarith.explore.sweeps"))) / "default.toml"
"""The sweep file behind ``make report``."""

_SECONDS = 11.0
"""That a point of the built-in sweep takes, about, on one core."""

_SHOWN_FAILURES = 3
"""In the message at the end; the folder has all."""

_Ask = Callable[[Iterable[dict[str, Any]]], Generator[tuple[int, dict[str, Any]]]]


def run_sweep(
    points: Any,
    folder: str | Path,
    jobs: int | None = None,
    *,
    dask: str | None = None,
    budget: int | None = None,
    flow: Flow | None = None,
) -> list[Result]:
    """Measure design points and keep them in a folder, from which `write_report` takes them.

    Parameters
    ----------
    points : the path of a TOML file (`hwarith.explore.sweeps.sweep_file` shows one), a `Sweep`, or
        specs or units in a list.
    folder : where points are kept, made if needed. A point whose unit, workload, library,
        sources and tools have not changed since it was measured, by this sweep or another, is
        taken from there or from the cache folder.
    jobs : worker processes; all cores by default.
    dask : the address of the scheduler of a Dask cluster, whose workers then measure.
    budget : measure at most so many points, those that a search for the Pareto front picks. The
        points of the sweep that the folder holds already count, and are what it starts from.
    flow : gives the hardware figures; then all runs in this process.

    Returns the results in the order of the points, of a search in that of its picks. A bar on a
    terminal, or lines in a log, say how far it is.

    Raises `InvalidInput` for a mistake in any point, before anything runs, for a folder that
    cannot be written and a scheduler that does not answer; `MissingTool` without Dask or Optuna;
    `ToolFailure` for a cluster that is lost, and at the end if points failed, with their causes,
    which are also in the folder's ``failures.json``, the others being kept; and
    `KeyboardInterrupt` with a message when interrupted: workers end at once, finished points are
    kept, and the next run goes on from them.
    """
    if jobs is not None and jobs < 1:
        raise InvalidInput(f"jobs must be 1 or more, not {jobs}")
    if jobs is not None and dask is not None:
        raise InvalidInput("jobs are processes of this machine; a Dask cluster has its own")
    sweep = sweep_of(points)
    if budget is not None:
        search = dataclasses.replace(sweep.search or SearchGoal(), budget=budget)
        sweep = dataclasses.replace(sweep, search=search)
    if sweep.search:
        require_optuna()
        if sweep.search.budget is None:
            raise InvalidInput("a search needs a budget: budget = N in [search], or --budget N")
    context = tool_context()
    with _workers(jobs, dask, context) as ask:
        run = _Run(sweep, Path(folder), context, shared=flow is None)
        outcomes = run.measure_here(flow) if flow else run.measure_by(ask)
        missing = run.total - run.finished
        if flow is None and dask is None:
            processes = min(jobs or os.cpu_count() or 1, max(missing, 1))
            say_first(f"sweep ({missing:,})", missing * _SECONDS / processes)
        with counted("sweep", run.total, run.finished) as count:
            try:
                with closing(outcomes):
                    for unit, outcome in outcomes:
                        run.keep(unit, outcome)
                        count.update(run.finished + len(run.failures), run.total)
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"sweep interrupted: {run.finished} of {run.total} points are kept in "
                    f"{folder}; the next run goes on from them"
                ) from None
    if run.failures:
        raise ToolFailure(run.failed())
    return [result for result in run.results.values() if result is not None]


class _Run:
    """A sweep under way in its folder: the results so far, None for points still to come or
    failed, and the causes of failures."""

    def __init__(self, sweep: Sweep, folder: Path, context: dict[str, Any], shared: bool) -> None:
        self.sweep = sweep
        self.failures: dict[Unit, str] = {}
        self._search: FrontSearch | None = None
        data = {
            "workload": sweep.workload,
            "data": workload(sweep.workload).digest,
            "library": sweep.library_digest(),
        }
        if code := code_digest(sweep.workload):
            data["code"] = code
        self._versions = context["versions"]
        self.store = Store(folder, {**data, **context}, shared)
        if sweep.search:
            self._prepare_search(sweep.search)
        else:
            self.results = {unit: self.store.load(unit) for unit in sweep.points}
            self.total = len(self.results)
            # The widest units take longest: they go first, so that no core is left with one at
            # the end.
            todo = (unit for unit, result in self.results.items() if result is None)
            self.missing: Iterator[Unit] = iter(sorted(todo, key=_width, reverse=True))
        self._save_manifest()

    def _prepare_search(self, search: SearchGoal) -> None:
        listed = set(self.store.listed())
        known = (unit for unit in self.sweep.points if unit.spec in listed)
        self.results = {u: result for u in known if (result := self.store.load(u))}
        assert search.budget is not None
        self.total = max(len(self.results), min(search.budget, len(self.sweep.points)))
        self.missing = iter(())
        if len(self.results) < self.total:
            self._search = FrontSearch(self.sweep.points, search)
            for unit, result in self.results.items():
                if result is not None:
                    self._search.tell(unit, result)
            self.missing = self._picks(self._search)

    def _picks(self, search: FrontSearch) -> Iterator[Unit]:
        while len(self.results) < self.total and (unit := search.ask()):
            result = self.results[unit] = self.store.load(unit)
            self._save_manifest()
            if result is None:
                yield unit
            else:
                search.tell(unit, result)

    @property
    def finished(self) -> int:
        """Points that are kept."""
        return sum(result is not None for result in self.results.values())

    def keep(self, unit: Unit, outcome: Result | str) -> None:
        """A point was measured, or failed for a cause."""
        if isinstance(outcome, str):
            self.failures[unit] = outcome
            self.store.fail(unit, outcome)
            return
        self.store.save(unit, outcome)
        self.results[unit] = outcome
        if self._search:
            self._search.tell(unit, outcome)

    def failed(self) -> str:
        """What is said of the failures."""
        causes = [f"{unit.spec}: {cause}" for unit, cause in self.failures.items()]
        more = len(causes) - _SHOWN_FAILURES
        rest = [f"{more} more in {self.store.folder / FAILURES}"] if more > 0 else []
        return (
            f"{len(causes)} of {self.total} points failed: "
            f"{'; '.join([*causes[:_SHOWN_FAILURES], *rest])}"
        )

    def measure_by(self, ask: _Ask) -> Generator[tuple[Unit, Result | str]]:
        """Each missing unit with its result, or with the cause of its failure, as they come."""
        units = []

        def requests() -> Iterator[dict[str, Any]]:
            sweep = self.sweep
            for unit in self.missing:
                units.append(unit)
                file = self.store.file(unit)
                point = {"spec": unit.spec, "file": file}
                yield point | {"workload": sweep.workload, "library": sweep.library}

        with closing(ask(requests())) as answers:
            for i, answer in answers:
                yield units[i], answer.get("error") or Result(**answer["result"])

    def measure_here(self, flow: Flow) -> Generator[tuple[Unit, Result | str]]:
        """The same in this process."""
        for unit in self.missing:
            try:
                yield unit, measure(unit, self.sweep.workload, self.sweep.library, flow)
            except HwarithError as error:
                yield unit, str(error)

    def _save_manifest(self) -> None:
        self.store.save_manifest(
            self.results,
            {
                "source": self.sweep.source,
                "budget": self.sweep.search.budget if self.sweep.search else None,
                "workload": self.sweep.workload,
                "library": Path(self.sweep.library).name,
                "versions": self._versions,
            },
        )


def _width(unit: Unit) -> int:
    return sum(f.bits for f in unit.operands.values())


@contextmanager
def _workers(jobs: int | None, dask: str | None, context: dict[str, Any]) -> Iterator[_Ask]:
    """What has requests answered: processes of this machine, or a Dask cluster."""
    if dask is None:
        yield lambda requests: ask_all(requests, jobs or os.cpu_count() or 1)
        return
    with connect(dask) as client:
        yield lambda requests: ask_cluster(requests, client, context)
