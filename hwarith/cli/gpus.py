"""Commands about the arithmetic of GPUs: gpu, gpu-check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..exceptions import InvalidInput, shown
from ..tables import Table
from .options import Json, Verbose
from .output import print_json, print_table

DETAILS = ("a", "b", "c", "out", "sum", "note")
"""Columns of instructions that few ask for: their names have the formats."""


def gpu(
    device: Annotated[str | None, typer.Argument(metavar="DEVICE", show_default=False)] = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", show_default=False, help="Format of the factors.")
    ] = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Show what is known of a GPU's matrix instructions: block, accumulator bits, rounding.

    Without DEVICE, list the devices. Each instruction is a preset of the unit dot
    (dot:preset=h100-fp16-fp32). Known "recorded": every recorded result of the hardware is
    reproduced; "published": a model whose authors tested it on the hardware; "inferred": from
    another instruction. Operands that show each property follow, as lane:a*b.
    """
    from ..explore.gpus import devices, instructions

    if device is None:
        if dtype is not None:
            raise InvalidInput(
                f"--dtype {shown(dtype)} needs a device; allowed: {', '.join(devices())}"
            )
        print_json(devices()) if as_json else print("\n".join(devices()))
        return
    found = instructions(device, dtype)
    if as_json:
        print_json([x.row() | {"shown": [s._asdict() for s in x.shown]} for x in found])
        return
    print_table(Table([x.row() for x in found], details=DETAILS).without_empty((None, "")), verbose)
    rows = [
        {
            "preset": x.name,
            "products, the others zero": " ".join(f"{i}:{a:g}*{b:g}" for i, a, b in s.lanes),
            "result": f"{s.result:g}",
            "shows": s.what,
        }
        for x in found
        for s in x.shown
    ]
    if rows:
        print_table(Table(rows), verbose)


def gpu_check(
    preset: Annotated[str, typer.Argument(metavar="PRESET")],
    path: Annotated[Path, typer.Argument(metavar="FILE.npz", show_default=False)],
    rtl: Annotated[bool, typer.Option("--rtl", help="Also run the hardware.")] = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Hold recorded results of hardware to a preset (or a SPEC of dot), bit for bit.

    FILE has arrays a and b of shape (rows, K), c and d of shape (rows,): floats are values, uint32
    bit patterns of binary32, other unsigned integers codes. Of the first rows that differ it says
    what each term contributed. Exit status 1 if a row differs.
    """
    from ..flow.recordings import check_recordings
    from ..inputs import read_arrays

    arrays = read_arrays(path, "recordings")
    if not isinstance(arrays, dict):
        raise InvalidInput(f"recordings {shown(path)}: must be an .npz file with a, b, c and d")
    found = check_recordings(preset, arrays, rtl)
    differences = [
        {
            "row": x.row,
            "source": x.source,
            "recorded": f"{x.expected:#x}",
            "got": f"{x.got:#x}",
            "terms": " ".join(f"{t.term}={float(t.exact):g}->{float(t.added):g}" for t in x.terms),
        }
        for x in found.differences
    ]
    counts = [
        {"unit": found.unit.spec, "source": source, "rows": found.rows, "differ": count}
        for source, count in found.differing.items()
    ]
    if as_json:
        print_json({"counts": counts, "differences": differences})
    else:
        print_table(Table(counts), verbose)
        if differences:
            print_table(Table(differences), verbose)
    return int(any(found.differing.values()))
