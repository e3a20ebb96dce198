"""The cocotb testbench of ``sim/``, run in Verilator or Icarus on a unit or on Verilog with its
ports."""

from __future__ import annotations

import json
import os
import shlex
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .. import caching
from ..exceptions import InvalidInput, shown, unknown
from ..extras import require
from ..files import check_writable, write_bytes
from ..formats import Format
from ..temporary import temporary_folder
from ..units import Unit, unit
from . import processes, tools
from .checks import MOST_SEED, check_integer
from .regression import Phase, Regression
from .stimuli.calls import Call, calls_by_class
from .stimuli.default import GroupStimuli
from .stimuli.families import stimuli_of
from .synthesis.equivalence import check_seconds, equivalence, netlist_of
from .verilated import SIMULATORS, WITHOUT_FAULTY, cache_key, check_ports
from .verilog import verilog as verilog_of

MOST_VECTORS = 1_000_000
"""More would take cocotb an hour; `hwarith.simulate` is for those."""


WAVES = {"verilator": (".vcd",), "icarus": (".vcd", ".fst")}
"""How files end that the simulators can record signals in."""


def regress(
    spec: Unit | str,
    vectors: int = 1000,
    seed: int = 1,
    verilog: str | None = None,
    simulator: str = "verilator",
    waves: Path | str | None = None,
    library: Path | str | None = None,
    seconds: float = 60,
) -> Regression:
    """Run the cocotb testbench on the Verilog of a unit (or of its spec).

    A combinational unit computes all vectors, which are those of `hwarith.vectors`: every class of
    them that the unit can meet. A pipelined one streams them in four phases, with
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
    vectors : how many operand vectors, 1 to 1,000,000; all of them if there are no more. Of a unit
        that takes groups, about as many together; of an array, as many tiles.
    seed : of the vectors and of the pauses, 0 to 2^32 - 1.
    verilog : other Verilog with the unit's module name and ports; without it, the unit's own.
        With a library other Verilog of its cells, as layout leaves it, say.
    simulator : ``verilator``, in which registers without a reset start with anything, or
        ``icarus``, in which they start unknown (x).
    waves : a file to record all signals in: a ``.vcd``, or of Icarus a ``.fst``.
    library : run the netlist that `synthesize` maps to this library of cells (``generic``,
        ``osu018``, ``osu035``, ``osu050``, the path of a Liberty file), with the cells as their
        Liberty functions say, and decide whether it equals the unit's Verilog for every input
        (`hwarith.flow.synthesis.equivalence`).
    seconds : after which the latter is given up: the verdict is ``undecided``, and nothing fails.

    What fails is in the result. Raises `InvalidInput` for a wrong spec, number or file, and for
    Verilog without the unit's ports; `MissingTool` without cocotb (extra ``regress``), without g++,
    make and perl, or without Icarus Verilog; `ToolFailure` if the Verilog cannot be compiled or the
    simulator breaks off.
    """
    u = unit(spec)
    check_integer("regress: vectors", vectors, 1, MOST_VECTORS)
    check_integer("regress: seed", seed, 0, MOST_SEED)
    if simulator not in SIMULATORS:
        raise unknown("simulator", simulator, SIMULATORS)
    file = _waves_file(waves, simulator)
    require("cocotb", "the regression")
    if simulator == "verilator":
        tools.require("g++", "make", "perl")
    else:
        tools.icarus()
    if library is not None:
        check_seconds(seconds)
        text = netlist_of(u, library, verilog)
    else:
        text = verilog_of(u) if verilog is None else verilog
    executable, log = _executable(u, text, simulator, file is not None)
    classes = calls_by_class(u, _results(u, vectors), seed)
    calls = [call for calls in classes.values() for call in calls]
    with temporary_folder() as folder:
        recorded = f"waves{file.suffix}" if file else None
        _write_job(folder, u, _job(u, calls, seed), simulator, recorded)
        copy = folder / "build" / _built(u, simulator)
        copy.write_bytes(executable)
        copy.chmod(0o755)
        _run("test", folder, log)
        lines = (folder / "outcome.jsonl").read_text().splitlines()
        if file and recorded:
            write_bytes(file, (folder / recorded).read_bytes())
    phases = tuple(Phase(**json.loads(line)) for line in lines)
    equal = None if library is None else equivalence(u, library, verilog, seconds)
    return Regression(
        u.spec,
        sum(call[0].size for call in calls),
        seed,
        (*phases, *([equal.phase] if equal else [])),
        log,
        simulator,
        {name: sum(_count(u, call) for call in calls) for name, calls in classes.items()},
        equal,
    )


