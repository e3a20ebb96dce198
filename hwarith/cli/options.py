"""Arguments and options that several commands have, and the units that they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exceptions import InvalidInput
from .completion import complete_library, complete_spec

if TYPE_CHECKING:
    from ..units import Unit

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="All columns of tables.")]
Spec = Annotated[str, typer.Argument(metavar="SPEC", autocompletion=complete_spec)]
Specs = Annotated[
    list[str] | None,
    typer.Argument(metavar="SPEC...", show_default=False, autocompletion=complete_spec),
]
Catalogue = Annotated[bool, typer.Option("--catalogue", help="All units of the catalogue.")]
Libraries = Annotated[
    list[str] | None,
    typer.Option(
        "--library",
        show_default=False,
        help="generic (default), osu018, osu035, osu050, xc7, ice40, ecp5, or a Liberty file; "
        "may be repeated.",
        autocompletion=complete_library,
    ),
]
DelayTarget = Annotated[
    float | None,
    typer.Option(help="Size gates for this delay (a Liberty file with tables, its time unit)."),
]
TargetPeriod = Annotated[
    str | None,
    typer.Option(
        help="Cut into the fewest stages that keep all paths at this time in the library: 1.2ns.",
        show_default=False,
    ),
]
Operands = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Operands of your own, .npy or .npz."),
]
Output = Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")]


def units_of(
    specs: list[str] | None,
    catalogue: bool = False,
    taken: Callable[[Unit], bool] = lambda u: True,
    period: str | None = None,
    library: str | None = None,
) -> list[Unit]:
    """The units that a command was given, first those of the catalogue that are taken. With a
    period, those that are named have the stages that reach it in the library.

    Raises `InvalidInput` for a wrong spec, and for none at all.
    """
    from ..units import unit

    named: list[Unit] = [unit(_with_period(spec, period, library)) for spec in specs or ()]
    if catalogue:
        from ..units.catalogue import CATALOGUE

        named = [*filter(taken, map(unit, CATALOGUE.values())), *named]
    if not named:
        raise InvalidInput("name at least one SPEC, such as mul:a=bf16 (hwarith list shows units)")
    return named


def _with_period(spec: str, period: str | None, library: str | None) -> str:
    """A spec with these parameters as well."""
    if period is None:
        return spec
    wanted = f"target_period={period}" + f",library={library}" * bool(library)
    return f"{spec},{wanted}" if ":" in spec else f"{spec}:{wanted}"
