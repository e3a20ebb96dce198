"""Commands about the arithmetic of GPUs: gpu, gpu-check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Verbose
from .output import print_json, print_tables


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
    from ..explore.gpus import Instructions, gpu

    found = gpu(device, dtype)
    if not isinstance(found, Instructions):
        print_json(list(found)) if as_json else print("\n".join(found))
    elif as_json:
        print_json(found.as_dict())
    else:
        print_tables(found.tables(), verbose)


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
    from ..flow.recordings import gpu_check

    found = gpu_check(preset, path, rtl)
    if as_json:
        print_json(found.as_dict())
    else:
        print_tables(found.tables(), verbose)
    return int(any(found.differing.values()))