def _waves_file(waves: Path | str | None, simulator: str) -> Path | None:
    """The file to record in. Raises `InvalidInput` for one that cannot be, before anything runs."""
    if waves is None:
        return None
    file = Path(waves)
    if file.suffix not in WAVES[simulator]:
        raise InvalidInput(
            f"waves: the name must end in {' or '.join(WAVES[simulator])}, what {simulator} "
            f"records, not {shown(file.name)}"
        )
    check_writable(file)
    return file


def _results(u: Unit, vectors: int) -> int:
    """How many results take about so many operand vectors."""
    stimuli = stimuli_of(u)
    longest = stimuli.longest_group if isinstance(stimuli, GroupStimuli) else 1
    return max(1, 2 * vectors // (longest + 1))


def _count(u: Unit, call: Call) -> int:
    """The results of a call."""
    return len(u.transfers.per_result(u.check_operands(call)))


def _job(u: Unit, given: list[Call], seed: int) -> dict[str, Any]:
    """What the testbench is to do (`sim/testbench.py` describes it)."""
    calls = [u.check_operands(call) for call in given]
    inputs = [u.transfers.of(list(x)) for x in calls]
    results = [u.transfers.result_codes(u(*x)) for x in calls]
    return {
        "stages": u.stages,
        "interval": u.transfers.clocks,
        "waits": u.transfers.waits,
        "fills": u.transfers.fills,
        "seed": seed,
        "operands": _columns(u.inputs, inputs),
        "results": _columns(u.results, results),
        "transfers": [n for x in calls for n in u.transfers.per_result(list(x))],
        "together": [n for x in calls for n in u.transfers.together(list(x))],
    }


def _columns(ports: dict[str, Format], calls: list[list[np.ndarray]]) -> dict[str, list[int]]:
    """What is at each port, all calls one after the other."""
    columns = (np.concatenate([np.ravel(x) for x in call]) for call in zip(*calls, strict=True))
    return {name: x.tolist() for name, x in zip(ports, columns, strict=True)}


def _write_job(
    folder: Path, u: Unit, job: dict[str, Any], simulator: str, waves: str | None
) -> None:
    (folder / "build").mkdir()
    flags = [WITHOUT_FAULTY] if simulator == "verilator" else []
    facts = {"toplevel": u.name, "simulator": simulator, "flags": flags, "waves": waves}
    (folder / "job.json").write_text(json.dumps(facts | job))


def _built(u: Unit, simulator: str) -> str:
    """The file that is run."""
    return u.name if simulator == "verilator" else "sim.vvp"


def _run(action: str, folder: Path, log: Path) -> None:
    """Run ``sim/run.py``: a process of its own, because cocotb's runner reads and changes the
    environment, and behaves otherwise under pytest."""
    simulator = json.loads((folder / "job.json").read_text())["simulator"]
    env = tools.verilator()[1] if simulator == "verilator" else dict(os.environ)
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


def _executable(
    u: Unit, text: str, simulator: str = "verilator", waves: bool = False
) -> tuple[bytes, Path]:
    """The simulator of this Verilog, kept or compiled, and the file for what is said by it."""
    from cocotb_tools import config

    cocotb = (version("cocotb"), str(config.libs_dir))
    script = (tools.shipped("sim") / "run.py").read_text()
    settings = (simulator, str(waves))
    key = cache_key(__name__, text, script, *cocotb, *settings, simulator=simulator)
    name = f"{u.name[:80]}-{key}"
    log = caching.folder("regress") / f"{name}.log"

    def compiled() -> bytes:
        with temporary_folder() as folder:
            _write_job(folder, u, {}, simulator, "waves" if waves else None)
            (folder / "unit.v").write_text(text)
            if simulator == "verilator":
                runtime = cache_key(__name__, script, *cocotb, *settings)
                _build(folder, f"regress/runtime-{runtime}", log)
                declares = folder / "build" / "Vtop.h"
            else:
                _run("build", folder, log)
                declares = folder / "build" / "sim.vvp"
            check_ports(declares.read_text(), u, simulator)
            return (folder / "build" / _built(u, simulator)).read_bytes()

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
