"""What the generated tables of costs are made of: figures of units, and the command that writes
them to a file or folder."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from ..exceptions import HwarithError, InvalidInput
from ..progress import progress
from ..units import Unit
from .synthesis.synthesize import synthesize


class Row(NamedTuple):
    """The figures of a unit, as the tables define them."""

    area: float | None
    delay: float | None
    flip_flops: int
    cells: int
    path: int | None
    lut4: int | None


def rows(units: list[Unit]) -> Iterator[Row]:
    """Figures of units, in their order, from a process on each core.

    Raises `ToolFailure` if yosys fails.
    """
    forks = get_context("fork")  # nothing is imported anew, from whatever folder this is
    with ProcessPoolExecutor(os.cpu_count(), forks, _end_on_interrupt) as pool:
        yield from progress(pool.map(row, units), "synthesis", len(units))


def row(u: Unit) -> Row:
    """Figures of one unit."""
    generic, cmos = synthesize(u), synthesize(u, recipe="cmos")
    lut4 = synthesize(u, library="ice40").lut4
    return Row(generic.area, generic.delay, generic.flip_flops, cmos.cells, cmos.depth, lut4)


def _end_on_interrupt() -> None:
    """Let Ctrl-C end a worker at once and without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def command(arguments: list[str], usage: str, write: Callable[[Path], None]) -> int:
    """Write to the path that is named; a mistake is one line on stderr. Gives the exit status."""
    try:
        if len(arguments) != 1 or arguments[0].startswith("-"):
            raise InvalidInput(f"usage: {usage}")
        write(Path(arguments[0]))
    except HwarithError as error:
        print(f"hwarith: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hwarith: interrupted", file=sys.stderr)
        return 130
    return 0
