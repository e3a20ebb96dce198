"""Builds a Verilog module with Verilator, or runs the testbench on one that is built.

    python run.py build FOLDER    FOLDER/unit.v becomes FOLDER/build/TOPLEVEL
    python run.py test FOLDER     runs testbench.py on it, which writes FOLDER/outcome.jsonl

FOLDER/job.json says what to do; `testbench.py` describes it. Prints what the tools print, and
exits with status 1 if one of them fails.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, get_runner

# As in a chip, registers without a reset start with anything: +verilator+rand+reset+2.
# One C++ file: split ones are compiled with precompiled headers, for which the makefile of the
# verilator package lacks g++'s option.
RANDOM_START = ["--x-assign", "unique", "--x-initial", "unique"]
BUILD_ARGUMENTS = ["-O3", "--no-timing", *RANDOM_START, "--output-split", "0"]
RUN_ARGUMENTS = ["+verilator+rand+reset+2", "+verilator+seed+1"]


def build(runner: Runner, folder: Path, toplevel: str) -> None:
    runner.build(
        sources=[folder / "unit.v"],
        hdl_toplevel=toplevel,
        build_dir=folder / "build",
        build_args=[*BUILD_ARGUMENTS, "-Wno-fatal"],
    )


def test(runner: Runner, folder: Path, toplevel: str) -> None:
    results = runner.test(
        test_module="testbench",
        hdl_toplevel=toplevel,
        hdl_toplevel_lang="verilog",
        build_dir=folder / "build",
        test_dir=folder,
        plusargs=RUN_ARGUMENTS,
        extra_env={"NO_COLOR": "1"},
    )
    _, failed = get_results(results)
    outcome = [json.loads(line) for line in (folder / "outcome.jsonl").read_text().splitlines()]
    if failed != sum(phase["failed"] > 0 for phase in outcome):
        raise RuntimeError("the simulation ended before the testbench did")


def main() -> None:
    sys.path.append(str(Path(__file__).parent))  # where the simulator finds the testbench
    action, name = sys.argv[1:]
    folder = Path(name).resolve()
    toplevel = json.loads((folder / "job.json").read_text())["toplevel"]
    try:
        {"build": build, "test": test}[action](get_runner("verilator"), folder, toplevel)
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
