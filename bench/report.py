"""The report of 200 points: its size, the time to make it, and to open it in headless Chromium.

The figures are made up; the Verilog is that of the units behind `make report`, in turn.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from hwarith.explore.sweeps.sweep import DEFAULT
from hwarith.explore.sweeps.sweep_file import read_sweep
from hwarith.reports import write_report
from tests.explore.fake_sweep import make_sweep
from tests.reports.browser import DESKTOP, PHONE, Browser, chromium

POINTS, RUNS = 200, 7


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        units = [unit.spec for unit in read_sweep(DEFAULT).points]
        folder = make_sweep(Path(name) / "sweep", POINTS, units)
        start = time.perf_counter()
        page = write_report(folder)
        seconds = time.perf_counter() - start
        size = page.stat().st_size / 1e6
        print(f"report of {POINTS} points: {size:.2f} MB, made in {seconds:.1f} s")
        if chromium() is None:
            print("  no Chromium on PATH to open it in")
            return
        with Browser() as browser:
            for kind, window in (("desktop", DESKTOP), ("phone", PHONE)):
                times = [browser.open(page, size=window) for _ in range(RUNS)]
                print(
                    f"  opens in {times[0]:.2f} s on a {kind}, median of {RUNS} runs "
                    f"{statistics.median(times):.2f} s"
                )


if __name__ == "__main__":
    main()
