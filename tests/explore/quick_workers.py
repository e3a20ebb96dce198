"""Sweeps whose workers are real processes but measure nothing: quick points for kill tests.

``python quick_workers.py FILE FOLDER [JOBS]`` runs one as ``hwarith sweep`` does. Every point that
is measured adds a line to the file that ``QUICK_LOG`` names.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from hwarith import progress
from hwarith.explore.metrics import COUNTS
from hwarith.explore.point import COSTS, Result
from hwarith.explore.sweeps import worker
from hwarith.flow import workers
from hwarith.units import Unit


def quick_measure(u: Unit, workload: str, library: str) -> Result:
    """Figures from the widths alone, after as long as ``QUICK_SECONDS`` says."""
    time.sleep(float(os.environ.get("QUICK_SECONDS", "0.02")))
    bits = sum(f.bits for f in u.operands.values())
    with Path(os.environ["QUICK_LOG"]).open("a") as log:
        log.write(f"{u.spec}\n")
    return Result(
        spec=u.spec,
        name=u.name,
        operation=u.operation.name,
        cost=dict.fromkeys(COSTS, 1.5 * bits),
        area_unit="GE",
        delay_unit="NAND2",
        accuracy=1 - 1 / bits,
        output_error=1 / bits,
        metrics={"mred": 1 / bits},
        counts=dict.fromkeys(COUNTS, bits),
        seconds=time.perf_counter(),
    )


def install() -> None:
    """Have this process, and the workers that it starts, measure in this way."""
    worker.measure = quick_measure  # type: ignore[assignment]
    here = str(Path(__file__).parent)
    workers._START = (
        f"import sys; sys.path[:] = [{here!r}, *sys.argv[3:]]; "
        "import quick_workers as q; q.install(); q.workers.serve(q.worker.answer)"
    )


if __name__ == "__main__":
    from hwarith.cli import main

    install()
    progress.LONG = progress.EVERY = 3600  # no lines, however slow the machine is
    sys.argv[1:1] = ["sweep"]
    main()
