"""Commands that write hardware and check it: generate, vectors, regress."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Catalogue, Json, Output, Spec, Specs, units_of
from .output import fail, print_json, progress


def generate(
    specs: Specs = None,
    output: Output = Path(),
    catalogue: Catalogue = False,
) -> None:
    """Write the Verilog of units, a file each."""
    from ..files import output_folder, write_text
    from ..flow.verilog import verilog

    units = units_of(specs, catalogue)
    folder = output_folder(output)
    texts = {folder / f"{u.name}.v": verilog(u) for u in units}
    for path, text in texts.items():
        write_text(path, text)
        print(path)


def vectors(
    spec: Spec,
    number: Annotated[int, typer.Option("-n", help="How many vectors.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of what is random.")] = 1,
    output: Annotated[
        str, typer.Option("-o", "--output", help="File to write; - prints them.")
    ] = "-",
) -> None:
    """Write conformance vectors: operands and results in hexadecimal, by class of difficulty."""
    from ..files import write_text
    from ..flow.vectors import vectors

    text = vectors(spec, number, seed)
    if output == "-":
        print(text, end="")
    else:
        write_text(Path(output), text)


def regress(
    specs: Specs = None,
    catalogue: Catalogue = False,
    vectors: Annotated[int, typer.Option(help="Operand sets for each phase.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the random operands.")] = 1,
    as_json: Json = False,
) -> None:
    """Run the cocotb testbench on units, in Verilator."""
    from ..flow.regress import regress

    units = units_of(specs, catalogue)
    results = [regress(u, vectors=vectors, seed=seed) for u in progress(units, "regress")]
    if as_json:
        print_json([{"spec": result.spec} | result.as_dict() for result in results])
    else:
        for result in results:
            print(result)
    failed = [result.spec for result in results if result.failed]
    if failed:
        fail(f"{len(failed)} of {len(results)} units failed: {', '.join(failed)}", 1)
