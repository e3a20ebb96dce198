"""Commands for choosing among units: sweep, compare, metrics, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..progress import progress
from ..tables import Table
from .costs import SECONDS
from .options import Json, Operands, Output, Spec, Specs, Verbose, units_of
from .output import fail, note_missing_pictures, print_json, print_table, print_tables

DETAILS = ("cells", "flip-flops", "delay/1st", "NMED", "max ulp")
"""Columns of a comparison that few ask for."""


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
    from ..explore.sweeps.sweep import DEFAULT, run_sweep

    try:
        results = run_sweep(file or DEFAULT, output, jobs=jobs, dask=dask, budget=budget)
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
    from ..explore.judged import OPERATIONS
    from ..explore.metrics import SOURCES
    from ..flow.synthesis.synthesize import MINOR
    from ..reports.model.columns import write_figure

    units = units_of(specs)
    found = compare(
        units, library, workload, track=lambda items: progress(items, "compare", each=2 * SECONDS)
    )
    if as_json:
        print_json([one.as_dict() | {"ratios": one.ratios(found[0])} for one in found])
        return
    texts = specs or []
    first = found[0] if len(found) > 1 else None
    rows = [
        one.row(first, write_figure) | {"spec": text}
        for one, text in zip(found, texts, strict=True)
    ]
    print_table(Table(rows, details=(*MINOR, *DETAILS)).without_empty(empty=(None, 0)), verbose)
    for source in dict.fromkeys(one.source for one in found if one.source):
        of = [text for one, text in zip(found, texts, strict=True) if one.source == source]
        print(f"Errors on {SOURCES[source]}: {' '.join(of)}")
    if not workload and any(one.energy for one in found):
        print(f"Energy of {OPERATIONS} of the random sets")
    for reason in dict.fromkeys(one.reason for one in found if one.reason):
        print(f"No errors: {reason}")
    print(f"Library {found[0].cost.library}" + (f", workload {workload}" if workload else ""))


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
    from ..explore.metrics import evaluate
    from ..explore.operands_file import read_operands
    from ..units import unit

    u = unit(spec)
    found = evaluate(u, read_operands(u, operands) if operands else None)
    if as_json:
        print_json({"spec": u.spec, "metrics": found.metrics, "counts": found.counts})
        return
    print_tables([Table(found.table()), Table(found.table_of_counts())], verbose)


def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER")],
    against: Annotated[
        Path | None, typer.Option(help="Folder of another sweep: what changed since?")
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also results.parquet.")] = False,
    verbose: Verbose = False,
) -> None:
    """Make report.html, .png and .svg, results.csv and .json of a sweep's folder."""
    from ..reports import report_of, write_rows

    content = report_of(folder, against)
    page = write_rows(content, folder, parquet=parquet)
    if content.changes:
        for line in content.changes.lines:
            print(line)
        if content.changes.moves:
            print_table(Table(content.changes.table()), verbose)
    print(page)
    note_missing_pictures()
