"""The cocotb testbench of ``sim/``, run in Verilator on a unit or on Verilog with its ports."""

from __future__ import annotations

import json
import os
import shlex
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .. import caching
from ..formats import Format
from ..temporary import temporary_folder
from ..units import Unit, unit
from . import processes, tools
from .checks import MOST_SEED, check_integer
from .stimuli.families import stimuli_of
from .verilated import cache_key, check_ports
from .verilog import verilog as verilog_of

MOST_VECTORS = 1_000_000
"""More would take cocotb an hour; `hwarith.simulate` is for those."""


@dataclass(frozen=True)
class Phase:
    """One test of a regression: how many checks passed and failed, and the first failure."""

    name: str
    passed: int
    failed: int
    message: str | None
    seconds: float


@dataclass(frozen=True)
class Regression:
    """What `regress` found.

    Attributes
    ----------
    spec : of the unit.
    vectors : operand vectors in each phase.
    seed : of the vectors and the pauses.
    phases : the tests, in order.
    log : the file with all that cocotb printed.
    """

    spec: str
    vectors: int
    seed: int
    phases: tuple[Phase, ...]
    log: Path

    @property
    def passed(self) -> int:
        """Checks that passed."""
        return sum(phase.passed for phase in self.phases)

    @property
    def failed(self) -> int:
        """Checks that failed."""
        return sum(phase.failed for phase in self.phases)

    @property
    def message(self) -> str | None:
        """The first failure: in which phase, what was expected, what came; None if all passed."""
        failures = (f"{phase.name}: {phase.message}" for phase in self.phases if phase.failed)
        return next(failures, None)

    def as_dict(self) -> dict[str, Any]:
        """The counts, the seed and the first failure, for a table or for JSON."""
        return {
            "passed": self.passed,
            "failed": self.failed,
            "phases": len(self.phases),
            "vectors": self.vectors,
            "seed": self.seed,
            "message": self.message or "",
        }

    def __str__(self) -> str:
        verdict = f"{self.failed} failed: {self.message}; log: {self.log}" if self.failed else "ok"
        return f"{self.spec}: {self.passed} checks passed, {verdict}"


def regress(
    spec: Unit | str, vectors: int = 1000, seed: int = 1, verilog: str | None = None
) -> Regression:
    """Run the cocotb testbench on the Verilog of a unit (or of its spec).

    A combinational unit computes all vectors. A pipelined one streams them in four phases, with
    and without idle clocks and back-pressure. It must not wait for either side: results come for a
    sink that is ready only after they are valid, and operands are taken of a source that offers
    them only after the unit was ready (but where a transfer takes more than a clock, as in a tile,
    ready is its end, and no source may wait for it). While its output is blocked an empty one takes
    as many transfers as it has stages. It must take a transfer at every clock (or as often as it
    says), with a result after as many clocks as it has stages. It takes nothing in reset, and is
    reset in mid-flight. An offered result that changes before it is accepted is a failure, and so
    is one result too few or too many.

    Parameters
    ----------
    spec : the unit, or its spec.
    vectors : how many operand vectors, 1 to 1,000,000; all of them if there are no more.
    seed : of the vectors (`Stimuli.operands`) and of the pauses, 0 to 2^32 - 1.
    verilog : other Verilog with the unit's module name and ports; without it, the unit's own.

    What fails is in the result. Raises `InvalidInput` for a wrong spec or number and for Verilog
    without the unit's ports, `MissingTool` without g++, make or perl, `ToolFailure` if the Verilog
    cannot be compiled or the simulator breaks off.
    """
    u = unit(spec)
    check_integer("regress: vectors", vectors, 1, MOST_VECTORS)
    check_integer("regress: seed", seed, 0, MOST_SEED)
    tools.require("g++", "make", "perl")
    executable, log = _executable(u, verilog_of(u) if verilog is None else verilog)
    operands = stimuli_of(u).operands(vectors, seed)
    with temporary_folder() as folder:
        _write_job(folder, u, _job(u, operands, seed))
        copy = folder / "build" / u.name
        copy.write_bytes(executable)
        copy.chmod(0o755)
        _run("test", folder, log)
        lines = (folder / "outcome.jsonl").read_text().splitlines()
    phases = tuple(Phase(**json.loads(line)) for line in lines)
    return Regression(u.spec, operands[0].size, seed, phases, log)


