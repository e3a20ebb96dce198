"""The RTL itself on arrays of codes: compiled by Verilator, called through ctypes."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import caching
from ..errors import InvalidInput, ToolFailure, quoted
from ..formats import Format
from ..temporary import temporary_folder
from ..units import Unit, unit
from . import processes, tools
from .verilated import WITHOUT_FAULTY, cache_key, check_ports
from .verilog import verilog as verilog_of

# Registers without a reset start with random values, the same in every run: nothing may rely on
# how a simulator or a chip happens to start.
_RANDOM_START = ("--x-assign", "unique", "--x-initial", "unique")
_NAMES = ("--prefix", "Vmodel", "-Mdir", ".")
_VERILATOR_FLAGS = (
    *("--cc", "-O3", "--no-timing", "-Wno-fatal", WITHOUT_FAULTY),
    *_RANDOM_START,
    *_NAMES,
)

# Hidden, because models of one class name are loaded side by side in one process.
_COMPILER_FLAGS = (
    "-std=c++17",
    "-fPIC",
    "-fvisibility=hidden",
    "-ffunction-sections",
    "-DVM_TRACE=0",
    "-DVL_USER_FATAL",
    "-DVL_USER_STOP",
    "-DVL_USER_FINISH",
)

_COMPILE = ("g++", "-O2", *_COMPILER_FLAGS)

_HEADER = "runtime.h"

_RUNTIME = ("verilated.cpp", "verilated_threads.cpp", "verilated_dpi.cpp")

_MOST_PAUSES = 0.99
_PATIENCE = 10_000
"""Clocks without a transfer after which a stream is given up."""

_CHUNK = 1 << 16
"""Vectors from which on another core pays."""


def simulate(spec: Unit | str, verilog: str | None = None) -> Simulation:
    """The hardware of a unit (or of its spec), compiled to be called on arrays of codes.

    ``simulate(u)(a, b)`` takes and returns what ``u(a, b)`` does, but runs the Verilog. What was
    compiled is kept in the cache folder and found again by the Verilog and the tools' versions.

    Parameters
    ----------
    spec : the unit, or its spec.
    verilog : other Verilog with the unit's module name and ports (a synthesized netlist, say);
        without it, the unit's own.

    Raises `InvalidInput` for a wrong spec and for Verilog without the unit's ports, `MissingTool`
    without g++, make or perl, `ToolFailure` if the Verilog cannot be compiled.
    """
    u = unit(spec)
    tools.require("g++", "make", "perl")
    return Simulation(u, verilog_of(u) if verilog is None else verilog)


class Simulation:
    """Verilog of a unit, compiled; made by `simulate`.

    Attributes
    ----------
    unit : the unit.
    clocks : of a pipelined unit, how many clocks the last call took, from its first operands to
        its last result. Without pauses this is the number of vectors and `unit.stages`.
    """

    def __init__(self, unit: Unit, verilog: str):
        self.unit = unit
        self.clocks = 0
        self._function = _load(_library(unit, verilog))

    def __repr__(self) -> str:
        return f"hwarith.simulate({self.unit.spec!r})"

    def __call__(self, *codes: ArrayLike) -> Any:
        """Results for arrays of operand codes, with numpy's broadcasting, as the unit gives them
        (an array, or a named tuple of one for each result).

        A pipelined unit is reset, then takes operands and gives results at every clock.

        Raises `InvalidInput` for operands that are no codes of their formats, or whose shapes do
        not fit together, and `ToolFailure` if a pipelined unit blocks, or gives results that no
        operands went in for.
        """
        return self._run(codes, idle=0, stall=0, seed=0)

    def stream(self, *codes: ArrayLike, idle: float = 0, stall: float = 0, seed: int = 0) -> Any:
        """The same with pauses: results of a pipelined unit that is held up.

        Parameters
        ----------
        codes : arrays of operand codes.
        idle : chance that no operands are offered in a clock, 0 to 0.99.
        stall : chance that no result is accepted in a clock, 0 to 0.99.
        seed : of the pauses, 0 to 2^32 - 1.

        Raises what a call does, and `InvalidInput` for a unit without stages.
        """
        if self.unit.stages == 0:
            raise InvalidInput(f"{self.unit.spec} is combinational; only a pipeline can stream")
        chances = (("idle", idle, _MOST_PAUSES), ("stall", stall, _MOST_PAUSES))
        for name, value, most in (*chances, ("seed", seed, 2**32 - 1)):
            if not 0 <= value <= most:
                raise InvalidInput(f"stream: {name} must be 0 to {most}, not {quoted(value)}")
        return self._run(codes, idle, stall, seed)

    def _run(self, codes: tuple, idle: float, stall: float, seed: int) -> Any:
        u = self.unit
        operands = u.check_operands(codes)
        shape = u.transfers.result_shape(operands)
        inputs = zip(u.transfers.of(operands), u.inputs.values(), strict=True)
        columns = [_column(x, f) for x, f in inputs]
        results = [_empty_column(math.prod(shape), f) for f in u.results.values()]
        settings = (int(idle * 2**32), int(stall * 2**32), int(seed), _PATIENCE)
        if u.stages:
            self.clocks = self._call(columns, results, settings)
        else:
            self._call_on_all_cores(columns, results, settings)
        outputs = zip(results, u.results.values(), strict=True)
        return u.transfers.collect([_codes(x, f) for x, f in outputs], shape)

    def _call_on_all_cores(
        self, columns: list[np.ndarray], results: list[np.ndarray], settings: tuple[int, ...]
    ) -> None:
        def call(part: slice) -> None:
            self._call([x[part] for x in columns], [x[part] for x in results], settings)

        rows = len(results[0])
        cores = min(os.cpu_count() or 1, 1 + rows // _CHUNK)
        cuts = [rows * i // cores for i in range(cores + 1)]
        parts = [slice(*ends) for ends in pairwise(cuts)]
        if cores == 1:
            call(parts[0])
        else:
            with ThreadPoolExecutor(cores) as pool:
                list(pool.map(call, parts))

    def _call(
        self, columns: list[np.ndarray], results: list[np.ndarray], settings: tuple[int, ...]
    ) -> int:
        clocks, message = ctypes.c_uint64(), ctypes.create_string_buffer(256)
        went_well = self._function(
            (ctypes.c_void_p * len(columns))(*(x.ctypes.data for x in columns)),
            (ctypes.c_void_p * len(results))(*(x.ctypes.data for x in results)),
            ctypes.c_uint64(len(columns[0])),
            ctypes.c_uint64(len(results[0])),
            (ctypes.c_uint64 * len(settings))(*settings),
            ctypes.byref(clocks),
            message,
        )
        if not went_well:
            raise ToolFailure(f"simulation of {self.unit.name}: {message.value.decode()}")
        return clocks.value


# -- codes as the driver takes them ----------------------------------------------------------


def _words(f: Format) -> int:
    """32-bit words of a code that is wider than 64 bits."""
    return -(-f.bits // 32)


def _column(codes: np.ndarray, f: Format) -> np.ndarray:
    if f.dtype != object:
        return np.ascontiguousarray(codes)
    size = 4 * _words(f)
    text = b"".join(int(code).to_bytes(size, "little") for code in codes)
    return np.frombuffer(text, "<u4").reshape(codes.size, _words(f))


def _empty_column(n: int, f: Format) -> np.ndarray:
    return np.empty((n, _words(f)), "<u4") if f.dtype == object else np.empty(n, f.dtype)


def _codes(column: np.ndarray, f: Format) -> np.ndarray:
    if f.dtype != object:
        return column
    return np.array([int.from_bytes(row.tobytes(), "little") for row in column], object)


# -- compiling -------------------------------------------------------------------------------


@cache
def _load(library: Path) -> Callable[..., int]:
    function = ctypes.CDLL(str(library)).simulate
    function.restype = ctypes.c_int
    return function


def _library(u: Unit, text: str) -> Path:
    """The shared library of this Verilog: from the cache, or compiled into it."""
    driver = (tools.shipped("sim") / "batch.cpp").read_text()
    key = cache_key(__name__, text, driver, _interface(u), *_VERILATOR_FLAGS, *_COMPILER_FLAGS)

    def compiled() -> bytes:
        with temporary_folder() as folder:
            (folder / "batch.cpp").write_text(driver)
            (folder / "unit.h").write_text(_interface(u))
            (folder / "unit.v").write_text(text)
            (folder / "runtime.o").write_bytes(_runtime())
            (folder / _HEADER).write_text('#include "verilated.h"\n')
            (folder / f"{_HEADER}.gch").symlink_to(_precompiled_header())
            _verilate(u, folder)
            _compile(folder)
            return (folder / "unit.so").read_bytes()

    return caching.kept_file("simulate", f"{u.name[:80]}-{key}.so", compiled)


def _interface(u: Unit) -> str:
    """What the driver must know of a unit (``unit.h``)."""

    def listed(ports: dict[str, Format]) -> str:
        return " ".join(f"X({index}, {name})" for index, name in enumerate(ports))

    completes = u.transfers.completes
    complete = "model.{} == {}".format(*completes) if completes else "true"
    return (
        f'#include "Vmodel.h"\n#define STAGES {u.stages}\n'
        f"#define COMPLETE(model) ({complete})\n"
        f"#define INPUTS(X) {listed(u.inputs)}\n#define RESULTS(X) {listed(u.results)}\n"
    )


def _verilate(u: Unit, folder: Path) -> None:
    command, env = tools.verilator()
    arguments = [*_VERILATOR_FLAGS, "--top-module", u.name, "unit.v"]
    if u.parts:
        # Each part is compiled once, not once for each place where it is.
        blocks = "".join(f'hier_block -module "{name}"\n' for name in u.parts)
        (folder / "parts.vlt").write_text(f"`verilator_config\n{blocks}")
        arguments += ["--hierarchical", "parts.vlt"]
    processes.run([command, *arguments], folder, env, f"verilator on {u.name}")
    check_ports((folder / "Vmodel.h").read_text(), u)


def _compile(folder: Path) -> None:
    """One translation unit, and one for each part, each after the precompiled header: parsing
    Verilator's headers would be most of the work."""
    units = {"unit.cpp": [*sorted(folder.glob("Vmodel*.cpp")), folder / "batch.cpp"]}
    for i, part in enumerate(sorted(path for path in folder.glob("V*") if path.is_dir())):
        units[f"part_{i}.cpp"] = sorted(part.glob("*.cpp"))
    for name, sources in units.items():
        lines = (f'#include "{source.relative_to(folder)}"\n' for source in sources)
        (folder / name).write_text("".join(lines))
    link = ("-shared", "-s", "-Wl,--gc-sections", "-o", "unit.so", *units, "runtime.o")
    processes.run([*_COMPILE, *_include_flags(), "-include", _HEADER, *link], folder)


