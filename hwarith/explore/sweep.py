"""Measure many design points on all cores; what is finished is never done again."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import HwarithError, InvalidInput, ToolFailure
from ..units import Unit
from .point import Result, measure
from .store import Store, point_key, source_digest
from .sweep_file import GENERIC, Sweep, sweep_of
from .worker import ask_all
from .workloads import workload

DEFAULT = Path(str(resources.files("hwarith.explore"))) / "default.toml"
"""The sweep file behind ``make report``."""


def run_sweep(
    points: Any,
    folder: str | Path,
    jobs: int | None = None,
    *,
    synthesize: Callable[..., Any] | None = None,
) -> list[Result]:
    """Measure design points and keep them in a folder, from which `write_report` takes them.

    Parameters
    ----------
    points : the path of a TOML file (`hwarith.explore.sweep_file` shows one), a `Sweep`, or
        specs or units in a list.
    folder : where points are kept, made if needed. A point whose unit, workload, library,
        sources and tools have not changed since is taken from there.
    jobs : worker processes; all cores by default.
    synthesize : stands in for `hwarith.synthesize` in tests; then all runs in this process.

    Returns the results in the order of the points. On a terminal a progress bar is shown.

    Raises `InvalidInput` for a mistake in any point, before anything runs, and for a folder
    that cannot be written; `ToolFailure` at the end if points failed, naming each with its
    cause, the others being kept; and `KeyboardInterrupt` with a message when interrupted:
    workers end at once, finished points are kept, and the next run goes on from them.
    """
    if jobs is not None and jobs < 1:
        raise InvalidInput(f"jobs must be 1 or more, not {jobs}")
    sweep = sweep_of(points)
    store = Store(Path(folder))
    keys = _plan(sweep, store)
    results = {unit: store.load(unit.name, key) for unit, key in keys.items()}
    # The widest units take longest: they go first, so that no core is left with one at the end.
    missing = sorted((u for u in keys if results[u] is None), key=_width, reverse=True)
    failures = {}
    with _progress(len(keys), len(keys) - len(missing)) as advance:
        try:
            with closing(_measure_all(missing, sweep, jobs, synthesize)) as outcomes:
                for unit, outcome in outcomes:
                    if isinstance(outcome, Result):
                        store.save(keys[unit], outcome)
                        results[unit] = outcome
                    else:
                        failures[unit] = outcome
                    advance()
        except KeyboardInterrupt:
            done = sum(result is not None for result in results.values())
            raise KeyboardInterrupt(
                f"sweep interrupted: {done} of {len(keys)} points are kept in {store.folder}; "
                "the next run goes on from them"
            ) from None
    if failures:
        raise ToolFailure(
            f"{len(failures)} of {len(keys)} points failed: "
            + "; ".join(f"{unit.spec}: {cause}" for unit, cause in failures.items())
        )
    return [result for result in results.values() if result is not None]


def _plan(sweep: Sweep, store: Store) -> dict[Unit, str]:
    """The key of every point; and the sweep's manifest, written to the store."""
    from ..flow.tools import versions

    context = {
        "workload": sweep.workload,
        "data": workload(sweep.workload).digest,
        "library": sweep.library_digest(),
        "source": source_digest(),
        "versions": versions(),
    }
    keys = {unit: point_key(unit, context) for unit in sweep.points}
    store.save_manifest(
        {
            "source": sweep.source,
            "workload": sweep.workload,
            "library": sweep.library if sweep.library == GENERIC else Path(sweep.library).name,
            "versions": context["versions"],
            "points": [
                {"spec": unit.spec, "file": store.path(unit.name, key).name}
                for unit, key in keys.items()
            ],
        }
    )
    return keys


def _width(unit: Unit) -> int:
    return sum(f.bits for f in unit.operands.values())


def _measure_all(
    units: list[Unit],
    sweep: Sweep,
    jobs: int | None,
    synthesize: Callable[..., Any] | None,
) -> Generator[tuple[Unit, Result | str]]:
    """Each unit with its result, or with the cause of its failure, as they come."""
    if synthesize is not None:
        for unit in units:
            try:
                yield unit, measure(unit, sweep.workload, sweep.library, synthesize)
            except HwarithError as error:
                yield unit, str(error)
        return
    requests = [
        {"spec": unit.spec, "workload": sweep.workload, "library": sweep.library} for unit in units
    ]
    with closing(ask_all(requests, jobs or os.cpu_count() or 1)) as answers:
        for i, answer in answers:
            yield units[i], answer.get("error") or Result(**answer["result"])


@contextmanager
def _progress(total: int, done: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error if that is a terminal; gives what to call for each point."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("sweep"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = not console.is_terminal or done == total
    with Progress(*columns, console=console, disable=hidden) as progress:
        task = progress.add_task("sweep", total=total, completed=done)
        yield lambda: progress.advance(task)
