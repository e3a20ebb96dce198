"""Commands for choosing among units: sweep, compare, metrics, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..tables import Table
from .options import Json, Operands, Output, Spec, Specs, Verbose
from .output import fail, note_missing_pictures, print_json, print_table, print_tables


def sweep(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="TOML; default: the built-in sweep.")
    ] = None,
    output: Output = Path("report"),
    jobs: Annotated[int | None, typer.Option(help="Processes (default: all cores).")] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on the Dask cluster of this scheduler."),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(metavar="N", help="Measure N points, picked to find the Pareto front."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a sweep over design points; finished ones are kept and not run again."""
    from ..reports import sweep

    try:
        results = sweep(file, output, jobs=jobs, dask=dask, budget=budget)
    except KeyboardInterrupt as interrupt:  # typer would end here without its message
        fail(str(interrupt) or "interrupted", 130)
    if as_json:
        print_json([r.brief() for r in results])
    else:
        print(f"{len(results)} points in {output}; make the report: hwarith report {output}")


def compare(
    specs: Specs = None,
    library: Annotated[
        str, typer.Option(help="generic, osu018, xc7, ice40, ecp5, ..., or a Liberty file.")
    ] = "generic",
    workload: Annotated[
        str | None, typer.Option(help="Also run a network on the units: digits.")
    ] = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Set units side by side: area, delay, energy, errors, and ratios to the first one."""
    from ..explore.compare import compare

    found = compare(specs or (), library, workload)
    if as_json:
        print_json(found.as_dict())
        return
    print_tables(found.tables(), verbose)
    print("\n".join(found.notes()))


def metrics(
    spec: Spec,
    operands: Operands = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Print error metrics of a unit: on all operand codes, or on your own operands.

    An .npz file has an array under the name of each operand, an .npy file one array whose first
    axis is that of the operands. Unsigned integers are codes; others are values, which are rounded.
    """
    from ..explore.metrics import metrics

    found = metrics(spec, operands)
    if as_json:
        print_json(found.as_dict())
    else:
        print_tables(found.tables(), verbose)


def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER")],
    against: Annotated[
        Path | None, typer.Option(help="Folder of another sweep: what changed since?")
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also results.parquet.")] = False,
    title: Annotated[str | None, typer.Option(help="Heading of the report.")] = None,
    verbose: Verbose = False,
) -> None:
    """Make report.html, .png and .svg, results.csv and .json of a sweep's folder."""
    from ..reports import report

    made = report(folder, against, parquet=parquet, title=title)
    for line in made.changes:
        print(line)
    if made.moves:
        print_table(Table(made.moves), verbose)
    print(made.page)
    note_missing_pictures()
