"""Builds a Verilog module with a simulator, or runs the testbench on one that is built.

    python run.py build FOLDER    FOLDER/unit.v becomes FOLDER/build/TOPLEVEL (of Icarus sim.vvp)
    python run.py test FOLDER     runs testbench.py on it, which writes FOLDER/outcome.jsonl

FOLDER/job.json says what to do; `testbench.py` describes it, and besides

    simulator  verilator or icarus
    flags      more for what builds with it
    waves      the file in FOLDER that signals are recorded in, a .vcd, or of Icarus a .fst; or null

Prints what the tools print, and
exits with status 1 if one of them fails.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Icarus, Runner, get_runner

# As in a chip, registers without a reset start with anything: +verilator+rand+reset+2; in Icarus
# they are x. One C++ file: split ones are compiled with precompiled headers, for which the makefile
# of the verilator package lacks g++'s option.
RANDOM_START = ["--x-assign", "unique", "--x-initial", "unique"]
BUILD_ARGUMENTS = {
    "verilator": ["-O3", "--no-timing", *RANDOM_START, "--output-split", "0", "-Wno-fatal"],
    "icarus": [],
}
# The testbench needs no signals but ports, and a netlist with all of them, as cocotb's runner asks
# for, takes a minute to compile. Waves are of all of them.
FEW_SIGNALS = {"verilator": ["--no-public-flat-rw", "--public-depth", "1"], "icarus": []}
RUN_ARGUMENTS = {
    "verilator": ["+verilator+rand+reset+2", "+verilator+seed+1"],
    "icarus": [],
}


class VcdIcarus(Icarus):
    """Icarus, which writes waves as VCD in place of FST."""

    def _test_command(self) -> list:
        commands = super()._test_command()
        return [["-vcd" if word == "-fst" else word for word in command] for command in commands]


def build(runner: Runner, folder: Path, job: dict[str, Any]) -> None:
    simulator, waves = job["simulator"], job["waves"] is not None
    signals = [] if waves else FEW_SIGNALS[simulator]
    runner.build(
        sources=[folder / "unit.v"],
        hdl_toplevel=job["toplevel"],
        build_dir=folder / "build",
        build_args=[*BUILD_ARGUMENTS[simulator], *signals, *job["flags"]],
        timescale=("1ns", "1ps") if simulator == "icarus" else None,
        waves=waves,
    )


def test(runner: Runner, folder: Path, job: dict[str, Any]) -> None:
    waves = job["waves"]
    file = [f"+dumpfile_path={folder / waves}"] if waves and job["simulator"] == "icarus" else []
    results = runner.test(
        test_module="testbench",
        hdl_toplevel=job["toplevel"],
        hdl_toplevel_lang="verilog",
        build_dir=folder / "build",
        test_dir=folder,
        plusargs=[*RUN_ARGUMENTS[job["simulator"]], *file],
        extra_env={"NO_COLOR": "1"},
        waves=waves is not None,
    )
    if waves and job["simulator"] == "verilator":
        (folder / "dump.vcd").rename(folder / waves)
    _, failed = get_results(results)
    outcome = [json.loads(line) for line in (folder / "outcome.jsonl").read_text().splitlines()]
    if failed != sum(phase["failed"] > 0 for phase in outcome):
        raise RuntimeError("the simulation ended before the testbench did")


def main() -> None:
    sys.path.append(str(Path(__file__).parent))  # where the simulator finds the testbench
    action, name = sys.argv[1:]
    folder = Path(name).resolve()
    job = json.loads((folder / "job.json").read_text())
    as_vcd = job["simulator"] == "icarus" and str(job["waves"]).endswith(".vcd")
    runner = VcdIcarus() if as_vcd else get_runner(job["simulator"])
    try:
        {"build": build, "test": test}[action](runner, folder, job)
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
