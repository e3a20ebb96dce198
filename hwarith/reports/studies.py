"""What the commands `sweep`, `report` and `weights` do, for Python."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..explore.point import Result
from ..explore.sweeps.sweep import DEFAULT, run_sweep
from ..explore.weights import (
    GROUP,
    Arrays,
    Digits,
    digits,
    measure_weights,
    read_weights,
    weight_types,
)
from ..files import output_folder
from ..pictures import Picture
from ..tables import Row, Several, Table, Tabled
from .model.columns import columns
from .model.rows import Rows
from .model.weights import WeightRows, weight_rows
from .write import report_of, write_rows, write_weights_report


@dataclass(frozen=True)
class Swept(Several[Result]):
    """The points of a sweep, in the order of its file, and the folder that keeps them."""

    folder: Path

    def tables(self) -> list[Table]:
        """A row for each point, with all its figures."""
        shown = columns(list(self))
        rows = [
            {"spec": x.spec} | {shown[key].label: value for key, value in x.figures().items()}
            for x in self
        ]
        return [Table(rows).without_empty()]

    def plot(self) -> Picture:
        """Its points by cost and error, with their fronts. Raises `MissingTool` without
        matplotlib."""
        return _picture(report_of(self.folder))


def sweep(
    points: Any = None,
    folder: str | Path = "report",
    *,
    jobs: int | None = None,
    dask: str | None = None,
    budget: int | None = None,
) -> Swept:
    """Measure design points, keep them in a folder, and return them.

    `points` is the path of a TOML file, a list of specs or units, or None for the built-in sweep.
    What the others are, and what is raised, is said of `hwarith.explore.sweeps.sweep.run_sweep`.
    """
    chosen = DEFAULT if points is None else points
    found = run_sweep(chosen, folder, jobs=jobs, dask=dask, budget=budget)
    return Swept(tuple(found), Path(folder))


@dataclass(frozen=True)
class Report(Tabled):
    """A report that was written; ``page`` is the path of its page, ``changes`` and ``moves`` say
    what changed since another sweep."""

    page: Path
    rows: Rows
    changes: tuple[str, ...] = ()
    moves: tuple[Row, ...] = ()

    def tables(self) -> list[Table]:
        """A record for each point."""
        return [Table(self.rows.records()).without_empty()]

    def plot(self) -> Picture:
        """The picture of the page. Raises `MissingTool` without matplotlib."""
        return _picture(self.rows)


def report(
    folder: str | Path,
    against: str | Path | None = None,
    *,
    parquet: bool = False,
    title: str | None = None,
) -> Report:
    """Write the report of a sweep's folder: ``report.html``, ``report.png`` and ``report.svg``,
    ``results.csv`` and ``results.json``; the pictures only with matplotlib.

    With `against`, the folder of another sweep, it says what changed. With `parquet` there is also
    ``results.parquet``. A `title`, a line of text, is the heading of page and pictures. Raises
    `InvalidInput` for a folder that holds no finished point or cannot be written and for a title
    that is none, and `MissingTool` for Parquet without pyarrow.
    """
    content = report_of(folder, against, title)
    page = write_rows(content, Path(folder), parquet=parquet)
    if not content.changes:
        return Report(page, content)
    return Report(page, content, tuple(content.changes.lines), tuple(content.changes.table()))


def weights(
    types: Iterable[Any] = (),
    weights: Any = None,
    group: int | None = None,
    folder: str | Path | None = None,
) -> WeightRows:
    """Compare types of weights: bits per weight, error, area per throughput.

    Parameters
    ----------
    types : names (``int4``, ``bitmod4``, ``mxfp4``, ``fp3:5/-5``, ...), weight types or formats of
        blocks; all by default.
    weights : an array of shape (..., n), whose groups run along the last axis, or the path of an
        ``.npy`` or ``.npz`` file; default: those of the digits network.
    group : weights that share a scale, 32 by default.
    folder : where a report is written to, if it is given.

    Raises `InvalidInput` for what is not as said here, before anything is measured.
    """
    named = [types] if isinstance(types, str) else list(types)
    kinds, source = weight_types(named), _source(weights)
    size = GROUP if group is None else group
    source.check_group(size)
    if folder is not None:
        output_folder(Path(folder))
    rows = weight_rows(measure_weights(kinds, source, size), source, size, named)
    if folder is not None:
        write_weights_report(rows, folder)
    return rows


def _source(weights: Any) -> Digits | Arrays:
    if weights is None:
        return digits()
    if isinstance(weights, str | Path):
        return read_weights(Path(weights))
    return Arrays(Path("array"), {"": np.asarray(weights)})


def _picture(rows: Rows) -> Picture:
    from .view.picture import to_picture  # here: matplotlib is slow to load

    return to_picture(rows)
