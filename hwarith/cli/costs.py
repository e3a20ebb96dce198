"""Commands about what units cost: synth, energy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..exceptions import InvalidInput
from ..progress import progress
from ..tables import Table, cell
from .options import (
    Catalogue,
    DelayTarget,
    Json,
    Libraries,
    Operands,
    Specs,
    TargetPeriod,
    Verbose,
    units_of,
)
from .output import print_json, print_table

SECONDS = 5.0
"""That a unit takes if it is not kept from before, about, on one core."""

if TYPE_CHECKING:
    from ..flow.synthesis.place_and_route import PlaceAndRoute
    from ..flow.synthesis.synthesize import Synthesis
    from ..units import Unit


def synth(
    specs: Specs = None,
    library: Libraries = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="area: mapped for area alone; cmos: cells, transistors, path; "
            "dsp: multiplier blocks of an FPGA allowed."
        ),
    ] = None,
    delay_target: DelayTarget = None,
    target_period: TargetPeriod = None,
    route: Annotated[
        bool,
        typer.Option(
            "--place-and-route",
            help="On ice40 and ecp5: the fastest clock between registers (extra pnr).",
        ),
    ] = False,
    by_part: Annotated[
        bool,
        typer.Option("--breakdown", help="What each step takes: unpack, product, align, ..."),
    ] = False,
    catalogue: Catalogue = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Synthesize units with yosys: area, delay, cells. With several libraries, a row for each."""
    from ..flow.synthesis.place_and_route import place_and_route
    from ..flow.synthesis.synthesize import MINOR, synthesize

    libraries = library or ["generic"]
    units = {
        name: units_of(specs, catalogue, period=target_period, library=name) for name in libraries
    }
    todo = [
        (of_all[i], name) for i in range(len(units[libraries[0]])) for name, of_all in units.items()
    ]
    if by_part:
        if route or delay_target is not None:
            raise InvalidInput("--breakdown goes with neither --place-and-route nor --delay-target")
        _break_down(todo, recipe, verbose, as_json)
        return
    found = [
        (
            synthesize(u, name, recipe, delay_target),
            place_and_route(u, name, recipe) if route else None,
        )
        for u, name in progress(todo, "synthesize", each=SECONDS)
    ]
    if as_json:
        print_json([_with_clock(*one) for one in found])
        return
    rows = [cost.row() | (routed.row() if routed else {}) for cost, routed in found]
    if len(libraries) == 1:
        for row in rows:
            del row["library"]
    print_table(Table(rows, details=MINOR).without_empty(), verbose)
    recipes = ", ".join(dict.fromkeys(cost.recipe for cost, _ in found))
    first, first_routed = found[0]
    versions = (first_routed or first).versions
    print(f"Library {', '.join(libraries)}, recipe {recipes}; {_listed(versions)}")


def _with_clock(cost: Synthesis, routed: PlaceAndRoute | None) -> dict[str, Any]:
    """The figures of both, for JSON."""
    if routed is None:
        return cost.as_dict()
    clock = {"device": routed.device, "fmax": routed.fmax, "versions": routed.versions}
    return cost.as_dict() | clock


def _break_down(
    todo: list[tuple[Unit, str]], recipe: str | None, verbose: bool, as_json: bool
) -> None:
    """A table for each unit and library."""
    from ..flow.synthesis.breakdown import breakdown

    found = [breakdown(u, name, recipe) for u, name in progress(todo, "break down", each=SECONDS)]
    if as_json:
        print_json([parts.as_dict() for parts in found])
        return
    for parts in found:
        print(f"{parts.spec}, library {Path(parts.library).name}, recipe {parts.recipe}")
        print_table(Table(parts.table()).without_empty(), verbose)
        flat = {"area": parts.flat_area, "delay": parts.flat_delay}
        figures = ", ".join(f"{key} {cell(x)}" for key, x in flat.items() if x is not None)
        print(f"Mapped as one: {figures}; the area by parts differs by {parts.difference:+.1%}\n")
    print(_listed(found[0].versions))


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{tool} {version}" for tool, version in versions.items())


def energy(
    specs: Specs = None,
    library: Libraries = None,
    recipe: Annotated[
        str | None, typer.Option(help="asic (default), or area: mapped for area alone.")
    ] = None,
    delay_target: DelayTarget = None,
    workload: Annotated[
        str | None,
        typer.Option(help="Operands of this workload (digits); default: random ones."),
    ] = None,
    operands: Operands = None,
    by_type: Annotated[
        bool, typer.Option("--by-type", help="A row for each type of cell.")
    ] = False,
    catalogue: Catalogue = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Energy per operation of mapped units, from their switching activity.

    Without glitches and wires. Switching is the charging of what cells drive, internal what cells
    take inside, clock the charging of the registers' clock pins, inputs what whatever drives the
    unit pays. The operation of a unit with registers is a transfer, at full throughput. Operands of
    a file come in its order (hwarith metrics --help says what is in it).
    """
    from ..explore.operands_file import read_operands
    from ..explore.workloads import workload as find_workload
    from ..flow.energy.measure import energy as energy_of
    from ..units.chain import chained_accumulators

    if workload and operands:
        raise InvalidInput("operands are those of a workload or of a file, not of both")
    libraries = library or ["generic"]
    source = find_workload(workload) if workload else None
    found = []
    for u in progress(units_of(specs, catalogue), "energy", each=SECONDS):
        if operands:
            codes = chained_accumulators(u, read_operands(u, operands))
        else:
            codes = source.run(u).operands if source else ()
        for name in libraries:
            found.append(
                energy_of(u, *codes, library=name, recipe=recipe, delay_target=delay_target)
            )
    if as_json:
        print_json([one.as_dict() for one in found])
        return
    if by_type:
        rows = [row for one in found for row in one.table_by_type()]
    else:
        rows = [one.row() for one in found]
    details = [title for one in found for title in one.details]
    print_table(Table(rows, details=details).without_empty(), verbose)
    print(f"Recipe {found[0].recipe}; {_listed(found[0].versions)}")