def _job(u: Unit, operands: tuple[np.ndarray, ...], seed: int) -> dict[str, Any]:
    """What the testbench is to do (`sim/testbench.py` describes it)."""
    calls = stimuli_of(u).test_calls(operands, seed)
    inputs = [u.transfers.of(list(x)) for x in calls]
    results = [u.transfers.result_codes(u(*x)) for x in calls]
    return {
        "stages": u.stages,
        "interval": u.transfers.clocks,
        "fills": u.transfers.fills,
        "seed": seed,
        "operands": _columns(u.inputs, inputs),
        "results": _columns(u.results, results),
        "transfers": [n for x in calls for n in u.transfers.per_result(list(x))],
    }


def _columns(ports: dict[str, Format], calls: list[list[np.ndarray]]) -> dict[str, list[int]]:
    """What is at each port, all calls one after the other."""
    columns = (np.concatenate([np.ravel(x) for x in call]) for call in zip(*calls, strict=True))
    return {name: x.tolist() for name, x in zip(ports, columns, strict=True)}


def _write_job(folder: Path, u: Unit, job: dict[str, Any]) -> None:
    (folder / "build").mkdir()
    (folder / "job.json").write_text(json.dumps({"toplevel": u.name} | job))


def _run(action: str, folder: Path, log: Path) -> None:
    """Run ``sim/run.py``: a process of its own, because cocotb's runner reads and changes the
    environment, and behaves otherwise under pytest."""
    _, env = tools.verilator()
    inherited = {
        name: value
        for name, value in env.items()
        if not name.startswith(("COCOTB_", "PYTEST_", "MAKE", "MFLAGS", "WAVES", "GUI"))
    }
    # Verilator's makefile calls c++ and python, which need not be there by these names
    python = shlex.join(processes.python()).replace(" ", "\\ ")
    makeflags = f"-- CXX=g++ LINK=g++ PYTHON3={python}"
    script = tools.shipped("sim") / "run.py"
    processes.run(
        processes.python(str(script), action, str(folder)),
        folder,
        inherited | {"MAKEFLAGS": makeflags},
        f"cocotb ({action})",
        log,
    )


def _executable(u: Unit, text: str) -> tuple[bytes, Path]:
    """The simulator of this Verilog, kept or compiled, and the file for what is said by it."""
    from cocotb_tools import config

    cocotb = (version("cocotb"), str(config.libs_dir))
    script = (tools.shipped("sim") / "run.py").read_text()
    name = f"{u.name[:80]}-{cache_key(__name__, text, script, *cocotb)}"
    log = caching.folder("regress") / f"{name}.log"

    def compiled() -> bytes:
        with temporary_folder() as folder:
            _write_job(folder, u, {})
            (folder / "unit.v").write_text(text)
            _build(folder, f"regress/runtime-{cache_key(__name__, script, *cocotb)}", log)
            check_ports((folder / "build" / "Vtop.h").read_text(), u)
            return (folder / "build" / u.name).read_bytes()

    return caching.kept("regress", name, compiled), log


def _build(folder: Path, runtime: str, log: Path) -> None:
    """Build, with Verilator's own library, the same for all units, from an earlier build."""
    newer_than_makefile = time.time() + 3600
    kept = {path.name for path in caching.folder(runtime).glob("*.o")}
    for name in kept:
        if (content := caching.load(runtime, name)) is not None:
            copy = folder / "build" / name
            copy.write_bytes(content)
            os.utime(copy, (newer_than_makefile, newer_than_makefile))
    _run("build", folder, log)
    for compiled in (folder / "build").glob("verilated*.o"):
        content = compiled.read_bytes()
        if caching.load(runtime, compiled.name) != content:
            caching.save(runtime, compiled.name, content)
