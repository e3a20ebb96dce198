"""What a sweep takes beside the work of its points, and what a second worker brings.

The work of a point is yosys, the network, and on the operands that it met the error metrics and the
simulation of the netlist, timed one after the other in a process of their own. Every run starts
with an empty cache, so that all is done. Needs free cores: everything else that runs goes into the
ratios, least into that of processor time, which is of all processes together.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CACHED_POINTS = 200


def clocks() -> tuple[float, float]:
    """Seconds on the wall, and of processor time of this process and its ended children."""
    times = os.times()
    return time.perf_counter(), sum(times[:4])


def since(start: tuple[float, float]) -> tuple[float, float]:
    wall, processor = clocks()
    return wall - start[0], processor - start[1]


def bare(specs: list[str]) -> tuple[float, float]:
    """Seconds (wall, processor) of yosys, network, metrics and simulation for these specs."""
    from hwarith.explore import point
    from hwarith.explore.workloads.digits import Digits
    from hwarith.flow import tools
    from hwarith.flow.energy import measure as energy
    from hwarith.units import unit

    seconds = (0.0, 0.0)

    def timed(home: Any, name: str) -> None:
        function = getattr(home, name)

        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal seconds
            start = clocks()
            try:
                return function(*arguments, **named)
            finally:
                wall, processor = since(start)
                seconds = (seconds[0] + wall, seconds[1] + processor)

        setattr(home, name, call)

    for home, name in (
        (tools, "run_yosys"),
        (Digits, "run"),
        (point, "evaluate"),
        (energy, "activity"),
    ):
        timed(home, name)
    for spec in specs:
        point.measure(unit(spec), "digits", "generic")
    return seconds


def with_empty_cache(command: list[str]) -> tuple[tuple[float, float], str]:
    """Seconds (wall, processor) that a command takes, and what it prints."""
    with tempfile.TemporaryDirectory() as cache:
        start = clocks()
        done = subprocess.run(
            command,
            env={**os.environ, "HWARITH_CACHE": cache},
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        )
        return since(start), done.stdout


def sweep(file: Path, *options: str) -> tuple[float, float]:
    """Seconds (wall, processor) of ``hwarith sweep`` into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hwarith", "sweep", str(file), "-o", folder, *options]
        return with_empty_cache(command)[0]


def cached(points: int) -> float:
    """Seconds of ``hwarith sweep`` where every point is in its folder."""
    from hwarith.explore.point import COSTS, Result
    from hwarith.explore.sweeps.sweep import run_sweep
    from hwarith.units import Unit, unit

    def fake(u: Unit, *_: Any) -> Result:
        costs = dict.fromkeys(COSTS, 1.0)
        name = u.operation.name
        return Result(u.spec, u.name, name, costs, "GE", "NAND2", 0.9, 0.1, {}, {}, 0.0)

    from hwarith.explore.sweeps import sweep as module

    module.measure = fake
    specs = [f"mul:a=e{e}m{m}" for e in range(3, 9) for m in range(1, 40)][:points]
    assert len({unit(spec) for spec in specs}) == points
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cached.toml"
        file.write_text(f"points = {json.dumps(specs)}")
        run_sweep(file, folder, flow=fake)
        command = [sys.executable, "-m", "hwarith", "sweep", str(file), "-o", folder]
        start = time.perf_counter()
        said = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        seconds = time.perf_counter() - start
        assert said.startswith(f"{points} points"), said
        return seconds


def main() -> None:
    from hwarith.explore.sweeps.sweep import DEFAULT
    from hwarith.explore.sweeps.sweep_file import read_sweep

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT, help="sweep file")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    specs = [u.spec for u in read_sweep(arguments.file).points]
    if arguments.bare:
        print(json.dumps(bare(specs)))
        return
    print(f"{CACHED_POINTS} cached points: {cached(CACHED_POINTS):.2f} s (target: 3)")
    command = [sys.executable, __file__, str(arguments.file), "--bare"]
    work, work_cpu = json.loads(with_empty_cache(command)[1])
    (one, one_cpu), (two, _) = (sweep(arguments.file, "--jobs", jobs) for jobs in "12")
    print(f"{len(specs)} points: work alone {work:.1f} s, one worker {one:.1f}, two {two:.1f} s")
    print(f"  sweep / its work                  {one / work:5.2f}  (target: at most 1.10)")
    print(f"  sweep / its work, processor time  {one_cpu / work_cpu:5.2f}")
    print(f"  one worker / two                  {one / two:5.2f}  (target: at least 1.8)")


if __name__ == "__main__":
    main()