def _runtime() -> bytes:
    """Verilator's own library as an object file, compiled once per version of the tools."""

    def compiled() -> bytes:
        if sys.stderr.isatty():
            print("Compiling Verilator's runtime, once on this machine...", file=sys.stderr)
        with temporary_folder() as folder:
            (folder / "runtime.cpp").write_text("".join(f'#include "{p}"\n' for p in _RUNTIME))
            command = ["g++", "-O1", *_COMPILER_FLAGS, *_include_flags(), "-c", "runtime.cpp"]
            processes.run(command, folder, what="g++ on Verilator's runtime")
            return (folder / "runtime.o").read_bytes()

    key = cache_key(__name__, *_COMPILER_FLAGS, *_RUNTIME)
    return caching.kept("simulate", f"verilator-runtime-{key}.o", compiled)


def _precompiled_header() -> Path:
    """Verilator's header as g++ has parsed it, kept; without it or with another compiler's, g++
    takes the header itself."""

    def compiled() -> bytes:
        with temporary_folder() as folder:
            (folder / _HEADER).write_text('#include "verilated.h"\n')
            command = [*_COMPILE, *_include_flags(), "-x", "c++-header", _HEADER, "-o", "header"]
            processes.run(command, folder, what="g++ on Verilator's header")
            return (folder / "header").read_bytes()

    return caching.kept_file(
        "simulate", f"header-{cache_key(__name__, *_COMPILE, *_include_flags())}.gch", compiled
    )


def _include_flags() -> list[str]:
    include = tools.verilator_root() / "include"
    return ["-I.", f"-I{include}", f"-I{include / 'vltstd'}"]
